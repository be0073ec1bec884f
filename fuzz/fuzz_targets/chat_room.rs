//! Any operations on a room's chat: ids grow, relays that follow know the same, nothing panics and nothing grows without bound.

#![no_main]

use std::{collections::BTreeMap, time::Duration};

use common::{
    auth::Role,
    chat::{
        history::MAX_MESSAGES,
        record::{Doer, Record},
        room::{ChatRoom, Entrant, Now, Opening, Output, RelayKey, Settings, SocketKey},
    },
    time::{Monotonic, UnixMillis},
    wire::chat::{ChatAct, ChatDown, ChatEvent, KickReason},
};
use libfuzzer_sys::fuzz_target;

const ROLES: [Role; 3] = [Role::Viewer, Role::Moderator, Role::Host];

/// A relay's knowledge: ids of messages, viewer ids.
#[derive(Default, PartialEq, Eq, Debug)]
struct Mirror {
    messages: Vec<i64>,
    roster: Vec<String>,
    whole: bool,
}

impl Mirror {
    fn apply(&mut self, down: &ChatDown) {
        match down {
            ChatDown::Snapshot(piece) => {
                if self.whole {
                    *self = Self::default();
                }
                self.messages.extend(piece.messages.iter().map(|message| message.id));
                self.roster
                    .extend(piece.roster.iter().map(|entry| entry.viewer_id.clone()));
                self.whole = piece.state.is_some();
                self.roster.sort();
            }
            ChatDown::All(event) => {
                assert!(self.whole, "the snapshot comes first");
                match event {
                    ChatEvent::Message(message) => {
                        assert!(self.messages.last().is_none_or(|last| *last < message.id));
                        self.messages.push(message.id);
                        let surplus = self.messages.len().saturating_sub(MAX_MESSAGES);
                        self.messages.drain(..surplus);
                    }
                    ChatEvent::Deleted { message_id, .. } => self.messages.retain(|id| id != message_id),
                    ChatEvent::Presence { joined, left, count } => {
                        self.roster
                            .retain(|id| !left.contains(id) && joined.iter().all(|entry| entry.viewer_id != *id));
                        self.roster.extend(joined.iter().map(|entry| entry.viewer_id.clone()));
                        self.roster.sort();
                        assert_eq!(self.roster.len(), *count as usize);
                    }
                    ChatEvent::Reaction { .. } | ChatEvent::Reactions { .. } | ChatEvent::State(_) => {}
                }
            }
            ChatDown::Socket { .. } | ChatDown::Staff { .. } => {}
        }
    }
}

fn entrant(viewer: u8, name: u8, role: u8, now: Now) -> Entrant {
    Entrant {
        viewer_id: format!("v{}", viewer % 8),
        nickname: ["Ann", "ann", "Bob", "B0b"][usize::from(name % 4)].to_owned(),
        role: ROLES[usize::from(role % 3)],
        invite_id: (name % 2 == 0).then(|| format!("i{}", viewer % 3)),
        address: "192.0.2.1".to_owned(),
        expires_at: UnixMillis(now.wall.0 + i64::from(role) * 4000),
    }
}

fn act(what: u8, a: u8, b: u8, text: &str) -> ChatAct {
    let viewer_id = format!("v{}", a % 8);
    let message_id = i64::from(a) - 1;
    match what % 12 {
        0 => ChatAct::React {
            emoji: "👍".to_owned(),
            media_time: None,
        },
        1 => ChatAct::Delete {
            message_id,
            reason: Some(text.to_owned()),
        },
        2 => ChatAct::Timeout {
            viewer_id,
            seconds: u32::from(b),
            reason: None,
        },
        3 => ChatAct::Ban {
            viewer_id,
            reason: None,
        },
        4 => ChatAct::Unban { viewer_id },
        5 => ChatAct::Pin {
            message_id: (b % 2 == 0).then_some(message_id),
        },
        6 => ChatAct::SlowMode { seconds: u32::from(b) },
        7 => ChatAct::Lock { locked: b % 2 == 0 },
        _ => ChatAct::Say {
            text: text.to_owned(),
            client_id: b.to_string(),
            media_time: Some(UnixMillis(i64::from(a))),
            reply_to: Some(message_id),
        },
    }
}

