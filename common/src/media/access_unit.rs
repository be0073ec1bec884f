//! The demuxed publisher's stream: configuration records and access units, still on the publisher's clock.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrackKind {
    Video,
    Audio,
}

/// Most audio tracks of one stream: dubs of a film, and a commentary.
pub const MAX_AUDIO_TRACKS: u8 = 4;

/// One of a publisher's tracks: the picture, or one of up to [`MAX_AUDIO_TRACKS`] sounds, numbered from 0 as Enhanced RTMP does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId {
    pub kind: TrackKind,
    pub index: u8,
}

impl TrackId {
    pub const VIDEO: Self = Self {
        kind: TrackKind::Video,
        index: 0,
    };
    /// The sound that plays unless a viewer chooses another.
    pub const AUDIO: Self = Self::audio(0);

    pub const fn audio(index: u8) -> Self {
        Self {
            kind: TrackKind::Audio,
            index,
        }
    }
}

/// A codec the packager can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Codec {
    /// Record: `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15). Payload: NAL units behind 4-byte lengths.
    H264,
    /// Record: `HEVCDecoderConfigurationRecord` (ISO/IEC 14496-15). Payload: NAL units behind 4-byte lengths.
    Hevc,
    /// Record: `AV1CodecConfigurationRecord` with a sequence header (AV1 in ISOBMFF). Payload: one temporal unit in low-overhead
    /// OBUs, without its delimiter.
    Av1,
    /// Record: `VPCodecConfigurationRecord` of eight bytes (VP9 in ISOBMFF), and behind it width and height of the newest key frame,
    /// 16 bits each: the record does not tell them. Payload: one frame or superframe.
    Vp9,
    /// Record: `AudioSpecificConfig` (ISO/IEC 14496-3). Payload: one raw AAC frame.
    Aac,
    /// Record: `OpusHead` (RFC 7845), and behind it the samples of a packet at 48 kHz, 16 bits: the header does not tell them.
    /// Payload: one packet.
    Opus,
    /// Record: `fLaC` and STREAMINFO with its block header (RFC 9639). Payload: one frame.
    Flac,
    /// Record: `AC3SpecificBox` content, out of a syncframe (ETSI TS 102 366 annex F). Payload: one syncframe.
    Ac3,
    /// Record: `EC3SpecificBox` content, and behind it the audio blocks of a packet, 8 bits. Payload: the syncframes of a packet.
    Eac3,
}

impl Codec {
    /// What tracks of this codec carry.
    pub fn kind(self) -> TrackKind {
        match self {
            Self::H264 | Self::Hevc | Self::Av1 | Self::Vp9 => TrackKind::Video,
            Self::Aac | Self::Opus | Self::Flac | Self::Ac3 | Self::Eac3 => TrackKind::Audio,
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::Hevc => "HEVC",
            Self::Av1 => "AV1",
            Self::Vp9 => "VP9",
            Self::Aac => "AAC",
            Self::Opus => "Opus",
            Self::Flac => "FLAC",
            Self::Ac3 => "AC-3",
            Self::Eac3 => "E-AC-3",
        }
    }
}

/// One coded picture or audio frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    pub track: TrackId,
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
    /// Of audio tracks that are said to have a name or a language, by track number.
    pub audio_tracks: Vec<AudioTrackLabel>,
}

/// What a viewer chooses a sound by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AudioTrackLabel {
    pub index: u8,
    pub name: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
}

/// How samples mean colours and light, as Enhanced RTMP's `colorInfo` says; code points of ITU-T H.273.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ColourInfo {
    pub primaries: Option<u8>,
    pub transfer: Option<u8>,
    pub matrix: Option<u8>,
    pub full_range: Option<bool>,
    pub light_level: Option<LightLevel>,
    pub mastering: Option<MasteringDisplay>,
}

/// Candela per square metre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LightLevel {
    pub max_content: u16,
    pub max_frame_average: u16,
}

/// The display that the film was graded on: chromaticities of red, green, blue and white in CIE 1931 x and y, luminance in candela per square
/// metre.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MasteringDisplay {
    pub red: (f64, f64),
    pub green: (f64, f64),
    pub blue: (f64, f64),
    pub white: (f64, f64),
    pub max_luminance: f64,
    pub min_luminance: f64,
}

/// One message of the demuxer to the packager, in the order of arrival.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaMessage {
    Metadata(StreamMetadata),
    /// A decoder configuration; sent again unchanged by some encoders at each key frame.
    Config {
        track: TrackId,
        codec: Codec,
        record: Bytes,
    },
    /// Colours of the picture from here on.
    Colour(ColourInfo),
    /// A track that is not carried, for its codec or its number. None of its access units follow.
    Unsupported {
        track: TrackId,
        /// In words.
        codec: String,
    },
    AccessUnit(AccessUnit),
}
