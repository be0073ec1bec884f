mod breaks;
mod simulation;

use std::collections::BTreeSet;

use super::*;
use crate::{
    auth::{Role, revocations::revoke},
    chat::json::Hello,
    time::{Monotonic, UnixMillis},
    wire::{
        chat::{ChatAct, ChatDown, ChatEvent, ChatMessage, ChatState, Notice, SocketEvent},
        control::RevokedSubject,
    },
};

const WALL: i64 = 1_795_341_600_000;

fn room_slug() -> RoomSlug {
    "cinema".parse().unwrap()
}

fn claims(viewer_id: &str) -> ViewerClaims {
    ViewerClaims {
        viewer_id: viewer_id.into(),
        invite_id: Some("invite-1".into()),
        room: room_slug(),
        role: Role::Viewer,
        nickname: viewer_id.into(),
        relays: None,
        issued_at: UnixMillis(WALL),
        expires_at: UnixMillis(WALL + 86_400_000),
    }
}

fn at(ms: u64) -> Now {
    Now {
        monotonic: Monotonic(Duration::from_millis(ms)),
        wall: UnixMillis(WALL + ms as i64),
    }
}

fn state() -> ChatState {
    ChatState {
        name: "Cinema".into(),
        is_open: false,
        listed: false,
        locked: false,
        slow_mode_seconds: 0,
        is_live: false,
        interrupted: false,
        started_at: None,
        viewer_count: 1,
        pinned: None,
        emotes: Vec::new(),
    }
}

fn message(id: i64, viewer_id: &str, client_id: &str) -> ChatMessage {
    ChatMessage {
        id,
        viewer_id: viewer_id.into(),
        nickname: viewer_id.into(),
        role: Role::Viewer,
        text: "x".into(),
        sent_at: UnixMillis(WALL),
        media_time: None,
        reply_to: None,
        mentions: Vec::new(),
        client_id: client_id.into(),
    }
}

fn say(client_id: &str) -> ChatAct {
    ChatAct::Say {
        text: "x".into(),
        client_id: client_id.into(),
        media_time: None,
        reply_to: None,
    }
}

/// A relay's chat, and what came of what was done with it.
struct Stage(RelayChat);

impl Stage {
    fn up() -> Self {
        let mut stage = Self(RelayChat::new());
        stage.0.link_up();
        stage
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.0.poll()).collect()
    }

    fn open(&mut self, viewer_id: &str, after: Option<i64>) -> SocketId {
        self.0.open(
            at(0),
            Opened {
                claims: claims(viewer_id),
                token: viewer_id.into(),
                address: "192.0.2.1".into(),
                after,
            },
        )
    }

    fn down(&mut self, items: Vec<ChatDown>) {
        self.0.down(at(0), &room_slug(), items);
    }

    fn snapshot(&mut self, messages: Vec<ChatMessage>) {
        self.down(vec![ChatDown::Snapshot(SnapshotPiece {
            messages,
            state: Some(state()),
            ..SnapshotPiece::default()
        })]);
    }

    fn entered(&mut self, socket: SocketId, role: Role) {
        let event = SocketEvent::Entered {
            nickname: "Zoë".into(),
            role,
        };
        self.down(vec![ChatDown::Socket { socket, event }]);
    }

    /// A socket that had its hello, in a room with these messages.
    fn in_room(viewer_id: &str, messages: Vec<ChatMessage>) -> (Self, SocketId) {
        let mut stage = Self::up();
        let socket = stage.open(viewer_id, None);
        stage.snapshot(messages);
        stage.entered(socket, Role::Viewer);
        stage.outputs();
        (stage, socket)
    }

    fn hello(&mut self) -> Hello {
        let hello = |output| match output {
            Output::Hello { hello, .. } => Some(*hello),
            _ => None,
        };
        self.outputs().into_iter().find_map(hello).unwrap()
    }
}

fn acts(outputs: &[Output]) -> usize {
    outputs
        .iter()
        .filter(|output| matches!(output, Output::Up(ChatUp::Act { .. })))
        .count()
}