fn operate(room: &mut ChatRoom, now: &mut Now, operation: [u8; 4], text: &str) {
    let [what, a, b, c] = operation;
    let relay = RelayKey(u64::from(a % 3));
    let at = SocketKey {
        relay,
        socket: u64::from(b % 16),
    };
    match what % 24 {
        0 => room.follow(*now, relay, None),
        1 => room.unfollow(*now, relay),
        2 => room.relay_lost(*now, relay),
        3..=6 => room.enter(*now, at, entrant(c, b, what, *now)),
        7 => room.leave(*now, at),
        8 => room.renewed(*now, at, entrant(c, b, what, *now)),
        9 => room.renew(*now, at),
        10 => room.shut_out(*now, &format!("v{}", c % 8), KickReason::Revoked),
        11 => room.shut_out_invite(*now, &format!("i{}", c % 3)),
        12 => room.forget(UnixMillis(now.wall.0 - i64::from(c) * 100)),
        13 => {
            room.claim_name(*now, &format!("v{}", c % 8), ROLES[usize::from(a % 3)], text);
        }
        14 => {
            let by = Doer {
                viewer_id: None,
                nickname: "op".to_owned(),
                role: Role::Host,
            };
            // Done or not: it is answered.
            let _ = room.act_as(*now, &by, act(a, b, c, text));
        }
        15 => room.set_settings(
            *now,
            Settings {
                locked: a % 2 == 0,
                name: text.to_owned(),
                ..Settings::default()
            },
        ),
        16 | 17 => {
            let ms = if what % 24 == 16 {
                u64::from(a) * 8
            } else {
                u64::from(a) * 4000
            };
            now.monotonic = now.monotonic + Duration::from_millis(ms);
            now.wall.0 += ms as i64;
            room.tick(*now);
        }
        _ => room.act(*now, at, act(what.wrapping_add(c), c, a, text)),
    }
}

fuzz_target!(|input: (&str, &[u8])| {
    let (text, operations) = input;
    let Ok(slug) = "den".parse() else { return };
    let mut room = ChatRoom::new(Opening {
        room: slug,
        history: Vec::new(),
        next_id: 1,
        settings: Settings::default(),
        pinned: None,
        emotes: Vec::new(),
        banned: Vec::new(),
        silenced: Vec::new(),
        staff_names: vec![("Bob".to_owned(), "v1".to_owned())],
    });
    let mut now = Now {
        monotonic: Monotonic(Duration::from_secs(9)),
        wall: UnixMillis(1_800_000_000_000),
    };
    let mut mirrors: BTreeMap<RelayKey, Mirror> = BTreeMap::new();
    let mut last_id = 0;
    for operation in operations.as_chunks::<4>().0 {
        operate(&mut room, &mut now, *operation, text);
        mirrors.retain(|relay, _| room.followers().any(|follower| follower == *relay));
        while let Some(output) = room.poll() {
            match output {
                Output::All(down) => {
                    for relay in room.followers() {
                        mirrors.entry(relay).or_default().apply(&down);
                    }
                }
                Output::Relay(relay, down) => mirrors.entry(relay).or_default().apply(&down),
                Output::Keep(Record::Message(message)) => {
                    assert!(message.id > last_id);
                    last_id = message.id;
                }
                _ => {}
            }
        }
        assert!(room.viewer_count() <= 8);
        mirrors.retain(|relay, _| room.followers().any(|follower| follower == *relay));
        if let Some(first) = mirrors.values().next() {
            assert!(mirrors.values().all(|mirror| mirror == first));
        }
    }
});
