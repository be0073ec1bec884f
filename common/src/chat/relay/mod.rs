//! A relay's side of chat, as a pure state machine: what sockets and the link bring in, what to tell sockets and the origin out.
//!
//! It decides nothing but rates: who may what is the origin's matter. It follows each room that has sockets, mirrors it, and
//! greets a socket from the mirror when the origin let it in, in the order of the link. So a socket's hello and what comes after it
//! are the room's chat without hole or repetition, and a link that is lost and made anew is nothing but delay.
//!
//! Not here: bytes, time-outs of sockets, caps on their number. Whoever drives it checks a token before it opens a socket, does
//! what [`RelayChat::poll`] gives after each call, in that order, and calls [`RelayChat::tick`] at least every second.

mod acts;
mod down;
mod mirror;
mod output;
mod rooms;
mod socket;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

pub use self::{
    mirror::MAX_MESSAGES,
    output::Output,
    socket::{MAX_HELD, MAX_PENDING, Opened, PENDING_FOR},
};
use self::{rooms::Room, socket::Socket};
use crate::{
    auth::{Revocations, VIEWER_TOKEN_LEEWAY, ViewerClaims},
    chat::{json::ServerMessage, room::Now},
    id::RoomSlug,
    wire::chat::{ChatUp, KickReason, RefusalCode, SnapshotPiece, SocketId},
};

/// Sockets of one viewer in a room; the oldest goes for a new one.
pub const MAX_SOCKETS_OF_VIEWER: usize = 8;
/// Messages of all sockets that wait for their answer.
pub const MAX_PENDING_IN_ALL: usize = 1000;
/// How long a room without sockets is followed on.
pub const LINGER: Duration = Duration::from_secs(30);
/// A viewer with a socket counts as there: half of what a seat lasts without a sign.
const SEEN_EVERY: Duration = Duration::from_secs(25);

/// All chats that a relay carries.
#[derive(Debug, Default)]
pub struct RelayChat {
    link_is_up: bool,
    rooms: BTreeMap<RoomSlug, Room>,
    sockets: BTreeMap<SocketId, Socket>,
    last_socket: SocketId,
    /// Of all sockets.
    pending: usize,
    revocations: Revocations,
    outputs: VecDeque<Output>,
}

impl RelayChat {
    /// Without rooms, and without a link.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Sockets that are open.
    pub fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    /// A socket was opened with a token that was checked.
    pub fn open(&mut self, now: Now, opened: Opened) -> SocketId {
        self.last_socket += 1;
        let id = self.last_socket;
        let mut socket = Socket::new(opened, now.monotonic);
        socket.shut_out(now, &self.revocations);
        let slug = socket.room.clone();
        let viewer_id = socket.claims.viewer_id.clone();
        let is_new = !self.rooms.contains_key(&slug);
        let room = self.rooms.entry(slug.clone()).or_default();
        room.empty_since = None;
        room.members.insert(id);
        let of_viewer = room.of_viewer.entry(viewer_id).or_default();
        of_viewer.push(id);
        let replaced = (of_viewer.len() > MAX_SOCKETS_OF_VIEWER).then(|| of_viewer[0]);
        self.sockets.insert(id, socket);
        if is_new {
            self.up(ChatUp::Follow {
                room: slug,
                after: None,
            });
        }
        self.enter(id);
        if let Some(oldest) = replaced {
            self.kick(now, oldest, KickReason::Replaced);
        }
        id
    }

    /// The socket is closed.
    pub fn closed(&mut self, now: Now, id: SocketId) {
        if let Some(socket) = self.remove(now, id) {
            self.up(ChatUp::Leave {
                room: socket.room,
                socket: id,
            });
        }
    }

    /// Closes the socket: it misbehaved, or is too slow.
    pub fn kick(&mut self, now: Now, id: SocketId, reason: KickReason) {
        if self.sockets.contains_key(&id) {
            self.outputs.push_back(Output::Close { socket: id, reason });
            self.closed(now, id);
        }
    }

    /// The relay stops.
    pub fn stop(&mut self, now: Now) {
        let all: Vec<SocketId> = self.sockets.keys().copied().collect();
        all.into_iter().for_each(|id| self.kick(now, id, KickReason::GoingAway));
    }

    /// Sockets that had their hello have a hole that cannot be filled: they come back, and are told of it by what they have.
    fn send_back(&mut self, now: Now, slug: &RoomSlug) {
        let members = self.rooms.get(slug).into_iter().flat_map(|room| &room.members);
        let is_greeted = |id: &&SocketId| self.sockets.get(id).is_some_and(|socket| socket.is_greeted());
        let greeted: Vec<SocketId> = members.filter(is_greeted).copied().collect();
        greeted
            .into_iter()
            .for_each(|id| self.kick(now, id, KickReason::GoingAway));
    }

