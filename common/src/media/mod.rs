//! What comes out of the ingest and goes into the packager.

pub mod aac;
pub mod access_unit;
pub mod audio_level;
pub mod h264;
