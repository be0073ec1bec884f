//! FLV tags as RTMP carries them: the bodies of audio, video and data messages, legacy and Enhanced RTMP headers.

pub mod demux;
pub mod file;
pub mod tag;

mod colour;
mod enhanced;
mod metadata;
