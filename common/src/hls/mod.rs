//! HTTP Live Streaming as viewers see it: the names of files, the texts of playlists, what a delivery directive asks for.
//!
//! All of it is a function of a [`crate::live::window::LiveWindow`]; who may see a playlist, headers, caching and waiting are the
//! relay's. "bis" stands for draft-pantos-hls-rfc8216bis.

pub mod directives;
pub mod lint;
pub mod media_playlist;
pub mod multivariant;
pub mod profile;
mod text;
pub mod uri;
