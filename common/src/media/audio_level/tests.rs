use proptest::prelude::*;

use super::*;
use bytes::Bytes;

use crate::media::aac::tests::RECORD_OBS;

/// Two frames in a row of a 1 kHz sine, mono at 48 kHz, from ffmpeg's encoder.
pub(crate) const SINE: [&[u8]; 2] = [
    b"\x01\x04\x31\x92\xfa\x11\x0e\x8c\x43\xa2\x10\xe8\x44\x3a\x12\xaa\xb3\x33\x7f\xfe\x1f\xfc\x7f\xff\xbf\xe6\xee\xe5\xdf\x3e\x65\xbb\
      \xff\xb5\xc9\x51\xf1\xaf\x16\x01\x81\x81\x87\x03\x0e\x1c\x0c\x0d\x6c\x0e\xb7\x06\x06\x06\x24\x0c\x48\x18\x90\x35\xe0\x60\x62\x40\
      \xc0\xc0\xce\xeb\x06\x06\xbc\x0c\x0d\x7a\xf0\x30\x30\x30\x30\x41\x60\x44\x00\x20\x70",
    b"\x00\xfc\x31\x8a\xfa\x11\x0e\x8c\x43\xa1\x11\x68\x44\x3a\x16\x66\x66\xeb\x79\xff\xd3\xfe\x9f\xff\xfb\xea\x6a\xe5\xce\x7d\xa4\x79\
      \xff\x7b\x93\xa9\xfb\xfb\xdf\xbc\x0f\x3c\xf3\xcf\x25\xe7\x9e\x3f\x98\x8c\x3c\xf3\xc1\xe7\x9e\x79\xe7\x9e\x79\xe7\x9e\x01\x26\x79\
      \xe7\x9e\x79\xe6\x3c\xf3\xc0\x26\x90\x00\x4a\x20\x01\x33\x80",
];

const FLAC_RECORD: &[u8] =
    b"\x00\x00\x00\x22\x00\x20\x00\x20\x00\x00\x3e\x00\x00\x3f\x0b\xb8\x00\xf0\x00\x00\xbb\x80\xfd\x7e\xed\xdc\xe7\x61\
      \x3b\xf4\x11\x2e\x59\x64\x32\x10\x10\x08";

/// Two cycles of a sine at -6 dB.
const FLAC_FRAME: &[u8] = b"\xff\xf8\x6a\x08\x01\x1f\x6f\x16\x00\x00\x18\x5e\x2d\x09\x0a\x44\xb2\x44\x3c\x2f\x0c\x44\x54\xcb\x4e\xcc\xec\xcc\xb4\x84\x56\x1a\
      \xc2\xa1\x0d\x32\xcb\xb2\xbb\x2b\x2c\xa1\x0d\x85\xb0\xc8\x45\x4c\xb4\xec\xce\xcc\xcb\x48\x45\x61\xac\x2a\x10\x80\x2f\x86";

fn aac(record: &[u8]) -> AudioConfig {
    AudioConfig::parse(Codec::Aac, &Bytes::copy_from_slice(record)).unwrap()
}

/// AAC-LC at 48 kHz.
fn mono() -> AudioConfig {
    aac(&[0x11, 0x88])
}

fn decibels(power: f64) -> f64 {
    10.0 * power.log10()
}

#[test]
fn a_sine_is_as_loud_as_it_was_made() {
    let mut meter = LevelMeter::new(&mono()).unwrap();
    meter.power(SINE[0]).unwrap();
    let level = decibels(meter.power(SINE[1]).unwrap());
    assert!((-12.0..-10.0).contains(&level), "{level}");

    let mut meter = LevelMeter::flac(FLAC_RECORD).unwrap();
    let level = decibels(meter.power(FLAC_FRAME).unwrap());
    assert!((-10.0..-8.0).contains(&level), "{level}");
}

#[test]
fn silence_has_no_power() {
    let config = aac(RECORD_OBS);
    let mut meter = LevelMeter::new(&config).unwrap();
    assert_eq!(meter.power(&config.silent_frame().unwrap()), Ok(0.0));
}

#[test]
fn what_cannot_be_decoded_has_no_meter() {
    let surround = [0x11, 0xb0];
    let short_frames = [0x11, 0x94];
    assert!(LevelMeter::new(&aac(&surround)).is_none());
    assert!(LevelMeter::new(&aac(&short_frames)).is_none());
    assert!(LevelMeter::flac(&FLAC_RECORD[..37]).is_none());
    assert!(LevelMeter::flac(b"").is_none());
    let mut meter = LevelMeter::new(&mono()).unwrap();
    assert_eq!(meter.power(&vec![0; MAX_FRAME_BYTES + 1]), Err(NoLevel::Frame));
    assert_eq!(meter.power(b"\x40"), Err(NoLevel::Frame));
    assert!(meter.power(SINE[0]).is_ok());
}

/// Panics at its first frame, as a decoder with a bug does.
struct Buggy(AudioCodecParameters);

impl AudioDecoder for Buggy {
    fn reset(&mut self) {}

    fn codec_info(&self) -> &symphonia_core::codecs::CodecInfo {
        unreachable!("not asked for")
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.0
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>, Error> {
        panic!("at a frame of {} bytes", packet.data.len())
    }

    fn finalize(&mut self) -> symphonia_core::codecs::audio::FinalizeResult {
        symphonia_core::codecs::audio::FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        unreachable!("not asked for")
    }
}

#[test]
fn a_decoder_that_panics_is_not_asked_again() {
    let mut meter = LevelMeter::made(|| Ok(Box::new(Buggy(AudioCodecParameters::new())))).unwrap();
    assert_eq!(meter.power(b"x"), Err(NoLevel::Meter));
    assert_eq!(meter.power(b"x"), Err(NoLevel::Meter));
}

/// A frame with a few bytes changed, or any bytes.
fn mangled(frame: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let changed = (
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        any::<prop::sample::Index>(),
    );
    let changed = changed.prop_map(move |(changes, cut)| {
        let mut bytes = frame.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 2));
        bytes
    });
    prop_oneof![3 => changed, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

proptest! {
    #[test]
    fn no_bytes_break_the_meters(
        sounds in prop::collection::vec(mangled(SINE[0]), 1..8),
        flac in prop::collection::vec(mangled(FLAC_FRAME), 1..8),
        record in mangled(FLAC_RECORD),
        stereo in any::<bool>(),
    ) {
        let mut meter = LevelMeter::new(&if stereo { aac(RECORD_OBS) } else { mono() }).unwrap();
        for frame in sounds {
            prop_assert_ne!(meter.power(&frame), Err(NoLevel::Meter));
        }
        for record in [FLAC_RECORD, &record] {
            let Some(mut meter) = LevelMeter::flac(record) else { continue };
            for frame in &flac {
                prop_assert_ne!(meter.power(frame), Err(NoLevel::Meter));
            }
        }
    }
}
