//! Relays and the origin's room together, over links that lose what is under way: whatever happens, each viewer ends with the
//! same messages in the same order, none lost, none twice.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;

use super::{claims, room_slug};
use crate::{
    auth::Role,
    chat::{
        json::{Message, ServerMessage},
        record::Record,
        relay::{Opened, Output, RelayChat},
        room::{self, ChatRoom, Entrant, Now, Opening, RelayKey, Settings, SocketKey},
    },
    time::{Monotonic, UnixMillis},
    wire::chat::{ChatAct, ChatDown, ChatUp, SocketId},
};

const RELAYS: usize = 2;
const VIEWERS: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Operation {
    /// The client goes to a relay, from wherever it is.
    Connect {
        client: usize,
        relay: usize,
    },
    Say(usize),
    /// The newest message that the client sees.
    Delete(usize),
    /// So many items of the link arrive.
    Rise {
        relay: usize,
        items: usize,
    },
    Fall {
        relay: usize,
        items: usize,
    },
    Cut(usize),
    Join(usize),
    Die(usize),
    Pass(u64),
}

fn operations() -> impl Strategy<Value = Operation> {
    let (relay, client) = (|| 0..RELAYS, || 0..VIEWERS);
    prop_oneof![
        3 => (client(), relay()).prop_map(|(client, relay)| Operation::Connect { client, relay }),
        10 => client().prop_map(Operation::Say),
        1 => client().prop_map(Operation::Delete),
        8 => (relay(), 1..9_usize).prop_map(|(relay, items)| Operation::Rise { relay, items }),
        8 => (relay(), 1..9_usize).prop_map(|(relay, items)| Operation::Fall { relay, items }),
        2 => relay().prop_map(Operation::Cut),
        3 => relay().prop_map(Operation::Join),
        1 => relay().prop_map(Operation::Die),
        5 => (0..3000_u64).prop_map(Operation::Pass),
    ]
}

/// A browser.
#[derive(Debug, Default)]
struct Client {
    at: Option<(usize, SocketId)>,
    is_greeted: bool,
    /// Not deleted.
    seen: Vec<i64>,
    first: Option<i64>,
    last: Option<i64>,
    next_client_id: u32,
    unanswered: Vec<String>,
    refused: BTreeSet<String>,
}

struct Relay {
    chat: RelayChat,
    connection: Option<RelayKey>,
    up: VecDeque<ChatUp>,
    down: VecDeque<ChatDown>,
}

struct World {
    now: Now,
    room: ChatRoom,
    relays: Vec<Relay>,
    clients: Vec<Client>,
    connections: u64,
    /// All that was said: id, viewer, client id.
    said: Vec<(i64, String, String)>,
    deleted: BTreeSet<i64>,
}

fn viewer(client: usize) -> String {
    format!("v{client}")
}

impl World {
    fn new() -> Self {
        let opening = Opening {
            room: room_slug(),
            history: Vec::new(),
            next_id: 1,
            settings: Settings::default(),
            pinned: None,
            emotes: Vec::new(),
            banned: Vec::new(),
            silenced: Vec::new(),
            staff_names: Vec::new(),
        };
        let relay = |_| Relay {
            chat: RelayChat::new(),
            connection: None,
            up: VecDeque::new(),
            down: VecDeque::new(),
        };
        Self {
            now: Now {
                monotonic: Monotonic::default(),
                wall: UnixMillis(1_795_341_600_000),
            },
            room: ChatRoom::new(opening),
            relays: (0..RELAYS).map(relay).collect(),
            clients: (0..VIEWERS).map(|_| Client::default()).collect(),
            connections: 0,
            said: Vec::new(),
            deleted: BTreeSet::new(),
        }
    }

    fn perform(&mut self, operation: Operation) {
        match operation {
            Operation::Connect { client, relay } => self.connect(client, relay),
            Operation::Say(client) => {
                let next = &mut self.clients[client].next_client_id;
                *next += 1;
                let client_id = format!("c{next}");
                self.clients[client].unanswered.push(client_id.clone());
                self.say(client, client_id);
            }
            Operation::Delete(client) => {
                let newest = self.clients[client].seen.last().copied();
                if let (Some(message_id), Some((relay, socket))) = (newest, self.clients[client].at) {
                    let act = ChatAct::Delete {
                        message_id,
                        reason: None,
                    };
                    self.relays[relay].chat.act(self.now, socket, act);
                }
            }
            Operation::Rise { relay, items } => (0..items).for_each(|_| self.rise(relay)),
            Operation::Fall { relay, items } => (0..items).for_each(|_| self.fall(relay)),
            Operation::Cut(relay) => self.cut(relay),
            Operation::Join(relay) => {
                if self.relays[relay].connection.is_none() {
                    self.connections += 1;
                    self.relays[relay].connection = Some(RelayKey(self.connections));
                    self.relays[relay].chat.link_up();
                }
            }
            Operation::Die(relay) => {
                self.cut(relay);
                self.relays[relay].chat = RelayChat::new();
                for client in &mut self.clients {
                    if client.at.is_some_and(|(at, _)| at == relay) {
                        client.at = None;
                    }
                }
            }
            Operation::Pass(ms) => {
                self.now.monotonic = self.now.monotonic + std::time::Duration::from_millis(ms);
                self.now.wall.0 += ms as i64;
                self.room.tick(self.now);
                for relay in &mut self.relays {
                    relay.chat.tick(self.now);
                }
            }
        }
        self.settle();
    }

