//! How loud a coded frame of sound is, for a streamer to see that there is sound at all.
//!
//! The level of what is sent, not of what was meant: AAC-LC of one or two channels and FLAC are decoded, other codecs have no level here.
//! The decoders are not ours and read bytes of strangers, so whatever they do but return ends the measurement and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia_bundle_flac::FlacDecoder;
use symphonia_codec_aac::AacDecoder;
use symphonia_core::{
    audio::{Audio as _, Channels, GenericAudioBufferRef, Position},
    codecs::audio::{
        AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
        well_known::{CODEC_ID_AAC, CODEC_ID_FLAC},
    },
    errors::Error,
    packet::PacketRef,
    units::{Duration, Timestamp},
};

use super::{access_unit::Codec, audio_config::AudioConfig};

/// Frames above this are not decoded, in bytes: a FLAC frame of 4608 samples in two channels of 24 bits takes 27 kB.
const MAX_FRAME_BYTES: usize = 64 << 10;

/// The one length of AAC frames that can be decoded, in samples.
const AAC_FRAME_SAMPLES: u32 = 1024;

/// Where STREAMINFO is in FLAC's record: behind the header of its block.
const STREAM_INFO: std::ops::Range<usize> = 4..38;

/// Why a frame has no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLevel {
    /// The frame cannot be decoded; the next one may be.
    Frame,
    /// Nothing of this track will be measured any more.
    Meter,
}

/// Measures frames of one track, in one configuration.
pub struct LevelMeter {
    /// None once it has failed.
    decoder: Option<Box<dyn AudioDecoder>>,
}

impl LevelMeter {
    /// None for what is not decoded here. Of HE-AAC it is the AAC-LC core, which holds most of the sound.
    pub fn new(config: &AudioConfig) -> Option<Self> {
        match config.codec {
            Codec::Aac => Self::aac(config),
            Codec::Flac => Self::flac(&config.record),
            _ => None,
        }
    }

    fn aac(config: &AudioConfig) -> Option<Self> {
        let channels = match config.channels {
            1 => Position::FRONT_LEFT,
            2 => Position::FRONT_LEFT | Position::FRONT_RIGHT,
            _ => return None,
        };
        if config.frame_samples != AAC_FRAME_SAMPLES {
            return None;
        }
        let mut format = AudioCodecParameters::new();
        format
            .for_codec(CODEC_ID_AAC)
            .with_sample_rate(config.sample_rate)
            .with_channels(Channels::Positioned(channels));
        Self::made(|| Ok(Box::new(AacDecoder::try_new(&format, &AudioDecoderOptions::default())?)))
    }

    fn flac(record: &[u8]) -> Option<Self> {
        let stream_info = record.get(STREAM_INFO)?;
        let mut format = AudioCodecParameters::new();
        format.for_codec(CODEC_ID_FLAC).with_extra_data(stream_info.into());
        Self::made(|| {
            Ok(Box::new(FlacDecoder::try_new(
                &format,
                &AudioDecoderOptions::default(),
            )?))
        })
    }

    fn made(make: impl FnOnce() -> Result<Box<dyn AudioDecoder>, Error>) -> Option<Self> {
        let made = catch_unwind(AssertUnwindSafe(make)).ok()?;
        Some(Self {
            decoder: Some(made.ok()?),
        })
    }

    /// The mean square of a frame's samples in all channels, where 1 is full scale. AAC frames overlap: the first frame after a gap is
    /// told too low.
    ///
    /// # Errors
    /// The frame, or the meter, is of no use.
    pub fn power(&mut self, frame: &[u8]) -> Result<f64, NoLevel> {
        if frame.len() > MAX_FRAME_BYTES {
            return Err(NoLevel::Frame);
        }
        // Taken out, and lost if it panics: it is in no state to go on then.
        let mut decoder = self.decoder.take().ok_or(NoLevel::Meter)?;
        let measured = catch_unwind(AssertUnwindSafe(|| decode(&mut *decoder, frame))).map_err(|_| NoLevel::Meter)?;
        self.decoder = Some(decoder);
        measured.ok_or(NoLevel::Frame)
    }
}

fn decode(decoder: &mut dyn AudioDecoder, frame: &[u8]) -> Option<f64> {
    let packet = PacketRef::new(0, Timestamp::new(0), Duration::new(0), frame);
    let power = match decoder.decode_ref(&packet).ok()? {
        GenericAudioBufferRef::F32(samples) => mean_square(samples.iter_planes().flatten().map(|&s| f64::from(s))),
        GenericAudioBufferRef::S32(samples) => {
            const FULL_SCALE: f64 = 2_147_483_648.0;
            mean_square(samples.iter_planes().flatten().map(|&s| f64::from(s) / FULL_SCALE))
        }
        _ => return None,
    };
    power.is_finite().then_some(power)
}

fn mean_square(samples: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = samples.fold((0_u32, 0.0), |(count, sum), s| (count + 1, sum + s * s));
    sum / f64::from(count)
}

#[cfg(test)]
pub(crate) mod tests;
