//! Harness of the end-to-end scenarios and benchmarks: real encoders, real processes, a real browser, all on loopback.

pub mod api;
pub mod browser;
pub mod chat_page;
pub mod chatter;
pub mod clock_pattern;
pub mod crowd;
pub mod daemon;
pub mod database;
pub mod evening;
pub mod guest;
pub mod hls;
pub mod link_path;
pub mod lint;
pub mod nginx_rtmp;
pub mod party;
pub mod player;
pub mod process;
pub mod publisher;
pub mod raw_socket;
pub mod recording;
pub mod rtmp_sender;