    fn connect(&mut self, client: usize, relay: usize) {
        if let Some((before, socket)) = self.clients[client].at.take() {
            self.relays[before].chat.closed(self.now, socket);
            self.settle();
        }
        let opened = Opened {
            claims: claims(&viewer(client)),
            token: viewer(client),
            address: "192.0.2.1".into(),
            after: self.clients[client].last,
        };
        let socket = self.relays[relay].chat.open(self.now, opened);
        self.clients[client].at = Some((relay, socket));
        self.clients[client].is_greeted = false;
    }

    fn say(&mut self, client: usize, client_id: String) {
        if let Some((relay, socket)) = self.clients[client].at {
            let act = ChatAct::Say {
                text: client_id.clone(),
                client_id,
                media_time: None,
                reply_to: None,
            };
            self.relays[relay].chat.act(self.now, socket, act);
        }
    }

    /// All that was under way is lost.
    fn cut(&mut self, relay: usize) {
        let relay = &mut self.relays[relay];
        relay.up.clear();
        relay.down.clear();
        relay.chat.link_down();
        if let Some(key) = relay.connection.take() {
            self.room.relay_lost(self.now, key);
        }
    }

    fn rise(&mut self, relay: usize) {
        let Some(relay_key) = self.relays[relay].connection else {
            return;
        };
        let at = |socket| SocketKey {
            relay: relay_key,
            socket,
        };
        match self.relays[relay].up.pop_front() {
            Some(ChatUp::Follow { after, .. }) => self.room.follow(self.now, relay_key, after),
            Some(ChatUp::Unfollow { .. }) => self.room.unfollow(self.now, relay_key),
            Some(ChatUp::Enter {
                socket, token, address, ..
            }) => {
                let entrant = Entrant {
                    nickname: token.clone(),
                    role: Role::Viewer,
                    invite_id: None,
                    expires_at: claims(&token).expires_at,
                    viewer_id: token,
                    address,
                };
                self.room.enter(self.now, at(socket), entrant);
            }
            Some(ChatUp::Leave { socket, .. }) => self.room.leave(self.now, at(socket)),
            Some(ChatUp::Act { socket, act, .. }) => self.room.act(self.now, at(socket), act),
            Some(ChatUp::Token { .. } | ChatUp::Renew { .. }) | None => {}
        }
        self.settle();
    }

    fn fall(&mut self, relay: usize) {
        if let Some(item) = self.relays[relay].down.pop_front() {
            self.relays[relay].chat.down(self.now, &room_slug(), vec![item]);
            self.settle();
        }
    }

    /// Outputs of all go where they belong.
    fn settle(&mut self) {
        while let Some(output) = self.room.poll() {
            match output {
                room::Output::All(item) => {
                    let followers: Vec<RelayKey> = self.room.followers().collect();
                    followers.into_iter().for_each(|key| self.send_down(key, item.clone()));
                }
                room::Output::Relay(key, item) => self.send_down(key, item),
                room::Output::Keep(Record::Message(message)) => {
                    self.said.push((message.id, message.viewer_id, message.client_id));
                }
                room::Output::Keep(Record::Deleted { message_id }) => {
                    self.deleted.insert(message_id);
                }
                _ => {}
            }
        }
        for relay in 0..RELAYS {
            while let Some(output) = self.relays[relay].chat.poll() {
                match output {
                    Output::Up(item) => self.relays[relay].up.push_back(item),
                    Output::Hello { socket, hello, .. } => self.told(relay, socket, &ServerMessage::Hello(hello)),
                    Output::Socket { socket, message } => self.told(relay, socket, &message),
                    Output::Room { message, own, .. } => {
                        let here = |client: &Client| client.at.filter(|(at, _)| *at == relay && client.is_greeted);
                        let sockets: Vec<SocketId> = self.clients.iter().filter_map(here).map(|(_, id)| id).collect();
                        for socket in sockets {
                            let own = own.as_ref().filter(|own| own.sockets.contains(&socket));
                            let message = own.map_or(&message, |own| &own.message);
                            self.told(relay, socket, message);
                        }
                    }
                    Output::Close { socket, .. } => {
                        if let Some(client) = self
                            .clients
                            .iter_mut()
                            .find(|client| client.at == Some((relay, socket)))
                        {
                            client.at = None;
                        }
                    }
                    Output::Seen { .. } => {}
                }
            }
        }
    }

