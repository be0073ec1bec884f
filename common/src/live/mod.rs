//! A room's live stream as origin and relays hold it: a description of the epoch, and numbered parts.

pub mod cursor;
pub mod description;
pub mod error;
mod lookup;
mod order;
pub mod records;
mod rendition_window;
pub mod retention;
pub mod segment;
#[cfg(test)]
pub(crate) mod testing;
pub mod window;

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    id::{Epoch, Msn, PartId, RenditionId, Rung},
    media::captions::Captions,
    time::UnixMillis,
};

/// All that a playlist needs to know of an epoch besides its segments. Fixed for the epoch's life, but for the bit rates, which
/// may rise ([`LiveEvent::BitRate`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochDescription {
    pub epoch: Epoch,
    /// EXT-X-TARGETDURATION, seconds, 2 to 12.
    pub target_duration_s: u32,
    /// PART-TARGET, milliseconds.
    pub part_target_ms: u32,
    /// Number of the first segment with media; GAP segments are listed before it (PROTOCOLS 1.5).
    pub first_msn: Msn,
    /// Indexed by [`RenditionId`]. Video, if any, is first; audio tracks follow in the order of their numbers.
    pub renditions: Vec<RenditionDescription>,
    /// What else can be had of the same picture, the best first. Empty in a rung's own description.
    pub ladder: Vec<RungDescription>,
    /// There is a variant of sound alone.
    pub audio_only: bool,
    /// It began before its first segment was complete, and players are to begin with the parts of that.
    pub opens_early: bool,
    /// In a rung's own description.
    pub parent: Option<Parent>,
}

/// The source's epoch, whose segments a rung's are numbered and cut as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    pub epoch: Epoch,
    /// Discontinuities in the parent up to its segment with the rung's first number, that segment's own included: players put renditions side by
    /// side by these counts.
    pub discontinuities: u64,
}

/// A rung as the multivariant playlist offers it, whether it is being made or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RungDescription {
    pub rung: Rung,
    pub width: u16,
    pub height: u16,
    pub frame_rate_millihertz: u32,
    /// RFC 6381.
    pub codecs: String,
    /// Of the picture alone.
    pub bit_rate: BitRate,
}

/// One track in its own files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenditionDescription {
    pub format: RenditionFormat,
    /// RFC 6381, as in `avc1.640028`.
    pub codecs: String,
    /// Ticks a second of `dts` and `duration`.
    pub timescale: u32,
    /// Bits a second, an upper bound over any segment, and the mean.
    pub bit_rate: BitRate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitRate {
    pub peak: u32,
    pub average: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RenditionFormat {
    Video {
        width: u16,
        height: u16,
        frame_rate_millihertz: u32,
        range: VideoRange,
        /// Captions that ride in the pictures.
        captions: Captions,
    },
    Audio {
        /// Enhanced RTMP's number of the track.
        index: u8,
        channels: u8,
        sample_rate: u32,
        /// What viewers choose it by; unique in its epoch.
        name: String,
        /// BCP 47.
        language: Option<String>,
    },
}

/// VIDEO-RANGE of a variant (RFC 8216bis section 4.4.6.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum VideoRange {
    #[default]
    Sdr,
    /// Transfer characteristics 18.
    Hlg,
    /// Transfer characteristics 16.
    Pq,
}

/// One part: a CMAF fragment (moof + mdat) of one rendition.
///
/// Once made, never changed; the same [`PartId`] under one epoch never names other bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub id: PartId,
    pub init_id: u32,
    /// Decode time of its first sample, in ticks of its rendition, on the epoch's continuous clock.
    pub dts: u64,
    /// Ticks.
    pub duration: u32,
    /// Wall-clock time of its first sample at the origin.
    pub program_date_time: UnixMillis,
    pub flags: PartFlags,
    pub body: Bytes,
}

/// What playlists and links need to know of a part without looking into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartFlags {
    /// Starts with a sync sample.
    pub independent: bool,
    /// Nothing follows in its segment.
    pub last: bool,
    /// Its segment starts after a break in the timeline; only on part 0.
    pub discontinuity: bool,
    /// The media was lost; the body is empty.
    pub gap: bool,
}

/// What a packager makes and a window takes, in order. All between two `Start`s belongs to the first one's epoch.
#[derive(Clone, Debug, PartialEq)]
pub enum LiveEvent {
    /// A new epoch; the one before it, if any, was ended by `End`.
    Start(Arc<EpochDescription>),
    /// Before the first part that refers to it.
    Init {
        rendition: RenditionId,
        init_id: u32,
        body: Bytes,
    },
    Part(Part),
    /// The segment is closed although its newest part did not carry `last`.
    SegmentEnd {
        rendition: RenditionId,
        msn: Msn,
    },
    /// The measured bit rate rose.
    BitRate {
        rendition: RenditionId,
        bit_rate: BitRate,
    },
    /// Nothing follows in this epoch: ENDLIST.
    End,
}
