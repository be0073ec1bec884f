//! Any list of operations: what relays know by snapshots and events is what the room is, and is the same for all of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::chat::{history::MAX_MESSAGES, room::OnAir};

const ROLES: [Role; 3] = [Role::Viewer, Role::Moderator, Role::Host];

#[derive(Clone, Debug)]
enum Operation {
    Follow(u64),
    Unfollow(u64),
    RelayLost(u64),
    Enter {
        relay: u64,
        viewer: usize,
        name: usize,
        role: usize,
    },
    Leave(usize),
    Renewed {
        socket: usize,
        viewer: usize,
    },
    Act(usize, ChatAct),
    ShutOut(usize),
    ShutOutInvite(usize),
    ClaimName {
        viewer: usize,
        name: usize,
    },
    Settings {
        locked: bool,
        slow_mode_seconds: u32,
    },
    OnAir(bool),
    Forget,
    Pass(u64),
}

const VIEWERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const NAMES: [&str; 4] = ["Ann", "ANN", "Bob", "🦊"];

fn acts() -> impl Strategy<Value = ChatAct> {
    let viewer_id = || (0..VIEWERS.len()).prop_map(|n| VIEWERS[n].to_owned());
    let id = || -1_i64..40;
    prop_oneof![
        6 => ("[a-z@ ]{0,12}|@Ann hi|\n|\\PC{0,8}", 0..40_u8, prop::option::of(id())).prop_map(|(text, client_id, reply_to)| {
            ChatAct::Say { text, client_id: client_id.to_string(), media_time: None, reply_to }
        }),
        2 => prop_oneof![Just("👍"), Just("❤"), Just("x"), Just(":cat:")].prop_map(react),
        2 => id().prop_map(delete),
        1 => (viewer_id(), 0..20_u32).prop_map(|(viewer, seconds)| time_out(&viewer, seconds)),
        1 => viewer_id().prop_map(|viewer| ban(&viewer)),
        1 => viewer_id().prop_map(|viewer| unban(&viewer)),
        1 => prop::option::of(id()).prop_map(|message_id| ChatAct::Pin { message_id }),
        1 => (0..9_u32).prop_map(|seconds| ChatAct::SlowMode { seconds }),
        1 => any::<bool>().prop_map(|locked| ChatAct::Lock { locked }),
    ]
}

fn operations() -> impl Strategy<Value = Operation> {
    let (viewer, socket) = (|| 0..VIEWERS.len(), || 0..40_usize);
    prop_oneof![
        2 => (1..4_u64).prop_map(Operation::Follow),
        1 => (1..4_u64).prop_map(Operation::Unfollow),
        1 => (1..4_u64).prop_map(Operation::RelayLost),
        6 => (1..4_u64, viewer(), 0..NAMES.len(), 0..3_usize)
            .prop_map(|(relay, viewer, name, role)| Operation::Enter { relay, viewer, name, role }),
        3 => socket().prop_map(Operation::Leave),
        1 => (socket(), viewer()).prop_map(|(socket, viewer)| Operation::Renewed { socket, viewer }),
        14 => (socket(), acts()).prop_map(|(socket, act)| Operation::Act(socket, act)),
        1 => viewer().prop_map(Operation::ShutOut),
        1 => viewer().prop_map(Operation::ShutOutInvite),
        1 => (viewer(), 0..NAMES.len()).prop_map(|(viewer, name)| Operation::ClaimName { viewer, name }),
        1 => (any::<bool>(), 0..3_u32)
            .prop_map(|(locked, slow_mode_seconds)| Operation::Settings { locked, slow_mode_seconds }),
        1 => any::<bool>().prop_map(Operation::OnAir),
        1 => Just(Operation::Forget),
        6 => (0..4000_u64).prop_map(Operation::Pass),
        1 => (100_000..700_000_u64).prop_map(Operation::Pass),
    ]
}

/// What a relay knows.
#[derive(Debug, Default)]
struct Mirror {
    messages: Vec<ChatMessage>,
    roster: BTreeMap<String, RosterEntry>,
    state: Option<ChatState>,
}

