//! What viewers say, and how they react.

use super::*;
use crate::{
    chat::room::{LinkPolicy, REACTS_AT_ONCE, ROOM_SAYS_AT_ONCE, SAYS_AT_ONCE},
    wire::chat::EmoteRef,
};

#[test]
fn a_message_reaches_both_relays_and_the_database_with_all_it_came_with() {
    let mut scene = Scene::followed();
    let bob = scene.enter(WEST, "bob", Role::Viewer);
    scene.act(bob, say("first", "b1"));
    let ann = scene.enter(EAST, "ann", Role::Moderator);
    scene.clear();
    let act = ChatAct::Say {
        text: "  hi @bob and @ann ".to_owned(),
        client_id: "a1".to_owned(),
        media_time: Some(UnixMillis(77)),
        reply_to: Some(1),
    };
    scene.act(ann, act);
    let message = ChatMessage {
        id: 2,
        viewer_id: "ann".to_owned(),
        nickname: "ann".to_owned(),
        role: Role::Moderator,
        text: "hi @bob and @ann".to_owned(),
        sent_at: scene.now.wall,
        media_time: Some(UnixMillis(77)),
        reply_to: Some(1),
        mentions: vec!["bob".to_owned()],
        client_id: "a1".to_owned(),
    };
    assert_eq!(scene.messages(EAST), scene.messages(WEST));
    assert_eq!(scene.kept, [Record::Message(message.clone())]);
    assert_eq!(scene.messages(EAST), [message]);
}

#[test]
fn a_reply_to_nothing_is_no_reply() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    for (n, to) in [-1, 0, 1, 99, i64::MAX].into_iter().enumerate() {
        let act = ChatAct::Say {
            text: "hi".to_owned(),
            client_id: n.to_string(),
            media_time: None,
            reply_to: Some(to),
        };
        scene.act(ann, act);
        scene.pass(Duration::from_secs(1));
    }
    // The third was 3: 1 was there.
    let replies: Vec<_> = scene.messages(EAST).iter().map(|message| message.reply_to).collect();
    assert_eq!(replies, [None, None, Some(1), None, None]);
}

#[test]
fn a_message_said_again_is_answered_to_its_sender_alone() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    scene.act(ann, say("hi", "c1"));
    let [message] = scene.messages(WEST).try_into().unwrap();
    scene.call(|room, now| room.relay_lost(now, EAST));
    scene.follow(RelayKey(3), Some(1));
    let again = scene.enter(RelayKey(3), "ann", Role::Viewer);
    scene.clear();
    scene.act(again, say("hi", "c1"));
    assert_eq!(scene.socket_events(again), [SocketEvent::Again(message)]);
    assert!(scene.messages(WEST).is_empty() && scene.kept.is_empty());
    let bob = scene.enter(WEST, "bob", Role::Viewer);
    scene.act(bob, say("hi", "c1"));
    assert_eq!(scene.messages(WEST).len(), 1);
}

#[test]
fn a_message_said_again_after_the_origin_came_back_is_known() {
    let mut history = vec![stored(4, "ann")];
    history[0].client_id = "c1".to_owned();
    history[0].sent_at = UnixMillis(1_800_000_000_000 - 200_000);
    let mut scene = Scene::new(Opening {
        history,
        next_id: 900,
        ..opening()
    });
    scene.follow(EAST, Some(4));
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    scene.clear();
    scene.act(ann, say("before", "c1"));
    assert!(matches!(&scene.socket_events(ann)[..], [SocketEvent::Again(message)] if message.id == 4));
    scene.pass(Duration::from_secs(101));
    scene.act(ann, say("before", "c1"));
    assert_eq!(scene.messages(EAST).len(), 1);
}

#[test]
fn a_deleted_message_is_not_said_again() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    scene.act(ann, say("oops", "c1"));
    scene.act(ann, delete(1));
    assert_eq!(scene.refusal(ann, say("oops", "c1")), Some(RefusalCode::Forbidden));
}

#[test]
fn bad_text_is_refused_with_its_client_id_and_costs_nothing() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    let too_long = "x".repeat(501);
    for (text, code) in [
        ("", RefusalCode::Empty),
        (" \u{200B} ", RefusalCode::Empty),
        ("a\nb", RefusalCode::Malformed),
        (too_long.as_str(), RefusalCode::TooLong),
    ] {
        for _ in 0..10 {
            assert_eq!(scene.refusal(ann, say(text, "c1")), Some(code), "{text:?}");
        }
        let [SocketEvent::Refused { client_id, .. }] = &scene.socket_events(ann)[..] else {
            panic!()
        };
        assert_eq!(client_id.as_deref(), Some("c1"));
    }
    assert_eq!(scene.refusal(ann, say("hi", "")), Some(RefusalCode::Malformed));
    assert_eq!(scene.refusal(ann, say("hi", "c1")), None);
}

#[test]
fn a_viewer_says_five_at_once_and_two_a_second_on_all_its_sockets_together() {
    let mut scene = Scene::followed();
    let sockets = [
        scene.enter(EAST, "ann", Role::Viewer),
        scene.enter(WEST, "ann", Role::Viewer),
    ];
    for n in 0..SAYS_AT_ONCE as usize {
        assert_eq!(scene.refusal(sockets[n % 2], say("hi", &n.to_string())), None);
    }
    for at in sockets {
        assert_eq!(scene.refusal(at, say("hi", "x")), Some(RefusalCode::RateLimited));
    }
    scene.pass(Duration::from_millis(500));
    assert_eq!(scene.refusal(sockets[0], say("hi", "x")), None);
    assert_eq!(
        scene.refusal(sockets[1], say("hi", "y")),
        Some(RefusalCode::RateLimited)
    );
}

