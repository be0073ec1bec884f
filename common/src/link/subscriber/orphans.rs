//! Parts that came before the window of their epoch: their streams and the control stream race each other.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;

use crate::{
    id::{ChannelId, Epoch},
    time::Monotonic,
    wire::media::PartHeader,
};

/// Most bytes that wait; beyond it the oldest are dropped.
pub const MAX_ORPHAN_BYTES: usize = 8 << 20;
/// Most parts that wait.
const MAX_ORPHANS: usize = 512;
/// How long they wait.
const KEPT: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Orphans {
    parts: VecDeque<(Monotonic, PartHeader, Bytes)>,
    bytes: usize,
}

impl Orphans {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, header: PartHeader, body: Bytes, now: Monotonic) {
        self.bytes += body.len();
        self.parts.push_back((now, header, body));
        while self.parts.len() > MAX_ORPHANS || self.bytes > MAX_ORPHAN_BYTES {
            self.drop_oldest();
        }
    }

    /// Takes out what belongs to an epoch whose window is here now.
    pub(super) fn claim(&mut self, channel: &ChannelId, epoch: Epoch) -> Vec<(PartHeader, Bytes)> {
        let mut claimed = Vec::new();
        for (since, header, body) in std::mem::take(&mut self.parts) {
            if header.channel == *channel && header.epoch == epoch {
                self.bytes -= body.len();
                claimed.push((header, body));
            } else {
                self.parts.push_back((since, header, body));
            }
        }
        claimed
    }

    pub(super) fn clear(&mut self) {
        self.parts.clear();
        self.bytes = 0;
    }

    /// Drops what waited too long.
    pub(super) fn expire(&mut self, now: Monotonic) {
        while self.wake_at().is_some_and(|at| at <= now) {
            self.drop_oldest();
        }
    }

    pub(super) fn wake_at(&self) -> Option<Monotonic> {
        self.parts.front().map(|(since, ..)| *since + KEPT)
    }

    fn drop_oldest(&mut self) {
        if let Some((_, _, body)) = self.parts.pop_front() {
            self.bytes -= body.len();
        }
    }
}
