//! What a break of the link must not lose, and holes that cannot be filled.

use super::*;
use crate::chat::relay::socket::MAX_SENT;

fn acts_of(outputs: Vec<Output>) -> Vec<ChatAct> {
    let act = |output| match output {
        Output::Up(ChatUp::Act { act, .. }) => Some(act),
        _ => None,
    };
    outputs.into_iter().filter_map(act).collect()
}

fn told_to_room(outputs: Vec<Output>) -> Vec<ServerMessage> {
    let told = |output| match output {
        Output::Room { message, .. } => Some(message),
        _ => None,
    };
    outputs.into_iter().filter_map(told).collect()
}

/// The link is made anew, and the socket is in.
fn come_back(stage: &mut Stage, now: Now, socket: SocketId, role: Role) -> Vec<Output> {
    stage.0.link_up();
    stage.snapshot(Vec::new());
    stage.outputs();
    let event = SocketEvent::Entered {
        nickname: "Zoë".into(),
        role,
    };
    stage
        .0
        .down(now, &room_slug(), vec![ChatDown::Socket { socket, event }]);
    stage.outputs()
}

fn moderator_in_room() -> (Stage, SocketId) {
    let (mut stage, socket) = Stage::in_room("v1", vec![message(1, "v2", "")]);
    stage.entered(socket, Role::Moderator);
    stage.outputs();
    (stage, socket)
}

fn time_out(seconds: u32) -> ChatAct {
    ChatAct::Timeout {
        viewer_id: "v2".into(),
        seconds,
        reason: None,
    }
}

fn ban() -> ChatAct {
    ChatAct::Ban {
        viewer_id: "v2".into(),
        reason: None,
    }
}

#[test]
fn a_token_shown_again_and_again_does_not_reach_the_origin() {
    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    stage.0.token(at(0), socket, "newer".into(), claims("v1"));
    assert!(matches!(stage.outputs()[..], [_, Output::Up(ChatUp::Token { .. })]));
    (0..19).for_each(|_| stage.0.token(at(0), socket, "newer".into(), claims("v1")));
    let outputs = stage.outputs();
    assert!(!outputs.iter().any(|output| matches!(output, Output::Up(_))));
    assert_eq!((outputs.len(), errors(&outputs)), (19, vec![]));
    stage.0.token(at(0), socket, "another".into(), claims("v1"));
    assert_eq!(errors(&stage.outputs()), [(RefusalCode::RateLimited, None)]);
}

#[test]
fn a_token_shown_before_the_origin_let_the_socket_in_goes_up_when_it_does() {
    let mut stage = Stage::up();
    let socket = stage.open("v1", None);
    stage.0.token(at(0), socket, "newer".into(), claims("v1"));
    stage.outputs();
    stage.entered(socket, Role::Viewer);
    let shown = ChatUp::Token {
        room: room_slug(),
        socket,
        token: "newer".into(),
    };
    assert_eq!(stage.outputs(), [Output::Up(shown)]);
    // Over the next link it enters with it.
    stage.0.link_down();
    stage.0.token(at(0), socket, "newest".into(), claims("v1"));
    let outputs = come_back(&mut stage, at(0), socket, Role::Viewer);
    assert!(!outputs.iter().any(|output| matches!(output, Output::Up(_))));
}

#[test]
fn what_a_moderator_did_on_a_dead_link_is_done_over_the_next() {
    let (mut stage, socket) = moderator_in_room();
    let emoji = "\u{1F389}".to_owned();
    let react = ChatAct::React {
        emoji,
        media_time: None,
    };
    for act in [time_out(60), ban(), react] {
        stage.0.act(at(0), socket, act);
    }
    stage.0.tick(at(19_000));
    stage.0.link_down();
    let again = come_back(&mut stage, at(25_000), socket, Role::Moderator);
    assert_eq!(acts_of(again), [time_out(60), ban()]);

    // Done by now, as far as can be known.
    stage.0.tick(at(25_100));
    stage.0.link_down();
    assert_eq!(come_back(&mut stage, at(26_000), socket, Role::Moderator), []);
}

#[test]
fn what_the_room_shows_as_done_is_not_done_again() {
    let (mut stage, socket) = moderator_in_room();
    let delete = ChatAct::Delete {
        message_id: 1,
        reason: None,
    };
    for act in [ChatAct::Lock { locked: true }, time_out(60), delete] {
        stage.0.act(at(0), socket, act);
    }
    let locked = ChatState {
        locked: true,
        ..state()
    };
    let timed_out = Notice::TimedOut {
        viewer_id: "v2".into(),
        nickname: "v2".into(),
        seconds: 60,
        by: "v1".into(),
    };
    stage.down(vec![
        ChatDown::All(ChatEvent::State(locked)),
        ChatDown::Staff {
            least: Role::Moderator,
            notice: timed_out,
        },
        ChatDown::All(ChatEvent::Deleted {
            message_id: 1,
            by: "v1".into(),
        }),
    ]);
    stage.0.link_down();
    assert_eq!(acts_of(come_back(&mut stage, at(100), socket, Role::Moderator)), []);
}

