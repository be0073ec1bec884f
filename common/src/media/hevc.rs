//! Reads HEVC decoder configurations: what playlists and init segments say of the picture.
//!
//! Slices are never parsed here; that decoding can start at a picture is the demuxer's word.

use bytes::{BufMut as _, Bytes, BytesMut};
use mp4_atom::{Atom as _, Hvcc};

use super::{
    access_unit::{Codec, ColourInfo},
    bits::BitReader,
    colour::specified,
    config_error::{Flaw, picture_size},
    hdr, nal,
    video_config::{VideoConfig, plausible_rate},
};

mod sps;

/// NAL unit types (ITU-T H.265 table 7-1).
const PARAMETER_SETS: std::ops::RangeInclusive<u8> = 32..=34;
const NAL_SPS: u8 = 33;
const NAL_PREFIX_SEI: u8 = 39;

/// Most parameter sets of a record that are looked for in the pictures: there are so many ids (16 for video, 16 for sequences, 64 for
/// pictures).
const MAX_PARAMETER_SETS: usize = 96;

/// Header of a NAL unit, bytes.
const NAL_HEADER: usize = 2;

/// Reads an `HEVCDecoderConfigurationRecord` (ISO/IEC 14496-15 section 8.3.3).
pub(super) fn parse(record: &Bytes) -> Result<VideoConfig, Flaw> {
    let mut hvcc = Hvcc::decode_body(&mut record.as_ref()).map_err(|_| Flaw::Other("unreadable record"))?;
    if hvcc.length_size_minus_one != 3 {
        return Err(Flaw::Other("NAL unit lengths that are not of 4 bytes"));
    }
    let units = |kind: u8| {
        let of_kind = hvcc.arrays.iter().filter(move |array| array.nal_unit_type == kind);
        of_kind.flat_map(|array| &array.nalus)
    };
    let sps = units(NAL_SPS).next().ok_or(Flaw::Other("no sequence parameter set"))?;
    let sps = nal::unescape(sps);
    let payload = sps.get(NAL_HEADER..).ok_or(Flaw::End)?;
    let mut bits = BitReader::new(payload);
    let start = sps::read_start(&mut bits)?;
    let (width, height) = picture_size(start.width, start.height)?;
    // What follows the size is welcome, but a stream plays without.
    let vui = sps::read_vui(&mut bits, &start).unwrap_or_default();
    let mut colour = vui.colour;
    for sei in units(NAL_PREFIX_SEI) {
        let unescaped = nal::unescape(sei);
        let messages = nal::sei_messages(unescaped.get(NAL_HEADER..).unwrap_or_default());
        messages.for_each(|(kind, content)| hdr::read_sei(kind, content, &mut colour));
    }
    let codecs = codecs(&hvcc);
    // A sample entry `hvc1` says so: parameter sets are nowhere else.
    let parameter_sets = hvcc
        .arrays
        .iter_mut()
        .filter(|array| PARAMETER_SETS.contains(&array.nal_unit_type));
    parameter_sets.for_each(|array| array.completeness = true);
    let mut record = BytesMut::new();
    hvcc.encode_body(&mut record)
        .map_err(|_| Flaw::Other("unreadable record"))?;
    Ok(VideoConfig {
        codec: Codec::Hevc,
        record: record.freeze(),
        width,
        height,
        codecs,
        frame_rate_millihertz: vui
            .timing
            .and_then(|(units, scale)| plausible_rate(scale, units.into())),
        sample_aspect_ratio: vui.aspect.filter(|(width, height)| width != height),
        colour,
    })
}

/// The parameter sets of a record, to find them again in what follows.
#[derive(Debug, Default)]
pub(crate) struct ParameterSets {
    /// Sorted, for an access unit may have a million units.
    sets: Vec<Bytes>,
}

impl ParameterSets {
    /// Of a record that is no longer than [`MAX_RECORD_BYTES`](super::config_error::MAX_RECORD_BYTES).
    pub(crate) fn of(record: &Bytes) -> Self {
        let Ok(hvcc) = Hvcc::decode_body(&mut record.as_ref()) else {
            return Self::default();
        };
        let of_parameters = |array: &mp4_atom::HvcCArray| PARAMETER_SETS.contains(&array.nal_unit_type);
        let arrays = hvcc.arrays.into_iter().filter(of_parameters);
        let units = arrays.flat_map(|array| array.nalus).map(Bytes::from);
        let mut sets: Vec<Bytes> = units.take(MAX_PARAMETER_SETS).collect();
        sets.sort_unstable();
        Self { sets }
    }

    fn has(&self, unit: &[u8]) -> bool {
        let is_set = unit
            .first()
            .is_some_and(|&header| PARAMETER_SETS.contains(&(header >> 1)));
        is_set && self.sets.binary_search_by(|set| (**set).cmp(unit)).is_ok()
    }
}

/// The access unit as a sample of `hvc1` holds it: without repetitions of the record's parameter sets. Other ones stay: they may be
/// what the picture is coded by.
pub(crate) fn sample(payload: &Bytes, parameter_sets: &ParameterSets) -> Bytes {
    let is_repeated = |unit: &[u8]| parameter_sets.has(unit);
    if !nal::units(payload).any(is_repeated) {
        return payload.clone();
    }
    let mut kept = BytesMut::with_capacity(payload.len());
    for unit in nal::units(payload).filter(|unit| !is_repeated(unit)) {
        // It was behind its length.
        kept.put_u32(unit.len() as u32);
        kept.put_slice(unit);
    }
    kept.freeze()
}

/// As ISO/IEC 14496-15 annex E has it, as in `hvc1.1.6.L93.B0`.
fn codecs(hvcc: &Hvcc) -> String {
    let space = ["", "A", "B", "C"][usize::from(hvcc.general_profile_space & 0b11)];
    let tier = if hvcc.general_tier_flag { 'H' } else { 'L' };
    let compatibility = u32::from_be_bytes(hvcc.general_profile_compatibility_flags).reverse_bits();
    let mut codecs = format!(
        "hvc1.{space}{}.{compatibility:X}.{tier}{}",
        hvcc.general_profile_idc, hvcc.general_level_idc
    );
    let constraints = &hvcc.general_constraint_indicator_flags;
    let used = constraints
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    for byte in &constraints[..used] {
        codecs.push_str(&format!(".{byte:X}"));
    }
    codecs
}

#[cfg(test)]
pub(crate) mod tests;
