//! What a relay holds: mirrors of live channels, media of the past that was asked for, and what the origin told about rooms and keys.
//!
//! The live edge is never in a cache that may evict it: windows ([`mirror`]) are bounded by time, and only what viewers fetch of
//! the past ([`backfill`]) competes for room.

pub mod backfill;
pub mod budget;
pub mod directory;
pub mod mirror;
