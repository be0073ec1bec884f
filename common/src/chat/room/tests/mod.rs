//! Scenes of a room: relays that follow, viewers that come, and what each of them is told.

mod catching_up;
mod following;
mod moderating;
mod presence;
mod properties;
mod speaking;

use std::{collections::BTreeMap, time::Duration};

use super::{ChatRoom, Entrant, Now, Opening, Output, RelayKey, Settings, SocketKey};
use crate::{
    auth::Role,
    chat::record::{AuditEntry, Record},
    time::{Monotonic, UnixMillis},
    wire::chat::{
        ChatAct, ChatDown, ChatEvent, ChatMessage, ChatState, KickReason, RefusalCode, RosterEntry, SocketEvent,
    },
};

/// Two relays that the scenes use.
const EAST: RelayKey = RelayKey(1);
const WEST: RelayKey = RelayKey(2);

fn opening() -> Opening {
    Opening {
        room: "den".parse().unwrap(),
        history: Vec::new(),
        next_id: 1,
        settings: Settings {
            name: "Den".to_owned(),
            ..Settings::default()
        },
        pinned: None,
        emotes: Vec::new(),
        banned: Vec::new(),
        silenced: Vec::new(),
        staff_names: Vec::new(),
    }
}

fn stored(id: i64, viewer_id: &str) -> ChatMessage {
    ChatMessage {
        id,
        viewer_id: viewer_id.to_owned(),
        nickname: viewer_id.to_owned(),
        role: Role::Viewer,
        text: "before".to_owned(),
        sent_at: UnixMillis(id),
        media_time: None,
        reply_to: None,
        mentions: Vec::new(),
        client_id: String::new(),
    }
}

fn say(text: &str, client_id: &str) -> ChatAct {
    ChatAct::Say {
        text: text.to_owned(),
        client_id: client_id.to_owned(),
        media_time: None,
        reply_to: None,
    }
}

fn react(emoji: &str) -> ChatAct {
    ChatAct::React {
        emoji: emoji.to_owned(),
        media_time: None,
    }
}

fn delete(message_id: i64) -> ChatAct {
    ChatAct::Delete {
        message_id,
        reason: Some("rude".to_owned()),
    }
}

fn time_out(viewer_id: &str, seconds: u32) -> ChatAct {
    ChatAct::Timeout {
        viewer_id: viewer_id.to_owned(),
        seconds,
        reason: None,
    }
}

fn ban(viewer_id: &str) -> ChatAct {
    ChatAct::Ban {
        viewer_id: viewer_id.to_owned(),
        reason: Some("spam".to_owned()),
    }
}

fn unban(viewer_id: &str) -> ChatAct {
    ChatAct::Unban {
        viewer_id: viewer_id.to_owned(),
    }
}

/// A room with a driver that delivers at once.
struct Scene {
    room: ChatRoom,
    now: Now,
    told: BTreeMap<RelayKey, Vec<ChatDown>>,
    kept: Vec<Record>,
    /// All other outputs.
    asked: Vec<Output>,
    /// Socket ids given so far, on all relays.
    sockets: u64,
}

impl Scene {
    fn new(opening: Opening) -> Self {
        let now = Now {
            monotonic: Monotonic(Duration::from_secs(1000)),
            wall: UnixMillis(1_800_000_000_000),
        };
        Self {
            room: ChatRoom::new(opening),
            now,
            told: BTreeMap::new(),
            kept: Vec::new(),
            asked: Vec::new(),
            sockets: 0,
        }
    }

    /// With both relays following.
    fn followed() -> Self {
        let mut scene = Self::new(opening());
        scene.follow(EAST, None);
        scene.follow(WEST, None);
        scene
    }

    /// Calls the room, and delivers what it gives.
    fn call<T>(&mut self, call: impl FnOnce(&mut ChatRoom, Now) -> T) -> T {
        let result = call(&mut self.room, self.now);
        while let Some(output) = self.room.poll() {
            match output {
                Output::All(down) => {
                    for relay in self.room.followers() {
                        self.told.entry(relay).or_default().push(down.clone());
                    }
                }
                Output::Relay(relay, down) => self.told.entry(relay).or_default().push(down),
                Output::Keep(record) => self.kept.push(record),
                other => self.asked.push(other),
            }
        }
        result
    }

