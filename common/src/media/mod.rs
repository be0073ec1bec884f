//! What comes out of the ingest and goes into the packager.

pub mod aac;
pub mod access_unit;
pub mod audio_config;
pub mod captions;
pub mod config_error;
pub mod h264;
pub mod video_config;

pub(crate) mod ac3;
pub(crate) mod av1;
pub(crate) mod colour;
pub(crate) mod flac;
pub(crate) mod hevc;
pub(crate) mod opus;
pub(crate) mod vp9;

mod bits;
mod hdr;
mod nal;
