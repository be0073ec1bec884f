//! Coming and going: graces, batches, names, tokens.

use super::*;
use crate::chat::room::{MAX_GONE, MAX_PER_EVENT, MAX_SOCKETS_PER_VIEWER, RENEWALS_AT_ONCE};

fn presences(scene: &Scene) -> Vec<(usize, usize, u32)> {
    let presences = scene.events(EAST).into_iter().filter_map(|event| match event {
        ChatEvent::Presence { joined, left, count } => Some((joined.len(), left.len(), count)),
        _ => None,
    });
    presences.collect()
}

#[test]
fn the_first_to_come_is_told_at_once_and_the_next_together() {
    let mut scene = Scene::followed();
    for n in 0..5 {
        scene.enter(EAST, &format!("v{n}"), Role::Viewer);
    }
    assert_eq!(presences(&scene), [(1, 0, 1)]);
    scene.pass(Duration::from_millis(499));
    assert_eq!(presences(&scene).len(), 1);
    scene.pass(Duration::from_millis(1));
    assert_eq!(presences(&scene), [(1, 0, 1), (4, 0, 5)]);
}

#[test]
fn a_crowd_is_told_in_events_that_fit_frames() {
    let mut scene = Scene::followed();
    for n in 0..MAX_PER_EVENT * 2 + 1 {
        scene.enter(EAST, &format!("v{n}"), Role::Viewer);
    }
    scene.pass(Duration::from_secs(1));
    assert_eq!(
        presences(&scene),
        [(1, 0, 1), (MAX_PER_EVENT, 0, 501), (MAX_PER_EVENT, 0, 1001)]
    );
}

#[test]
fn a_viewer_leaves_some_time_after_its_last_socket() {
    let mut scene = Scene::followed();
    let first = scene.enter(EAST, "ann", Role::Viewer);
    let second = scene.enter(WEST, "ann", Role::Viewer);
    scene.call(|room, now| room.leave(now, first));
    scene.pass(Duration::from_secs(60));
    assert_eq!((presences(&scene), scene.room.viewer_count()), (vec![(1, 0, 1)], 1));
    scene.call(|room, now| room.leave(now, second));
    scene.pass(Duration::from_millis(4999));
    assert_eq!(presences(&scene).len(), 1);
    scene.pass(Duration::from_millis(1));
    assert_eq!(
        (presences(&scene), scene.room.viewer_count()),
        (vec![(1, 0, 1), (0, 1, 0)], 0)
    );
}

#[test]
fn a_page_that_is_loaded_again_makes_no_noise() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    scene.clear();
    scene.call(|room, now| room.leave(now, ann));
    scene.pass(Duration::from_secs(3));
    scene.enter(EAST, "ann", Role::Viewer);
    scene.pass(Duration::from_secs(60));
    assert_eq!(presences(&scene), []);
}

#[test]
fn a_lost_relay_takes_its_viewers_along_unless_they_come_back_elsewhere() {
    let mut scene = Scene::followed();
    for id in ["ann", "bob", "cid"] {
        scene.enter(WEST, id, Role::Viewer);
    }
    scene.enter(EAST, "cid", Role::Viewer);
    scene.pass(Duration::from_secs(1));
    scene.clear();
    scene.call(|room, now| room.relay_lost(now, WEST));
    scene.pass(Duration::from_secs(10));
    scene.enter(EAST, "bob", Role::Viewer);
    scene.pass(Duration::from_millis(4999));
    assert_eq!((presences(&scene), scene.room.viewer_count()), (vec![], 3));
    scene.pass(Duration::from_secs(30));
    assert_eq!((presences(&scene), scene.room.viewer_count()), (vec![(0, 1, 2)], 2));
    assert_eq!(scene.room.followers().collect::<Vec<_>>(), [EAST]);
}

