//! How fast a connection is read: a little faster than the fastest stream that is carried.
//!
//! Who sends a stored file as fast as the network takes it is slowed by that, as TCP slows a sender whose receiver is busy, and loses
//! nothing. It is the half by the wall clock of what bounds a room's memory; the half by the publisher's clock is the packager's.

use std::time::Duration;

use crate::time::Monotonic;

/// 120 Mb a second: a fifth above what a packager takes, so that a live stream is never slowed but told that it is too much.
const BYTES_PER_MS: u64 = 15_000;

/// So much is read at once, in bytes: after a hiccup of the network all that waited comes.
const BURST: u64 = 64 << 20;

/// What a message costs beside its bytes: a million empty ones are work too. An honest stream has a few hundred a second.
const MESSAGE: u64 = 4 << 10;

/// One connection's.
#[derive(Debug)]
pub struct Pace {
    /// What was read less what time has paid for, in bytes.
    owed: u64,
    counted: Monotonic,
}

impl Pace {
    /// A connection that has read nothing.
    pub fn new(now: Monotonic) -> Self {
        Self { owed: 0, counted: now }
    }

    /// Takes note of what was read. For how long nothing more is to be.
    pub fn read(&mut self, now: Monotonic, bytes: usize, messages: usize) -> Duration {
        let gone = u64::try_from(now.since(self.counted).as_millis()).unwrap_or(u64::MAX);
        self.counted = self.counted + Duration::from_millis(gone);
        let cost = bytes as u64 + messages as u64 * MESSAGE;
        self.owed = self.owed.saturating_sub(gone.saturating_mul(BYTES_PER_MS)) + cost;
        Duration::from_millis(self.owed.saturating_sub(BURST).div_ceil(BYTES_PER_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: usize = 64 << 10;

    /// Reads as fast as it may for so long; how much that was.
    fn read_for(seconds: u64, messages: usize) -> usize {
        let mut now = Monotonic::default();
        let mut pace = Pace::new(now);
        let mut read = 0;
        while now < Monotonic(Duration::from_secs(seconds)) {
            read += READ;
            now = now + pace.read(now, READ, messages) + Duration::from_micros(100);
        }
        read
    }

    #[test]
    fn a_file_as_fast_as_the_network_takes_it_is_read_at_a_hundred_and_twenty_megabits() {
        let expected = 64 * (1 << 20) + 30 * 15_000_000;
        assert!(
            read_for(30, 0).abs_diff(expected) < expected / 20,
            "{}",
            read_for(30, 0)
        );
    }

    #[test]
    fn a_live_stream_is_never_waited_for() {
        let mut pace = Pace::new(Monotonic::default());
        // A hundred megabits in 250 messages a second.
        for message in 0..15_000 {
            let now = Monotonic(Duration::from_millis(message * 4));
            assert_eq!(pace.read(now, 50_000, 1), Duration::ZERO);
        }
    }

    #[test]
    fn messages_of_no_bytes_are_read_no_faster() {
        assert!(read_for(30, 5_000) < 1 << 24);
    }
}
