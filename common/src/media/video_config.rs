//! A video track's decoder configuration, whatever its codec.

use bytes::Bytes;

use super::{
    access_unit::{Codec, ColourInfo},
    av1,
    config_error::{ConfigError, MAX_RECORD_BYTES},
    h264, hevc, vp9,
};
use crate::live::VideoRange;

/// Frame rates taken from what a coded stream states, in thousandths of a hertz; others are taken for unset.
const PLAUSIBLE_MILLIHERTZ: std::ops::RangeInclusive<u32> = 1_000..=300_000;

/// A picture format, from a configuration record.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoConfig {
    pub codec: Codec,
    /// What the init segment's configuration box holds.
    pub record: Bytes,
    /// Luma samples after cropping.
    pub width: u16,
    /// Luma samples after cropping.
    pub height: u16,
    /// RFC 6381, as in `avc1.640028`.
    pub codecs: String,
    /// As the encoder states it, if it does and the figure makes sense.
    pub frame_rate_millihertz: Option<u32>,
    /// Width to height of one sample, where it is not square.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// As the coded stream states it. What the publisher says beside the stream goes over it: [`ColourInfo::or`].
    pub colour: ColourInfo,
}

impl VideoConfig {
    /// Reads the record of a [`Config`](super::access_unit::MediaMessage::Config) message.
    ///
    /// # Errors
    /// When the record is malformed, or the codec is none of a picture.
    pub fn parse(codec: Codec, record: &Bytes) -> Result<Self, ConfigError> {
        if record.len() > MAX_RECORD_BYTES {
            let length = record.len();
            return Err(ConfigError::TooLong { codec, length });
        }
        let parsed = match codec {
            Codec::H264 => h264::parse(record),
            Codec::Hevc => hevc::parse(record),
            Codec::Av1 => av1::parse(record),
            Codec::Vp9 => vp9::parse(record),
            Codec::Aac | Codec::Opus | Codec::Flac | Codec::Ac3 | Codec::Eac3 => return Err(ConfigError::Codec(codec)),
        };
        parsed.map_err(|flaw| flaw.of(codec))
    }

    /// The range of brightness, as VIDEO-RANGE names it.
    pub fn range(&self) -> VideoRange {
        self.colour.range()
    }
}

/// Pictures a second, in thousandths: `scale` ticks a second at `units` ticks a picture.
pub(super) fn plausible_rate(scale: u32, units: u64) -> Option<u32> {
    let rounded = (u64::from(scale) * 1000).saturating_add(units / 2).checked_div(units)?;
    u32::try_from(rounded)
        .ok()
        .filter(|rate| PLAUSIBLE_MILLIHERTZ.contains(rate))
}
