//! Reads FLAC stream information, and makes the silence that fills holes in a FLAC track (RFC 9639).

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{
    access_unit::Codec,
    audio_config::AudioConfig,
    bits::{BitReader, BitWriter},
    config_error::Flaw,
};

const MAGIC: &[u8; 4] = b"fLaC";
/// A STREAMINFO block, bytes, and the header in front of it: the last block, type 0.
const STREAM_INFO: usize = 34;
const BLOCK_HEADER: [u8; 4] = [0x80, 0, 0, STREAM_INFO as u8];
const BLOCK_TYPE_MASK: u8 = 0x7f;

/// Fields of STREAMINFO that are of the whole stream: its smallest and largest frame, number of samples, and checksum. A live stream
/// has none, and ffmpeg sends the block again at the end with them filled in.
const FRAME_SIZES: std::ops::Range<usize> = 4..10;
const SAMPLES_HIGH: usize = 13;
const SAMPLES_LOW_AND_CHECKSUM: std::ops::Range<usize> = 14..STREAM_INFO;

/// Finds the STREAMINFO that a publisher announces: behind the signature and a block header as Enhanced RTMP has it, behind a block
/// header alone, or bare as ffmpeg sends it. Gives the record of a configuration message.
pub(crate) fn record(data: &[u8]) -> Option<Bytes> {
    let blocks = data.strip_prefix(MAGIC);
    let info: &[u8] = match blocks.unwrap_or(data) {
        bare if blocks.is_none() && bare.len() == STREAM_INFO => bare,
        [kind, 0, 0, length, info @ ..] if kind & BLOCK_TYPE_MASK == 0 && usize::from(*length) == STREAM_INFO => info,
        _ => return None,
    };
    let mut info = *info.first_chunk::<STREAM_INFO>()?;
    info[FRAME_SIZES].fill(0);
    info[SAMPLES_HIGH] &= 0xf0;
    info[SAMPLES_LOW_AND_CHECKSUM].fill(0);
    Some([MAGIC, &BLOCK_HEADER[..], &info].concat().into())
}

/// Reads the signature, the header and the STREAMINFO block.
pub(super) fn parse(record: &Bytes) -> Result<AudioConfig, Flaw> {
    let blocks = record.strip_prefix(MAGIC).ok_or(Flaw::Other("no signature"))?;
    let info = blocks.strip_prefix(&BLOCK_HEADER).ok_or(Flaw::Other("no STREAMINFO"))?;
    if info.len() != STREAM_INFO {
        return Err(Flaw::End);
    }
    let mut bits = BitReader::new(info);
    bits.skip(16)?; // smallest block
    let block = bits.read(16)?;
    bits.skip(24 + 24)?; // sizes of frames
    let rate = bits.read(20)?;
    // Of three and five bits.
    let (channels, sample_bits) = (bits.read(3)? as u8 + 1, bits.read(5)? as u16 + 1);
    if rate == 0 || block < 16 {
        return Err(Flaw::Other("no sampling frequency or no block size"));
    }
    Ok(AudioConfig {
        codec: Codec::Flac,
        record: record.slice(MAGIC.len()..),
        channels,
        sample_rate: rate,
        output_rate: rate,
        frame_samples: block,
        codecs: "fLaC".to_owned(),
        sample_bits,
        silence: silence(block, channels, sample_bits),
    })
}

/// A frame of constant zeros. Its number is 0: players go by the sample's time.
fn silence(block: u32, channels: u8, sample_bits: u16) -> Bytes {
    // Fixed blocks, their size in 16 bits at the end of the header, rate and sample size as in STREAMINFO, no joint stereo.
    let mut frame = vec![0xff, 0xf8, 0x70, (channels - 1) << 4, 0];
    frame.put_u16((block - 1) as u16);
    frame.push(crc8(&frame));
    let mut bits = BitWriter::default();
    for _ in 0..channels {
        bits.write(8, 0); // a constant subframe without wasted bits
        bits.write(sample_bits.into(), 0);
    }
    frame.extend(bits.into_bytes());
    let mut out = BytesMut::from(&frame[..]);
    out.put_u16(crc16(&frame));
    out.freeze()
}

/// Polynomial x^8 + x^2 + x + 1.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| (crc << 1) ^ if crc & 0x80 == 0 { 0 } else { 0x07 })
    })
}

/// Polynomial x^16 + x^15 + x^2 + 1.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x8005 }
        })
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of ffmpeg: 48 kHz mono of 16 bits in blocks of 1024.
    pub(crate) const STREAM_INFO_MONO: &[u8; STREAM_INFO] = &[
        0x04, 0x00, 0x04, 0x00, 0, 0, 0, 0x00, 0x08, 0x15, 0x0b, 0xb8, 0x00, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0,
    ];

    #[test]
    fn stream_information_is_found_in_all_three_wrappings() {
        let mut expected = [&b"fLaC\x80\x00\x00\x22"[..], STREAM_INFO_MONO].concat();
        // The largest frame, which is so only until now.
        expected[8 + 8..8 + 10].fill(0);
        let header = [0, 0, 0, 34];
        let comment = [0x84, 0, 0, 2, 1, 2];
        for data in [
            STREAM_INFO_MONO.to_vec(),
            [&header[..], STREAM_INFO_MONO, &comment].concat(),
            [&b"fLaC"[..], &header, STREAM_INFO_MONO, &comment].concat(),
        ] {
            assert_eq!(record(&data).unwrap(), &expected[..]);
        }
        assert_eq!(record(&[&b"fLaC"[..], STREAM_INFO_MONO].concat()), None);
        assert_eq!(record(&comment), None);
    }

    #[test]
    fn stream_information_gives_rate_channels_and_block() {
        let config = parse(&record(STREAM_INFO_MONO).unwrap()).unwrap();
        assert_eq!(
            (config.channels, config.sample_rate, config.frame_samples),
            (1, 48_000, 1024)
        );
        assert_eq!((config.codecs.as_str(), config.sample_bits), ("fLaC", 16));
        assert_eq!(config.record.len(), 38);
    }

    #[test]
    fn checksums_are_those_of_the_specification() {
        // RFC 9639 appendix D.1.
        assert_eq!(crc8(&[0xff, 0xf8, 0x69, 0x18, 0x00, 0x00]), 0xbf);
        let frame = [
            0xff, 0xf8, 0x69, 0x18, 0x00, 0x00, 0xbf, 0x03, 0x58, 0xfd, 0x03, 0x12, 0x8b,
        ];
        assert_eq!(crc16(&frame), 0xaa9a);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in prop_oneof![prop::collection::vec(any::<u8>(), STREAM_INFO), prop::collection::vec(any::<u8>(), 0..60)],
        ) {
            let _ = parse(&bytes.clone().into());
            let _ = record(&bytes);
            if let Some(record) = record(&bytes) && let Ok(config) = parse(&record) {
                prop_assert!(config.silent_frame().is_some());
            }
        }
    }
}
