//! How long to wait before dialling again: a short ladder with jitter, so that relays cut off together do not return together.

use std::time::Duration;

/// Milliseconds before the first, second, ... attempt; the last one is kept (PROTOCOLS 7.3).
const LADDER_MS: [u64; 5] = [250, 500, 1000, 2000, 5000];
/// Jitter to either side, percent.
const JITTER_PERCENT: u64 = 20;

/// The waits between attempts. The same seed gives the same waits.
#[derive(Clone, Debug)]
pub struct Backoff {
    attempts: usize,
    random: u64,
}

impl Backoff {
    pub fn new(seed: u64) -> Self {
        // xorshift has one fixed point, zero.
        Self {
            attempts: 0,
            random: seed.max(1),
        }
    }

    /// The wait before the next attempt.
    pub fn next_wait(&mut self) -> Duration {
        let base = LADDER_MS[self.attempts.min(LADDER_MS.len() - 1)];
        self.attempts = self.attempts.saturating_add(1);
        let span = base * JITTER_PERCENT / 100;
        Duration::from_millis(base - span + self.draw() % (2 * span + 1))
    }

    /// The peer answered: the next loss starts at the first rung.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    /// xorshift64: plenty for jitter.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_climb_the_ladder_within_their_jitter_and_start_again_after_success() {
        for seed in 0..50 {
            let mut backoff = Backoff::new(seed);
            for base in LADDER_MS.into_iter().chain([5000, 5000]) {
                let wait = backoff.next_wait().as_millis() as u64;
                assert!(
                    (base * 8 / 10..=base * 12 / 10).contains(&wait),
                    "{wait} ms for {base} ms"
                );
            }
            backoff.reset();
            assert!(backoff.next_wait() <= Duration::from_millis(300));
        }
    }

    #[test]
    fn relays_with_different_seeds_do_not_return_together() {
        let waits: std::collections::HashSet<_> = (1..20).map(|seed| Backoff::new(seed << 20).next_wait()).collect();
        assert!(waits.len() > 5);
    }
}
