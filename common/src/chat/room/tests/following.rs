//! Relays that follow: snapshots, order, ids.

use super::*;
use crate::{
    chat::{
        history::MAX_MESSAGES,
        room::{IDS_AT_A_TIME, MESSAGES_PER_PIECE, ROSTER_PER_PIECE},
        text::MAX_CHARS,
    },
    wire::{
        chat::{EmoteRef, SnapshotPiece},
        codec::{MAX_FRAME, encode_frame},
        control::UpstreamFrame,
    },
};

fn pieces(scene: &Scene, relay: RelayKey) -> Vec<SnapshotPiece> {
    let pieces = scene.told(relay).iter().filter_map(|down| match down {
        ChatDown::Snapshot(piece) => Some(piece.clone()),
        _ => None,
    });
    pieces.collect()
}

fn ids(scene: &Scene, relay: RelayKey) -> Vec<i64> {
    pieces(scene, relay)
        .iter()
        .flat_map(|piece| &piece.messages)
        .map(|message| message.id)
        .collect()
}

#[test]
fn a_snapshot_comes_before_the_socket_that_entered() {
    let mut scene = Scene::followed();
    let at = scene.enter(EAST, "ann", Role::Viewer);
    let told = scene.told(EAST);
    assert!(matches!(told[0], ChatDown::Snapshot(_)));
    assert_eq!(
        told[1],
        ChatDown::All(ChatEvent::Presence {
            joined: vec![entry("ann", Role::Viewer)],
            left: Vec::new(),
            count: 1
        })
    );
    let entered = SocketEvent::Entered {
        nickname: "ann".to_owned(),
        role: Role::Viewer,
    };
    assert_eq!(
        told[2],
        ChatDown::Socket {
            socket: at.socket,
            event: entered
        }
    );
}

#[test]
fn a_relay_that_comes_back_gets_what_it_missed_and_what_was_deleted() {
    let mut scene = Scene::followed();
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    for n in 0..4 {
        scene.act(ann, say("hi", &n.to_string()));
    }
    scene.act(ann, delete(1));
    scene.act(ann, delete(4));
    scene.clear();
    scene.follow(RelayKey(9), Some(2));
    assert_eq!(ids(&scene, RelayKey(9)), [3]);
    assert_eq!(pieces(&scene, RelayKey(9))[0].deleted, [1, 4]);
    assert!(scene.told(EAST).is_empty());
}

#[test]
fn a_room_full_of_the_longest_comes_in_pieces_that_fit_frames() {
    let longest = |id: i64| ChatMessage {
        text: "\u{1F600}".repeat(MAX_CHARS),
        nickname: "\u{1F600}".repeat(32),
        mentions: vec!["v".repeat(36); 16],
        client_id: "c".repeat(64),
        ..stored(id, &"v".repeat(36))
    };
    let mut scene = Scene::new(Opening {
        history: (1..=MAX_MESSAGES as i64 + 50).map(longest).collect(),
        pinned: Some(longest(7)),
        emotes: vec![
            EmoteRef {
                name: "e".repeat(32),
                file: "f".repeat(36)
            };
            100
        ],
        ..opening()
    });
    scene.follow(EAST, None);
    for n in 0..ROSTER_PER_PIECE + 1 {
        let entrant = Entrant {
            nickname: format!("{n}{}", "\u{1F600}".repeat(28)),
            ..scene.entrant(&format!("{n:036}"), Role::Viewer)
        };
        scene.enter_as(EAST, entrant);
    }
    scene.pass(Duration::from_secs(1));
    scene.follow(WEST, None);
    assert_eq!(ids(&scene, WEST), (51..=MAX_MESSAGES as i64 + 50).collect::<Vec<_>>());
    let roster: usize = pieces(&scene, WEST).iter().map(|piece| piece.roster.len()).sum();
    assert_eq!(roster, ROSTER_PER_PIECE + 1);
    let last = pieces(&scene, WEST).len() - 1;
    for (n, piece) in pieces(&scene, WEST).into_iter().enumerate() {
        assert!(piece.messages.len() <= MESSAGES_PER_PIECE && piece.roster.len() <= ROSTER_PER_PIECE);
        assert_eq!(piece.state.is_some(), n == last);
        let items = vec![ChatDown::Snapshot(piece)];
        let frame = encode_frame(&UpstreamFrame::Chat {
            room: "den".parse().unwrap(),
            items,
        })
        .unwrap();
        assert!(frame.len() < MAX_FRAME / 2, "{}", frame.len());
    }
}

#[test]
fn an_empty_room_has_a_snapshot_too() {
    let mut scene = Scene::new(opening());
    scene.follow(EAST, None);
    let [piece] = pieces(&scene, EAST).try_into().unwrap();
    assert_eq!(
        piece.state.map(|state| (state.name, state.viewer_count)),
        Some(("Den".to_owned(), 0))
    );
}

