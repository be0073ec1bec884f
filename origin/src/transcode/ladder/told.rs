//! What a rung's task asks and tells while it works.

use common::id::Rung;

use super::{Entry, Ladder};
use crate::transcode::{RungState, encoder::Encoder};

impl Ladder {
    pub(in crate::transcode) fn watchers(&self, rung: Rung) -> usize {
        self.lock().rungs.get(&rung).map_or(0, |entry| entry.watchers)
    }

    pub(in crate::transcode) fn show(&self, rung: Rung, state: RungState) {
        self.change(rung, |entry| entry.state = state);
    }

    pub(in crate::transcode) fn speed(&self, rung: Rung, speed: Option<f64>) {
        self.change(rung, |entry| entry.speed = speed);
    }

    pub(in crate::transcode) fn failed(&self, rung: Rung, reason: &str) {
        self.change(rung, |entry| {
            entry.restarts += 1;
            entry.failure = Some(reason.to_owned());
        });
    }

    pub(in crate::transcode) fn stand_in(&self, rung: Rung, left: Encoder, used: Encoder) {
        self.change(rung, |entry| entry.stand_in = Some((left, used)));
    }

    fn change(&self, rung: Rung, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().rungs.get_mut(&rung) {
            change(entry);
        }
    }
}