fn errors(outputs: &[Output]) -> Vec<(RefusalCode, Option<&str>)> {
    let error = |output| match output {
        &Output::Socket {
            message: ServerMessage::Error {
                code, ref client_id, ..
            },
            ..
        } => Some((code, client_id.as_deref())),
        _ => None,
    };
    outputs.iter().filter_map(error).collect()
}

fn closed(outputs: &[Output]) -> Vec<(SocketId, KickReason)> {
    let close = |output: &Output| match *output {
        Output::Close { socket, reason } => Some((socket, reason)),
        _ => None,
    };
    outputs.iter().filter_map(close).collect()
}

#[test]
fn a_socket_is_greeted_when_it_entered_and_the_snapshot_is_whole() {
    let mut stage = Stage::up();
    let socket = stage.open("v1", None);
    assert!(matches!(
        stage.outputs()[..],
        [
            Output::Up(ChatUp::Follow { after: None, .. }),
            Output::Up(ChatUp::Enter { .. })
        ]
    ));
    stage.entered(socket, Role::Moderator);
    let piece = SnapshotPiece {
        messages: (1..=60).map(|id| message(id, "v1", "c")).collect(),
        ..SnapshotPiece::default()
    };
    stage.down(vec![ChatDown::Snapshot(piece)]);
    assert!(stage.outputs().is_empty());
    stage.snapshot(vec![message(61, "v2", "c")]);
    let hello = stage.hello();
    assert_eq!((hello.nickname.as_str(), hello.role), ("Zoë", Role::Moderator));
    assert_eq!(
        hello.history.iter().map(|m| m.id).collect::<Vec<_>>(),
        (12..=61).collect::<Vec<_>>()
    );
    assert_eq!(hello.history[0].client_id.as_deref(), Some("c"));
    assert_eq!(hello.history[49].client_id, None);
}

#[test]
fn who_comes_back_gets_all_since_and_is_told_when_that_is_not_here() {
    let (mut stage, _) = Stage::in_room("v1", (1..=1000).map(|id| message(id, "v1", "c")).collect());
    stage.down(
        (1001..=1005)
            .map(|id| ChatDown::All(ChatEvent::Message(message(id, "v1", "c"))))
            .collect(),
    );
    stage.down(vec![ChatDown::All(ChatEvent::Deleted {
        message_id: 500,
        by: "v9".into(),
    })]);
    for (after, first, truncated, deleted) in [
        (998, 999, false, vec![500]),
        (5, 6, false, vec![]),
        (4, 6, true, vec![]),
    ] {
        stage.outputs();
        let socket = stage.open("v1", Some(after));
        stage.entered(socket, Role::Viewer);
        let hello = stage.hello();
        assert_eq!(
            (hello.history[0].id, hello.truncated, hello.deleted),
            (first, truncated, deleted)
        );
        assert_eq!(hello.history.last().unwrap().id, 1005);
    }
}

#[test]
fn what_the_origin_finds_again_of_the_past_is_there_for_who_comes_later() {
    let (mut stage, _) = Stage::in_room("ann", [1, 10].map(|id| message(id, "bob", "")).to_vec());
    stage.snapshot([1, 2, 3, 10].map(|id| message(id, "old", "")).to_vec());
    let told = |output: &Output| {
        matches!(
            output,
            Output::Room {
                message: ServerMessage::Message(_),
                ..
            }
        )
    };
    assert!(!stage.outputs().iter().any(told));
    let later = stage.open("eve", None);
    stage.entered(later, Role::Viewer);
    let ids: Vec<i64> = stage.hello().history.iter().map(|message| message.id).collect();
    assert_eq!(ids, [1, 2, 3, 10]);
}