    fn send_down(&mut self, key: RelayKey, item: ChatDown) {
        if let Some(relay) = self.relays.iter_mut().find(|relay| relay.connection == Some(key)) {
            relay.down.push_back(item);
        }
    }

    fn told(&mut self, relay: usize, socket: SocketId, message: &ServerMessage) {
        let Some(client) = self
            .clients
            .iter()
            .position(|client| client.at == Some((relay, socket)))
        else {
            return;
        };
        let own_id = viewer(client);
        let who = &mut self.clients[client];
        match message {
            ServerMessage::Hello(hello) => {
                assert!(!std::mem::replace(&mut who.is_greeted, true), "one hello a socket");
                assert!(!hello.truncated);
                let next = hello.history.first().map_or(i64::MAX, |message| message.id);
                if who.last.is_none() && next != i64::MAX {
                    who.first = Some(next);
                }
                hello.history.iter().for_each(|message| who.see(message, &own_id));
                who.seen.retain(|id| !hello.deleted.contains(id));
                // It cannot know whether these arrived.
                let again = who.unanswered.clone();
                again.into_iter().for_each(|client_id| self.say(client, client_id));
            }
            ServerMessage::Message(message) => who.see(message, &own_id),
            ServerMessage::Deleted { message_id, .. } => who.seen.retain(|id| id != message_id),
            ServerMessage::Error {
                client_id: Some(client_id),
                ..
            } => {
                who.unanswered.retain(|waiting| waiting != client_id);
                who.refused.insert(client_id.clone());
            }
            _ => {}
        }
    }

    /// Links stand, everybody is somewhere, and time passes until nothing is under way.
    fn come_to_rest(&mut self) {
        for relay in 0..RELAYS {
            self.perform(Operation::Join(relay));
        }
        for client in 0..VIEWERS {
            if self.clients[client].at.is_none() {
                self.perform(Operation::Connect {
                    client,
                    relay: client % RELAYS,
                });
            }
        }
        for _ in 0..20 {
            for relay in 0..RELAYS {
                while !(self.relays[relay].up.is_empty() && self.relays[relay].down.is_empty()) {
                    self.rise(relay);
                    self.fall(relay);
                }
            }
            self.perform(Operation::Pass(1000));
        }
    }
}

impl Client {
    fn see(&mut self, message: &Message, own_id: &str) {
        assert!(
            self.last.is_none_or(|last| last < message.id),
            "{} comes in order, once",
            message.id
        );
        assert_eq!(message.client_id.is_some(), message.viewer_id == own_id, "{message:?}");
        self.last = Some(message.id);
        self.first = self.first.or(self.last);
        self.seen.push(message.id);
        if let Some(client_id) = &message.client_id {
            self.unanswered.retain(|waiting| waiting != client_id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn everyone_ends_with_the_same_messages(operations in prop::collection::vec(operations(), 1..250)) {
        let mut world = World::new();
        for relay in 0..RELAYS {
            world.perform(Operation::Join(relay));
        }
        operations.into_iter().for_each(|operation| world.perform(operation));
        world.come_to_rest();

        let ids: BTreeSet<(&str, &str)> = world.said.iter().map(|(_, viewer, id)| (viewer.as_str(), id.as_str())).collect();
        prop_assert_eq!(ids.len(), world.said.len(), "nothing is said twice");
        for (number, client) in world.clients.iter().enumerate() {
            prop_assert!(client.is_greeted, "client {}", number);
            let first = client.first.unwrap_or(i64::MAX);
            let stands = world.said.iter().map(|(id, ..)| *id).filter(|id| *id >= first && !world.deleted.contains(id));
            let ends_with: Vec<i64> = stands.collect();
            prop_assert_eq!(&client.seen, &ends_with, "client {}", number);
            prop_assert_eq!(&client.unanswered, &Vec::<String>::new(), "client {}", number);
            for said in 1..=client.next_client_id {
                let client_id = format!("c{said}");
                let was_said = ids.contains(&(viewer(number).as_str(), client_id.as_str()));
                prop_assert!(was_said || client.refused.contains(&client_id), "{} of client {}", client_id, number);
            }
        }
    }
}
