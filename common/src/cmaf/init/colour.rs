//! The colour boxes of a video sample entry.

use bytes::{BufMut as _, BytesMut};
use mp4_atom::{Colr, Encode as _};

use super::{InitError, boxed};
use crate::media::access_unit::{ColourInfo, LightLevel, MasteringDisplay};

/// "Unspecified", of primaries, transfer and matrix alike (ITU-T H.273).
const UNSPECIFIED: u8 = 2;

/// Units of `mdcv` (ISO/IEC 14496-12 section 12.1.8): chromaticities in 0.00002, luminance in 0.0001 candela per square metre.
const CHROMATICITY_UNITS: f64 = 50_000.0;
const LUMINANCE_UNITS: f64 = 10_000.0;

/// Writes what is known; nothing when nothing is.
pub(super) fn encode(colour: &ColourInfo, out: &mut BytesMut) -> Result<(), InitError> {
    let codes = [colour.primaries, colour.transfer, colour.matrix];
    if codes.iter().any(Option::is_some) || colour.full_range.is_some() {
        let [primaries, transfer, matrix] = codes.map(|code| u16::from(code.unwrap_or(UNSPECIFIED)));
        Colr::new(primaries, transfer, matrix, colour.full_range.unwrap_or(false))?.encode(out)?;
    }
    if let Some(level) = &colour.light_level {
        light_level(level, out)?;
    }
    if let Some(display) = &colour.mastering {
        mastering(display, out)?;
    }
    Ok(())
}

fn light_level(level: &LightLevel, out: &mut BytesMut) -> Result<(), InitError> {
    boxed(out, b"clli", |out| {
        out.put_u16(level.max_content);
        out.put_u16(level.max_frame_average);
        Ok(())
    })
}

fn mastering(display: &MasteringDisplay, out: &mut BytesMut) -> Result<(), InitError> {
    boxed(out, b"mdcv", |out| {
        for (x, y) in [display.green, display.blue, display.red, display.white] {
            out.put_u16((x * CHROMATICITY_UNITS).round() as u16);
            out.put_u16((y * CHROMATICITY_UNITS).round() as u16);
        }
        out.put_u32((display.max_luminance * LUMINANCE_UNITS).round() as u32);
        out.put_u32((display.min_luminance * LUMINANCE_UNITS).round() as u32);
        Ok(())
    })
}
