//! When an ffmpeg that failed is started again, when with another encoder, and when a rung is given up instead.

use std::time::Duration;

use common::time::Monotonic;
use serde::Serialize;

/// Between the end of an ffmpeg that failed and the next one: doubled each time,
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// and forgotten once one has worked for so long.
const STEADY: Duration = Duration::from_secs(60);
/// So many may follow the first one that made nothing at all.
const FRUITLESS_RESTARTS: u32 = 3;
/// So many may take too little of what they are given before one works steadily.
const CHOKES: u32 = 3;
/// So many may end before one works steadily, as long as there is another encoder to try: devices go away, and take only so many streams.
const ENDS: u32 = 2;

/// How an ffmpeg failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// By itself, or with what nobody can use.
    Ended,
    /// It works, and took too little of what it was given.
    Choked,
}

/// Why a rung is not made for the rest of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum GivenUp {
    /// The computer cannot keep up.
    Busy,
    /// No ffmpeg made anything of this stream.
    Fruitless,
    /// As many encoders as may are at work, for rungs that more watch or that cost less.
    Crowded,
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another ffmpeg after a while.
    Again,
    /// At once, one with the next encoder.
    OtherEncoder,
    GiveUp(GivenUp),
}

/// One rung's failures.
#[derive(Debug)]
pub(super) struct Retry {
    encoder: usize,
    encoders: usize,
    wait: Duration,
    not_before: Option<Monotonic>,
    started: Option<Monotonic>,
    has_made: bool,
    /// In a row.
    fruitless: u32,
    chokes: u32,
    ends: u32,
}

impl Retry {
    /// With so many encoders to try, one after the other.
    pub(super) fn new(encoders: usize) -> Self {
        Self {
            encoder: 0,
            encoders,
            wait: FIRST_WAIT,
            not_before: None,
            started: None,
            has_made: false,
            fruitless: 0,
            chokes: 0,
            ends: 0,
        }
    }

    /// Which one is used, counted from 0.
    pub(super) fn encoder(&self) -> usize {
        self.encoder
    }

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
            self.ends = 0;
        }
    }

    /// Whether this ffmpeg made anything.
    pub(super) fn has_made(&self) -> bool {
        self.has_made
    }

    /// It failed.
    pub(super) fn failed(&mut self, now: Monotonic, failure: Failure) -> Verdict {
        if !std::mem::take(&mut self.has_made) {
            self.fruitless += 1;
        }
        match failure {
            Failure::Ended => self.ends += 1,
            Failure::Choked => self.chokes += 1,
        }
        if self.ends >= ENDS && self.encoder + 1 < self.encoders {
            *self = Self {
                encoder: self.encoder + 1,
                ..Self::new(self.encoders)
            };
            return Verdict::OtherEncoder;
        }
        self.not_before = Some(Monotonic(now.0 + self.wait));
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        if self.fruitless > FRUITLESS_RESTARTS {
            Verdict::GiveUp(GivenUp::Fruitless)
        } else if self.chokes >= CHOKES {
            Verdict::GiveUp(GivenUp::Busy)
        } else {
            Verdict::Again
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
        let mut retry = Retry::new(1);
        assert!(retry.may_start(at(0)));
        for (second, wait) in [(10, 1), (20, 2), (30, 4)] {
            retry.started(at(second));
            retry.made(at(second));
            assert_eq!(retry.failed(at(second), Failure::Ended), Verdict::Again);
            assert!(!retry.may_start(at(second + wait - 1)) && retry.may_start(at(second + wait)));
        }
        retry.started(at(40));
        retry.made(at(100));
        retry.failed(at(100), Failure::Ended);
        assert!(retry.may_start(at(101)));
    }

    #[test]
    fn a_stream_of_which_nothing_is_ever_made_is_given_up_after_three_restarts() {
        let mut retry = Retry::new(1);
        let mut outcomes = Vec::new();
        for second in 0..4 {
            retry.started(at(second));
            outcomes.push(retry.failed(at(second), Failure::Ended));
        }
        assert_eq!(
            outcomes,
            [
                Verdict::Again,
                Verdict::Again,
                Verdict::Again,
                Verdict::GiveUp(GivenUp::Fruitless)
            ]
        );
    }

    #[test]
    fn crashes_after_a_frame_are_no_reason_to_give_up() {
        let mut retry = Retry::new(1);
        for second in 0..20 {
            retry.started(at(second));
            retry.made(at(second));
            assert_eq!(retry.failed(at(second), Failure::Ended), Verdict::Again);
        }
    }

    #[test]
    fn an_encoder_that_ends_twice_without_working_steadily_is_left_for_the_next_one_at_once() {
        let mut retry = Retry::new(3);
        let mut end = |from: u64, to: u64| {
            retry.started(at(from));
            retry.made(at(to));
            let verdict = retry.failed(at(to), Failure::Ended);
            (verdict, retry.encoder(), retry.may_start(at(to)))
        };
        assert_eq!(end(0, 5), (Verdict::Again, 0, false));
        assert_eq!(end(10, 80), (Verdict::Again, 0, false));
        assert_eq!(end(90, 95), (Verdict::OtherEncoder, 1, true));
        assert_eq!(end(100, 105), (Verdict::Again, 1, false));
        assert_eq!(end(110, 115), (Verdict::OtherEncoder, 2, true));
        assert!((120..130).all(|second| end(second, second) == (Verdict::Again, 2, false)));
    }

    #[test]
    fn a_stream_of_which_no_encoder_makes_anything_is_given_up_with_the_last_one() {
        let mut retry = Retry::new(2);
        let mut verdicts = Vec::new();
        for second in 0..6 {
            retry.started(at(second));
            verdicts.push(retry.failed(at(second), Failure::Ended));
        }
        assert_eq!(verdicts[1], Verdict::OtherEncoder);
        assert_eq!(verdicts[2..5], [Verdict::Again; 3]);
        assert_eq!(verdicts[5], Verdict::GiveUp(GivenUp::Fruitless));
    }

    #[test]
    fn one_that_is_too_slow_is_no_reason_for_another_encoder() {
        let mut retry = Retry::new(2);
        for second in 0..2 {
            retry.started(at(second));
            retry.made(at(second));
            assert_eq!(retry.failed(at(second), Failure::Choked), Verdict::Again);
        }
        assert_eq!(retry.encoder(), 0);
    }

    #[test]
    fn one_that_chokes_again_and_again_is_given_up_unless_it_works_steadily_between() {
        let mut retry = Retry::new(1);
        let mut choke = |from: u64, to: u64| {
            retry.started(at(from));
            retry.made(at(to));
            retry.failed(at(to), Failure::Choked)
        };
        assert_eq!(
            [choke(0, 5), choke(10, 15), choke(20, 90), choke(100, 105)],
            [Verdict::Again; 4]
        );
        assert_eq!(choke(110, 115), Verdict::GiveUp(GivenUp::Busy));
    }
}
