//! Reads AAC decoder configurations, and makes the silence that fills holes in an AAC track.
//!
//! Frames are never decoded here.

mod silence;

use bytes::Bytes;

use super::bits::{BitReader, EndOfBits};

/// Longest `AudioSpecificConfig` looked at, in bytes. Usual ones take 2 to 5; a program config element adds up to 100.
pub const MAX_RECORD_BYTES: usize = 512;

/// Sampling frequencies by index (ISO/IEC 14496-3 table 1.18).
const SAMPLE_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];

/// Index that announces a frequency of 24 bits.
const EXPLICIT_RATE: u32 = 15;

const AOT_MAIN: u32 = 1;
const AOT_LC: u32 = 2;
const AOT_LTP: u32 = 4;
const AOT_SBR: u32 = 5;
const AOT_PS: u32 = 29;
/// Announces an object type of 6 more bits.
const AOT_ESCAPE: u32 = 31;

/// An audio format, from an `AudioSpecificConfig` (ISO/IEC 14496-3 section 1.6.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AacConfig {
    /// 2 is AAC-LC; 5 and 29 are HE-AAC where the configuration says so outright. A backward compatible SBR extension, as OBS
    /// sends, does not change it.
    pub object_type: u8,
    /// Hertz, of the core coder: what frames are counted in.
    pub sample_rate: u32,
    /// Hertz, of what a decoder puts out; twice `sample_rate` with SBR announced outright.
    pub output_rate: u32,
    pub channels: u8,
    /// RFC 6381, as in `mp4a.40.2`.
    pub codecs: String,
    /// Samples of the core coder in each frame: 1024 or 960.
    pub frame_samples: u32,
    channel_configuration: u8,
}

/// The bytes are no AAC configuration that can be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AacConfigError {
    #[error("an AudioSpecificConfig of {0} bytes, at most {MAX_RECORD_BYTES} are read")]
    TooLong(usize),
    #[error("the AudioSpecificConfig ends early, at bit {0}")]
    Truncated(usize),
    #[error("MPEG-4 audio object type {0} is not carried")]
    ObjectType(u32),
    #[error("reserved sampling frequency index {0}")]
    SampleRateIndex(u32),
    #[error("a sampling frequency of {0} Hz")]
    SampleRate(u32),
    #[error("channel configuration {0} is not carried")]
    Channels(u32),
}

impl From<EndOfBits> for AacConfigError {
    fn from(end: EndOfBits) -> Self {
        Self::Truncated(end.0)
    }
}

impl AacConfig {
    /// Reads a configuration record.
    ///
    /// # Errors
    /// When it is malformed, or no kind of AAC with frames of 1024 or 960 samples.
    pub fn parse(record: &Bytes) -> Result<Self, AacConfigError> {
        if record.len() > MAX_RECORD_BYTES {
            return Err(AacConfigError::TooLong(record.len()));
        }
        let mut bits = BitReader::new(record);
        let object_type = read_object_type(&mut bits)?;
        let sample_rate = read_sample_rate(&mut bits)?;
        let channel_configuration = bits.read(4)?;
        let (core_type, output_rate) = if matches!(object_type, AOT_SBR | AOT_PS) {
            let output_rate = read_sample_rate(&mut bits)?;
            (read_object_type(&mut bits)?, output_rate)
        } else {
            (object_type, sample_rate)
        };
        if !matches!(core_type, AOT_MAIN | AOT_LC | AOT_LTP) {
            return Err(AacConfigError::ObjectType(core_type));
        }
        let short_frames = bits.flag()?;
        if bits.flag()? {
            bits.read(14)?; // coreCoderDelay
        }
        bits.flag()?; // extensionFlag, of no effect for these object types
        let channels = match channel_configuration {
            0 => read_program_channels(&mut bits)?,
            simple @ 1..=6 => simple,
            7 | 12 | 14 => 8,
            11 => 7,
            reserved => return Err(AacConfigError::Channels(reserved)),
        };
        Ok(Self {
            // Both fit: an object type is at most 95, and of a program config element at most 128 channels can be read.
            object_type: object_type as u8,
            channels: channels as u8,
            channel_configuration: channel_configuration as u8,
            sample_rate,
            output_rate,
            codecs: format!("mp4a.40.{object_type}"),
            frame_samples: if short_frames { 960 } else { 1024 },
        })
    }