impl Mirror {
    fn apply(&mut self, down: &ChatDown) {
        match down {
            ChatDown::Snapshot(piece) => {
                if self.state.take().is_some() {
                    *self = Self::default();
                }
                self.messages.extend(piece.messages.iter().cloned());
                self.roster.extend(
                    piece
                        .roster
                        .iter()
                        .map(|entry| (entry.viewer_id.clone(), entry.clone())),
                );
                self.state.clone_from(&piece.state);
            }
            ChatDown::All(event) => {
                assert!(self.state.is_some(), "the snapshot comes first: {event:?}");
                self.take(event);
            }
            ChatDown::Socket { .. } | ChatDown::Staff { .. } => {}
        }
    }

    fn take(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::Message(message) => {
                assert!(self.messages.last().is_none_or(|last| last.id < message.id), "ids grow");
                self.messages.push(message.clone());
            }
            ChatEvent::Deleted { message_id, .. } => self.messages.retain(|message| message.id != *message_id),
            ChatEvent::Presence { joined, left, count } => {
                for entry in joined {
                    let before = self.roster.insert(entry.viewer_id.clone(), entry.clone());
                    assert_ne!(before.as_ref(), Some(entry), "nobody is told twice");
                }
                for viewer_id in left {
                    assert!(self.roster.remove(viewer_id).is_some(), "who leaves was here");
                }
                assert_eq!(*count as usize, self.roster.len());
            }
            ChatEvent::State(state) => self.state = Some(state.clone()),
            ChatEvent::Reaction { .. } | ChatEvent::Reactions { .. } => {}
        }
    }
}

/// A room, relays' mirrors of it, and what is known of it from outside.
struct World {
    scene: Scene,
    mirrors: BTreeMap<RelayKey, Mirror>,
    /// Every socket that ever entered.
    sockets: Vec<SocketKey>,
    /// Those that are open, and whose they are.
    open: BTreeMap<SocketKey, String>,
    said: BTreeSet<(String, String)>,
    last_id: i64,
}

impl World {
    fn new() -> Self {
        Self {
            scene: Scene::new(opening()),
            mirrors: BTreeMap::new(),
            sockets: vec![SocketKey { relay: EAST, socket: 0 }],
            open: BTreeMap::new(),
            said: BTreeSet::new(),
            last_id: 0,
        }
    }

    fn socket(&self, n: usize) -> SocketKey {
        self.sockets[n % self.sockets.len()]
    }

    fn run(&mut self, operation: Operation) {
        match operation {
            Operation::Follow(relay) => self.scene.follow(RelayKey(relay), None),
            Operation::Unfollow(relay) => {
                self.drop_relay(RelayKey(relay));
                self.scene.call(|room, now| room.unfollow(now, RelayKey(relay)));
            }
            Operation::RelayLost(relay) => {
                self.drop_relay(RelayKey(relay));
                self.scene.call(|room, now| room.relay_lost(now, RelayKey(relay)));
            }
            Operation::Enter {
                relay,
                viewer,
                name,
                role,
            } => {
                let mut entrant = self.scene.entrant(VIEWERS[viewer], ROLES[role]);
                entrant.nickname = NAMES[name].to_owned();
                let at = self.scene.enter_as(RelayKey(relay), entrant);
                self.sockets.push(at);
                self.open.insert(at, VIEWERS[viewer].to_owned());
            }
            Operation::Leave(socket) => {
                let at = self.socket(socket);
                self.open.remove(&at);
                self.scene.call(|room, now| room.leave(now, at));
            }
            Operation::Renewed { socket, viewer } => {
                let (at, entrant) = (self.socket(socket), self.scene.entrant(VIEWERS[viewer], Role::Viewer));
                self.scene.call(|room, now| room.renewed(now, at, entrant));
            }
            Operation::Act(socket, act) => self.scene.act(self.socket(socket), act),
            Operation::ShutOut(viewer) => {
                self.scene
                    .call(|room, now| room.shut_out(now, VIEWERS[viewer], KickReason::Revoked));
            }
            Operation::ShutOutInvite(viewer) => {
                let invite = format!("invite-{}", VIEWERS[viewer]);
                self.scene.call(|room, now| room.shut_out_invite(now, &invite));
            }
            Operation::ClaimName { viewer, name } => {
                let claim = |room: &mut ChatRoom, now| room.claim_name(now, VIEWERS[viewer], Role::Viewer, NAMES[name]);
                self.scene.call(claim);
            }
            Operation::Settings {
                locked,
                slow_mode_seconds,
            } => {
                let settings = Settings {
                    locked,
                    slow_mode_seconds,
                    ..Settings::default()
                };
                self.scene.call(|room, now| room.set_settings(now, settings));
            }
            Operation::OnAir(is_live) => {
                let on_air = OnAir {
                    is_live,
                    ..OnAir::default()
                };
                self.scene.call(|room, now| room.set_on_air(now, on_air));
            }
            Operation::Forget => {
                let before = UnixMillis(self.scene.now.wall.0 - 20_000);
                self.scene.call(|room, _| room.forget(before));
            }
            Operation::Pass(ms) => self.scene.pass(Duration::from_millis(ms)),
        }
        self.look();
    }