#[test]
fn what_was_said_without_an_answer_is_said_again_over_the_next_link() {
    let (mut stage, socket) = Stage::in_room("v1", vec![message(1, "v2", "c")]);
    stage.0.act(at(0), socket, say("answered"));
    stage.0.act(at(0), socket, say("lost"));
    assert_eq!(acts(&stage.outputs()), 2);
    stage.0.link_down();
    stage.0.act(at(10), socket, say("held"));
    stage.0.act(at(10), socket, ChatAct::Lock { locked: true });
    assert_eq!(errors(&stage.outputs()), [(RefusalCode::Unavailable, None)]);

    stage.0.link_up();
    let follow = Output::Up(ChatUp::Follow {
        room: room_slug(),
        after: Some(1),
    });
    let outputs = stage.outputs();
    assert!(outputs[0] == follow && matches!(outputs[1..], [Output::Up(ChatUp::Enter { .. })]));
    stage.snapshot(vec![message(2, "v1", "answered")]);
    stage.entered(socket, Role::Viewer);
    let outputs = stage.outputs();
    assert_eq!(acts(&outputs), 2, "{outputs:?}");
    assert!(!outputs.iter().any(|output| matches!(output, Output::Hello { .. })));
    let told = outputs.iter().filter(|output| {
        matches!(
            output,
            Output::Room {
                message: ServerMessage::Message(_),
                ..
            }
        )
    });
    assert_eq!(told.count(), 1);
}

#[test]
fn a_message_that_is_not_answered_in_time_is_given_back() {
    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    stage.0.link_down();
    (0..5).for_each(|n| stage.0.act(at(n), socket, say(&format!("c{n}"))));
    assert_eq!(errors(&stage.outputs()), []);
    stage.0.act(at(5000), socket, say("sixth"));
    assert_eq!(errors(&stage.outputs()), [(RefusalCode::Unavailable, Some("sixth"))]);
    stage.0.tick(at(30_001));
    let given_back = [
        (RefusalCode::Unavailable, Some("c0")),
        (RefusalCode::Unavailable, Some("c1")),
    ];
    assert_eq!(errors(&stage.outputs()), given_back);
}

#[test]
fn a_flood_ends_here_and_a_repeat_goes_up_once() {
    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    (0..9).for_each(|n| stage.0.act(at(0), socket, say(&format!("c{}", n % 7))));
    let outputs = stage.outputs();
    assert_eq!(acts(&outputs), 5);
    let refused = [
        (RefusalCode::RateLimited, Some("c5")),
        (RefusalCode::RateLimited, Some("c6")),
    ];
    assert_eq!(errors(&outputs), refused);
}

#[test]
fn a_repeat_that_the_socket_knows_is_not_told_again() {
    let (mut stage, socket) = Stage::in_room("v1", vec![message(1, "v1", ""), message(2, "v1", "c2")]);
    for (id, client_id, told) in [(2, "c2", 0), (1, "c1", 1)] {
        stage.0.act(at(0), socket, say(client_id));
        stage.outputs();
        let event = SocketEvent::Again(message(id, "v1", client_id));
        stage.down(vec![ChatDown::Socket { socket, event }]);
        assert_eq!(stage.outputs().len(), told, "{client_id}");
    }
    stage.0.tick(at(40_000));
    assert_eq!(errors(&stage.outputs()), [], "both were answered");
}

#[test]
fn a_token_ends_and_a_newer_one_goes_on() {
    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    let ends = 86_400_000;
    stage.0.renew(at(0), socket);
    assert!(matches!(stage.outputs()[..], [Output::Up(ChatUp::Renew { .. })]));
    let event = SocketEvent::Token {
        token: "newer".into(),
        expires_at: UnixMillis(WALL + ends as i64 + 60_000),
    };
    stage.down(vec![ChatDown::Socket { socket, event }]);
    stage.0.tick(at(ends + 59_000));
    assert_eq!(closed(&stage.outputs()), []);
    stage.0.tick(at(ends + 61_000));
    assert_eq!(closed(&stage.outputs()), [(socket, KickReason::Expired)]);
}

#[test]
fn a_token_of_another_viewer_is_refused() {
    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    stage.0.token(at(0), socket, "t".into(), claims("v2"));
    assert_eq!(errors(&stage.outputs()), [(RefusalCode::Forbidden, None)]);
    stage.0.token(at(0), socket, "t".into(), claims("v1"));
    let outputs = stage.outputs();
    assert!(
        matches!(outputs[1..], [Output::Up(ChatUp::Token { .. })]),
        "{outputs:?}"
    );
}

