//! Who takes a seat of an invite: viewers seen in the last minute, and those who joined so lately that no relay saw
//! them yet. Only invites with a bound are counted, so the seats themselves bound what is remembered.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use common::time::Monotonic;

/// How long a seat is kept without a sign of life.
const SEAT_LIFE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Seats {
    /// For each invite, who joined when. Held while a seat is given away, so that two cannot get the last one.
    joined: Mutex<HashMap<String, HashMap<String, Monotonic>>>,
}

impl Seats {
    /// Gives `viewer` a seat, if it has one already or one of `max` is free. `seen` are the viewers of the invite that
    /// relays saw in the last minute.
    pub(super) fn take(&self, invite: &str, viewer: &str, max: u32, seen: &HashSet<String>, now: Monotonic) -> bool {
        let mut joined = self.joined.lock().unwrap_or_else(PoisonError::into_inner);
        forget_old(&mut joined, now);
        let of_invite = joined.entry(invite.to_owned()).or_default();
        let has_one = seen.contains(viewer) || of_invite.contains_key(viewer);
        let is_given = has_one || count(of_invite, seen) < max as usize;
        if is_given {
            of_invite.insert(viewer.to_owned(), now);
        }
        is_given
    }

    /// How many seats of the invite are taken.
    pub(super) fn used(&self, invite: &str, seen: &HashSet<String>, now: Monotonic) -> usize {
        let mut joined = self.joined.lock().unwrap_or_else(PoisonError::into_inner);
        forget_old(&mut joined, now);
        joined
            .get(invite)
            .map_or(seen.len(), |of_invite| count(of_invite, seen))
    }
}

fn count(joined: &HashMap<String, Monotonic>, seen: &HashSet<String>) -> usize {
    seen.len() + joined.keys().filter(|viewer| !seen.contains(*viewer)).count()
}

fn forget_old(joined: &mut HashMap<String, HashMap<String, Monotonic>>, now: Monotonic) {
    joined.retain(|_, of_invite| {
        of_invite.retain(|_, at| now.since(*at) < SEAT_LIFE);
        !of_invite.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn seen(viewers: &[&str]) -> HashSet<String> {
        viewers.iter().map(|viewer| (*viewer).to_owned()).collect()
    }

    #[test]
    fn a_seat_is_kept_by_who_has_it_and_freed_after_a_minute() {
        let seats = Seats::default();
        assert!(seats.take("i", "a", 1, &seen(&[]), at(0)));
        assert!(seats.take("i", "a", 1, &seen(&[]), at(30)));
        assert!(!seats.take("i", "b", 1, &seen(&[]), at(89)));
        assert!(seats.take("i", "b", 1, &seen(&[]), at(90)));
        assert!(seats.take("other", "b", 1, &seen(&[]), at(90)));
    }

    #[test]
    fn who_watches_keeps_the_seat_and_counts_once() {
        let seats = Seats::default();
        assert!(seats.take("i", "a", 2, &seen(&[]), at(0)));
        assert_eq!(seats.used("i", &seen(&["a"]), at(0)), 1);
        assert!(seats.take("i", "b", 2, &seen(&["a"]), at(0)));
        assert!(!seats.take("i", "c", 2, &seen(&["a", "b"]), at(600)));
        assert!(seats.take("i", "a", 2, &seen(&["a", "b"]), at(600)));
        assert_eq!(seats.used("i", &seen(&["a", "b"]), at(600)), 2);
        assert_eq!(seats.used("i", &seen(&[]), at(700)), 0);
    }
}
