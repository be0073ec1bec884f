//! The demuxed publisher's stream: configuration records and access units, still on the publisher's clock.

use bytes::Bytes;

/// Which of a publisher's two tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrackKind {
    Video,
    Audio,
}

/// A codec the packager can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// Record: `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15). Payload: NAL units behind 4-byte lengths.
    H264,
    /// Record: `AudioSpecificConfig` (ISO/IEC 14496-3). Payload: one raw AAC frame.
    Aac,
}

impl Codec {
    /// The track that this codec is for.
    pub fn track(self) -> TrackKind {
        match self {
            Self::H264 => TrackKind::Video,
            Self::Aac => TrackKind::Audio,
        }
    }
}

/// One coded picture or audio frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    pub track: TrackKind,
    /// Decode time, milliseconds on the publisher's clock as RTMP carries it: starts anywhere, wraps, may jump.
    pub timestamp_ms: u32,
    /// Presentation time less decode time, milliseconds.
    pub composition_ms: i32,
    /// Decoding can start here (IDR; every audio frame).
    pub sync: bool,
    pub payload: Bytes,
}

/// What the publisher says of its stream in `onMetaData`; hints only, never relied on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamMetadata {
    pub encoder: Option<String>,
    pub frame_rate: Option<f64>,
    pub video_kbps: Option<f64>,
    pub audio_kbps: Option<f64>,
    pub has_video: Option<bool>,
    pub has_audio: Option<bool>,
}

/// One message of the demuxer to the packager, in the order of arrival.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaMessage {
    Metadata(StreamMetadata),
    /// A decoder configuration; sent again unchanged by some encoders at each key frame.
    Config {
        codec: Codec,
        record: Bytes,
    },
    AccessUnit(AccessUnit),
}
