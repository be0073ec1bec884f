//! Moderation: who may do what to whom, what it does, and what is put on record.

use super::*;
use crate::{
    chat::{
        record::{AuditAction, Doer},
        room::{MAX_SLOW_MODE_SECONDS, MAX_TIMEOUT_SECONDS, NotDone, OPERATOR_ID},
    },
    wire::chat::Notice,
};

const ROLES: [Role; 3] = [Role::Viewer, Role::Moderator, Role::Host];

fn operator() -> Doer {
    Doer {
        viewer_id: None,
        nickname: "operator".to_owned(),
        role: Role::Host,
    }
}

fn moderate(scene: &mut Scene, by: &Doer, act: ChatAct) -> Result<(), NotDone> {
    scene.call(|room, now| room.act_as(now, by, act))
}

/// Whether someone of this role may do it to a target of that role, on another relay. Told by what became of it.
fn is_done(actor: Role, target: Role, act: &str) -> bool {
    let mut scene = Scene::followed();
    let other = scene.enter(WEST, "target", target);
    let own = scene.enter(EAST, "actor", actor);
    scene.act(other, say("theirs", "1"));
    scene.act(own, say("mine", "1"));
    if act == "unban" {
        moderate(&mut scene, &operator(), ban("target")).unwrap();
    }
    scene.clear();
    let what = match act {
        "say" => say("hi", "2"),
        "react" => react("👍"),
        "delete own" => delete(2),
        "delete" => delete(1),
        "timeout" => time_out("target", 60),
        "ban" => ban("target"),
        "unban" => unban("target"),
        "pin" => ChatAct::Pin { message_id: Some(1) },
        "slow mode" => ChatAct::SlowMode { seconds: 5 },
        "lock" => ChatAct::Lock { locked: true },
        other => panic!("{other}"),
    };
    let refused = scene.refusal(own, what);
    assert!(refused.is_none_or(|code| code == RefusalCode::Forbidden), "{refused:?}");
    let left_a_trace = scene
        .told
        .values()
        .flatten()
        .any(|down| !matches!(down, ChatDown::Socket { .. }))
        || !scene.kept.is_empty()
        || !scene.asked.is_empty();
    assert_eq!(
        left_a_trace,
        refused.is_none(),
        "{actor} {act} {target}: a refused act does nothing"
    );
    refused.is_none()
}

#[test]
fn who_may_do_what_to_whom() {
    // For a target that is viewer, moderator, host.
    #[rustfmt::skip]
    let matrix: [(&str, [[u8; 3]; 3]); 10] = [
        //             by viewer  by moderator  by host
        ("say",        [[1, 1, 1], [1, 1, 1], [1, 1, 1]]),
        ("react",      [[1, 1, 1], [1, 1, 1], [1, 1, 1]]),
        ("delete own", [[1, 1, 1], [1, 1, 1], [1, 1, 1]]),
        ("pin",        [[0, 0, 0], [1, 1, 1], [1, 1, 1]]),
        ("slow mode",  [[0, 0, 0], [1, 1, 1], [1, 1, 1]]),
        ("lock",       [[0, 0, 0], [1, 1, 1], [1, 1, 1]]),
        ("delete",     [[0, 0, 0], [1, 0, 0], [1, 1, 0]]),
        ("timeout",    [[0, 0, 0], [1, 0, 0], [1, 1, 0]]),
        ("ban",        [[0, 0, 0], [1, 0, 0], [1, 1, 0]]),
        ("unban",      [[0, 0, 0], [1, 0, 0], [1, 1, 0]]),
    ];
    for (act, allowed) in matrix {
        let found = ROLES.map(|actor| ROLES.map(|target| u8::from(is_done(actor, target, act))));
        assert_eq!(found, allowed, "{act}");
    }
}

#[test]
fn the_operator_may_do_all_but_speak() {
    for target in ROLES {
        let mut scene = Scene::followed();
        let at = scene.enter(WEST, "target", target);
        scene.act(at, say("theirs", "1"));
        for act in [
            ChatAct::Pin { message_id: Some(1) },
            delete(1),
            time_out("target", 60),
            ban("target"),
            unban("target"),
        ] {
            assert_eq!(moderate(&mut scene, &operator(), act), Ok(()));
        }
        for act in [say("hi", "1"), react("👍")] {
            assert_eq!(moderate(&mut scene, &operator(), act), Err(NotDone::NotAllowed));
        }
    }
}

#[test]
fn nobody_does_it_to_oneself() {
    let mut scene = Scene::followed();
    let host = scene.enter(EAST, "hal", Role::Host);
    for act in [time_out("hal", 60), ban("hal")] {
        assert_eq!(scene.refusal(host, act), Some(RefusalCode::Forbidden));
    }
}

