//! Statements about high dynamic range, as SEI messages of HEVC and metadata units of AV1 carry them.

use super::access_unit::{ColourInfo, LightLevel, MasteringDisplay};

/// SEI payload types (ITU-T H.265 section D.2.1).
const MASTERING_DISPLAY: u32 = 137;
const CONTENT_LIGHT_LEVEL: u32 = 144;

/// Units of section D.3.28.
const CHROMATICITY_UNIT: f64 = 0.000_02;
const LUMINANCE_UNIT: f64 = 0.000_1;

/// Takes over what the message says, if it is about light.
pub(super) fn read_sei(kind: u32, content: &[u8], colour: &mut ColourInfo) {
    match kind {
        MASTERING_DISPLAY => colour.mastering = mastering(content).or(colour.mastering),
        CONTENT_LIGHT_LEVEL => colour.light_level = light_level(content).or(colour.light_level),
        _ => {}
    }
}

pub(super) fn light_level(content: &[u8]) -> Option<LightLevel> {
    let &[a, b, c, d] = content.first_chunk()?;
    Some(LightLevel {
        max_content: u16::from_be_bytes([a, b]),
        max_frame_average: u16::from_be_bytes([c, d]),
    })
}

fn mastering(content: &[u8]) -> Option<MasteringDisplay> {
    let ([green, blue, red, white], max, min) = points_and_luminances(content, CHROMATICITY_UNIT)?;
    Some(MasteringDisplay {
        red,
        green,
        blue,
        white,
        max_luminance: max * LUMINANCE_UNIT,
        min_luminance: min * LUMINANCE_UNIT,
    })
}

/// `metadata_hdr_mdcv` of AV1 (section 6.7.4): another order, and binary fractions.
pub(super) fn av1_mastering(content: &[u8]) -> Option<MasteringDisplay> {
    let ([red, green, blue, white], max, min) = points_and_luminances(content, 1.0 / 65_536.0)?;
    Some(MasteringDisplay {
        red,
        green,
        blue,
        white,
        max_luminance: max / 256.0,
        min_luminance: min / 16_384.0,
    })
}

/// Chromaticities in x and y.
type Points = [(f64, f64); 4];

/// Four points in their unit, and two luminances as they stand.
fn points_and_luminances(content: &[u8], unit: f64) -> Option<(Points, f64, f64)> {
    let (points, luminances) = content.split_first_chunk::<16>()?;
    let mut read = [(0.0, 0.0); 4];
    for (point, &[a, b, c, d]) in read.iter_mut().zip(points.as_chunks::<4>().0) {
        let coordinate = |bytes| f64::from(u16::from_be_bytes(bytes)) * unit;
        *point = (coordinate([a, b]), coordinate([c, d]));
    }
    let (max, rest) = luminances.split_first_chunk()?;
    let min = rest.first_chunk()?;
    Some((read, u32::from_be_bytes(*max).into(), u32::from_be_bytes(*min).into()))
}
