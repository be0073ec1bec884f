//! The roster as it was told: who came and went is gathered and told together.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::people::People;
use crate::{
    time::Monotonic,
    wire::chat::{ChatEvent, RosterEntry},
};

/// Least time between two batches of comings and goings. The first after a quiet time is told at once.
pub const BATCH_INTERVAL: Duration = Duration::from_millis(500);
/// How long a viewer whose sockets closed is still here.
pub const LEAVE_GRACE: Duration = Duration::from_secs(5);
/// The same when its relay is lost: time to come back through it, or another.
pub const RELAY_GRACE: Duration = Duration::from_secs(15);
/// Most viewers in one event, so that it fits a frame.
pub const MAX_PER_EVENT: usize = 500;

#[derive(Debug, Default)]
pub(super) struct Presence {
    /// What every follower knows, by viewer id.
    told: BTreeMap<String, RosterEntry>,
    /// Viewer ids to look at again.
    changed: BTreeSet<String>,
    told_at: Option<Monotonic>,
}

impl Presence {
    /// The viewer came, went, or has another name or role.
    pub(super) fn note(&mut self, viewer_id: &str) {
        self.changed.insert(viewer_id.to_owned());
    }

    /// When [`Presence::poll`] has something to tell.
    pub(super) fn deadline(&self) -> Option<Monotonic> {
        let earliest = self.told_at.map_or(Monotonic::default(), |at| at + BATCH_INTERVAL);
        (!self.changed.is_empty()).then_some(earliest)
    }

    /// What followers do not know yet, if it is time to tell.
    pub(super) fn poll(&mut self, now: Monotonic, people: &People) -> Vec<ChatEvent> {
        if self.deadline().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut events = Vec::new();
        let mut changed = std::mem::take(&mut self.changed).into_iter().peekable();
        while changed.peek().is_some() {
            let (mut joined, mut left) = (Vec::new(), Vec::new());
            for viewer_id in changed.by_ref().take(MAX_PER_EVENT) {
                match people.entry(&viewer_id) {
                    Some(entry) if self.told.get(&viewer_id) != Some(&entry) => {
                        self.told.insert(viewer_id, entry.clone());
                        joined.push(entry);
                    }
                    Some(_) => {}
                    None if self.told.remove(&viewer_id).is_some() => left.push(viewer_id),
                    None => {}
                }
            }
            if !joined.is_empty() || !left.is_empty() {
                let count = self.count();
                events.push(ChatEvent::Presence { joined, left, count });
            }
        }
        if !events.is_empty() {
            self.told_at = Some(now);
        }
        events
    }

    /// Viewers that were told.
    pub(super) fn count(&self) -> u32 {
        self.told.len() as u32
    }

    /// The roster as it was told, staff first.
    pub(super) fn roster(&self) -> Vec<RosterEntry> {
        let mut roster: Vec<_> = self.told.values().cloned().collect();
        roster.sort_by_key(|entry| std::cmp::Reverse(entry.role));
        roster
    }
}