#[test]
fn a_deleted_message_is_gone_for_all_and_on_record() {
    let mut scene = Scene::followed();
    let (ann, moderator) = (
        scene.enter(EAST, "ann", Role::Viewer),
        scene.enter(WEST, "mod", Role::Moderator),
    );
    scene.act(ann, say("rude", "1"));
    scene.clear();
    scene.act(moderator, delete(1));
    let deleted = ChatEvent::Deleted {
        message_id: 1,
        by: "mod".to_owned(),
    };
    assert_eq!(
        (scene.events(EAST), scene.events(WEST)),
        (vec![deleted.clone()], vec![deleted])
    );
    assert_eq!(scene.kept[0], Record::Deleted { message_id: 1 });
    let [entry] = scene.audits().try_into().unwrap();
    assert_eq!(
        (entry.action, entry.at, entry.by.nickname.as_str()),
        (AuditAction::Delete, scene.now.wall, "mod")
    );
    assert_eq!(entry.target.as_ref().unwrap().viewer_id, "ann");
    assert_eq!(
        (entry.detail.as_deref(), entry.reason.as_deref()),
        (Some("rude"), Some("rude"))
    );
    // A second moderator was as quick.
    assert_eq!(scene.refusal(moderator, delete(1)), None);
    assert!(scene.kept.is_empty() && scene.events(EAST).is_empty());
}

#[test]
fn deleting_ones_own_is_no_moderation() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    scene.act(ann, say("oops", "1"));
    scene.clear();
    scene.act(ann, delete(1));
    assert_eq!(scene.kept, [Record::Deleted { message_id: 1 }]);
}

#[test]
fn a_message_older_than_the_history_is_for_hosts_to_delete() {
    let mut scene = Scene::new(Opening {
        history: vec![stored(50, "old")],
        next_id: 51,
        ..opening()
    });
    scene.follow(EAST, None);
    let (moderator, host) = (
        scene.enter(EAST, "mod", Role::Moderator),
        scene.enter(EAST, "hal", Role::Host),
    );
    assert_eq!(scene.refusal(moderator, delete(7)), Some(RefusalCode::Forbidden));
    assert_eq!(scene.refusal(host, delete(7)), None);
    assert_eq!(scene.kept[0], Record::Deleted { message_id: 7 });
    for id in [-1, 0, 51, 9999] {
        assert_eq!(scene.refusal(host, delete(id)), Some(RefusalCode::Forbidden), "{id}");
    }
    assert_eq!(
        moderate(&mut scene, &operator(), delete(9999)),
        Err(NotDone::NoSuchMessage)
    );
}

#[test]
fn a_silenced_viewer_is_not_heard_until_it_is_over_or_taken_back() {
    let mut scene = Scene::followed();
    let (ann, moderator) = (
        scene.enter(EAST, "ann", Role::Viewer),
        scene.enter(WEST, "mod", Role::Moderator),
    );
    scene.clear();
    scene.act(moderator, time_out("ann", 60));
    let notice = Notice::TimedOut {
        viewer_id: "ann".to_owned(),
        nickname: "ann".to_owned(),
        seconds: 60,
        by: "mod".to_owned(),
    };
    assert_eq!(
        scene.told(EAST),
        [ChatDown::Staff {
            least: Role::Moderator,
            notice
        }]
    );
    assert_eq!(scene.audits()[0].detail.as_deref(), Some("60"));
    assert_eq!(scene.refusal(ann, say("hi", "1")), Some(RefusalCode::TimedOut));
    assert_eq!(scene.refusal(ann, react("👍")), Some(RefusalCode::TimedOut));
    // Leaving does not end it.
    scene.call(|room, now| room.leave(now, ann));
    scene.pass(Duration::from_secs(30));
    let ann = scene.enter(WEST, "ann", Role::Viewer);
    assert_eq!(scene.refusal(ann, say("hi", "1")), Some(RefusalCode::TimedOut));
    scene.pass(Duration::from_secs(30));
    assert_eq!(scene.refusal(ann, say("hi", "1")), None);
    scene.act(moderator, time_out("ann", 60));
    scene.act(moderator, time_out("ann", 0));
    assert_eq!(scene.refusal(ann, say("hi", "2")), None);
    assert_eq!(
        scene.refusal(moderator, time_out("ann", MAX_TIMEOUT_SECONDS + 1)),
        Some(RefusalCode::Malformed)
    );
}

