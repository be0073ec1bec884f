//! Sequence headers of AV1 (bitstream specification section 5.5).

use super::{BitReader, Flaw};
use crate::media::{access_unit::ColourInfo, colour::specified};

/// Code points that mean RGB coded as it is, and the "unspecified" of all three (ITU-T H.273).
const BT_709: u8 = 1;
const SRGB_TRANSFER: u8 = 13;
const IDENTITY_MATRIX: u8 = 0;
const UNSPECIFIED: u8 = 2;

/// From this level index on there are two tiers.
const FIRST_TIERED_LEVEL: u8 = 8;

/// Ticks a second, and ticks of a picture.
type Timing = (u32, u64);

/// What is used of a sequence header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SequenceHeader {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) timing: Option<Timing>,
    pub(super) colour: ColourInfo,
    profile: u8,
    level: u8,
    high_tier: bool,
    format: PixelFormat,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct PixelFormat {
    bit_depth: u8,
    monochrome: bool,
    subsampling_x: bool,
    subsampling_y: bool,
    sample_position: u8,
}

impl SequenceHeader {
    pub(super) fn read(bits: &mut BitReader<'_>) -> Result<Self, Flaw> {
        let profile = bits.read(3)? as u8;
        bits.skip(1)?; // still_picture
        let reduced = bits.flag()?;
        let (level, high_tier, timing) = if reduced {
            (bits.read(5)? as u8, false, None)
        } else {
            read_operating_points(bits)?
        };
        let (width_bits, height_bits) = (bits.read(4)? + 1, bits.read(4)? + 1);
        let (width, height) = (bits.read(width_bits)? + 1, bits.read(height_bits)? + 1);
        if !reduced && bits.flag()? {
            bits.skip(4 + 3)?; // lengths of frame ids
        }
        bits.skip(3)?; // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
        if !reduced {
            skip_inter_tools(bits)?;
        }
        bits.skip(3)?; // enable_superres, enable_cdef, enable_restoration
        let (format, colour) = read_colour(bits, profile)?;
        Ok(Self {
            width,
            height,
            timing,
            colour,
            profile,
            level,
            high_tier,
            format,
        })
    }

    /// As AV1 in ISOBMFF section 5 has it, as in `av01.0.04M.08`; the colours only where they are not those of BT.709.
    pub(super) fn codecs(&self) -> String {
        let format = &self.format;
        let tier = if self.high_tier { 'H' } else { 'M' };
        let short = format!("av01.{}.{:02}{tier}.{:02}", self.profile, self.level, format.bit_depth);
        let code = |code: Option<u8>| code.unwrap_or(UNSPECIFIED);
        let colour = &self.colour;
        let codes = [colour.primaries, colour.transfer, colour.matrix].map(code);
        let full_range = colour.full_range == Some(true);
        let is_usual = format.subsampling_x && format.subsampling_y && !format.monochrome && !full_range;
        if is_usual && (codes == [BT_709; 3] || codes == [UNSPECIFIED; 3]) {
            return short;
        }
        let [primaries, transfer, matrix] = codes;
        format!(
            "{short}.{}.{}{}{}.{primaries:02}.{transfer:02}.{matrix:02}.{}",
            u8::from(format.monochrome),
            u8::from(format.subsampling_x),
            u8::from(format.subsampling_y),
            format.sample_position,
            u8::from(full_range)
        )
    }

    /// The second and third byte of a configuration record.
    pub(super) fn record_fields(&self) -> [u8; 2] {
        let format = &self.format;
        let flags = [
            self.high_tier,
            format.bit_depth > 8,
            format.bit_depth > 10,
            format.monochrome,
            format.subsampling_x,
            format.subsampling_y,
        ];
        let flags = flags.iter().fold(0, |byte, &flag| (byte << 1) | u8::from(flag));
        [self.profile << 5 | self.level, flags << 2 | format.sample_position]
    }
}

/// Level and tier of the first operating point, and the timing.
fn read_operating_points(bits: &mut BitReader<'_>) -> Result<(u8, bool, Option<Timing>), Flaw> {
    let mut timing = None;
    let mut delay_bits = None;
    if bits.flag()? {
        let (units, scale) = (bits.read(32)?, bits.read(32)?);
        if bits.flag()? {
            let ticks = u64::from(bits.exp_golomb()?) + 1;
            timing = Some((scale, u64::from(units).saturating_mul(ticks)));
        }
        if bits.flag()? {
            delay_bits = Some(bits.read(5)? as usize + 1);
            bits.skip(32 + 5 + 5)?; // decoder model
        }
    }
    let has_display_delay = bits.flag()?;
    let count = bits.read(5)? + 1;
    let mut first = None;
    for _ in 0..count {
        bits.skip(12)?; // operating_point_idc
        let level = bits.read(5)? as u8;
        let high_tier = level >= FIRST_TIERED_LEVEL && bits.flag()?;
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(2 * delay_bits + 1)?;
        }
        if has_display_delay && bits.flag()? {
            bits.skip(4)?;
        }
        first.get_or_insert((level, high_tier));
    }
    let (level, high_tier) = first.ok_or(Flaw::End)?;
    Ok((level, high_tier, timing))
}

fn skip_inter_tools(bits: &mut BitReader<'_>) -> Result<(), Flaw> {
    bits.skip(4)?; // enable_interintra_compound, enable_masked_compound, enable_warped_motion, enable_dual_filter
    let order_hint = bits.flag()?;
    if order_hint {
        bits.skip(2)?; // enable_jnt_comp, enable_ref_frame_mvs
    }
    let has_screen_content_tools = bits.flag()? || bits.flag()?;
    if has_screen_content_tools && !bits.flag()? {
        bits.skip(1)?; // seq_force_integer_mv
    }
    if order_hint {
        bits.skip(3)?; // order_hint_bits_minus_1
    }
    Ok(())
}

fn read_colour(bits: &mut BitReader<'_>, profile: u8) -> Result<(PixelFormat, ColourInfo), Flaw> {
    let high = bits.flag()?;
    let bit_depth = match (profile, high) {
        (2, true) if bits.flag()? => 12,
        (_, true) => 10,
        (_, false) => 8,
    };
    let monochrome = profile != 1 && bits.flag()?;
    let mut colour = ColourInfo::default();
    if bits.flag()? {
        colour.primaries = specified(bits.byte()?);
        colour.transfer = specified(bits.byte()?);
        colour.matrix = specified(bits.byte()?);
    }
    let codes = [colour.primaries, colour.transfer, colour.matrix];
    let is_rgb = codes == [Some(BT_709), Some(SRGB_TRANSFER), Some(IDENTITY_MATRIX)];
    let (full_range, subsampling) = if is_rgb && !monochrome {
        (true, (false, false))
    } else {
        let full_range = bits.flag()?;
        let subsampling = match (profile, bit_depth) {
            _ if monochrome => (true, true),
            (0, _) => (true, true),
            (1, _) => (false, false),
            (_, 12) => {
                let x = bits.flag()?;
                (x, x && bits.flag()?)
            }
            _ => (true, false),
        };
        (full_range, subsampling)
    };
    colour.full_range = Some(full_range);
    let sample_position = if subsampling == (true, true) && !monochrome {
        bits.read(2)? as u8
    } else {
        0
    };
    let format = PixelFormat {
        bit_depth,
        monochrome,
        subsampling_x: subsampling.0,
        subsampling_y: subsampling.1,
        sample_position,
    };
    Ok((format, colour))
}