#[test]
fn who_was_shut_out_hears_why_from_the_origin_or_else_soon() {
    let revoked = |subject| Revocations::new([revoke(subject, UnixMillis(WALL))], UnixMillis(WALL));
    let by_invite = revoked(RevokedSubject::Invite("invite-1".into()));
    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    stage.0.revoked(at(0), by_invite);
    stage.0.tick(at(900));
    assert_eq!(closed(&stage.outputs()), []);
    stage.0.tick(at(1000));
    assert_eq!(closed(&stage.outputs()), [(socket, KickReason::Revoked)]);
    // Let in with what was known a moment before.
    let late = stage.open("v2", None);
    stage.0.tick(at(2000));
    assert_eq!(closed(&stage.outputs()), [(late, KickReason::Revoked)]);

    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    stage.0.revoked(at(0), revoked(RevokedSubject::Viewer("v1".into())));
    let event = SocketEvent::Kicked {
        reason: KickReason::Banned,
    };
    stage.down(vec![ChatDown::Socket { socket, event }]);
    stage.0.tick(at(5000));
    assert_eq!(closed(&stage.outputs()), [(socket, KickReason::Banned)]);
}

#[test]
fn the_oldest_socket_of_a_viewer_goes_for_a_ninth() {
    let (mut stage, first) = Stage::in_room("v1", Vec::new());
    (0..7).for_each(|_| _ = stage.open("v1", None));
    stage.open("v2", None);
    assert_eq!(closed(&stage.outputs()), []);
    stage.open("v1", None);
    assert_eq!(closed(&stage.outputs()), [(first, KickReason::Replaced)]);
    assert_eq!(stage.0.socket_count(), 9);
}

#[test]
fn a_room_without_sockets_is_let_go_after_a_while() {
    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    stage.0.closed(at(0), socket);
    stage.0.tick(at(29_000));
    assert!(matches!(stage.outputs()[..], [Output::Up(ChatUp::Leave { .. })]));
    stage.0.tick(at(30_000));
    assert!(matches!(stage.outputs()[..], [Output::Up(ChatUp::Unfollow { .. })]));
    stage.open("v1", None);
    assert!(matches!(
        stage.outputs()[0],
        Output::Up(ChatUp::Follow { after: None, .. })
    ));
}

#[test]
fn a_room_that_is_gone_takes_its_sockets_along() {
    let (mut stage, socket) = Stage::in_room("v1", Vec::new());
    stage.0.only_rooms(at(0), &BTreeSet::from([room_slug()]));
    assert_eq!(closed(&stage.outputs()), []);
    stage.0.only_rooms(at(0), &BTreeSet::new());
    assert_eq!(closed(&stage.outputs()), [(socket, KickReason::RoomGone)]);
}

#[test]
fn only_what_changed_of_the_state_is_told_and_staff_alone_gets_notices() {
    let (mut stage, viewer) = Stage::in_room("v1", Vec::new());
    let staff = stage.open("v2", None);
    stage.entered(staff, Role::Moderator);
    stage.outputs();
    let now = ChatState {
        is_live: true,
        locked: true,
        ..state()
    };
    stage.down(vec![ChatDown::All(ChatEvent::State(now))]);
    let texts: Vec<String> = stage
        .outputs()
        .iter()
        .map(|output| match output {
            Output::Room { message, .. } => message.to_text(),
            other => panic!("{other:?}"),
        })
        .collect();
    let stream = r#"{"type":"stream","isLive":true,"interrupted":false,"startedAt":null}"#;
    assert_eq!(texts, [stream, r#"{"type":"room","locked":true}"#]);
    let notice = Notice::StorageDown { waiting: 1, dropped: 0 };
    stage.down(vec![ChatDown::Staff {
        least: Role::Moderator,
        notice,
    }]);
    let outputs = stage.outputs();
    assert!(matches!(outputs[..], [Output::Socket { socket, .. }] if socket == staff && socket != viewer));
}

#[test]
fn a_viewer_who_stays_is_seen_again_and_again() {
    let (mut stage, _) = Stage::in_room("v1", Vec::new());
    let seen = |stage: &mut Stage, ms| {
        stage.0.tick(at(ms));
        stage
            .outputs()
            .iter()
            .filter(|output| matches!(output, Output::Seen { .. }))
            .count()
    };
    assert_eq!(
        (
            seen(&mut stage, 24_000),
            seen(&mut stage, 25_000),
            seen(&mut stage, 26_000)
        ),
        (0, 1, 0)
    );
    assert_eq!(seen(&mut stage, 50_000), 1);
}