#[test]
fn one_who_only_left_a_message_can_be_silenced_and_banned() {
    let mut scene = Scene::new(Opening {
        history: vec![stored(5, "old")],
        next_id: 6,
        ..opening()
    });
    scene.follow(EAST, None);
    for act in [time_out("old", 60), ban("old")] {
        assert_eq!(moderate(&mut scene, &operator(), act), Ok(()));
    }
    for act in [time_out("nobody", 60), ban("nobody"), unban("nobody")] {
        assert_eq!(moderate(&mut scene, &operator(), act), Err(NotDone::NoSuchViewer));
    }
    let old = scene.enter(EAST, "old", Role::Viewer);
    assert_eq!(scene.kicked(old), Some(KickReason::Banned));
}

#[test]
fn a_banned_viewer_is_out_everywhere_at_once_and_stays_out() {
    let mut scene = Scene::followed();
    let sockets = [
        scene.enter(EAST, "ann", Role::Viewer),
        scene.enter(WEST, "ann", Role::Viewer),
    ];
    let moderator = scene.enter(WEST, "mod", Role::Moderator);
    scene.pass(Duration::from_secs(1));
    scene.clear();
    scene.act(moderator, ban("ann"));
    let [Output::Ban(order)] = &scene.asked[..] else {
        panic!("{:?}", scene.asked)
    };
    assert_eq!(
        (order.viewer_id.as_str(), order.invite_id.as_deref()),
        ("ann", Some("invite-ann"))
    );
    assert_eq!(
        (order.address.as_deref(), order.reason.as_deref()),
        (Some("192.0.2.7"), Some("spam"))
    );
    assert!(sockets.iter().all(|at| scene.kicked(*at) == Some(KickReason::Banned)));
    let left = ChatEvent::Presence {
        joined: Vec::new(),
        left: vec!["ann".to_owned()],
        count: 1,
    };
    assert!(scene.events(EAST).contains(&left));
    assert_eq!(scene.audits()[0].action, AuditAction::Ban);
    let back = scene.enter(EAST, "ann", Role::Viewer);
    assert_eq!(scene.kicked(back), Some(KickReason::Banned));
    assert_eq!(scene.refusal(back, say("hi", "1")), Some(RefusalCode::Unavailable));
    // Once more is for the database, which may have lost it, and for nobody else.
    assert_eq!(scene.refusal(moderator, ban("ann")), None);
    assert!(matches!(&scene.asked[..], [Output::Ban(_)]) && scene.kept.is_empty());
}

#[test]
fn an_unbanned_viewer_comes_in_again() {
    let mut scene = Scene::new(Opening {
        banned: vec![("ann".to_owned(), Role::Viewer)],
        ..opening()
    });
    scene.follow(EAST, None);
    let moderator = scene.enter(EAST, "mod", Role::Moderator);
    scene.clear();
    scene.act(moderator, unban("ann"));
    assert_eq!(
        scene.asked,
        [Output::Unban {
            viewer_id: "ann".to_owned()
        }]
    );
    assert_eq!(scene.audits()[0].action, AuditAction::Unban);
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    assert_eq!(scene.kicked(ann), None);
}

#[test]
fn a_ban_of_staff_is_lifted_by_those_above_it_also_after_a_restart() {
    let banned = vec![
        ("host".to_owned(), Role::Host),
        ("mod".to_owned(), Role::Moderator),
        ("said".to_owned(), Role::Viewer),
    ];
    let mut said = stored(5, "said");
    said.role = Role::Host;
    let mut scene = Scene::new(Opening {
        banned,
        history: vec![said],
        next_id: 6,
        ..opening()
    });
    let by = |role| Doer {
        viewer_id: Some("doer".to_owned()),
        nickname: "Doer".to_owned(),
        role,
    };
    for (role, target) in [
        (Role::Moderator, "mod"),
        (Role::Moderator, "host"),
        (Role::Host, "host"),
        (Role::Host, "said"),
    ] {
        let outcome = moderate(&mut scene, &by(role), unban(target));
        assert_eq!(outcome, Err(NotDone::NotAllowed), "{role} {target}");
    }
    assert_eq!(moderate(&mut scene, &by(Role::Host), unban("mod")), Ok(()));
    assert_eq!(moderate(&mut scene, &operator(), unban("host")), Ok(()));
}

#[test]
fn who_was_silenced_before_a_restart_is_silent_until_the_time_is_over_or_a_moderator_lifts_it() {
    let until = UnixMillis(1_800_000_000_000 + 60_000);
    let mut scene = Scene::new(Opening {
        silenced: vec![("ann".to_owned(), until), ("bob".to_owned(), until)],
        ..opening()
    });
    scene.follow(EAST, None);
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    let bob = scene.enter(EAST, "bob", Role::Viewer);
    scene.pass(Duration::from_secs(59));
    assert_eq!(scene.refusal(ann, say("hi", "1")), Some(RefusalCode::TimedOut));
    assert_eq!(moderate(&mut scene, &operator(), time_out("bob", 0)), Ok(()));
    assert_eq!(scene.refusal(bob, say("hi", "1")), None);
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.refusal(ann, say("hi", "2")), None);
}