    fn drop_relay(&mut self, relay: RelayKey) {
        self.mirrors.remove(&relay);
        self.open.retain(|at, _| at.relay != relay);
    }

    /// Takes in what relays were told, and compares.
    fn look(&mut self) {
        for (relay, told) in std::mem::take(&mut self.scene.told) {
            for down in &told {
                if let ChatDown::Socket { socket, event } = down {
                    let is_out = matches!(event, SocketEvent::Kicked { .. })
                        || matches!(
                            event,
                            SocketEvent::Refused {
                                code: RefusalCode::Unavailable,
                                ..
                            }
                        );
                    if is_out {
                        self.open.remove(&SocketKey { relay, socket: *socket });
                    }
                } else {
                    self.mirrors.entry(relay).or_default().apply(down);
                }
            }
        }
        for record in std::mem::take(&mut self.scene.kept) {
            if let Record::Message(message) = record {
                assert!(message.id > self.last_id);
                self.last_id = message.id;
                if self.scene.now.monotonic.0 < Duration::from_secs(1290) {
                    assert!(
                        self.said.insert((message.viewer_id, message.client_id)),
                        "nothing is said twice"
                    );
                }
            }
        }
        let room = &self.scene.room;
        assert_eq!(
            room.followers().collect::<Vec<_>>(),
            self.mirrors.keys().copied().collect::<Vec<_>>()
        );
        let history: Vec<_> = room.history.after(None).cloned().collect();
        assert!(history.len() <= MAX_MESSAGES && room.viewer_count() <= VIEWERS.len());
        let mut rosters = self.mirrors.values().map(|mirror| &mirror.roster);
        if let Some(first) = rosters.next() {
            assert!(rosters.all(|roster| roster == first));
        }
        for mirror in self.mirrors.values() {
            assert_eq!(mirror.messages, history);
            let state = mirror.state.clone().unwrap();
            assert_eq!(
                ChatState {
                    viewer_count: 0,
                    ..state
                },
                ChatState {
                    viewer_count: 0,
                    ..room.state()
                }
            );
        }
    }

    /// When all graces are over, exactly those with an open socket are here, each under a name of its own.
    fn settle(&mut self) {
        loop {
            let before = self.open.len();
            self.scene.pass(Duration::from_secs(16));
            self.look();
            // A token that ended meanwhile began another grace.
            if self.open.len() == before {
                break;
            }
        }
        let here: BTreeSet<_> = self.open.values().cloned().collect();
        assert_eq!(self.scene.room.viewer_count(), here.len());
        for mirror in self.mirrors.values() {
            assert_eq!(mirror.roster.keys().cloned().collect::<BTreeSet<_>>(), here);
            let names: BTreeSet<_> = mirror
                .roster
                .values()
                .map(|entry| entry.nickname.to_lowercase())
                .collect();
            assert_eq!(names.len(), here.len());
        }
    }
}

proptest! {
    #[test]
    fn relays_know_what_the_room_is_whatever_happens(list in prop::collection::vec(operations(), 1..120)) {
        let mut world = World::new();
        for operation in list {
            world.run(operation);
        }
        world.settle();
    }
}
