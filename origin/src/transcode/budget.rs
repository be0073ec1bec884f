//! What this computer can encode: when an encoder cannot keep real time, one rung is given up for the others.

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{id::Rung, time::Monotonic};

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

/// A rung that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    rung: Rung,
    watchers: usize,
    /// Some encoder works on it: giving it up is of use to the others.
    at_work: bool,
    behind_since: Option<Monotonic>,
    given_up: bool,
}

/// All rungs that this origin makes. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget(Arc<Mutex<Loads>>);

#[derive(Debug, Default)]
struct Loads {
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

impl Budget {
    pub(super) fn add(&self, rung: Rung) -> Load {
        let mut loads = self.lock();
        let id = loads.next_id;
        loads.next_id += 1;
        let entry = Entry {
            rung,
            watchers: 0,
            at_work: false,
            behind_since: None,
            given_up: false,
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
    /// Says how the rung is; `true`: it has to be given up. To be called every second or so.
    pub(super) fn report(&self, now: Monotonic, watchers: usize, standing: Standing) -> bool {
        self.budget.lock().report(now, self.id, watchers, standing)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.budget.lock().entries.remove(&self.id);
    }
}

impl Loads {
    fn report(&mut self, now: Monotonic, id: u64, watchers: usize, standing: Standing) -> bool {
        let Some(entry) = self.entries.get_mut(&id) else {
            return false;
        };
        entry.watchers = watchers;
        entry.at_work = standing != Standing::Idle;
        let is_behind = matches!(standing, Standing::Behind | Standing::Choked);
        entry.behind_since = is_behind.then(|| entry.behind_since.unwrap_or(now));
        let too_long = |entry: &Entry| entry.behind_since.is_some_and(|since| now.since(since) >= PATIENCE);
        let relieved = self.relieved.is_some_and(|at| now.since(at) < RELIEF);
        if !relieved && (standing == Standing::Choked || self.entries.values().any(too_long)) {
            // The fewest lose it; of two, what costs most goes.
            let left = self.entries.values_mut().filter(|entry| entry.at_work && !entry.given_up);
            if let Some(victim) = left.min_by_key(|entry| (entry.watchers, Reverse(entry.rung.height()))) {
                victim.given_up = true;
                self.relieved = Some(now);
            }
        }
        self.entries.get(&id).is_some_and(|entry| entry.given_up)
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
                if load.is_some_and(|load| load.report(at(second), watchers[index], standing)) {
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
                if load.report(at(second), watchers, standing) && !gone.contains(&watchers) {
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
        assert!(!large.report(at(0), 1, Standing::InStep));
        assert!(!small.report(at(0), 2, Standing::Choked));
        assert!(large.report(at(1), 1, Standing::InStep));
        assert!(
            !small.report(at(1), 2, Standing::Choked),
            "the other one has just gone"
        );
    }

    #[test]
    fn a_task_that_panics_leaves_no_load_that_is_given_up_for_the_others() {
        let budget = Budget::default();
        let [lost, behind] = [Rung::P1080, Rung::P480].map(|rung| budget.add(rung));
        assert!(!lost.report(at(0), 0, Standing::InStep));
        let task = std::thread::spawn(move || {
            let _lost = lost;
            panic!("as a bug would");
        });
        assert!(task.join().is_err());
        let gone = (0..7).any(|second| behind.report(at(second), 1, Standing::Behind));
        assert!(gone, "nothing else is left to give up");
    }

    #[test]
    fn the_others_get_time_to_catch_up_before_the_next_one_goes() {
        assert_eq!(given_up([1, 1, 1], 14), [0]);
        assert_eq!(given_up([1, 1, 1], 17), [0, 1]);
        assert_eq!(given_up([1, 1, 1], 60), [0, 1, 2]);
    }
}
