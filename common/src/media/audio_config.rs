//! An audio track's decoder configuration, whatever its codec.

use bytes::Bytes;

use super::{
    aac::{AacConfig, AacConfigError},
    access_unit::Codec,
    h264::AvcConfigError,
};

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
    /// Of one sample, where that means anything.
    pub(crate) sample_bits: u16,
    silence: Bytes,
}

/// The bytes are no configuration that can be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("H.264 configuration: {0}")]
    H264(#[from] AvcConfigError),
    #[error("AAC configuration: {0}")]
    Aac(#[from] AacConfigError),
    #[error("{0:?} on a track of another kind")]
    Codec(Codec),
}

impl AudioConfig {
    /// Reads the record of a [`Config`](super::access_unit::MediaMessage::Config) message.
    ///
    /// # Errors
    /// When the record is malformed, or the codec is none of a sound.
    pub fn parse(codec: Codec, record: &Bytes) -> Result<Self, ConfigError> {
        match codec {
            Codec::Aac => {
                let config = AacConfig::parse(record)?;
                Ok(Self {
                    codec,
                    record: Bytes::copy_from_slice(record),
                    channels: config.channels,
                    sample_rate: config.sample_rate,
                    output_rate: config.output_rate,
                    frame_samples: config.frame_samples,
                    sample_bits: 16,
                    silence: config.silent_frame(),
                    codecs: config.codecs,
                })
            }
            other => Err(ConfigError::Codec(other)),
        }
    }

    /// One frame of digital silence in this format; `None` for codecs that none can be made up for.
    pub fn silent_frame(&self) -> Option<Bytes> {
        (!self.silence.is_empty()).then(|| self.silence.clone())
    }
}
