//! What comes out of the ingest and goes into the packager.

pub mod aac;
pub mod access_unit;
pub mod audio_config;
pub mod audio_level;
pub mod captions;
pub mod h264;
pub mod video_config;

mod bits;
mod colour;
