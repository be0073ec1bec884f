//! When an ffmpeg that failed is started again, and when a rung is given up instead.

use std::time::Duration;

use common::time::Monotonic;

/// Between the end of an ffmpeg that failed and the next one: doubled each time,
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// and forgotten once one has worked for so long.
const STEADY: Duration = Duration::from_secs(60);
/// So many may follow the first one that made nothing at all.
const FRUITLESS_RESTARTS: u32 = 3;
/// So many may take too little of what they are given before one works steadily.
const CHOKES: u32 = 3;

/// How an ffmpeg failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// By itself, or with what nobody can use.
    Ended,
    /// It works, and took too little of what it was given.
    Choked,
}

/// Why a rung is not made for the rest of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// The computer cannot keep up.
    Busy,
    /// No ffmpeg made anything of this stream.
    Fruitless,
}

/// One rung's failures.
#[derive(Debug)]
pub(super) struct Retry {
    wait: Duration,
    not_before: Option<Monotonic>,
    started: Option<Monotonic>,
    has_made: bool,
    /// In a row.
    fruitless: u32,
    chokes: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            wait: FIRST_WAIT,
            not_before: None,
            started: None,
            has_made: false,
            fruitless: 0,
            chokes: 0,
        }
    }
}

impl Retry {
    pub(super) fn may_start(&self, now: Monotonic) -> bool {
        self.not_before.is_none_or(|at| now >= at)
    }

    pub(super) fn started(&mut self, now: Monotonic) {
        self.started = Some(now);
        self.has_made = false;
    }

    /// A frame came back.
    pub(super) fn made(&mut self, now: Monotonic) {
        self.has_made = true;
        self.fruitless = 0;
        if self.started.is_some_and(|started| now.since(started) >= STEADY) {
            self.wait = FIRST_WAIT;
            self.chokes = 0;
        }
    }

    /// Whether this ffmpeg made anything.
    pub(super) fn has_made(&self) -> bool {
        self.has_made
    }

    /// It failed: another one follows after a while, or none for this reason.
    pub(super) fn failed(&mut self, now: Monotonic, failure: Failure) -> Option<GivenUp> {
        if !std::mem::take(&mut self.has_made) {
            self.fruitless += 1;
        }
        self.chokes += u32::from(failure == Failure::Choked);
        self.not_before = Some(Monotonic(now.0 + self.wait));
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        if self.fruitless > FRUITLESS_RESTARTS {
            Some(GivenUp::Fruitless)
        } else if self.chokes >= CHOKES {
            Some(GivenUp::Busy)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    #[test]
    fn each_failure_doubles_the_wait_until_one_works_steadily() {
        let mut retry = Retry::default();
        assert!(retry.may_start(at(0)));
        for (second, wait) in [(10, 1), (20, 2), (30, 4)] {
            retry.started(at(second));
            retry.made(at(second));
            assert_eq!(retry.failed(at(second), Failure::Ended), None);
            assert!(!retry.may_start(at(second + wait - 1)) && retry.may_start(at(second + wait)));
        }
        retry.started(at(40));
        retry.made(at(100));
        retry.failed(at(100), Failure::Ended);
        assert!(retry.may_start(at(101)));
    }

    #[test]
    fn a_stream_of_which_nothing_is_ever_made_is_given_up_after_three_restarts() {
        let mut retry = Retry::default();
        let mut outcomes = Vec::new();
        for second in 0..4 {
            retry.started(at(second));
            outcomes.push(retry.failed(at(second), Failure::Ended));
        }
        assert_eq!(outcomes, [None, None, None, Some(GivenUp::Fruitless)]);
    }

    #[test]
    fn crashes_after_a_frame_are_no_reason_to_give_up() {
        let mut retry = Retry::default();
        for second in 0..20 {
            retry.started(at(second));
            retry.made(at(second));
            assert_eq!(retry.failed(at(second), Failure::Ended), None);
        }
    }

    #[test]
    fn one_that_chokes_again_and_again_is_given_up_unless_it_works_steadily_between() {
        let mut retry = Retry::default();
        let mut choke = |from: u64, to: u64| {
            retry.started(at(from));
            retry.made(at(to));
            retry.failed(at(to), Failure::Choked)
        };
        assert_eq!([choke(0, 5), choke(10, 15), choke(20, 90), choke(100, 105)], [None; 4]);
        assert_eq!(choke(110, 115), Some(GivenUp::Busy));
    }
}