#[test]
fn what_was_refused_or_waits_too_long_for_a_link_is_not_done_later() {
    let (mut stage, socket) = moderator_in_room();
    stage.0.act(at(0), socket, ban());
    let event = SocketEvent::Refused {
        code: RefusalCode::Forbidden,
        detail: String::new(),
        client_id: None,
    };
    stage.down(vec![ChatDown::Socket { socket, event }]);
    stage.0.act(at(0), socket, time_out(60));
    stage.0.link_down();
    stage.outputs();
    stage.0.tick(at(29_000));
    assert_eq!(errors(&stage.outputs()), []);
    stage.0.tick(at(30_000));
    assert_eq!(errors(&stage.outputs()), [(RefusalCode::Unavailable, None)]);
    assert_eq!(come_back(&mut stage, at(31_000), socket, Role::Moderator), []);
}

#[test]
fn a_viewer_has_little_remembered() {
    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    stage.0.act(at(0), socket, ban());
    for message_id in 0..10 {
        let reason = Some("x".repeat(1000));
        stage.0.act(at(0), socket, ChatAct::Delete { message_id, reason });
    }
    stage.0.link_down();
    let again = acts_of(come_back(&mut stage, at(100), socket, Role::Viewer));
    assert_eq!(again.len(), MAX_SENT);
    assert!(
        again
            .iter()
            .all(|act| matches!(act, ChatAct::Delete { reason: None, .. }))
    );
}

#[test]
fn what_waited_goes_up_no_faster_than_the_origin_takes_it() {
    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    for n in 0..12 {
        stage.0.act(at(500 * n), socket, say(&format!("c{n}")));
    }
    assert_eq!(acts(&stage.outputs()), 12);
    stage.0.link_down();
    assert_eq!(acts(&come_back(&mut stage, at(10_000), socket, Role::Viewer)), 5);
    // What is said meanwhile waits its turn.
    stage.0.act(at(10_000), socket, say("new"));
    for half_seconds in 1..=8 {
        stage.0.tick(at(10_000 + 500 * half_seconds));
        let outputs = stage.outputs();
        assert_eq!((acts(&outputs), errors(&outputs)), (1, vec![]), "{half_seconds}");
    }
    stage.0.tick(at(20_000));
    assert_eq!(acts(&stage.outputs()), 0);
}

#[test]
fn the_deletion_of_a_message_older_than_the_mirror_is_told_once() {
    let (mut stage, _) = Stage::in_room("v1", vec![message(900, "v2", "")]);
    let deleted = |message_id| {
        ChatDown::All(ChatEvent::Deleted {
            message_id,
            by: "v9".into(),
        })
    };
    stage.down(vec![deleted(3), deleted(3), deleted(900)]);
    let told = told_to_room(stage.outputs());
    let ids: Vec<i64> = told
        .iter()
        .map(|message| match message {
            ServerMessage::Deleted { message_id, .. } => *message_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [3, 900]);
}

fn snapshot_above(stage: &mut Stage, floor: i64, ids: std::ops::RangeInclusive<i64>) {
    stage.down(vec![ChatDown::Snapshot(SnapshotPiece {
        messages: ids.map(|id| message(id, "v2", "")).collect(),
        state: Some(state()),
        floor,
        ..SnapshotPiece::default()
    })]);
}

#[test]
fn a_hole_that_cannot_be_filled_sends_browsers_back_to_be_told() {
    let (mut stage, socket) = Stage::in_room("v1", (1..=10).map(|id| message(id, "v2", "")).collect());
    stage.0.link_down();
    stage.0.link_up();
    stage.outputs();
    // Nothing between is missing.
    snapshot_above(&mut stage, 10, 11..=12);
    assert_eq!(closed(&stage.outputs()), []);
    stage.0.link_down();
    stage.0.link_up();
    stage.outputs();
    // Fewer than a ring holds: some were deleted since.
    snapshot_above(&mut stage, 13, 14..=20);
    let outputs = stage.outputs();
    assert_eq!(closed(&outputs), [(socket, KickReason::GoingAway)]);
    for (after, truncated) in [(12, true), (13, false), (20, false)] {
        let back = stage.open("v1", Some(after));
        stage.entered(back, Role::Viewer);
        let hello = stage.hello();
        assert_eq!(
            (hello.truncated, hello.history.len() as i64),
            (truncated, (20 - after).min(7))
        );
    }
}

#[test]
fn a_relay_that_is_new_to_the_room_knows_what_it_cannot_give() {
    let mut stage = Stage::up();
    let socket = stage.open("v1", Some(3));
    snapshot_above(&mut stage, 5, 6..=9);
    stage.entered(socket, Role::Viewer);
    assert!(stage.hello().truncated);
    assert_eq!(closed(&stage.outputs()), []);
}