    /// Time goes by; what is due is done when it is due.
    fn pass(&mut self, time: Duration) {
        let end = self.now.monotonic + time;
        while let Some(deadline) = self.room.deadline().filter(|deadline| *deadline <= end) {
            self.set_clock(deadline.max(self.now.monotonic));
            self.call(ChatRoom::tick);
        }
        self.set_clock(end);
    }

    fn set_clock(&mut self, to: Monotonic) {
        self.now.wall.0 += to.since(self.now.monotonic).as_millis() as i64;
        self.now.monotonic = to;
    }

    fn follow(&mut self, relay: RelayKey, after: Option<i64>) {
        self.call(|room, now| room.follow(now, relay, after));
    }

    fn entrant(&self, viewer_id: &str, role: Role) -> Entrant {
        Entrant {
            viewer_id: viewer_id.to_owned(),
            nickname: viewer_id.to_owned(),
            role,
            invite_id: Some(format!("invite-{viewer_id}")),
            address: "192.0.2.7".to_owned(),
            expires_at: UnixMillis(self.now.wall.0 + 600_000),
        }
    }

    /// The viewer opens a socket; its name is its id.
    fn enter(&mut self, relay: RelayKey, viewer_id: &str, role: Role) -> SocketKey {
        let entrant = self.entrant(viewer_id, role);
        self.enter_as(relay, entrant)
    }

    fn enter_as(&mut self, relay: RelayKey, entrant: Entrant) -> SocketKey {
        self.sockets += 1;
        let at = SocketKey {
            relay,
            socket: self.sockets,
        };
        self.call(|room, now| room.enter(now, at, entrant));
        at
    }

    fn act(&mut self, at: SocketKey, act: ChatAct) {
        self.call(|room, now| room.act(now, at, act));
    }

    /// Acts, and says with what code it was refused.
    fn refusal(&mut self, at: SocketKey, act: ChatAct) -> Option<RefusalCode> {
        self.clear();
        self.act(at, act);
        self.socket_events(at).into_iter().find_map(|event| match event {
            SocketEvent::Refused { code, .. } => Some(code),
            _ => None,
        })
    }

    /// Forgets what was told, kept and asked so far.
    fn clear(&mut self) {
        self.told.clear();
        self.kept.clear();
        self.asked.clear();
    }

    fn told(&self, relay: RelayKey) -> &[ChatDown] {
        self.told.get(&relay).map_or(&[], Vec::as_slice)
    }

    fn events(&self, relay: RelayKey) -> Vec<ChatEvent> {
        let events = self.told(relay).iter().filter_map(|down| match down {
            ChatDown::All(event) => Some(event.clone()),
            _ => None,
        });
        events.collect()
    }

    fn messages(&self, relay: RelayKey) -> Vec<ChatMessage> {
        let messages = self.events(relay).into_iter().filter_map(|event| match event {
            ChatEvent::Message(message) => Some(message),
            _ => None,
        });
        messages.collect()
    }

    fn state(&self, relay: RelayKey) -> Option<ChatState> {
        let mut states = self.events(relay).into_iter().rev().filter_map(|event| match event {
            ChatEvent::State(state) => Some(state),
            _ => None,
        });
        states.next()
    }

    fn socket_events(&self, at: SocketKey) -> Vec<SocketEvent> {
        let events = self.told(at.relay).iter().filter_map(|down| match down {
            ChatDown::Socket { socket, event } if *socket == at.socket => Some(event.clone()),
            _ => None,
        });
        events.collect()
    }

    fn kicked(&self, at: SocketKey) -> Option<KickReason> {
        self.socket_events(at).into_iter().find_map(|event| match event {
            SocketEvent::Kicked { reason } => Some(reason),
            _ => None,
        })
    }

    fn audits(&self) -> Vec<&AuditEntry> {
        let audits = self.kept.iter().filter_map(|record| match record {
            Record::Audit(entry) => Some(entry),
            _ => None,
        });
        audits.collect()
    }
}

fn entry(viewer_id: &str, role: Role) -> RosterEntry {
    RosterEntry {
        viewer_id: viewer_id.to_owned(),
        nickname: viewer_id.to_owned(),
        role,
    }
}
