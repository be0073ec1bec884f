//! An audio track's decoder configuration, whatever its codec.

use bytes::Bytes;

pub use super::config_error::ConfigError;
use super::{
    aac::AacConfig,
    ac3,
    access_unit::Codec,
    config_error::{Flaw, MAX_RECORD_BYTES},
    flac, opus,
};

/// The shortest frame is of Opus, 2.5 ms; the longest of FLAC, 65535 samples. Frames far from that are made up, and holes in a track would
/// be filled with millions of them.
const SHORTEST_FRAME_MS: u64 = 1;
const LONGEST_FRAME_MS: u64 = 2_000;

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
        let parsed = parsed.map_err(|flaw| flaw.of(codec))?;
        let frame = u64::from(parsed.frame_samples) * 1000;
        let rate = u64::from(parsed.sample_rate);
        if !(rate * SHORTEST_FRAME_MS..=rate * LONGEST_FRAME_MS).contains(&frame) {
            return Err(Flaw::Other("length of a frame").of(codec));
        }
        Ok(parsed)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{flac::tests::STREAM_INFO_MONO, opus::tests::HEAD_STEREO};

    fn is_taken(codec: Codec, record: &Bytes) -> bool {
        match AudioConfig::parse(codec, record) {
            Ok(_) => true,
            Err(ConfigError::Malformed { flaw, .. }) => {
                assert_eq!(flaw, "length of a frame");
                false
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn frames_that_no_encoder_makes_are_refused() {
        let flac = |block: u16, rate: u32| {
            let mut info = *STREAM_INFO_MONO;
            info[2..4].copy_from_slice(&block.to_be_bytes());
            info[10..12].copy_from_slice(&((rate >> 4) as u16).to_be_bytes());
            info[12] = (rate << 4) as u8 | (info[12] & 0x0f);
            is_taken(Codec::Flac, &flac::record(&info).unwrap())
        };
        assert!(flac(4608, 48_000) && flac(65_535, 44_100) && flac(192, 192_000));
        assert!(!flac(16, 192_000) && !flac(65_535, 8_000) && !flac(65_535, 1));
        // What stands behind the header is read as the samples of a packet.
        let one_sample = [HEAD_STEREO, &[0, 1]].concat();
        assert!(!is_taken(Codec::Opus, &opus::record(&one_sample, 960)));
    }
}
