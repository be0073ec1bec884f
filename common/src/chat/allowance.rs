//! How often something may be done: a bucket of tokens that fills with time.

use std::time::Duration;

use crate::time::Monotonic;

/// Lets things be done `burst` times at once, and `per_second` times a second in the long run.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Time that one token takes to come.
    interval: Duration,
    /// Time that all tokens take to come.
    capacity: Duration,
    /// When the bucket is full again.
    full_at: Monotonic,
}

impl Allowance {
    /// A full bucket of `burst` tokens, at least one, that get `per_second` more in a second, at least one.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self::every(Duration::from_secs(1) / per_second.max(1), burst)
    }

    /// A full bucket of `burst` tokens, at least one, that gets one more each `interval`.
    pub fn every(interval: Duration, burst: u32) -> Self {
        Self {
            interval,
            capacity: interval.saturating_mul(burst.max(1)),
            full_at: Monotonic::default(),
        }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// How long to wait for the next one, when there is none.
    pub fn take(&mut self, now: Monotonic) -> Result<(), Duration> {
        self.peek(now)?;
        self.full_at = self.full_at.max(now) + self.interval;
        Ok(())
    }

    /// Whether [`Allowance::take`] would give a token.
    ///
    /// # Errors
    /// As [`Allowance::take`].
    pub fn peek(&self, now: Monotonic) -> Result<(), Duration> {
        let owed = self.full_at.max(now).since(now) + self.interval;
        match owed.checked_sub(self.capacity) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic(Duration::from_millis(ms))
    }

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate_holds() {
        let mut allowance = Allowance::new(2, 5);
        for _ in 0..5 {
            assert_eq!(allowance.take(at(1000)), Ok(()));
        }
        assert_eq!(allowance.take(at(1000)), Err(Duration::from_millis(500)));
        assert_eq!(allowance.take(at(1400)), Err(Duration::from_millis(100)));
        assert_eq!(allowance.take(at(1500)), Ok(()));
        assert_eq!(allowance.take(at(1500)), Err(Duration::from_millis(500)));
    }

    #[test]
    fn a_long_rest_gives_no_more_than_the_burst() {
        let mut allowance = Allowance::new(10, 3);
        let passed = (0..10).filter(|_| allowance.take(at(3_600_000)).is_ok()).count();
        assert_eq!(passed, 3);
    }

    #[test]
    fn asking_too_early_costs_nothing() {
        let mut allowance = Allowance::new(1, 1);
        assert_eq!(allowance.take(at(0)), Ok(()));
        for _ in 0..100 {
            assert!(allowance.take(at(500)).is_err());
        }
        assert_eq!(allowance.take(at(1000)), Ok(()));
    }

    #[test]
    fn a_rate_and_a_burst_of_nothing_count_as_one() {
        let mut allowance = Allowance::new(0, 0);
        assert_eq!(allowance.take(at(0)), Ok(()));
        assert_eq!(allowance.take(at(0)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn the_rates_next_one_second_is_exact_although_a_third_of_it_is_not() {
        let mut allowance = Allowance::new(3, 3);
        let passed = (0..=1000).filter(|ms| allowance.take(at(*ms)).is_ok()).count();
        assert_eq!(passed, 6);
    }
}
