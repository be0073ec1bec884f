//! Harness of the end-to-end scenarios and benchmarks: real encoders, real processes, a real browser, all on loopback.

pub mod api;
pub mod browser;
pub mod clock_pattern;
pub mod daemon;
pub mod evening;
pub mod hls;
pub mod lint;
pub mod player;
pub mod process;
pub mod publisher;
