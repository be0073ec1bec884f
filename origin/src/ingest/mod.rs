//! The ingest over RTMP and RTMPS: sockets, caps and time-outs round the session of `common::rtmp`.
//!
//! Who may publish and where the media goes is behind [`admission`]; what a publisher's bytes mean is in `common`. Nothing here knows
//! a room, a packager or the database.

pub mod admission;
pub mod limits;

mod connection;
mod listener;

pub use listener::Ingest;