    /// One frame of digital silence in this format. For channel layouts that only a program config element describes, a frame
    /// without any element, which decoders pass over.
    pub fn silent_frame(&self) -> Bytes {
        silence::raw_data_block(self.channel_configuration)
    }
}

fn read_object_type(bits: &mut BitReader<'_>) -> Result<u32, AacConfigError> {
    match bits.read(5)? {
        AOT_ESCAPE => Ok(32 + bits.read(6)?),
        object_type => Ok(object_type),
    }
}

fn read_sample_rate(bits: &mut BitReader<'_>) -> Result<u32, AacConfigError> {
    let index = bits.read(4)?;
    let rate = if index == EXPLICIT_RATE {
        bits.read(24)?
    } else {
        *SAMPLE_RATES
            .get(index as usize)
            .ok_or(AacConfigError::SampleRateIndex(index))?
    };
    if (SAMPLE_RATES[12]..=SAMPLE_RATES[0]).contains(&rate) {
        Ok(rate)
    } else {
        Err(AacConfigError::SampleRate(rate))
    }
}

/// Counts the channels of a `program_config_element` (ISO/IEC 14496-3 table 4.2).
fn read_program_channels(bits: &mut BitReader<'_>) -> Result<u32, AacConfigError> {
    bits.read(4 + 2 + 4)?; // element_instance_tag, object_type, sampling_frequency_index
    let with_pairs = bits.read(4)? + bits.read(4)? + bits.read(4)?; // front, side, back
    let low_frequency = bits.read(2)?;
    bits.read(3 + 4)?; // associated data and coupling elements, which carry no channel of their own
    for mixdown_bits in [4, 4, 3] {
        if bits.flag()? {
            bits.read(mixdown_bits)?;
        }
    }
    let mut channels = low_frequency;
    for _ in 0..with_pairs {
        channels += if bits.flag()? { 2 } else { 1 };
        bits.read(4)?; // element_tag_select
    }
    if (1..=8).contains(&channels) {
        Ok(channels)
    } else {
        Err(AacConfigError::Channels(0))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 48 kHz stereo, as OBS sends it: with an SBR extension that says that there is none.
    pub(crate) const RECORD_OBS: &[u8] = &[0x11, 0x90, 0x56, 0xe5, 0x00];

    fn parse(bytes: &'static [u8]) -> Result<AacConfig, AacConfigError> {
        AacConfig::parse(&Bytes::from_static(bytes))
    }

    #[test]
    fn the_five_bytes_of_obs_are_plain_aac_lc() {
        let config = parse(RECORD_OBS).unwrap();
        assert_eq!(
            (config.object_type, config.sample_rate, config.channels),
            (2, 48_000, 2)
        );
        assert_eq!((config.codecs.as_str(), config.frame_samples), ("mp4a.40.2", 1024));
    }

    #[test]
    fn two_bytes_at_44_1_khz_mono_are_enough() {
        let config = parse(&[0x12, 0x08]).unwrap();
        assert_eq!(
            (config.sample_rate, config.output_rate, config.channels),
            (44_100, 44_100, 1)
        );
    }

    #[test]
    fn he_aac_announced_outright_counts_core_samples() {
        // Object type 5, 24 kHz core, stereo, 48 kHz out, core object type 2.
        let config = parse(&[0x2b, 0x11, 0x88, 0x00]).unwrap();
        assert_eq!((config.sample_rate, config.output_rate), (24_000, 48_000));
        assert_eq!(config.codecs, "mp4a.40.5");
    }

    #[test]
    fn a_short_or_foreign_configuration_is_refused() {
        assert_eq!(parse(&[0x11]), Err(AacConfigError::Truncated(8)));
        // Object type 39, enhanced low delay.
        assert_eq!(parse(&[0xf8, 0xe6, 0x20, 0x00]), Err(AacConfigError::ObjectType(39)));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(config) = AacConfig::parse(&bytes.into()) {
                prop_assert!(!config.silent_frame().is_empty());
            }
        }
    }
}