#[test]
fn leaving_and_coming_back_gives_no_new_allowance() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    for n in 0..SAYS_AT_ONCE {
        scene.act(ann, say("hi", &n.to_string()));
    }
    scene.call(|room, now| room.leave(now, ann));
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    assert_eq!(scene.refusal(ann, say("hi", "x")), Some(RefusalCode::RateLimited));
}

#[test]
fn a_room_takes_so_many_messages_and_no_more() {
    let mut scene = Scene::followed();
    let mut said = 0;
    let mut limited = 0;
    for n in 0..60 {
        let at = scene.enter(EAST, &format!("v{n}"), Role::Viewer);
        for m in 0..SAYS_AT_ONCE {
            match scene.refusal(at, say("hi", &m.to_string())) {
                None => said += 1,
                Some(RefusalCode::RateLimited) => limited += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(
        (said, limited),
        (ROOM_SAYS_AT_ONCE, 60 * SAYS_AT_ONCE - ROOM_SAYS_AT_ONCE)
    );
    scene.pass(Duration::from_secs(1));
    let late = scene.enter(EAST, "late", Role::Viewer);
    assert_eq!(scene.refusal(late, say("hi", "x")), None);
}

#[test]
fn slow_mode_holds_viewers_and_not_moderators() {
    let mut scene = Scene::followed();
    let (ann, moderator) = (
        scene.enter(EAST, "ann", Role::Viewer),
        scene.enter(WEST, "mod", Role::Moderator),
    );
    scene.act(moderator, ChatAct::SlowMode { seconds: 30 });
    assert_eq!(scene.refusal(ann, say("1", "1")), None);
    assert_eq!(scene.refusal(ann, say("2", "2")), Some(RefusalCode::SlowMode));
    assert_eq!(scene.refusal(moderator, say("1", "1")), None);
    assert_eq!(scene.refusal(moderator, say("2", "2")), None);
    scene.call(|room, now| room.leave(now, ann));
    scene.pass(Duration::from_secs(20));
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    assert_eq!(scene.refusal(ann, say("3", "3")), Some(RefusalCode::SlowMode));
    scene.pass(Duration::from_secs(10));
    assert_eq!(scene.refusal(ann, say("3", "3")), None);
}

#[test]
fn a_locked_room_hears_moderators_only() {
    let mut scene = Scene::followed();
    let (ann, host) = (
        scene.enter(EAST, "ann", Role::Viewer),
        scene.enter(WEST, "hal", Role::Host),
    );
    scene.act(host, ChatAct::Lock { locked: true });
    assert_eq!(scene.refusal(ann, say("hi", "1")), Some(RefusalCode::Locked));
    assert_eq!(scene.refusal(ann, react("👍")), Some(RefusalCode::Locked));
    assert_eq!(scene.refusal(host, say("hi", "1")), None);
    scene.act(host, ChatAct::Lock { locked: false });
    assert_eq!(scene.refusal(ann, say("hi", "1")), None);
}

#[test]
fn links_and_blocked_words_are_for_moderators() {
    let mut scene = Scene::followed();
    let settings = Settings {
        links: LinkPolicy::Moderators,
        blocked_words: vec!["darn".to_owned()],
        ..Settings::default()
    };
    scene.call(|room, now| room.set_settings(now, settings));
    let (ann, moderator) = (
        scene.enter(EAST, "ann", Role::Viewer),
        scene.enter(WEST, "mod", Role::Moderator),
    );
    for text in ["see https://example.com", "DARN it"] {
        assert_eq!(scene.refusal(ann, say(text, text)), Some(RefusalCode::Forbidden));
        assert_eq!(scene.refusal(moderator, say(text, text)), None);
    }
}

#[test]
fn reactions_are_told_up_to_a_rate_and_counted_by_the_second() {
    let mut scene = Scene::followed();
    let emote = EmoteRef {
        name: "cat".to_owned(),
        file: "c.png".to_owned(),
    };
    scene.call(|room, now| room.set_emotes(now, vec![emote]));
    for n in 0..4 {
        let at = scene.enter(EAST, &format!("v{n}"), Role::Viewer);
        for _ in 0..REACTS_AT_ONCE {
            scene.act(at, react(if n == 3 { ":cat:" } else { "❤" }));
        }
        assert_eq!(scene.refusal(at, react("❤")), Some(RefusalCode::RateLimited));
    }
    scene.clear();
    scene.pass(Duration::from_secs(1));
    let counts = [
        ("❤️".to_owned(), 3 * REACTS_AT_ONCE),
        (":cat:".to_owned(), REACTS_AT_ONCE),
    ];
    assert!(scene.events(WEST).contains(&ChatEvent::Reactions {
        counts: counts.to_vec()
    }));
    scene.clear();
    scene.pass(Duration::from_secs(5));
    assert!(
        !scene
            .events(WEST)
            .iter()
            .any(|event| matches!(event, ChatEvent::Reactions { .. }))
    );
}

#[test]
fn what_is_no_emoji_of_the_room_is_no_reaction() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    for emoji in ["", "x", "<img>", ":cat:", "👍👍"] {
        assert_eq!(
            scene.refusal(ann, react(emoji)),
            Some(RefusalCode::Malformed),
            "{emoji}"
        );
    }
    assert_eq!(scene.refusal(ann, react("👍")), None);
}

#[test]
fn a_socket_that_is_not_in_the_room_is_told_so_with_its_client_id() {
    let mut scene = Scene::followed();
    let at = SocketKey {
        relay: EAST,
        socket: 99,
    };
    assert_eq!(scene.refusal(at, say("hi", "c1")), Some(RefusalCode::Unavailable));
    assert!(matches!(&scene.socket_events(at)[..], [SocketEvent::Refused { client_id: Some(id), .. }] if id == "c1"));
}
