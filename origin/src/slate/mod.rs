//! What stands in for a publisher that was lost: a still picture and silence, as access units of the very format that the publisher sent,
//! so that players that would stop at a hole play on.
//!
//! [`picture`] makes a host's upload ready, [`card`] draws one of ours, [`format`](mod@format) says what a slate has to match, [`making`] has
//! ffmpeg encode it once, and [`clip`] plays it over and over. When it is shown is the room's matter.

pub mod clip;
pub mod format;
pub mod making;
pub mod picture;

mod card;