#[test]
fn ids_are_reserved_long_before_they_are_used() {
    let mut scene = Scene::new(Opening {
        next_id: 5001,
        ..opening()
    });
    scene.follow(EAST, None);
    let mut reserved = 5001 + IDS_AT_A_TIME;
    assert_eq!(scene.kept, [Record::IdsReserved { upto: reserved }]);
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    for n in 0..1200 {
        scene.clear();
        scene.pass(Duration::from_millis(500));
        if n % 1000 == 999 {
            let entrant = scene.entrant("ann", Role::Viewer);
            scene.call(|room, now| room.renewed(now, ann, entrant));
        }
        scene.act(ann, say("hi", &n.to_string()));
        for record in &scene.kept {
            match record {
                Record::Message(message) => assert!(message.id == 5001 + n && message.id + 400 < reserved),
                Record::IdsReserved { upto } => reserved = *upto,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(reserved > 6201 + 400, "{reserved}");
}

#[test]
fn a_history_ahead_of_the_reservation_wins() {
    let mut scene = Scene::new(Opening {
        history: vec![stored(70, "old")],
        next_id: 5,
        ..opening()
    });
    scene.follow(EAST, None);
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    scene.act(ann, say("hi", "c"));
    assert_eq!(scene.messages(EAST)[0].id, 71);
}

#[test]
fn a_socket_of_a_relay_that_does_not_follow_is_turned_away() {
    let mut scene = Scene::new(opening());
    let at = scene.enter(EAST, "ann", Role::Viewer);
    assert!(matches!(
        scene.socket_events(at)[..],
        [SocketEvent::Refused {
            code: RefusalCode::Unavailable,
            ..
        }]
    ));
    assert_eq!(scene.room.viewer_count(), 0);
}

#[test]
fn the_state_is_told_when_it_changes_and_only_then() {
    let mut scene = Scene::followed();
    scene.clear();
    let settings = Settings {
        name: "Cave".to_owned(),
        ..Settings::default()
    };
    for _ in 0..2 {
        let settings = settings.clone();
        scene.call(|room, now| room.set_settings(now, settings));
    }
    assert_eq!(scene.events(EAST).len(), 1);
    assert_eq!(scene.state(WEST).unwrap().name, "Cave");
    let on_air = super::super::OnAir {
        is_live: true,
        interrupted: false,
        started_at: Some(UnixMillis(5)),
    };
    scene.call(|room, now| room.set_on_air(now, on_air));
    let emote = EmoteRef {
        name: "cat".to_owned(),
        file: "cat.png".to_owned(),
    };
    scene.call(|room, now| room.set_emotes(now, vec![emote]));
    let state = scene.state(EAST).unwrap();
    assert!(state.is_live && state.emotes.len() == 1);
}

#[test]
fn messages_that_are_too_old_are_taken_from_relays_too() {
    let mut scene = Scene::new(Opening {
        history: (1..=3).map(|id| stored(id, "old")).collect(),
        next_id: 4,
        pinned: Some(stored(1, "old")),
        ..opening()
    });
    scene.follow(EAST, None);
    scene.clear();
    scene.call(|room, _| room.forget(UnixMillis(3)));
    let gone = scene.events(EAST).into_iter().filter_map(|event| match event {
        ChatEvent::Deleted { message_id, .. } => Some(message_id),
        _ => None,
    });
    assert_eq!(gone.collect::<Vec<_>>(), [1, 2]);
    assert_eq!(scene.state(EAST).map(|state| state.pinned), Some(None));
    assert_eq!(scene.kept, [Record::Pinned { message_id: None }]);
    scene.follow(WEST, Some(3));
    assert_eq!(pieces(&scene, WEST)[0].deleted, [1, 2]);
}

#[test]
fn what_is_overdue_when_a_relay_follows_comes_after_its_snapshot() {
    let mut scene = Scene::followed();
    scene.enter(EAST, "ann", Role::Viewer);
    scene.enter(EAST, "bob", Role::Viewer);
    scene.set_clock(scene.now.monotonic + Duration::from_secs(9));
    scene.follow(RelayKey(3), None);
    scene.call(ChatRoom::tick);
    let told = scene.told(RelayKey(3));
    assert!(matches!(&told[0], ChatDown::Snapshot(piece) if piece.roster == [entry("ann", Role::Viewer)]));
    assert!(
        matches!(&told[1], ChatDown::All(ChatEvent::Presence { joined, .. }) if *joined == [entry("bob", Role::Viewer)])
    );
}

#[test]
fn a_relay_is_told_what_the_room_no_longer_holds() {
    let mut scene = Scene::new(Opening {
        history: (1..=MAX_MESSAGES as i64 + 50).map(|id| stored(id, "old")).collect(),
        ..opening()
    });
    scene.follow(EAST, Some(1040));
    let ann = scene.enter(EAST, "ann", Role::Viewer);
    scene.act(ann, say("hi", "c"));
    scene.follow(WEST, None);
    let floors = |relay| {
        pieces(&scene, relay)
            .iter()
            .map(|piece| piece.floor)
            .collect::<Vec<_>>()
    };
    assert_eq!(floors(EAST), [50]);
    let (last, others) = floors(WEST)
        .split_last()
        .map(|(last, others)| (*last, others.to_vec()))
        .unwrap();
    assert_eq!((last, others), (51, vec![0; 9]));
}
