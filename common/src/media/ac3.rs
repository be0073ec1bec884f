//! Reads the syncframes of AC-3 and E-AC-3 (ETSI TS 102 366), which say of themselves all that an init segment needs.

use bytes::Bytes;

use super::{
    access_unit::Codec,
    audio_config::AudioConfig,
    bits::{BitReader, BitWriter, EndOfBits},
    config_error::Flaw,
};

const SYNC_WORD: u32 = 0x0b77;
/// Sampling frequencies by `fscod`; the fourth is for half rates, E-AC-3 only.
const RATES: [u32; 3] = [48_000, 44_100, 32_000];
/// Channels by `acmod`, without the bass.
const CHANNELS: [u8; 8] = [2, 1, 2, 3, 3, 4, 4, 5];
/// Samples of an audio block, and blocks of an AC-3 frame.
const BLOCK_SAMPLES: u32 = 256;
const AC3_BLOCKS: u8 = 6;
/// Highest `bsid` of AC-3; E-AC-3 goes on from 11.
const MAX_AC3_BSID: u32 = 8;
const EAC3_BSIDS: std::ops::RangeInclusive<u32> = 11..=16;
/// Most frames of one packet looked at.
const MAX_FRAMES: usize = 16;

/// A `dac3` and a `dec3` of one substream, bytes; the latter may have a second byte of channels.
const DAC3: usize = 3;
const MIN_DEC3: usize = 5;

/// Locations of channels in dependent substreams: the bit of `chanmap` from the left, what `dec3` calls it, and how many channels
/// it means (tables E.1.4 and F.6).
const LOCATIONS: [(u32, u32, u8); 9] = [
    (5, 0, 2),
    (6, 1, 2),
    (7, 2, 1),
    (8, 3, 1),
    (9, 4, 2),
    (10, 5, 2),
    (11, 6, 2),
    (12, 7, 1),
    (14, 8, 1),
];

/// What a packet says of its format. Two that differ in nothing but the bit rate are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    codec: Codec,
    /// `fscod`, `bsid`, `bsmod`, `acmod`, `lfeon`.
    fields: (u8, u8, u8, u8, bool),
    /// Of a whole packet.
    blocks: u8,
    dependents: u8,
    locations: u16,
}

/// A packet's format, and its bit rate: the code of it in AC-3, kbit/s in E-AC-3.
pub(crate) fn read(codec: Codec, packet: &[u8]) -> Option<(Format, u16)> {
    let read = if codec == Codec::Ac3 { ac3(packet) } else { eac3(packet) };
    read.ok().flatten()
}

fn ac3(packet: &[u8]) -> Result<Option<(Format, u16)>, EndOfBits> {
    let mut bits = BitReader::new(packet);
    if bits.read(16)? != SYNC_WORD {
        return Ok(None);
    }
    bits.skip(16)?; // crc1
    let (fscod, size_code, bsid) = (bits.read(2)?, bits.read(6)?, bits.read(5)?);
    let (bsmod, acmod) = (bits.read(3)?, bits.read(3)?);
    if acmod & 1 != 0 && acmod != 1 {
        bits.skip(2)?; // cmixlev
    }
    if acmod & 4 != 0 {
        bits.skip(2)?; // surmixlev
    }
    if acmod == 2 {
        bits.skip(2)?; // dsurmod
    }
    let bass = bits.flag()?;
    if fscod as usize >= RATES.len() || bsid > MAX_AC3_BSID || size_code > 37 {
        return Ok(None);
    }
    let format = Format {
        codec: Codec::Ac3,
        // All of six bits at most.
        fields: (fscod as u8, bsid as u8, bsmod as u8, acmod as u8, bass),
        blocks: AC3_BLOCKS,
        dependents: 0,
        locations: 0,
    };
    Ok(Some((format, (size_code >> 1) as u16)))
}

