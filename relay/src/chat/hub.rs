//! The task that owns the chats of a relay.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use common::{
    auth::Revocations,
    chat::{
        relay::{Output, RelayChat},
        room::Now,
    },
    id::RoomSlug,
    time::Monotonic,
    websocket::{Opcode, frame},
    wire::{
        chat::{KickReason, SocketId},
        control::{Revocation, ViewerSeen},
    },
};
use node::clock;
use tokio::{sync::mpsc, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{
    Input, farewell,
    feed::Feed,
    link::{ChatEnd, Generation, LinkEvent},
};
use crate::{viewer::rooms::Rooms, websocket::Outbox};

/// How often what depends on time alone is looked at.
const CHECK_EVERY: Duration = Duration::from_millis(250);
/// A ping goes to each socket so often, to a share of them in each check.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A socket from which nothing came for so long, no pong either, is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// A socket that took no byte for so long is too slow.
const BLOCKED: Duration = Duration::from_secs(10);
/// Looked at in one go before what came of it is handed over.
const AT_ONCE: usize = 256;

pub(super) struct Hub {
    rooms: Arc<dyn Rooms>,
    chat: RelayChat,
    link: ChatEnd,
    /// `None`: it is away.
    generation: Option<Generation>,
    inputs: mpsc::Receiver<Input>,
    sockets: HashMap<SocketId, Socket>,
    feeds: HashMap<RoomSlug, Feed>,
    /// Feeds that hold something.
    waiting: BTreeSet<RoomSlug>,
    checks: u64,
    /// What chat was told of last.
    revoked: Arc<Vec<Revocation>>,
}

struct Socket {
    outbox: Arc<Outbox>,
    room: RoomSlug,
}

impl Hub {
    pub(super) fn new(rooms: Arc<dyn Rooms>, link: ChatEnd, inputs: mpsc::Receiver<Input>) -> Self {
        Self {
            rooms,
            chat: RelayChat::new(),
            link,
            generation: None,
            inputs,
            sockets: HashMap::new(),
            feeds: HashMap::new(),
            waiting: BTreeSet::new(),
            checks: 0,
            revoked: Arc::default(),
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut check = tokio::time::interval(CHECK_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut inputs = Vec::with_capacity(AT_ONCE);
        loop {
            let due = self.hand_over();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = until(due) => {}
                _ = check.tick() => self.check(),
                Some(event) = self.link.events.recv() => self.link_event(event),
                taken = self.inputs.recv_many(&mut inputs, AT_ONCE) => {
                    if taken == 0 {
                        break;
                    }
                    inputs.drain(..).for_each(|input| self.input(input));
                }
            }
            self.carry_out();
        }
        // Their tasks write it; a socket that is just being opened finds nobody here, and closes by itself.
        self.chat.stop(self.now());
        self.carry_out();
        self.hand_over();
    }

    fn now(&self) -> Now {
        Now {
            monotonic: clock::monotonic(),
            wall: self.rooms.origin_now(),
        }
    }

    fn input(&mut self, input: Input) {
        let now = self.now();
        match input {
            Input::Open {
                opened,
                outbox,
                opened_as,
            } => {
                let room = opened.claims.room.clone();
                let socket = self.chat.open(now, *opened);
                self.sockets.insert(socket, Socket { outbox, room });
                if opened_as.send(socket).is_err() {
                    self.sockets.remove(&socket);
                    self.chat.closed(now, socket);
                }
            }
            Input::Act { socket, act } => self.chat.act(now, socket, act),
            Input::Renew { socket } => self.chat.renew(now, socket),
            Input::Token { socket, token, claims } => self.chat.token(now, socket, token, *claims),
            Input::BadToken { socket } => self.chat.token_refused(socket),
            Input::Closed { socket } => {
                self.chat.closed(now, socket);
                if let Some(Socket { room, .. }) = self.sockets.remove(&socket)
                    && let Some(feed) = self.feeds.get_mut(&room)
                {
                    feed.drop(socket);
                }
            }
        }
    }

    fn link_event(&mut self, event: LinkEvent) {
        let now = self.now();
        match event {
            LinkEvent::Up { generation, rooms } => {
                self.generation = Some(generation);
                self.chat.only_rooms(now, &rooms);
                self.chat.link_up();
            }
            LinkEvent::Down => {
                self.generation = None;
                self.chat.link_down();
            }
            LinkEvent::RoomGone(room) => self.chat.room_gone(now, &room),
            LinkEvent::Chat { room, items } => self.chat.down(now, &room, items),
        }
    }

    fn check(&mut self) {
        let now = self.now();
        self.chat.tick(now);
        let revoked = self.rooms.revocations().borrow().clone();
        if !Arc::ptr_eq(&revoked, &self.revoked) {
            let set = Revocations::new(revoked.iter().cloned(), now.wall);
            self.chat.revoked(now, set);
            self.revoked = revoked;
        }
        self.checks += 1;
        let shares = (PING_EVERY.as_millis() / CHECK_EVERY.as_millis()) as u64;
        let ping = frame(Opcode::Ping, b"");
        let mut slow = Vec::new();
        for (&id, Socket { outbox, .. }) in &self.sockets {
            let is_its_turn = id % shares == self.checks % shares;
            let keeps_up = outbox.blocked_for(now.monotonic) < BLOCKED && outbox.silent_for(now.monotonic) < SILENCE;
            if !keeps_up || (is_its_turn && !outbox.push([ping.clone()])) {
                slow.push(id);
            }
        }
        slow.into_iter()
            .for_each(|id| self.chat.kick(now, id, KickReason::TooSlow));
        let holds_any = |feed: &Feed| !feed.is_empty();
        self.feeds.retain(|_, feed| holds_any(feed));
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.chat.poll() {
            match output {
                Output::Up(item) => {
                    if let Some(generation) = self.generation {
                        self.link.send(generation, item);
                    }
                }
                Output::Hello { room, socket, hello } => {
                    let text = common::chat::json::ServerMessage::Hello(hello).to_text();
                    if let Some(Socket { outbox, .. }) = self.sockets.get(&socket) {
                        let feed = self.feeds.entry(room.clone()).or_default();
                        feed.join(socket, outbox.clone(), &text);
                        self.waiting.insert(room);
                    }
                }
                Output::Room { room, message, own } => {
                    let Some(feed) = self.feeds.get_mut(&room).filter(|feed| !feed.is_empty()) else {
                        continue;
                    };
                    match own {
                        Some(own) => feed.all_but(&message.to_text(), &own.sockets, &own.message.to_text()),
                        None => feed.all(&message.to_text()),
                    }
                    self.waiting.insert(room);
                }
                Output::Socket { socket, message } => self.tell(socket, &message.to_text()),
                Output::Close { socket, reason } => {
                    let outbox = self.sockets.get(&socket).map(|socket| socket.outbox.clone());
                    self.forget(socket);
                    if let Some(outbox) = outbox {
                        outbox.close(farewell(reason));
                    }
                }
                Output::Seen {
                    room,
                    viewer_id,
                    invite_id,
                } => self.rooms.viewer_seen(&room, ViewerSeen { viewer_id, invite_id }),
            }
        }
    }

    /// A socket that had no hello yet is in no feed.
    fn tell(&mut self, id: SocketId, text: &str) {
        let Some(Socket { outbox, room }) = self.sockets.get(&id) else {
            return;
        };
        if self.feeds.get_mut(room).is_some_and(|feed| feed.one(id, text)) {
            self.waiting.insert(room.clone());
        } else if !outbox.push([frame(Opcode::Text, text.as_bytes())]) {
            let now = self.now();
            self.chat.kick(now, id, KickReason::TooSlow);
        }
    }

    /// The socket still gets what it was told so far.
    fn forget(&mut self, id: SocketId) {
        if let Some(Socket { room, .. }) = self.sockets.remove(&id)
            && let Some(feed) = self.feeds.get_mut(&room)
        {
            feed.leave(id);
        }
    }

    /// Hands over what is due, and tells when the next is.
    fn hand_over(&mut self) -> Option<Monotonic> {
        let mut next: Option<Monotonic> = None;
        // What a kick tells others is handed over, too.
        while !self.waiting.is_empty() {
            let now = clock::monotonic();
            let mut behind = Vec::new();
            next = None;
            let feeds = &mut self.feeds;
            self.waiting.retain(|room| {
                let Some(feed) = feeds.get_mut(room) else {
                    return false;
                };
                match feed.due_at(now) {
                    Some(at) if at > now => {
                        next = Some(next.map_or(at, |next| next.min(at)));
                        true
                    }
                    Some(_) => {
                        behind.extend(feed.hand_over(now));
                        false
                    }
                    None => false,
                }
            });
            if behind.is_empty() {
                break;
            }
            let now = self.now();
            behind
                .into_iter()
                .for_each(|id| self.chat.kick(now, id, KickReason::TooSlow));
            self.carry_out();
        }
        next
    }
}

async fn until(at: Option<Monotonic>) {
    match at {
        Some(at) => tokio::time::sleep(at.since(clock::monotonic())).await,
        None => std::future::pending().await,
    }
}