    /// The viewer of a socket wants a newer token.
    pub fn renew(&mut self, now: Now, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        if let Err(wait) = socket.afford_other(now.monotonic) {
            return self.refuse_for(id, wait, None);
        }
        socket.wants_token = true;
        if socket.entered {
            let room = socket.room.clone();
            self.up(ChatUp::Renew { room, socket: id });
        }
    }

    /// The viewer of a socket shows a newer token, which was checked. Another viewer's counts for nothing.
    pub fn token(&mut self, now: Now, id: SocketId, token: String, claims: ViewerClaims) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        if let Err(wait) = socket.afford_other(now.monotonic) {
            return self.refuse_for(id, wait, None);
        }
        if claims.viewer_id != socket.claims.viewer_id || claims.room != socket.room {
            return self.refuse(id, RefusalCode::Forbidden, "the token is another viewer's", None);
        }
        let expires_at = claims.expires_at;
        if token == socket.token {
            return self.tell(id, ServerMessage::Token { token, expires_at });
        }
        socket.token.clone_from(&token);
        socket.claims = claims;
        socket.shut_out(now, &self.revocations);
        socket.wants_token = false;
        let (room, entered) = (socket.room.clone(), socket.entered);
        socket.shows_token = !entered;
        let shown = token.clone();
        self.tell(id, ServerMessage::Token { token, expires_at });
        if entered {
            self.up(ChatUp::Token {
                room,
                socket: id,
                token: shown,
            });
        }
    }

    /// The socket showed a token that does not count, or may not be looked at now.
    pub fn token_refused(&mut self, id: SocketId) {
        self.refuse(id, RefusalCode::Forbidden, "the token does not count", None);
    }

    /// The link stands, anew: all rooms are followed from where they are, all sockets enter, and what was said and not answered
    /// is said again.
    pub fn link_up(&mut self) {
        self.link_down();
        self.link_is_up = true;
        self.rooms.retain(|_, room| !room.members.is_empty());
        let follows: Vec<ChatUp> = self
            .rooms
            .iter()
            .map(|(slug, room)| ChatUp::Follow {
                room: slug.clone(),
                after: room.mirror.newest(),
            })
            .collect();
        follows.into_iter().for_each(|follow| self.up(follow));
        let sockets: Vec<SocketId> = self.sockets.keys().copied().collect();
        sockets.into_iter().for_each(|id| self.enter(id));
    }

    /// The link is away.
    pub fn link_down(&mut self) {
        self.link_is_up = false;
        for room in self.rooms.values_mut() {
            room.is_current = false;
            room.collected = SnapshotPiece::default();
        }
        for socket in self.sockets.values_mut() {
            socket.entered = false;
            socket.pending.iter_mut().for_each(|pending| pending.went_up = false);
        }
    }

    /// These are all that is revoked. Sockets with such a token are kicked, also those that come, a moment later: the origin may
    /// say that it was a ban.
    pub fn revoked(&mut self, now: Now, revocations: Revocations) {
        for socket in self.sockets.values_mut() {
            socket.shut_out(now, &revocations);
        }
        self.revocations = revocations;
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Now) {
        let mut kicked = Vec::new();
        let mut late = Vec::new();
        let mut waiting = Vec::new();
        for (&id, socket) in &mut self.sockets {
            let ends = socket
                .claims
                .expires_at
                .0
                .saturating_add(VIEWER_TOKEN_LEEWAY.as_millis() as i64);
            if now.wall.0 >= ends {
                kicked.push((id, KickReason::Expired));
            } else if socket.shut_out_at.is_some_and(|at| at <= now.monotonic) {
                kicked.push((id, KickReason::Revoked));
            }
            let is_late = |pending: &socket::Pending| now.monotonic.since(pending.since) >= PENDING_FOR;
            while socket.pending.front().is_some_and(is_late) {
                late.extend(socket.pending.pop_front().map(|pending| (id, Some(pending.client_id))));
                self.pending -= 1;
            }
            let has_lost = socket.forget_sent(now.monotonic);
            late.extend((0..has_lost).map(|_| (id, None)));
            if socket.entered && socket.pending.iter().any(|pending| !pending.went_up) {
                waiting.push(id);
            }
            if now.monotonic.since(socket.seen_at) >= SEEN_EVERY {
                socket.seen_at = now.monotonic;
                self.outputs.push_back(Output::Seen {
                    room: socket.room.clone(),
                    viewer_id: socket.claims.viewer_id.clone(),
                    invite_id: socket.claims.invite_id.clone(),
                });
            }
        }
        late.into_iter()
            .for_each(|(id, client_id)| self.unavailable(id, client_id));
        waiting.into_iter().for_each(|id| self.say_what_waits(now, id));
        kicked.into_iter().for_each(|(id, reason)| self.kick(now, id, reason));
        self.let_go_of_rooms(now);
    }

    fn enter(&mut self, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.shows_token = false;
            let enter = ChatUp::Enter {
                room: socket.room.clone(),
                socket: id,
                token: socket.token.clone(),
                address: socket.address.clone(),
            };
            self.up(enter);
        }
    }
}