/// Reads a packet of an independent substream, several times if its frames are short, and of dependent substreams that add channels.
fn eac3(packet: &[u8]) -> Result<Option<(Format, u16)>, EndOfBits> {
    let mut found: Option<Format> = None;
    let mut bytes = 0;
    let mut rest = packet;
    for _ in 0..MAX_FRAMES {
        let Some(frame) = eac3_frame(rest)? else { break };
        match &mut found {
            None if frame.is_dependent => return Ok(None),
            None => found = Some(frame.format),
            Some(format) if !frame.is_dependent => format.blocks = format.blocks.saturating_add(frame.format.blocks),
            Some(format) if format.blocks == frame.format.blocks => {
                format.dependents += 1;
                format.locations |= frame.format.locations;
            }
            Some(_) => {}
        }
        bytes += frame.size;
        rest = rest.get(frame.size..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
    }
    let Some(format) = found else { return Ok(None) };
    let samples = u32::from(format.blocks) * BLOCK_SAMPLES;
    let kbps = bytes as u64 * 8 * u64::from(format.rate()) / u64::from(samples) / 1000;
    Ok(Some((format, u16::try_from(kbps).unwrap_or(u16::MAX).min(0x1fff))))
}

struct Eac3Frame {
    format: Format,
    is_dependent: bool,
    size: usize,
}

fn eac3_frame(frame: &[u8]) -> Result<Option<Eac3Frame>, EndOfBits> {
    let mut bits = BitReader::new(frame);
    if bits.read(16)? != SYNC_WORD {
        return Ok(None);
    }
    let stream_type = bits.read(2)?;
    bits.skip(3)?; // substreamid
    let size = (bits.read(11)? as usize + 1) * 2;
    let (fscod, blocks) = match bits.read(2)? {
        3 => {
            bits.skip(2)?; // fscod2
            (3, 6)
        }
        fscod => (fscod, [1, 2, 3, 6][bits.read(2)? as usize]),
    };
    let (acmod, bass, bsid) = (bits.read(3)?, bits.flag()?, bits.read(5)?);
    // Half rates are no rates that a `dec3` can name.
    if fscod == 3 || !EAC3_BSIDS.contains(&bsid) {
        return Ok(None);
    }
    let mut skip_levels = || -> Result<(), EndOfBits> {
        bits.skip(5)?; // dialnorm
        if bits.flag()? {
            bits.skip(8)?; // compr
        }
        Ok(())
    };
    skip_levels()?;
    if acmod == 0 {
        skip_levels()?;
    }
    let is_dependent = stream_type == 1;
    let mut locations = 0;
    if is_dependent && bits.flag()? {
        let map = bits.read(16)?;
        for (bit, location, _) in LOCATIONS {
            locations |= (((map >> (15 - bit)) & 1) << location) as u16;
        }
    }
    let format = Format {
        codec: Codec::Eac3,
        fields: (fscod as u8, bsid as u8, 0, acmod as u8, bass),
        blocks,
        dependents: 0,
        locations,
    };
    Ok(Some(Eac3Frame {
        format,
        is_dependent,
        size,
    }))
}

impl Format {
    fn rate(&self) -> u32 {
        RATES.get(usize::from(self.fields.0)).copied().unwrap_or(RATES[0])
    }

    /// The record of a configuration message: the content of `dac3`, or that of `dec3` and the blocks of a packet behind it.
    pub(crate) fn record(&self, bit_rate: u16) -> Bytes {
        let (fscod, bsid, bsmod, acmod, bass) = self.fields;
        let [fscod, bsid, bsmod, acmod] = [fscod, bsid, bsmod, acmod].map(u32::from);
        let mut bits = BitWriter::default();
        if self.codec == Codec::Ac3 {
            bits.write(2, fscod);
            bits.write(5, bsid);
            bits.write(3, bsmod);
            bits.write(3, acmod);
            bits.write(1, bass.into());
            bits.write(5, bit_rate.into());
            bits.write(5, 0);
            return bits.into_bytes().into();
        }
        bits.write(13, bit_rate.into());
        bits.write(3, 0); // one independent substream
        bits.write(2, fscod);
        bits.write(5, bsid);
        bits.write(1 + 1, 0); // reserved, asvc
        bits.write(3, bsmod);
        bits.write(3, acmod);
        bits.write(1, bass.into());
        bits.write(3, 0);
        bits.write(4, self.dependents.into());
        if self.dependents > 0 {
            bits.write(9, self.locations.into());
        } else {
            bits.write(1, 0);
        }
        let mut bytes = bits.into_bytes();
        bytes.push(self.blocks);
        bytes.into()
    }
}

/// Reads the record of [`Format::record`].
pub(super) fn parse(codec: Codec, record: &Bytes) -> Result<AudioConfig, Flaw> {
    let mut bits = BitReader::new(record);
    let (content, blocks) = if codec == Codec::Ac3 {
        (record.get(..DAC3).ok_or(Flaw::End)?, AC3_BLOCKS)
    } else {
        bits.skip(13 + 3)?;
        let (blocks, dec3) = record.split_last().ok_or(Flaw::End)?;
        if dec3.len() < MIN_DEC3 {
            return Err(Flaw::End);
        }
        (dec3, *blocks)
    };
    let (fscod, _bsid) = (bits.read(2)?, bits.read(5)?);
    if codec == Codec::Eac3 {
        bits.skip(2)?;
    }
    bits.skip(3)?; // bsmod
    let (acmod, bass) = (bits.read(3)?, bits.flag()?);
    let mut channels = CHANNELS[acmod as usize] + u8::from(bass);
    if codec == Codec::Eac3 {
        bits.skip(3)?;
        if bits.read(4)? > 0 {
            let locations = bits.read(9)?;
            let added = LOCATIONS
                .iter()
                .filter(|(_, location, _)| (locations >> location) & 1 == 1);
            channels += added.map(|(.., count)| count).sum::<u8>();
        }
    }
    let rate = *RATES.get(fscod as usize).ok_or(Flaw::Other("sampling frequency"))?;
    if blocks == 0 {
        return Err(Flaw::Other("audio blocks"));
    }
    Ok(AudioConfig {
        codec,
        record: Bytes::copy_from_slice(content),
        channels,
        sample_rate: rate,
        output_rate: rate,
        frame_samples: u32::from(blocks) * BLOCK_SAMPLES,
        codecs: if codec == Codec::Ac3 { "ac-3" } else { "ec-3" }.to_owned(),
        sample_bits: 16,
        silence: Bytes::new(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Heads of frames by ffmpeg, 48 kHz mono.
    pub(crate) const AC3_MONO: &[u8] = &[0x0b, 0x77, 0x48, 0x0d, 0x0c, 0x40, 0x2f, 0x84];
    pub(crate) const EAC3_MONO: &[u8] = &[0x0b, 0x77, 0x00, 0xbf, 0x32, 0x87, 0xc0, 0x00];

    fn config(codec: Codec, packet: &[u8]) -> AudioConfig {
        let (format, bit_rate) = read(codec, packet).unwrap();
        parse(codec, &format.record(bit_rate)).unwrap()
    }

    #[test]
    fn an_ac3_frame_tells_its_format() {
        let config = config(Codec::Ac3, AC3_MONO);
        assert_eq!(
            (config.channels, config.sample_rate, config.frame_samples),
            (1, 48_000, 1536)
        );
        // 96 kbit/s, as ffmpeg's own muxer writes it.
        assert_eq!(&config.record[..], [0x10, 0x08, 0xc0]);
        assert_eq!((config.codecs.as_str(), config.silent_frame()), ("ac-3", None));
    }

    #[test]
    fn an_eac3_frame_tells_its_format() {
        let mut packet = EAC3_MONO.to_vec();
        packet.resize(384, 0);
        let config = config(Codec::Eac3, &packet);
        assert_eq!(
            (config.channels, config.sample_rate, config.frame_samples),
            (1, 48_000, 1536)
        );
        assert_eq!(&config.record[..], [0x03, 0x00, 0x20, 0x02, 0x00]);
        assert_eq!(config.codecs, "ec-3");
    }

    #[test]
    fn a_dependent_substream_adds_its_channels() {
        let frame = |stream_type: u32, acmod: u32, map: Option<u32>| {
            let mut bits = BitWriter::default();
            bits.write(16, SYNC_WORD);
            bits.write(2, stream_type);
            bits.write(3, 0);
            bits.write(11, 7);
            bits.write(4, 0b0011); // 48 kHz, six blocks
            bits.write(3, acmod);
            bits.write(1, u32::from(stream_type == 0));
            bits.write(5, 16);
            bits.write(5 + 1, 0);
            if let Some(map) = map {
                bits.write(1, 1);
                bits.write(16, map);
            }
            let mut bytes = bits.into_bytes();
            bytes.resize(16, 0);
            bytes
        };
        let back = 1 << (15 - 6);
        let packet = [frame(0, 7, None), frame(1, 2, Some(back))].concat();
        let config = config(Codec::Eac3, &packet);
        assert_eq!((config.channels, config.frame_samples), (8, 1536));
        assert_eq!(config.record.len(), 6);
        assert_eq!(config.record[4..], [0x02, 0x02]);
    }

    #[test]
    fn packets_of_other_codecs_are_none() {
        assert_eq!(read(Codec::Ac3, EAC3_MONO), None);
        assert_eq!(read(Codec::Eac3, AC3_MONO), None);
        assert_eq!(read(Codec::Ac3, b"\x77\x0b"), None);
    }

    proptest! {
        #[test]
        fn any_packet_is_read_or_refused(
            is_enhanced: bool, at in 2..8_usize, value: u8, tail in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let (codec, head) = if is_enhanced { (Codec::Eac3, EAC3_MONO) } else { (Codec::Ac3, AC3_MONO) };
            let mut packet = [head, &tail].concat();
            packet[at] = value;
            if let Some((format, bit_rate)) = read(codec, &packet) {
                prop_assert!(parse(codec, &format.record(bit_rate)).is_ok());
            }
            let _ = parse(codec, &tail.into());
        }
    }
}
