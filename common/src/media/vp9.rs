//! Reads VP9 decoder configurations, and the size of the picture, which only key frames tell (VP9 bitstream specification
//! section 6.2, VP codec in ISOBMFF).

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{
    access_unit::{Codec, ColourInfo},
    bits::BitReader,
    colour::specified,
    config_error::{Flaw, picture_size},
    video_config::VideoConfig,
};

/// A `VPCodecConfigurationRecord`, bytes; no VP9 decoder is initialized with more.
const RECORD: usize = 8;

/// Version and flags of the box, which some encoders put in front of the record. No record starts so: it would have a bit depth of 0.
const BOX_VERSION: [u8; 4] = [1, 0, 0, 0];

const FRAME_MARKER: u32 = 0b10;
const SYNC_CODE: u32 = 0x49_8342;
const COLOUR_SPACE_RGB: u32 = 7;

/// BT.709, and "unspecified", of primaries, transfer and matrix alike (ITU-T H.273).
const BT_709: u8 = 1;
const UNSPECIFIED: u8 = 2;

/// Level by the samples of a picture, at up to 60 a second.
const LEVELS: [(u64, u8); 6] = [
    (480 * 270, 21),
    (854 * 480, 31),
    (1280 * 720, 40),
    (1920 * 1088, 41),
    (4096 * 2176, 51),
    (u64::MAX, 61),
];

/// What a key frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyFrame {
    width: u16,
    height: u16,
    profile: u8,
    bit_depth: u8,
    /// As the record has it: 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4.
    chroma: u8,
    full_range: bool,
}

impl KeyFrame {
    /// Reads the uncompressed header of a frame; `None` for other frames, and when it cannot be read.
    pub(crate) fn read(frame: &[u8]) -> Option<Self> {
        Self::read_bits(&mut BitReader::new(frame)).ok().flatten()
    }

    fn read_bits(bits: &mut BitReader<'_>) -> Result<Option<Self>, Flaw> {
        if bits.read(2)? != FRAME_MARKER {
            return Ok(None);
        }
        let profile = u8::from(bits.flag()?) | u8::from(bits.flag()?) << 1;
        if profile == 3 {
            bits.skip(1)?;
        }
        let (shows_existing, is_inter) = (bits.flag()?, bits.flag()?);
        bits.skip(2)?; // show_frame, error_resilient_mode
        if shows_existing || is_inter || bits.read(24)? != SYNC_CODE {
            return Ok(None);
        }
        let bit_depth = match profile {
            0 | 1 => 8,
            _ if bits.flag()? => 12,
            _ => 10,
        };
        let odd_profile = profile & 1 == 1;
        let (chroma, full_range) = if bits.read(3)? == COLOUR_SPACE_RGB {
            (3, true)
        } else {
            let full_range = bits.flag()?;
            let subsampled = !odd_profile || bits.flag()?;
            let subsampled_down = !odd_profile || bits.flag()?;
            let chroma = match (subsampled, subsampled_down) {
                (true, true) => 1,
                (true, false) => 2,
                _ => 3,
            };
            (chroma, full_range)
        };
        if odd_profile {
            bits.skip(1)?;
        }
        let (width, height) = picture_size(bits.read(16)? + 1, bits.read(16)? + 1)?;
        Ok(Some(Self {
            width,
            height,
            profile,
            bit_depth,
            chroma,
            full_range,
        }))
    }

    /// The record of this frame's configuration message: what the publisher announced, if it did, and the size behind it.
    pub(crate) fn record(&self, announced: Option<&[u8; RECORD]>) -> Bytes {
        let made_up = [
            self.profile,
            0,
            self.bit_depth << 4 | self.chroma << 1 | u8::from(self.full_range),
            UNSPECIFIED,
            UNSPECIFIED,
            UNSPECIFIED,
            0,
            0,
        ];
        let mut record = BytesMut::with_capacity(RECORD + 4);
        record.put_slice(announced.unwrap_or(&made_up));
        record.put_u16(self.width);
        record.put_u16(self.height);
        record.freeze()
    }
}

/// The `VPCodecConfigurationRecord` that a publisher announces, without initialization data, which VP9 has none of.
pub(crate) fn announced(data: &[u8]) -> Option<[u8; RECORD]> {
    let record = data.strip_prefix(&BOX_VERSION).unwrap_or(data);
    let mut record = *record.first_chunk::<RECORD>()?;
    record[6..].fill(0);
    Some(record)
}

/// Reads a record and the size behind it.
pub(super) fn parse(record: &Bytes) -> Result<VideoConfig, Flaw> {
    let (vpcc, size) = record.split_first_chunk::<RECORD>().ok_or(Flaw::End)?;
    let &[a, b, c, d] = size.first_chunk().ok_or(Flaw::End)?;
    let (width, height) = picture_size(u16::from_be_bytes([a, b]).into(), u16::from_be_bytes([c, d]).into())?;
    let &[profile, level, format, primaries, transfer, matrix, ..] = vpcc;
    let (bit_depth, chroma, full_range) = (format >> 4, (format >> 1) & 0b111, format & 1);
    if profile > 3 || !matches!(bit_depth, 8 | 10 | 12) {
        return Err(Flaw::Other("unknown profile or bit depth"));
    }
    let samples = u64::from(width) * u64::from(height);
    let level = match level {
        0 => LEVELS
            .iter()
            .find(|(most, _)| samples <= *most)
            .map_or(0, |(_, level)| *level),
        stated => stated,
    };
    let mut vpcc = *vpcc;
    vpcc[1] = level;
    let short = format!("vp09.{profile:02}.{level:02}.{bit_depth:02}");
    let is_usual = chroma <= 1
        && full_range == 0
        && [primaries, transfer, matrix]
            .iter()
            .all(|code| matches!(*code, BT_709 | UNSPECIFIED));
    let codecs = if is_usual {
        short
    } else {
        format!("{short}.{chroma:02}.{primaries:02}.{transfer:02}.{matrix:02}.{full_range:02}")
    };
    Ok(VideoConfig {
        codec: Codec::Vp9,
        record: Bytes::copy_from_slice(&vpcc),
        width,
        height,
        codecs,
        frame_rate_millihertz: None,
        sample_aspect_ratio: None,
        colour: ColourInfo {
            primaries: specified(primaries),
            transfer: specified(transfer),
            matrix: specified(matrix),
            full_range: Some(full_range == 1),
            ..ColourInfo::default()
        },
    })
}

#[cfg(test)]
pub(crate) mod tests;