#[test]
fn a_relay_that_stops_following_closes_its_sockets() {
    let mut scene = Scene::followed();
    scene.enter(EAST, "ann", Role::Viewer);
    scene.call(|room, now| room.unfollow(now, EAST));
    scene.pass(Duration::from_secs(5));
    assert_eq!(scene.room.viewer_count(), 0);
    assert_eq!(
        scene.room.deadline().map(|_| ()),
        Some(()),
        "tokens are looked for once more"
    );
    scene.pass(Duration::from_secs(20));
    assert_eq!(scene.room.deadline(), None);
}

#[test]
fn a_snapshot_says_what_followers_were_told_and_nothing_twice() {
    let mut scene = Scene::followed();
    scene.enter(EAST, "ann", Role::Viewer);
    scene.enter(EAST, "mod", Role::Moderator);
    scene.follow(RelayKey(3), None);
    let Some(ChatDown::Snapshot(piece)) = scene.told(RelayKey(3)).first() else {
        panic!()
    };
    assert_eq!(piece.roster, [entry("ann", Role::Viewer)]);
    assert_eq!(piece.state.as_ref().unwrap().viewer_count, 1);
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.events(RelayKey(3)).len(), 1);
    scene.follow(RelayKey(4), None);
    let Some(ChatDown::Snapshot(piece)) = scene.told(RelayKey(4)).first() else {
        panic!()
    };
    assert_eq!(
        piece.roster,
        [entry("mod", Role::Moderator), entry("ann", Role::Viewer)]
    );
}

#[test]
fn names_are_unique_and_follow_what_was_claimed() {
    let mut scene = Scene::followed();
    let ann = |id: &str, scene: &Scene| Entrant {
        nickname: "Ann".to_owned(),
        ..scene.entrant(id, Role::Viewer)
    };
    let first = ann("a", &scene);
    scene.enter_as(EAST, first);
    assert_eq!(
        scene.call(|room, now| room.claim_name(now, "b", Role::Viewer, "Ann")),
        "Ann 2"
    );
    let second = ann("b", &scene);
    let at = scene.enter_as(WEST, second);
    let entered = SocketEvent::Entered {
        nickname: "Ann 2".to_owned(),
        role: Role::Viewer,
    };
    assert_eq!(scene.socket_events(at), [entered]);
    scene.act(at, say("hi", "1"));
    assert_eq!(scene.messages(EAST)[0].nickname, "Ann 2");
}

#[test]
fn one_who_claims_another_name_is_called_so_and_leaves_none_behind() {
    let mut scene = Scene::followed();
    scene.enter(EAST, "ann", Role::Viewer);
    scene.pass(Duration::from_secs(1));
    scene.clear();
    scene.call(|room, now| room.claim_name(now, "ann", Role::Viewer, "Zed"));
    let renamed = RosterEntry {
        nickname: "Zed".to_owned(),
        ..entry("ann", Role::Viewer)
    };
    let told = ChatEvent::Presence {
        joined: vec![renamed],
        left: Vec::new(),
        count: 1,
    };
    assert_eq!(scene.events(EAST), [told]);
    assert_eq!(
        scene.call(|room, now| room.claim_name(now, "bob", Role::Viewer, "Ann")),
        "Ann"
    );
}

#[test]
fn a_socket_whose_token_ended_is_closed_by_its_next_act_or_in_time() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    let silent = scene.enter(WEST, "bob", Role::Viewer);
    scene.set_clock(scene.now.monotonic + Duration::from_secs(601));
    scene.act(ann, say("hi", "1"));
    assert_eq!(scene.kicked(ann), Some(KickReason::Expired));
    assert!(scene.messages(EAST).is_empty());
    scene.pass(Duration::from_secs(10));
    assert_eq!(scene.kicked(silent), Some(KickReason::Expired));
    let late = Entrant {
        expires_at: UnixMillis(0),
        ..scene.entrant("cid", Role::Viewer)
    };
    let late = scene.enter_as(EAST, late);
    assert_eq!(scene.kicked(late), Some(KickReason::Expired));
}

