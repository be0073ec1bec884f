//! The parts on their way to one relay: how much of them there is, and which go when it is too much.

use std::{collections::BTreeMap, time::Duration};

use super::SendId;
use crate::{
    id::{ChannelId, Epoch, PartId},
    time::Monotonic,
    wire::media::PartOutline,
};

/// Most bytes on their way to one relay. A single part may be longer.
pub const MAX_IN_FLIGHT_BYTES: usize = 8 << 20;
/// Of which the past that a new subscriber is given may take this much.
pub(super) const MAX_BACK_FILL_BYTES: usize = MAX_IN_FLIGHT_BYTES / 2;

/// What is reset first: the kinds in this order, of each the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Can be fetched when someone wants it.
    BackFill,
    Video,
    /// A gap in sound is worse than one in the picture, and saves less.
    Audio,
}

#[derive(Clone, Debug)]
pub(super) struct Flying {
    pub(super) channel: ChannelId,
    pub(super) epoch: Epoch,
    pub(super) id: PartId,
    pub(super) outline: PartOutline,
    pub(super) kind: Kind,
    pub(super) since: Monotonic,
    /// Three target durations: a relay lists a gap by then.
    pub(super) stale_after: Duration,
}

impl Flying {
    fn size(&self) -> usize {
        self.outline.record.size as usize
    }

    fn stale_at(&self) -> Monotonic {
        self.since + self.stale_after
    }
}

#[derive(Debug, Default)]
pub(super) struct InFlight {
    next_id: u64,
    parts: BTreeMap<SendId, Flying>,
    bytes: usize,
}

impl InFlight {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn insert(&mut self, part: Flying) -> SendId {
        let id = SendId(self.next_id);
        self.next_id += 1;
        self.bytes += part.size();
        self.parts.insert(id, part);
        id
    }

    pub(super) fn remove(&mut self, id: SendId) -> Option<Flying> {
        let part = self.parts.remove(&id)?;
        self.bytes -= part.size();
        Some(part)
    }

    /// Takes out one part that has to go: too old, or one too many.
    pub(super) fn shed(&mut self, now: Monotonic) -> Option<(SendId, Flying)> {
        let stale = self
            .parts
            .iter()
            .find(|(_, part)| part.stale_at() <= now)
            .map(|(&id, _)| id);
        let is_over = self.bytes > MAX_IN_FLIGHT_BYTES && self.parts.len() > 1;
        let surplus = || {
            self.parts
                .iter()
                .min_by_key(|&(&id, part)| (part.kind, id))
                .map(|(&id, _)| id)
        };
        let id = stale.or_else(|| if is_over { surplus() } else { None })?;
        self.remove(id).map(|part| (id, part))
    }

    /// When the next part becomes too old.
    pub(super) fn wake_at(&self) -> Option<Monotonic> {
        self.parts.values().map(Flying::stale_at).min()
    }
}
