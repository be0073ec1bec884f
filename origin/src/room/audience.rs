//! Who was seen watching, put together from the relays' reports. Pure.

use std::{collections::HashMap, time::Duration};

use common::{time::Monotonic, wire::control::ViewerSeen};

/// A viewer counts as present this long after a request: relays report every 2 s.
const PRESENT: Duration = Duration::from_secs(15);
/// A seat is held this long (CONTRACT 3).
const SEAT: Duration = Duration::from_secs(60);
/// More viewers than this in one room are not told apart.
const MAX_VIEWERS: usize = 10_000;

#[derive(Debug)]
struct Seen {
    at: Monotonic,
    invite_id: Option<String>,
}

/// The viewers of one room.
#[derive(Debug, Default)]
pub(super) struct Audience {
    viewers: HashMap<String, Seen>,
}

impl Audience {
    pub(super) fn seen(&mut self, now: Monotonic, viewers: Vec<ViewerSeen>) {
        if self.viewers.len() + viewers.len() > MAX_VIEWERS {
            self.viewers.retain(|_, seen| now.since(seen.at) < SEAT);
        }
        for ViewerSeen { viewer_id, invite_id } in viewers {
            if self.viewers.len() < MAX_VIEWERS || self.viewers.contains_key(&viewer_id) {
                self.viewers.insert(viewer_id, Seen { at: now, invite_id });
            }
        }
    }

    pub(super) fn count(&self, now: Monotonic) -> usize {
        self.viewers
            .values()
            .filter(|seen| now.since(seen.at) < PRESENT)
            .count()
    }

    /// Ids of the viewers that hold a seat of the invite.
    pub(super) fn of_invite(&self, now: Monotonic, invite_id: &str) -> impl Iterator<Item = &str> {
        self.viewers
            .iter()
            .filter(move |(_, seen)| now.since(seen.at) < SEAT && seen.invite_id.as_deref() == Some(invite_id))
            .map(|(viewer, _)| viewer.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn viewer(id: &str, invite: &str) -> ViewerSeen {
        ViewerSeen {
            viewer_id: id.to_owned(),
            invite_id: Some(invite.to_owned()),
        }
    }

    #[test]
    fn a_viewer_on_two_relays_counts_once_and_leaves_after_a_while() {
        let mut audience = Audience::default();
        audience.seen(at(0), vec![viewer("ann", "i1"), viewer("bob", "i2")]);
        audience.seen(at(10), vec![viewer("ann", "i1")]);
        assert_eq!(audience.count(at(10)), 2);
        assert_eq!(audience.count(at(16)), 1);
    }

    #[test]
    fn a_seat_is_held_for_a_minute() {
        let mut audience = Audience::default();
        audience.seen(at(0), vec![viewer("ann", "i1"), viewer("bob", "i2")]);
        assert_eq!(audience.of_invite(at(59), "i1").collect::<Vec<_>>(), ["ann"]);
        assert_eq!(audience.of_invite(at(60), "i1").count(), 0);
    }

    #[test]
    fn a_flood_of_viewers_is_bounded() {
        let mut audience = Audience::default();
        audience.seen(
            at(0),
            (0..MAX_VIEWERS + 5).map(|n| viewer(&n.to_string(), "i")).collect(),
        );
        assert_eq!(audience.count(at(1)), MAX_VIEWERS);
    }
}
