//! Reads our init segments and fragments back, for tests and tools.
//!
//! Written apart from the writers, so that an error of theirs shows. Not a general MP4 reader: one track a file, self-contained
//! fragments, no edit lists. Every count is bounded by the bytes at hand.

use bytes::Bytes;

use super::{MAX_FRAGMENT_BYTES, NON_SYNC_BIT};

mod boxes;

use boxes::{Fields, children, only};

/// Most samples of one fragment looked at.
pub const MAX_SAMPLES: usize = 65_536;

/// What an init segment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    pub track_id: u32,
    /// Ticks a second.
    pub timescale: u32,
    pub entry: SampleEntry,
}

/// The sample description, with the content of the decoder configuration's box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SampleEntry {
    Video {
        /// Name of the entry, as in `avc1`.
        kind: [u8; 4],
        width: u16,
        height: u16,
        record: Bytes,
        /// Primaries, transfer, matrix, and whether the range is full.
        colour: Option<(u16, u16, u16, bool)>,
    },
    Audio {
        /// Name of the entry, as in `mp4a`.
        kind: [u8; 4],
        channels: u16,
        sample_rate: u16,
        /// Of AAC without the descriptors around it.
        record: Bytes,
    },
}

/// Sample entries, and the boxes of their configurations.
const VIDEO_ENTRIES: [(&str, &str); 4] = [("avc1", "avcC"), ("hvc1", "hvcC"), ("av01", "av1C"), ("vp09", "vpcC")];
const AUDIO_ENTRIES: [(&str, &str); 5] = [
    ("mp4a", "esds"),
    ("Opus", "dOps"),
    ("fLaC", "dfLa"),
    ("ac-3", "dac3"),
    ("ec-3", "dec3"),
];
/// Configurations that have version and flags.
const FULL_CONFIGURATIONS: [&str; 2] = ["vpcC", "dfLa"];

/// One `moof` with its `mdat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    pub sequence_number: u32,
    pub track_id: u32,
    pub samples: Vec<Sample>,
}

/// One sample, times in ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    pub dts: u64,
    pub duration: u32,
    pub composition_offset: i32,
    pub flags: u32,
    pub payload: Bytes,
}

impl Sample {
    /// Whether decoding can start here.
    pub fn is_sync(&self) -> bool {
        self.flags & NON_SYNC_BIT == 0
    }
}

impl Fragment {
    /// Ticks of all samples together.
    pub fn duration(&self) -> u64 {
        self.samples.iter().map(|s| u64::from(s.duration)).sum()
    }
}