#[test]
fn a_newer_token_keeps_the_socket_and_another_viewers_closes_it() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    scene.set_clock(scene.now.monotonic + Duration::from_secs(400));
    let newer = scene.entrant("ann", Role::Moderator);
    scene.call(|room, now| room.renewed(now, ann, newer));
    scene.set_clock(scene.now.monotonic + Duration::from_secs(400));
    scene.clear();
    assert_eq!(scene.refusal(ann, ChatAct::SlowMode { seconds: 1 }), None);
    let other = scene.entrant("bob", Role::Host);
    scene.call(|room, now| room.renewed(now, ann, other));
    assert_eq!(scene.kicked(ann), Some(KickReason::Expired));
}

#[test]
fn a_newer_token_is_asked_for_but_not_without_end() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    for _ in 0..RENEWALS_AT_ONCE {
        scene.clear();
        scene.call(|room, now| room.renew(now, ann));
        assert_eq!(scene.asked, [Output::Renew(ann, "ann".to_owned())]);
    }
    scene.clear();
    scene.call(|room, now| room.renew(now, ann));
    assert!(scene.asked.is_empty());
    assert!(matches!(
        scene.socket_events(ann)[..],
        [SocketEvent::Refused {
            code: RefusalCode::RateLimited,
            ..
        }]
    ));
}

#[test]
fn all_who_came_with_a_revoked_invite_are_out() {
    let mut scene = Scene::followed();
    let with = |scene: &Scene, id: &str, invite: &str| Entrant {
        invite_id: Some(invite.to_owned()),
        ..scene.entrant(id, Role::Viewer)
    };
    let sockets = [("ann", "bad"), ("bob", "bad"), ("cid", "good"), ("bob", "good")].map(|(id, invite)| {
        let entrant = with(&scene, id, invite);
        scene.enter_as(EAST, entrant)
    });
    scene.call(|room, now| room.shut_out_invite(now, "bad"));
    let kicked = sockets.map(|at| scene.kicked(at));
    assert_eq!(
        kicked,
        [Some(KickReason::Revoked), Some(KickReason::Revoked), None, None]
    );
    assert_eq!(scene.room.viewer_count(), 2);
}

#[test]
fn the_oldest_socket_of_too_many_gives_way() {
    let mut scene = Scene::followed();
    let first = scene.enter(EAST, "ann", Role::Viewer);
    for _ in 0..MAX_SOCKETS_PER_VIEWER {
        scene.enter(WEST, "ann", Role::Viewer);
    }
    assert_eq!(scene.kicked(first), Some(KickReason::Replaced));
    assert_eq!(scene.room.viewer_count(), 1);
}

#[test]
fn a_socket_that_enters_again_stays_one_socket() {
    let mut scene = Scene::followed();
    let at = scene.enter(EAST, "ann", Role::Viewer);
    for id in ["ann", "bob"] {
        let entrant = scene.entrant(id, Role::Viewer);
        scene.call(|room, now| room.enter(now, at, entrant));
    }
    scene.pass(Duration::from_secs(6));
    assert_eq!(scene.room.viewer_count(), 1);
    scene.call(|room, now| room.leave(now, at));
    scene.pass(Duration::from_secs(6));
    assert_eq!(scene.room.viewer_count(), 0);
}

#[test]
fn those_who_left_are_remembered_up_to_a_number() {
    let mut scene = Scene::followed();
    let moderator = scene.enter(EAST, "mod", Role::Moderator);
    scene.enter(EAST, "bad", Role::Viewer);
    scene.act(moderator, time_out("bad", 3600));
    for n in 0..MAX_GONE + 20 {
        let at = if n == 0 {
            SocketKey { relay: EAST, socket: 2 }
        } else {
            scene.enter(EAST, &format!("v{n}"), Role::Viewer)
        };
        scene.call(|room, now| room.leave(now, at));
    }
    scene.pass(Duration::from_secs(6));
    scene.clear();
    assert_eq!(scene.room.people.known(), MAX_GONE + 1);
    let bad = scene.enter(EAST, "bad", Role::Viewer);
    assert_eq!(scene.refusal(bad, say("hi", "1")), Some(RefusalCode::TimedOut));
}
