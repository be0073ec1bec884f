//! What this computer can encode, or is allowed to: so many encoders work at once, and when one cannot keep real time, one rung is given up for
//! the others.

use std::{
    cmp::Reverse,
    collections::HashMap,
    num::NonZero,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::available_parallelism,
    time::Duration,
};

use common::{id::Rung, time::Monotonic};

use super::retry::GivenUp;

/// Unless the operator says otherwise, so many encoders for each core may work at once in all rooms together, as those of small pictures take
/// a part of one,
const ENCODERS_A_CORE: usize = 2;
/// and one room's whole ladder in any case.
const LEAST_ENCODERS: usize = Rung::ALL.len();

/// An encoder may be behind for so long: another program was busy, or it has only just started.
const PATIENCE: Duration = Duration::from_secs(5);
/// After a rung was given up, the others get so long to catch up.
const RELIEF: Duration = Duration::from_secs(10);

/// How an encoder gets on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// There is none at work now.
    Idle,
    InStep,
    Behind,
    /// So far behind that it is given nothing more: there is no time for patience.
    Choked,
}

/// Whether an encoder may be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Granted,
    /// Another rung makes room first: to be asked again.
    Later,
    Refused(GivenUp),
}

/// A rung that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    rung: Rung,
    watchers: usize,
    /// Some encoder works on it, or is about to: giving it up is of use to the others.
    at_work: bool,
    behind_since: Option<Monotonic>,
    given_up: Option<GivenUp>,
}

/// All rungs that this origin makes. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Mutex<Loads>>);

#[derive(Debug)]
struct Loads {
    /// So many encoders may work at once.
    most: usize,
    next_id: u64,
    entries: HashMap<u64, Entry>,
    /// When a rung was given up.
    relieved: Option<Monotonic>,
}

/// A rung's place in a [`Budget`], given back when this is dropped, however the task that makes the rung ends.
#[derive(Debug)]
pub(super) struct Load {
    budget: Budget,
    id: u64,
}

impl Default for Budget {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self::new((cores * ENCODERS_A_CORE).max(LEAST_ENCODERS))
    }
}

impl Budget {
    /// With so many encoders at work at once.
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Loads {
            most,
            next_id: 0,
            entries: HashMap::new(),
            relieved: None,
        })))
    }

    /// Whether no encoder may ever work.
    pub(super) fn is_none(&self) -> bool {
        self.lock().most == 0
    }

    /// Whether one more encoder may work, with no other one given up for it.
    pub(super) fn has_room(&self) -> bool {
        let loads = self.lock();
        loads.at_work() < loads.most
    }

    pub(super) fn add(&self, rung: Rung) -> Load {
        let mut loads = self.lock();
        let id = loads.next_id;
        loads.next_id += 1;
        let entry = Entry {
            rung,
            watchers: 0,
            at_work: false,
            behind_since: None,
            given_up: None,
        };
        loads.entries.insert(id, entry);
        let budget = self.clone();
        Load { budget, id }
    }

    fn lock(&self) -> MutexGuard<'_, Loads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Load {
    /// Asks for an encoder. Where too many work, one that fewer watch makes room, or this one is refused.
    pub(super) fn admit(&self, watchers: usize) -> Admission {
        self.budget.lock().admit(self.id, watchers)
    }

    /// Says how the rung is; `Some`: it has to be given up. To be called every second or so.
    pub(super) fn report(&self, now: Monotonic, watchers: usize, standing: Standing) -> Option<GivenUp> {
        self.budget.lock().report(now, self.id, watchers, standing)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.budget.lock().entries.remove(&self.id);
    }
}

impl Loads {
    fn at_work(&self) -> usize {
        self.entries.values().filter(|entry| entry.at_work).count()
    }

