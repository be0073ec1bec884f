//! What the sockets of one room are told, gathered for a short while and handed to all at once: one buffer that they share, and
//! what single sockets get besides or instead.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use common::{
    time::Monotonic,
    websocket::{Opcode, frame, put_frame},
    wire::chat::SocketId,
};

use crate::websocket::Outbox;

/// Least time between two hand-overs. What comes after a longer quiet goes at once; in a busy room a write costs a socket more than
/// anything else, and nobody sees 40 ms in a chat.
pub(super) const TICK: Duration = Duration::from_millis(40);
/// So many bytes are handed over without waiting.
const MAX_GATHERED: usize = 256 << 10;

#[derive(Default)]
pub(super) struct Feed {
    members: HashMap<SocketId, Member>,
    /// Whole frames for all members.
    gathered: BytesMut,
    /// How many frames.
    frames: u64,
    is_waiting: bool,
    handed_over_at: Option<Monotonic>,
}

struct Member {
    outbox: Arc<Outbox>,
    /// Where in the gathered frames its part begins.
    start: usize,
    own: Vec<Own>,
}

/// Bytes for one member at a place among the gathered, instead of the `instead_of` bytes there.
struct Own {
    at: usize,
    instead_of: usize,
    bytes: Bytes,
}

impl Feed {
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The socket gets `first`, and all that comes after.
    pub(super) fn join(&mut self, socket: SocketId, outbox: Arc<Outbox>, first: &str) {
        let start = self.gathered.len();
        let member = Member {
            outbox,
            start,
            own: Vec::new(),
        };
        self.members.insert(socket, member);
        self.one(socket, first);
    }

    /// Hands the socket what was gathered for it so far.
    pub(super) fn leave(&mut self, socket: SocketId) {
        if let Some(mut member) = self.members.remove(&socket) {
            // Not shared with the others, who will get more of the same buffer.
            let gathered = Bytes::copy_from_slice(&self.gathered);
            let _ = member.hand_over(&gathered);
        }
    }

    /// The socket is closed, and gets nothing more.
    pub(super) fn drop(&mut self, socket: SocketId) {
        self.members.remove(&socket);
    }

    pub(super) fn all(&mut self, text: &str) {
        if !self.members.is_empty() {
            put_frame(&mut self.gathered, Opcode::Text, text.as_bytes());
            self.frames += 1;
            self.is_waiting = true;
        }
    }

    /// To all, and to those of `sockets` as `own` has it.
    pub(super) fn all_but(&mut self, text: &str, sockets: &[SocketId], own: &str) {
        let at = self.gathered.len();
        self.all(text);
        let instead_of = self.gathered.len() - at;
        let bytes = frame(Opcode::Text, own.as_bytes());
        for socket in sockets {
            if let Some(member) = self.members.get_mut(socket) {
                member.own.push(Own {
                    at,
                    instead_of,
                    bytes: bytes.clone(),
                });
            }
        }
    }

    /// To one member; `false`: it is none.
    pub(super) fn one(&mut self, socket: SocketId, text: &str) -> bool {
        let Some(member) = self.members.get_mut(&socket) else {
            return false;
        };
        member.own.push(Own {
            at: self.gathered.len(),
            instead_of: 0,
            bytes: frame(Opcode::Text, text.as_bytes()),
        });
        self.is_waiting = true;
        true
    }

    /// When the next hand-over is due, if anything waits.
    pub(super) fn due_at(&self, now: Monotonic) -> Option<Monotonic> {
        if !self.is_waiting {
            return None;
        }
        match self.handed_over_at {
            Some(before) if self.gathered.len() < MAX_GATHERED => Some(before + TICK),
            _ => Some(now),
        }
    }

    /// Hands all members what was gathered. Gives those that are too far behind.
    pub(super) fn hand_over(&mut self, now: Monotonic) -> Vec<SocketId> {
        let gathered = self.gathered.split().freeze();
        let frames = std::mem::take(&mut self.frames);
        self.is_waiting = false;
        self.handed_over_at = Some(now);
        metrics::counter!("streamcircle_relay_chat_deliveries_total").increment(frames * self.members.len() as u64);
        let mut behind = Vec::new();
        for (&socket, member) in &mut self.members {
            if !member.hand_over(&gathered) {
                behind.push(socket);
            }
        }
        behind
    }
}

impl Member {
    #[must_use]
    fn hand_over(&mut self, gathered: &Bytes) -> bool {
        let start = std::mem::take(&mut self.start);
        if self.own.is_empty() {
            return start == gathered.len() || self.outbox.push([gathered.slice(start..)]);
        }
        let mut chunks = Vec::with_capacity(2 * self.own.len() + 1);
        let mut from = start;
        for Own { at, instead_of, bytes } in std::mem::take(&mut self.own) {
            chunks.push(gathered.slice(from..at));
            chunks.push(bytes);
            from = at + instead_of;
        }
        chunks.push(gathered.slice(from..));
        self.outbox.push(chunks)
    }
}
