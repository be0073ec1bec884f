//! Sequence parameter sets of HEVC, up to the timing in their video usability information (ITU-T H.265 sections 7.3.2.2 and E.2.1).

use super::{BitReader, ColourInfo, Flaw, specified};

/// Bounds of the standard, which end loops over what cannot be.
const MAX_SHORT_TERM_SETS: u32 = 64;
const MAX_PICTURES: u32 = 16;
const MAX_LONG_TERM: u32 = 32;

/// `aspect_ratio_idc` of a ratio spelled out, and the ratios of the others (table E.1).
const EXTENDED_ASPECT: u8 = 255;
const ASPECTS: [(u16, u16); 17] = [
    (1, 1),
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

/// What stands in front of the coding tools.
pub(super) struct Start {
    pub(super) width: u32,
    pub(super) height: u32,
    sub_layers_minus1: u32,
}

/// What is used of the video usability information.
#[derive(Default)]
pub(super) struct Vui {
    pub(super) colour: ColourInfo,
    pub(super) aspect: Option<(u16, u16)>,
    /// `vui_num_units_in_tick` and `vui_time_scale`.
    pub(super) timing: Option<(u32, u32)>,
}

/// Reads up to the size of the picture, cropped.
pub(super) fn read_start(bits: &mut BitReader<'_>) -> Result<Start, Flaw> {
    bits.skip(4)?; // sps_video_parameter_set_id
    let sub_layers_minus1 = bits.read(3)?;
    bits.skip(1)?; // sps_temporal_id_nesting_flag
    skip_profile_tier_level(bits, sub_layers_minus1)?;
    bits.exp_golomb()?; // sps_seq_parameter_set_id
    let chroma_format = bits.exp_golomb()?;
    if chroma_format == 3 {
        bits.skip(1)?; // separate_colour_plane_flag
    }
    let (mut width, mut height) = (bits.exp_golomb()?, bits.exp_golomb()?);
    if bits.flag()? {
        let (unit_width, unit_height) = match chroma_format {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let mut crop = |unit: u64| -> Result<u64, Flaw> {
            Ok((u64::from(bits.exp_golomb()?) + u64::from(bits.exp_golomb()?)) * unit)
        };
        let cropped = |size: u32, crop: u64| u32::try_from(u64::from(size).saturating_sub(crop)).unwrap_or(0);
        width = cropped(width, crop(unit_width)?);
        height = cropped(height, crop(unit_height)?);
    }
    Ok(Start {
        width,
        height,
        sub_layers_minus1,
    })
}

fn skip_profile_tier_level(bits: &mut BitReader<'_>, sub_layers_minus1: u32) -> Result<(), Flaw> {
    const GENERAL: usize = 88;
    const LEVEL: usize = 8;
    bits.skip(GENERAL + LEVEL)?;
    let mut present = Vec::new();
    for _ in 0..sub_layers_minus1 {
        present.push((bits.flag()?, bits.flag()?));
    }
    if sub_layers_minus1 > 0 {
        bits.skip(2 * (8 - sub_layers_minus1 as usize))?;
    }
    for (profile, level) in present {
        bits.skip(if profile { GENERAL } else { 0 } + if level { LEVEL } else { 0 })?;
    }
    Ok(())
}

/// Reads on from [`read_start`] over the coding tools.
pub(super) fn read_vui(bits: &mut BitReader<'_>, start: &Start) -> Result<Vui, Flaw> {
    bits.exp_golomb()?; // bit_depth_luma_minus8
    bits.exp_golomb()?; // bit_depth_chroma_minus8
    let poc_bits = bits.exp_golomb()?.saturating_add(4);
    if poc_bits > 16 {
        return Err(Flaw::Other("picture order count"));
    }
    let first_layer = if bits.flag()? { 0 } else { start.sub_layers_minus1 };
    for _ in first_layer..=start.sub_layers_minus1 {
        skip_codes(bits, 3)?; // sps_max_dec_pic_buffering_minus1, sps_max_num_reorder_pics, sps_max_latency_increase_plus1
    }
    skip_codes(bits, 6)?; // sizes of coding and transform blocks
    if bits.flag()? && bits.flag()? {
        skip_scaling_lists(bits)?;
    }
    bits.skip(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.flag()? {
        bits.skip(8)?; // pcm bit depths
        skip_codes(bits, 2)?;
        bits.skip(1)?; // pcm_loop_filter_disabled_flag
    }
    skip_short_term_sets(bits)?;
    if bits.flag()? {
        let count = bits.exp_golomb()?;
        if count > MAX_LONG_TERM {
            return Err(Flaw::Other("long-term reference pictures"));
        }
        bits.skip((count * (poc_bits + 1)) as usize)?;
    }
    bits.skip(2)?; // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
    if bits.flag()? { vui(bits) } else { Ok(Vui::default()) }
}

fn skip_codes(bits: &mut BitReader<'_>, count: usize) -> Result<(), Flaw> {
    for _ in 0..count {
        bits.exp_golomb()?;
    }
    Ok(())
}

fn skip_scaling_lists(bits: &mut BitReader<'_>) -> Result<(), Flaw> {
    for size in 0..4 {
        let step = if size == 3 { 3 } else { 1 };
        for _ in (0..6).step_by(step) {
            if !bits.flag()? {
                bits.exp_golomb()?; // scaling_list_pred_matrix_id_delta
                continue;
            }
            let coefficients = 64.min(1 << (4 + (size << 1)));
            skip_codes(bits, coefficients + usize::from(size > 1))?;
        }
    }
    Ok(())
}

/// Section 7.3.7. A set may be told by its difference to the one before, so their sizes have to be kept.
fn skip_short_term_sets(bits: &mut BitReader<'_>) -> Result<(), Flaw> {
    let count = bits.exp_golomb()?;
    if count > MAX_SHORT_TERM_SETS {
        return Err(Flaw::Other("short-term reference picture sets"));
    }
    let mut pictures = 0;
    for index in 0..count {
        if index > 0 && bits.flag()? {
            bits.skip(1)?; // delta_rps_sign
            bits.exp_golomb()?; // abs_delta_rps_minus1
            let before = pictures;
            pictures = 0;
            for _ in 0..=before {
                // used_by_curr_pic_flag, or else use_delta_flag
                if bits.flag()? || bits.flag()? {
                    pictures += 1;
                }
            }
        } else {
            let (negative, positive) = (bits.exp_golomb()?, bits.exp_golomb()?);
            pictures = negative.saturating_add(positive);
            if pictures > MAX_PICTURES {
                return Err(Flaw::Other("short-term reference pictures"));
            }
            for _ in 0..pictures {
                bits.exp_golomb()?; // delta_poc_minus1
                bits.skip(1)?; // used_by_curr_pic_flag
            }
        }
    }
    Ok(())
}

fn vui(bits: &mut BitReader<'_>) -> Result<Vui, Flaw> {
    let mut vui = Vui::default();
    if bits.flag()? {
        vui.aspect = match bits.byte()? {
            // Sixteen bits each.
            EXTENDED_ASPECT => Some((bits.read(16)? as u16, bits.read(16)? as u16)).filter(|&(w, h)| w > 0 && h > 0),
            index => ASPECTS.get(usize::from(index)).copied(),
        };
    }
    if bits.flag()? {
        bits.skip(1)?; // overscan_appropriate_flag
    }
    if bits.flag()? {
        bits.skip(3)?; // video_format
        vui.colour.full_range = Some(bits.flag()?);
        if bits.flag()? {
            vui.colour.primaries = specified(bits.byte()?);
            vui.colour.transfer = specified(bits.byte()?);
            vui.colour.matrix = specified(bits.byte()?);
        }
    }
    if bits.flag()? {
        skip_codes(bits, 2)?; // chroma sample location
    }
    bits.skip(3)?; // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
    if bits.flag()? {
        skip_codes(bits, 4)?; // default display window
    }
    if bits.flag()? {
        vui.timing = Some((bits.read(32)?, bits.read(32)?));
    }
    Ok(vui)
}
