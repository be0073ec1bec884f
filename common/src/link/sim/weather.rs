//! How bad the simulated link is, and the dice it throws.

use std::time::Duration;

/// xorshift64*.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.draw() % 100 < percent
    }

    pub(super) fn millis(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.draw() % (most * 1000 + 1))
    }
}

/// How bad the link is.
#[derive(Clone, Copy)]
pub(super) struct Weather {
    pub(super) seed: u64,
    /// Longest way of a part; a control frame takes at most a fifth of it.
    pub(super) delay_ms: u64,
    /// Of parts whose stream fails, percent.
    pub(super) loss: u64,
    /// Of fetches that fail, percent.
    pub(super) fetch_loss: u64,
    /// That the connection breaks in a second, percent.
    pub(super) breaks: u64,
    /// Bytes a second of all parts together.
    pub(super) rate: Option<u64>,
}

pub(super) const FAIR: Weather = Weather {
    seed: 1,
    delay_ms: 100,
    loss: 0,
    fetch_loss: 0,
    breaks: 0,
    rate: None,
};