#[test]
fn settings_that_are_set_leave_lock_and_slow_mode_as_moderators_have_them() {
    let mut scene = Scene::followed();
    moderate(&mut scene, &operator(), ChatAct::Lock { locked: true }).unwrap();
    moderate(&mut scene, &operator(), ChatAct::SlowMode { seconds: 30 }).unwrap();
    let settings = Settings {
        name: "Cave".to_owned(),
        ..Settings::default()
    };
    scene.call(|room, now| room.set_settings(now, settings));
    let state = scene.state(EAST).unwrap();
    assert_eq!(
        (&*state.name, state.locked, state.slow_mode_seconds),
        ("Cave", true, 30)
    );
}

#[test]
fn a_moderator_that_was_here_before_is_no_prey_of_moderators() {
    let staff_names = vec![("Boss".to_owned(), "boss".to_owned())];
    let history = vec![stored(5, "boss")];
    let mut scene = Scene::new(Opening {
        staff_names,
        history,
        next_id: 6,
        ..opening()
    });
    scene.follow(EAST, None);
    let moderator = scene.enter(EAST, "mod", Role::Moderator);
    for act in [time_out("boss", 60), ban("boss"), delete(5)] {
        assert_eq!(scene.refusal(moderator, act), Some(RefusalCode::Forbidden));
    }
}

#[test]
fn a_pinned_message_is_in_the_state_until_it_is_unpinned_or_deleted() {
    let mut scene = Scene::followed();
    let moderator = scene.enter(EAST, "mod", Role::Moderator);
    scene.act(moderator, say("rules", "1"));
    let pin = ChatAct::Pin { message_id: Some(1) };
    scene.act(moderator, pin.clone());
    assert_eq!(scene.state(WEST).unwrap().pinned.unwrap().id, 1);
    assert!(scene.kept.contains(&Record::Pinned { message_id: Some(1) }));
    scene.act(moderator, ChatAct::Pin { message_id: None });
    assert_eq!(scene.state(WEST).unwrap().pinned, None);
    let actions: Vec<_> = scene.audits().iter().map(|entry| entry.action).collect();
    assert_eq!(actions, [AuditAction::Pin, AuditAction::Unpin]);
    scene.act(moderator, pin);
    scene.clear();
    scene.act(moderator, delete(1));
    assert_eq!(scene.state(WEST).unwrap().pinned, None);
    assert!(scene.kept.contains(&Record::Pinned { message_id: None }));
    assert_eq!(
        scene.refusal(moderator, ChatAct::Pin { message_id: Some(1) }),
        Some(RefusalCode::Forbidden)
    );
}

#[test]
fn slow_mode_and_lock_are_told_kept_and_on_record_once() {
    let mut scene = Scene::followed();
    let moderator = scene.enter(EAST, "mod", Role::Moderator);
    scene.clear();
    for _ in 0..2 {
        scene.act(moderator, ChatAct::SlowMode { seconds: 9 });
        scene.act(moderator, ChatAct::Lock { locked: true });
    }
    assert_eq!(
        (scene.events(WEST).len(), scene.kept.len(), scene.audits().len()),
        (2, 4, 2)
    );
    let state = scene.state(WEST).unwrap();
    assert!(state.slow_mode_seconds == 9 && state.locked);
    let too_long = ChatAct::SlowMode {
        seconds: MAX_SLOW_MODE_SECONDS + 1,
    };
    assert_eq!(scene.refusal(moderator, too_long), Some(RefusalCode::Malformed));
}

#[test]
fn what_the_operator_deletes_is_told_under_its_name() {
    let mut scene = Scene::followed();
    let host = scene.enter(EAST, "hal", Role::Host);
    scene.act(host, say("hi", "1"));
    scene.clear();
    moderate(&mut scene, &operator(), delete(1)).unwrap();
    assert_eq!(
        scene.events(EAST),
        [ChatEvent::Deleted {
            message_id: 1,
            by: OPERATOR_ID.to_owned()
        }]
    );
}

#[test]
fn a_flood_of_acts_is_limited() {
    let mut scene = Scene::followed();
    let moderator = scene.enter(EAST, "mod", Role::Moderator);
    let refusals = (0..200).filter_map(|n| scene.refusal(moderator, ChatAct::SlowMode { seconds: n }));
    assert_eq!(refusals.collect::<Vec<_>>(), [RefusalCode::RateLimited; 150]);
}
