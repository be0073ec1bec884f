//! The rooms that a relay follows, and who is in them.

use std::collections::{BTreeSet, HashMap};

use super::{LINGER, RelayChat, mirror::Mirror, socket::Socket};
use crate::{
    chat::room::Now,
    id::RoomSlug,
    time::Monotonic,
    wire::chat::{ChatUp, KickReason, SnapshotPiece, SocketId},
};

#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) mirror: Mirror,
    /// The snapshot is here, and what happens since comes.
    pub(super) is_current: bool,
    /// Pieces of a snapshot that is not whole yet.
    pub(super) collected: SnapshotPiece,
    pub(super) members: BTreeSet<SocketId>,
    /// Oldest first.
    pub(super) of_viewer: HashMap<String, Vec<SocketId>>,
    pub(super) empty_since: Option<Monotonic>,
}

impl RelayChat {
    /// There is no such room any more.
    pub fn room_gone(&mut self, now: Now, slug: &RoomSlug) {
        let Some(room) = self.rooms.get(slug) else {
            return;
        };
        for id in room.members.clone() {
            self.kick(now, id, KickReason::RoomGone);
        }
        self.rooms.remove(slug);
    }

    /// These rooms are all that there are.
    pub fn only_rooms(&mut self, now: Now, rooms: &BTreeSet<RoomSlug>) {
        let gone: Vec<RoomSlug> = self
            .rooms
            .keys()
            .filter(|slug| !rooms.contains(slug))
            .cloned()
            .collect();
        gone.iter().for_each(|slug| self.room_gone(now, slug));
    }

    pub(super) fn let_go_of_rooms(&mut self, now: Now) {
        let is_over = |room: &Room| {
            room.empty_since
                .is_some_and(|since| now.monotonic.since(since) >= LINGER)
        };
        let over: Vec<RoomSlug> = self
            .rooms
            .iter()
            .filter(|(_, room)| is_over(room))
            .map(|(slug, _)| slug.clone())
            .collect();
        for slug in over {
            self.rooms.remove(&slug);
            self.up(ChatUp::Unfollow { room: slug });
        }
    }

    pub(super) fn remove(&mut self, now: Now, id: SocketId) -> Option<Socket> {
        let socket = self.sockets.remove(&id)?;
        self.pending -= socket.pending.len();
        if let Some(room) = self.rooms.get_mut(&socket.room) {
            room.members.remove(&id);
            if let Some(of_viewer) = room.of_viewer.get_mut(&socket.claims.viewer_id) {
                of_viewer.retain(|other| *other != id);
                if of_viewer.is_empty() {
                    room.of_viewer.remove(&socket.claims.viewer_id);
                }
            }
            if room.members.is_empty() {
                room.empty_since = Some(now.monotonic);
            }
        }
        Some(socket)
    }
}
