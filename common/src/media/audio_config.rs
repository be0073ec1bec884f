//! An audio track's decoder configuration, whatever its codec.

use bytes::Bytes;

pub use super::config_error::ConfigError;
use super::{aac::AacConfig, ac3, access_unit::Codec, config_error::MAX_RECORD_BYTES, flac, opus};

/// A sound format, from a configuration record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioConfig {
    pub codec: Codec,
    /// What the init segment's configuration box holds.
    pub record: Bytes,
    pub channels: u8,
    /// Hertz, of what frames are counted in: the track's timescale.
    pub sample_rate: u32,
    /// Hertz, of what a decoder puts out.
    pub output_rate: u32,
    /// Samples of each frame.
    pub frame_samples: u32,
    /// RFC 6381, as in `mp4a.40.2`.
    pub codecs: String,
    /// Bits of one sample, where that means anything.
    pub(crate) sample_bits: u16,
    /// Empty where none can be made up.
    pub(super) silence: Bytes,
}

impl AudioConfig {
    /// Reads the record of a [`Config`](super::access_unit::MediaMessage::Config) message.
    ///
    /// # Errors
    /// When the record is malformed, or the codec is none of a sound.
    pub fn parse(codec: Codec, record: &Bytes) -> Result<Self, ConfigError> {
        if record.len() > MAX_RECORD_BYTES {
            let length = record.len();
            return Err(ConfigError::TooLong { codec, length });
        }
        let parsed = match codec {
            Codec::Aac => return Ok(Self::of_aac(AacConfig::parse(record)?, record)),
            Codec::Opus => opus::parse(record),
            Codec::Flac => flac::parse(record),
            Codec::Ac3 | Codec::Eac3 => ac3::parse(codec, record),
            Codec::H264 | Codec::Hevc | Codec::Av1 | Codec::Vp9 => return Err(ConfigError::Codec(codec)),
        };
        parsed.map_err(|flaw| flaw.of(codec))
    }

    fn of_aac(config: AacConfig, record: &Bytes) -> Self {
        Self {
            codec: Codec::Aac,
            record: Bytes::copy_from_slice(record),
            channels: config.channels,
            sample_rate: config.sample_rate,
            output_rate: config.output_rate,
            frame_samples: config.frame_samples,
            sample_bits: 16,
            silence: config.silent_frame(),
            codecs: config.codecs,
        }
    }

    /// One frame of digital silence in this format; `None` for codecs that none can be made up for.
    pub fn silent_frame(&self) -> Option<Bytes> {
        (!self.silence.is_empty()).then(|| self.silence.clone())
    }
}
