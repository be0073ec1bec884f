//! A video track's decoder configuration, whatever its codec.

use bytes::Bytes;

use super::{
    access_unit::{Codec, ColourInfo},
    audio_config::ConfigError,
    h264::AvcConfig,
};
use crate::live::VideoRange;

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
        match codec {
            Codec::H264 => {
                let config = AvcConfig::parse(record)?;
                Ok(Self {
                    codec,
                    record: Bytes::copy_from_slice(record),
                    width: config.width,
                    height: config.height,
                    codecs: config.codecs,
                    frame_rate_millihertz: config.frame_rate_millihertz,
                    sample_aspect_ratio: config.sample_aspect_ratio,
                    colour: ColourInfo::default(),
                })
            }
            other => Err(ConfigError::Codec(other)),
        }
    }

    /// The range of brightness, as VIDEO-RANGE names it.
    pub fn range(&self) -> VideoRange {
        self.colour.range()
    }
}
