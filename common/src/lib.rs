//! StreamCircle's rules: bytes and a time in, bytes and events out.
//!
//! Nothing here opens a socket or a file, reads a clock or draws a random number: `now` and seeds are
//! passed in (held by this crate's `clippy.toml`). The daemons drive these rules with real I/O.

pub mod auth;
pub mod chat;
pub mod cmaf;
pub mod flv;
pub mod hls;
pub mod id;
pub mod link;
pub mod live;
pub mod matroska;
pub mod media;
pub mod packager;
pub mod rtmp;
pub mod time;
pub mod websocket;
pub mod wire;