/// The bytes are not what our writers make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    #[error("{0} bytes; at most {MAX_FRAGMENT_BYTES} are read")]
    TooLong(usize),
    #[error("box {kind} ends at byte {at} of its content, before a field")]
    Truncated { kind: String, at: usize },
    #[error("no box {0}")]
    Missing(&'static str),
    #[error("more than one box {0}")]
    Repeated(&'static str),
    #[error("box {0} has a length that does not fit")]
    BoxLength(String),
    #[error("unexpected {0}")]
    Unexpected(&'static str),
}

/// Reads an init segment.
///
/// # Errors
/// When a box is missing or malformed, or there are samples or edits in it.
pub fn read_init(body: &Bytes) -> Result<Init, InspectError> {
    let top = read_top(body)?;
    only(&top, "ftyp")?;
    let moov = children(only(&top, "moov")?)?;
    let trak = children(only(&moov, "trak")?)?;
    if trak.iter().any(|b| b.kind == *b"edts") {
        return Err(InspectError::Unexpected("edit list"));
    }
    let mut tkhd = Fields::full(only(&trak, "tkhd")?)?;
    let track_id = tkhd.skip_times()?.u32()?;
    let mdia = children(only(&trak, "mdia")?)?;
    let mut mdhd = Fields::full(only(&mdia, "mdhd")?)?;
    let timescale = mdhd.skip_times()?.u32()?;
    let minf = children(only(&mdia, "minf")?)?;
    let stbl = children(only(&minf, "stbl")?)?;
    for table in ["stts", "stsc", "stsz", "stco"] {
        let mut fields = Fields::full(only(&stbl, table)?)?;
        if table == "stsz" {
            fields.u32()?;
        }
        if fields.u32()? != 0 {
            return Err(InspectError::Unexpected("samples in an init segment"));
        }
    }
    let trex = children(only(&moov, "mvex")?)?;
    let mut trex = Fields::full(only(&trex, "trex")?)?;
    if trex.u32()? != track_id {
        return Err(InspectError::Unexpected("track number in trex"));
    }
    let mut stsd = Fields::full(only(&stbl, "stsd")?)?;
    if stsd.u32()? != 1 {
        return Err(InspectError::Unexpected("number of sample entries"));
    }
    Ok(Init {
        track_id,
        timescale,
        entry: read_sample_entry(&stsd.rest())?,
    })
}

fn read_sample_entry(stsd: &Bytes) -> Result<SampleEntry, InspectError> {
    let entries = boxes::split(stsd)?;
    let [entry] = &entries[..] else {
        return Err(InspectError::Unexpected("number of sample entries"));
    };
    let mut fields = Fields::plain(entry);
    if let Some((_, configuration)) = VIDEO_ENTRIES.iter().find(|(kind, _)| kind.as_bytes() == entry.kind) {
        fields.skip(24)?;
        let (width, height) = (fields.u16()?, fields.u16()?);
        fields.skip(50)?;
        let inner = boxes::split(&fields.rest())?;
        return Ok(SampleEntry::Video {
            kind: entry.kind,
            width,
            height,
            record: read_configuration(&inner, configuration)?,
            colour: read_colour(&inner)?,
        });
    }
    let known = AUDIO_ENTRIES.iter().find(|(kind, _)| kind.as_bytes() == entry.kind);
    let (_, configuration) = known.ok_or(InspectError::Unexpected("sample entry"))?;
    fields.skip(16)?;
    let channels = fields.u16()?;
    fields.skip(6)?;
    let sample_rate = fields.u16()?;
    fields.skip(2)?;
    Ok(SampleEntry::Audio {
        kind: entry.kind,
        channels,
        sample_rate,
        record: read_configuration(&boxes::split(&fields.rest())?, configuration)?,
    })
}

fn read_configuration(inner: &[boxes::Box], kind: &'static str) -> Result<Bytes, InspectError> {
    let found = only(inner, kind)?;
    if kind == "esds" {
        return Fields::full(found)?.decoder_specific();
    }
    if FULL_CONFIGURATIONS.contains(&kind) {
        return Ok(Fields::full(found)?.rest());
    }
    Ok(found.content.clone())
}

fn read_colour(inner: &[boxes::Box]) -> Result<Option<(u16, u16, u16, bool)>, InspectError> {
    if inner.iter().all(|b| b.kind != *b"colr") {
        return Ok(None);
    }
    let mut fields = Fields::plain(only(inner, "colr")?);
    if fields.u32()? != u32::from_be_bytes(*b"nclx") {
        return Err(InspectError::Unexpected("kind of colr"));
    }
    let codes = (fields.u16()?, fields.u16()?, fields.u16()?);
    let full_range = fields.rest().first().is_some_and(|byte| byte & 0x80 != 0);
    Ok(Some((codes.0, codes.1, codes.2, full_range)))
}

/// Reads a part or a whole segment: any number of fragments, one after another.
///
/// # Errors
/// When a box is missing or malformed, or a sample lies outside its `mdat`.
pub fn read_fragments(body: &Bytes) -> Result<Vec<Fragment>, InspectError> {
    let top = read_top(body)?;
    let (pairs, rest) = top.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(InspectError::Missing("mdat"));
    }
    pairs
        .iter()
        .map(|[moof, mdat]| read_fragment(body, moof, mdat))
        .collect()
}

fn read_top(body: &Bytes) -> Result<Vec<boxes::Box>, InspectError> {
    if body.len() > MAX_FRAGMENT_BYTES {
        return Err(InspectError::TooLong(body.len()));
    }
    boxes::split(body)
}

fn read_fragment(body: &Bytes, moof: &boxes::Box, mdat: &boxes::Box) -> Result<Fragment, InspectError> {
    if moof.kind != *b"moof" || mdat.kind != *b"mdat" {
        return Err(InspectError::Unexpected("order of boxes"));
    }
    let inner = children(moof)?;
    let sequence_number = Fields::full(only(&inner, "mfhd")?)?.u32()?;
    let traf = children(only(&inner, "traf")?)?;
    let defaults = Defaults::read(only(&traf, "tfhd")?)?;
    let mut tfdt = Fields::full(only(&traf, "tfdt")?)?;
    let base = if tfdt.version == 1 {
        tfdt.u64()?
    } else {
        tfdt.u32()?.into()
    };
    let mut run = Fields::full(only(&traf, "trun")?)?;
    let count = run.u32()? as usize;
    if count > MAX_SAMPLES {
        return Err(InspectError::Unexpected("number of samples"));
    }
    let mut at = moof.offset;
    if run.has(0x1) {
        at = at
            .checked_add(run.u32()? as usize)
            .ok_or(InspectError::Unexpected("data offset"))?;
    }
    let first_flags = if run.has(0x4) { Some(run.u32()?) } else { None };
    let data = mdat.offset + 8..mdat.offset + 8 + mdat.content.len();
    let mut dts = base;
    let mut samples = Vec::new();
    for index in 0..count {
        let duration = if run.has(0x100) { run.u32()? } else { defaults.duration };
        let size = if run.has(0x200) { run.u32()? } else { defaults.size } as usize;
        let flags = if run.has(0x400) { run.u32()? } else { defaults.flags };
        let composition_offset = if run.has(0x800) { run.u32()?.cast_signed() } else { 0 };
        let end = at.checked_add(size).filter(|&end| at >= data.start && end <= data.end);
        let end = end.ok_or(InspectError::Unexpected("sample outside mdat"))?;
        samples.push(Sample {
            dts,
            duration,
            composition_offset,
            flags: first_flags.filter(|_| index == 0).unwrap_or(flags),
            payload: body.slice(at..end),
        });
        at = end;
        dts = dts
            .checked_add(duration.into())
            .ok_or(InspectError::Unexpected("decode time"))?;
    }
    if at != data.end {
        return Err(InspectError::Unexpected("bytes in mdat after the last sample"));
    }
    Ok(Fragment {
        sequence_number,
        track_id: defaults.track_id,
        samples,
    })
}

/// What a `tfhd` gives to samples that say nothing of their own.
struct Defaults {
    track_id: u32,
    duration: u32,
    size: u32,
    flags: u32,
}

impl Defaults {
    fn read(tfhd: &boxes::Box) -> Result<Self, InspectError> {
        let mut fields = Fields::full(tfhd)?;
        if !fields.has(0x02_0000) || fields.has(0x1) {
            return Err(InspectError::Unexpected("base of data offsets"));
        }
        let track_id = fields.u32()?;
        if fields.has(0x2) {
            fields.u32()?;
        }
        let mut optional = |flag| if fields.has(flag) { fields.u32() } else { Ok(0) };
        Ok(Self {
            track_id,
            duration: optional(0x8)?,
            size: optional(0x10)?,
            flags: optional(0x20)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cmaf::fragment::{self, FragmentSample, FragmentTrack};

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let bytes = Bytes::from(bytes);
            let _ = read_init(&bytes);
            let _ = read_fragments(&bytes);
        }

        #[test]
        fn a_damaged_fragment_never_panics(at in 0..120_usize, bits: u8, cut in 0..120_usize) {
            let sample = FragmentSample {
                duration: 3000, composition_offset: -5, sync: true, payload: Bytes::from_static(&[7; 16]),
            };
            let body = fragment::write(FragmentTrack::Video, 1, 5, &[sample]).unwrap();
            let mut damaged = body.to_vec();
            let at = at % damaged.len();
            damaged[at] ^= bits;
            let _ = read_fragments(&damaged.into());
            let _ = read_fragments(&body.slice(..cut.min(body.len())));
        }
    }
}