    fn admit(&mut self, id: u64, watchers: usize) -> Admission {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.watchers = watchers;
            entry.at_work = true;
        }
        let going = self
            .entries
            .values()
            .filter(|entry| entry.at_work && entry.given_up.is_some());
        if self.at_work() - going.count() > self.most {
            let at_work = |entry: &&Entry| entry.at_work && entry.given_up.is_none();
            let fewest = self.entries.values().filter(at_work).map(|entry| entry.watchers).min();
            // Nobody loses a picture for as many as do see it.
            if fewest.is_some_and(|fewest| fewest < watchers) {
                self.give_up(GivenUp::Crowded);
            } else if let Some(entry) = self.entries.get_mut(&id) {
                entry.given_up = Some(GivenUp::Crowded);
            }
        }
        match self.entries.get(&id).and_then(|entry| entry.given_up) {
            Some(why) => Admission::Refused(why),
            None if self.at_work() > self.most => Admission::Later,
            None => Admission::Granted,
        }
    }

    /// The fewest lose it; of two, what costs most goes.
    fn give_up(&mut self, why: GivenUp) -> bool {
        let left = self
            .entries
            .values_mut()
            .filter(|entry| entry.at_work && entry.given_up.is_none());
        let victim = left.min_by_key(|entry| (entry.watchers, Reverse(entry.rung.height())));
        victim.map(|victim| victim.given_up = Some(why)).is_some()
    }

    fn report(&mut self, now: Monotonic, id: u64, watchers: usize, standing: Standing) -> Option<GivenUp> {
        let entry = self.entries.get_mut(&id)?;
        entry.watchers = watchers;
        entry.at_work = standing != Standing::Idle;
        let is_behind = matches!(standing, Standing::Behind | Standing::Choked);
        entry.behind_since = is_behind.then(|| entry.behind_since.unwrap_or(now));
        let too_long = |entry: &Entry| entry.behind_since.is_some_and(|since| now.since(since) >= PATIENCE);
        let relieved = self.relieved.is_some_and(|at| now.since(at) < RELIEF);
        let in_need = !relieved && (standing == Standing::Choked || self.entries.values().any(too_long));
        if in_need && self.give_up(GivenUp::Busy) {
            self.relieved = Some(now);
        }
        self.entries.get(&id)?.given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    /// Three rungs with so many watchers; the smallest one is behind for a while.
    fn given_up(watchers: [usize; 3], seconds: u64) -> Vec<usize> {
        let budget = Budget::default();
        let mut loads = [Rung::P1080, Rung::P720, Rung::P480].map(|rung| Some(budget.add(rung)));
        let mut gone = Vec::new();
        for second in 0..=seconds {
            for index in 0..3 {
                let standing = if index == 2 { Standing::Behind } else { Standing::InStep };
                let load = loads[index].as_ref();
                if load.is_some_and(|load| load.report(at(second), watchers[index], standing).is_some()) {
                    loads[index] = None;
                    gone.push(index);
                }
            }
        }
        gone
    }

    #[test]
    fn a_short_weakness_costs_nothing() {
        assert!(given_up([1, 1, 1], 4).is_empty());
    }

    #[test]
    fn the_rung_that_fewest_watch_goes_and_of_two_the_largest() {
        assert_eq!(given_up([2, 1, 3], 7), [1]);
        assert_eq!(given_up([1, 1, 1], 7), [0]);
    }

    #[test]
    fn a_rung_that_no_encoder_works_on_is_not_the_one_to_go() {
        let budget = Budget::default();
        let [idle, busy] = [Rung::P1080, Rung::P480].map(|rung| budget.add(rung));
        let mut gone = Vec::new();
        for second in 0..10 {
            for (load, watchers, standing) in [(&idle, 0, Standing::Idle), (&busy, 5, Standing::Behind)] {
                if load.report(at(second), watchers, standing).is_some() && !gone.contains(&watchers) {
                    gone.push(watchers);
                }
            }
        }
        assert_eq!(gone, [5]);
    }

    #[test]
    fn one_that_chokes_gets_relief_at_once() {
        let budget = Budget::default();
        let [large, small] = [Rung::P1080, Rung::P480].map(|rung| budget.add(rung));
        assert_eq!(large.report(at(0), 1, Standing::InStep), None);
        assert_eq!(small.report(at(0), 2, Standing::Choked), None);
        assert_eq!(large.report(at(1), 1, Standing::InStep), Some(GivenUp::Busy));
        let second = small.report(at(1), 2, Standing::Choked);
        assert_eq!(second, None, "the other one has just gone");
    }

    #[test]
    fn a_task_that_panics_leaves_no_load_that_is_given_up_for_the_others() {
        let budget = Budget::default();
        let [lost, behind] = [Rung::P1080, Rung::P480].map(|rung| budget.add(rung));
        assert_eq!(lost.report(at(0), 0, Standing::InStep), None);
        let task = std::thread::spawn(move || {
            let _lost = lost;
            panic!("as a bug would");
        });
        assert!(task.join().is_err());
        let gone = (0..7).any(|second| behind.report(at(second), 1, Standing::Behind).is_some());
        assert!(gone, "nothing else is left to give up");
    }

    #[test]
    fn a_rung_that_fewer_watch_is_refused_where_as_many_as_may_are_at_work() {
        let budget = Budget::new(2);
        let [one, two, late] = [Rung::P720, Rung::P480, Rung::P480].map(|rung| budget.add(rung));
        assert_eq!([one.admit(2), two.admit(2)], [Admission::Granted; 2]);
        assert!(!budget.has_room());
        assert_eq!(late.admit(1), Admission::Refused(GivenUp::Crowded));
        assert_eq!(one.report(at(1), 2, Standing::InStep), None);
        drop((one, late));
        assert!(budget.has_room());
    }

    #[test]
    fn a_small_rung_that_as_many_watch_takes_no_encoder_from_a_large_one() {
        let budget = Budget::new(1);
        let [large, small] = [Rung::P1080, Rung::P144].map(|rung| budget.add(rung));
        assert_eq!(large.admit(1), Admission::Granted);
        assert_eq!(small.admit(1), Admission::Refused(GivenUp::Crowded));
        assert_eq!(large.report(at(1), 1, Standing::InStep), None);
    }

    #[test]
    fn a_rung_that_more_watch_waits_until_the_one_with_the_fewest_is_gone() {
        let budget = Budget::new(2);
        let [one, two, late] = [Rung::P720, Rung::P480, Rung::P480].map(|rung| budget.add(rung));
        assert_eq!([one.admit(1), two.admit(1)], [Admission::Granted; 2]);
        assert_eq!([late.admit(2), late.admit(2)], [Admission::Later; 2]);
        assert_eq!(two.report(at(1), 1, Standing::InStep), None, "one was enough");
        assert_eq!(one.report(at(1), 1, Standing::InStep), Some(GivenUp::Crowded));
        drop(one);
        assert_eq!(late.admit(2), Admission::Granted);
    }

    #[test]
    fn a_rung_whose_encoder_ended_leaves_its_place_to_others() {
        let budget = Budget::new(1);
        let [one, two] = [Rung::P720, Rung::P480].map(|rung| budget.add(rung));
        assert_eq!(one.admit(5), Admission::Granted);
        assert_eq!(one.report(at(1), 5, Standing::Idle), None);
        assert_eq!(two.admit(1), Admission::Granted);
    }

    #[test]
    fn one_rooms_whole_ladder_has_room_on_any_computer() {
        let budget = Budget::default();
        let loads = Rung::ALL.map(|rung| budget.add(rung));
        assert!(loads.iter().all(|load| load.admit(1) == Admission::Granted));
    }

    #[test]
    fn the_others_get_time_to_catch_up_before_the_next_one_goes() {
        assert_eq!(given_up([1, 1, 1], 14), [0]);
        assert_eq!(given_up([1, 1, 1], 17), [0, 1]);
        assert_eq!(given_up([1, 1, 1], 60), [0, 1, 2]);
    }
}
