//! CMAF: init segments, fragments, and reading them back (ISO/IEC 23000-19, 14496-12).
//!
//! One track a file. Nothing here decides where a part begins or ends; that is [`crate::packager`].

pub mod fragment;
pub mod init;
pub mod inspect;

/// Ticks a second of video tracks: divisible by a millisecond, which is what RTMP carries.
pub const VIDEO_TIMESCALE: u32 = 90_000;

/// The track number of video, distinct from audio's so that the files of both can be joined.
pub const VIDEO_TRACK_ID: u32 = 1;
pub const AUDIO_TRACK_ID: u32 = 2;

/// `sample_flags` of a sample that decoding can start at: depends on no other (ISO/IEC 14496-12 section 8.8.3.1).
pub const SYNC_SAMPLE_FLAGS: u32 = 0x0200_0000;

/// `sample_flags` of any other sample: depends on others, and is no sync sample.
pub const NON_SYNC_SAMPLE_FLAGS: u32 = 0x0101_0000;

/// `sample_is_non_sync_sample` within `sample_flags`.
pub const NON_SYNC_BIT: u32 = 0x0001_0000;

/// Longest fragment made or read, in bytes: what a link frame carries.
pub const MAX_FRAGMENT_BYTES: usize = 16 * 1024 * 1024;
