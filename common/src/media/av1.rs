//! Reads AV1 decoder configurations and the units that temporal units are made of (AV1 bitstream specification, AV1 in ISOBMFF).

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{
    access_unit::Codec,
    bits::BitReader,
    config_error::{Flaw, picture_size},
    hdr,
    video_config::{VideoConfig, plausible_rate},
};

mod sequence;

pub(crate) use sequence::SequenceHeader;

/// Types of open bitstream units (section 6.2.2).
const OBU_SEQUENCE_HEADER: u8 = 1;
const OBU_TEMPORAL_DELIMITER: u8 = 2;
const OBU_METADATA: u8 = 5;

/// `metadata_type` (section 6.7.1).
const METADATA_LIGHT_LEVEL: u64 = 1;
const METADATA_MASTERING: u64 = 2;
const METADATA_T35: u64 = 4;

/// Marker and version 1 of an `AV1CodecConfigurationRecord`, and its fixed fields' length in bytes.
const RECORD_VERSION: u8 = 0x81;
const RECORD_HEADER: usize = 4;

/// An open bitstream unit.
#[derive(Clone, Copy)]
struct Obu<'a> {
    kind: u8,
    /// With its header.
    whole: &'a [u8],
    payload: &'a [u8],
}

/// The units of a temporal unit. Ends where one does not fit.
fn obus(payload: &[u8]) -> impl Iterator<Item = Obu<'_>> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        let &header = rest.first()?;
        let (has_extension, has_size) = (header & 0b100 != 0, header & 0b10 != 0);
        let mut at = 1 + usize::from(has_extension);
        let end = if has_size {
            let (size, length) = leb128(rest.get(at..)?)?;
            at += length;
            at.checked_add(usize::try_from(size).ok()?)?
        } else {
            rest.len()
        };
        let obu = Obu {
            kind: (header >> 3) & 0b1111,
            whole: rest.get(..end)?,
            payload: rest.get(at..end)?,
        };
        rest = &rest[end..];
        Some(obu)
    })
}

/// A number and how many bytes it takes (section 4.10.5).
fn leb128(bytes: &[u8]) -> Option<(u64, usize)> {
    const MAX_LENGTH: usize = 8;
    let mut value = 0;
    for (index, byte) in bytes.iter().take(MAX_LENGTH).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// Reads an `AV1CodecConfigurationRecord` with a sequence header in it.
pub(super) fn parse(record: &Bytes) -> Result<VideoConfig, Flaw> {
    let (&[version, ..], config_obus) = record.split_first_chunk::<RECORD_HEADER>().ok_or(Flaw::End)?;
    if version != RECORD_VERSION {
        return Err(Flaw::Other("unknown version"));
    }
    let header = obus(config_obus)
        .find(|obu| obu.kind == OBU_SEQUENCE_HEADER)
        .ok_or(Flaw::Other("no sequence header"))?;
    let header = SequenceHeader::read(&mut BitReader::new(header.payload))?;
    let (width, height) = picture_size(header.width, header.height)?;
    let mut colour = header.colour;
    for (kind, content) in metadata(config_obus) {
        match kind {
            METADATA_LIGHT_LEVEL => colour.light_level = hdr::light_level(content).or(colour.light_level),
            METADATA_MASTERING => colour.mastering = hdr::av1_mastering(content).or(colour.mastering),
            _ => {}
        }
    }
    Ok(VideoConfig {
        codec: Codec::Av1,
        record: Bytes::copy_from_slice(record),
        width,
        height,
        codecs: header.codecs(),
        frame_rate_millihertz: header.timing.and_then(|(scale, units)| plausible_rate(scale, units)),
        sample_aspect_ratio: None,
        colour,
    })
}

/// The sequence header among the units, its own header included; none is in most temporal units.
pub(crate) fn sequence_header(payload: &[u8]) -> Option<&[u8]> {
    obus(payload)
        .find(|obu| obu.kind == OBU_SEQUENCE_HEADER)
        .map(|obu| obu.whole)
}

/// The sequence header in a configuration record.
pub(crate) fn sequence_header_of_record(record: &[u8]) -> Option<&[u8]> {
    sequence_header(record.get(RECORD_HEADER..)?)
}

/// Reads a sequence header with its own header.
pub(crate) fn read_header(obu: &[u8]) -> Option<SequenceHeader> {
    let obu = obus(obu).next()?;
    SequenceHeader::read(&mut BitReader::new(obu.payload)).ok()
}

/// Makes a configuration record out of a sequence header as it stands in a temporal unit; `None` when it cannot be read.
pub(crate) fn record(sequence_header: &[u8]) -> Option<Bytes> {
    let header = read_header(sequence_header)?;
    let mut record = BytesMut::with_capacity(RECORD_HEADER + sequence_header.len());
    record.put_u8(RECORD_VERSION);
    record.put_slice(&header.record_fields());
    record.put_u8(0);
    record.put_slice(sequence_header);
    Some(record.freeze())
}

/// The temporal unit as a sample holds it: without temporal delimiters (AV1 in ISOBMFF section 2.4).
pub(crate) fn sample(payload: &Bytes) -> Bytes {
    let is_delimiter = |obu: &Obu<'_>| obu.kind == OBU_TEMPORAL_DELIMITER;
    let leading: usize = obus(payload).take_while(is_delimiter).map(|obu| obu.whole.len()).sum();
    let rest = payload.slice(leading..);
    if !obus(&rest).any(|obu| is_delimiter(&obu)) {
        return rest;
    }
    let mut kept = BytesMut::with_capacity(rest.len());
    for obu in obus(&rest).filter(|obu| !is_delimiter(obu)) {
        kept.put_slice(obu.whole);
    }
    kept.freeze()
}

/// ITU-T T.35 messages in metadata units.
pub(super) fn t35_messages(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    metadata(payload).filter_map(|(kind, content)| (kind == METADATA_T35).then_some(content))
}

fn metadata(payload: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    obus(payload).filter(|obu| obu.kind == OBU_METADATA).filter_map(|obu| {
        let (kind, length) = leb128(obu.payload)?;
        Some((kind, &obu.payload[length..]))
    })
}

#[cfg(test)]
pub(crate) mod tests;
