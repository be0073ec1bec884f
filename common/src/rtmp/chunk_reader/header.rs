//! The header of one chunk (RTMP 1.0 section 5.3.1), taken from bytes that may not be all there yet.

/// Longest header, bytes: basic header 3, message header 11, extended timestamp 4.
pub(super) const MAX_LEN: usize = 18;
/// The 24-bit timestamp that says: see the extended timestamp.
const EXTENDED: u32 = 0x00ff_ffff;

/// A chunk's header; what its type leaves out is `None`.
pub(super) struct Header {
    /// Bytes of it.
    pub(super) size: usize,
    pub(super) csid: u32,
    /// The timestamp field (types 0, 1, 2), and whether it was extended.
    pub(super) field: Option<(u32, bool)>,
    /// Message length and type id (types 0, 1).
    pub(super) length_and_type: Option<(u32, u8)>,
    /// Message stream id (type 0).
    pub(super) stream_id: Option<u32>,
}

/// Reads a header from the start of `bytes`; `None` when more bytes are needed.
///
/// A header of type 3 repeats the extended timestamp of the header before it, says the specification; not every encoder does so
/// (OBS before 2024 among them). `repeatable` gives the values that would be a repetition, and any other bytes are payload. The
/// first byte that differs decides, so that the end of a message is not held back.
pub(super) fn parse(bytes: &[u8], repeatable: impl Fn(u32) -> Option<[u32; 2]>) -> Option<Header> {
    let first = *bytes.first()?;
    let (csid, mut size) = match first & 0x3f {
        0 => (64 + u32::from(*bytes.get(1)?), 2),
        1 => (64 + u32::from(*bytes.get(1)?) + 256 * u32::from(*bytes.get(2)?), 3),
        csid => (u32::from(csid), 1),
    };
    let format = first >> 6;
    let mut header = Header {
        size,
        csid,
        field: None,
        length_and_type: None,
        stream_id: None,
    };
    if format == 3 {
        if let Some(values) = repeatable(csid)
            && repeats(&bytes[size..], values)?
        {
            header.size += 4;
        }
        return Some(header);
    }

    let mut field = u24(bytes, size)?;
    size += 3;
    if format <= 1 {
        header.length_and_type = Some((u24(bytes, size)?, *bytes.get(size + 3)?));
        size += 4;
    }
    if format == 0 {
        header.stream_id = Some(u32::from_le_bytes(four(bytes, size)?));
        size += 4;
    }
    let extended = field == EXTENDED;
    if extended {
        field = u32::from_be_bytes(four(bytes, size)?);
        size += 4;
    }
    header.field = Some((field, extended));
    header.size = size;
    Some(header)
}

/// Whether `bytes` start with one of the values; `None` when that cannot be told yet.
fn repeats(bytes: &[u8], values: [u32; 2]) -> Option<bool> {
    let seen = &bytes[..bytes.len().min(4)];
    let possible = values.iter().any(|value| value.to_be_bytes().starts_with(seen));
    match (possible, seen.len()) {
        (false, _) => Some(false),
        (true, 4) => Some(true),
        (true, _) => None,
    }
}

fn u24(bytes: &[u8], at: usize) -> Option<u32> {
    let &[high, middle, low] = bytes.get(at..at + 3)?.first_chunk()?;
    Some(u32::from_be_bytes([0, high, middle, low]))
}

fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at + 4)?.first_chunk().copied()
}
