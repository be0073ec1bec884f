//! A part as the cutters hand it to a rendition: samples with a place in time, still without a number.

use crate::cmaf::{MAX_FRAGMENT_BYTES, fragment::FragmentSample};

/// Most samples in a part: five seconds at 400 frames a second. Reached only by frames that all have the same timestamp; all of an unfinished
/// part are looked at with each that comes.
pub(super) const MAX_PART_SAMPLES: usize = 2_048;

/// Longest access unit of a picture taken, in bytes.
pub(super) const MAX_SAMPLE_BYTES: usize = 15 * 1024 * 1024;

/// Longest access unit of a sound taken, in bytes. The longest honest ones are of FLAC: 16384 samples, the most that its streamable subset
/// has, of 8 channels and 24 bits take 384 KiB.
pub(super) const MAX_SOUND_BYTES: usize = 512 * 1024;

/// Most frames of a sound in a part.
pub(super) const MAX_PART_SOUNDS: u32 = 500;

/// Most payload in a part, so that with its boxes it stays below [`MAX_FRAGMENT_BYTES`].
pub(super) const MAX_PART_BYTES: usize = MAX_SAMPLE_BYTES;

/// What a fragment takes for each of its samples, and all of it beside them, in bytes: more than it does.
const SAMPLE_ENTRY: usize = 16;
const FRAGMENT_BOXES: usize = 1024;

const _: () = assert!(
    MAX_SOUND_BYTES <= MAX_PART_BYTES
        && MAX_PART_SOUNDS as usize <= MAX_PART_SAMPLES
        && MAX_PART_BYTES + MAX_PART_SAMPLES * SAMPLE_ENTRY + FRAGMENT_BOXES <= MAX_FRAGMENT_BYTES,
    "every part that the cutters make can be written"
);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct CutPart {
    /// Ticks, of the first sample.
    pub(super) dts: u64,
    pub(super) samples: Vec<FragmentSample>,
    /// Nothing follows in its segment.
    pub(super) last: bool,
}

impl CutPart {
    /// Ticks.
    pub(super) fn duration(&self) -> u64 {
        self.samples.iter().map(|s| u64::from(s.duration)).sum()
    }
}

/// Frames left out or put in, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AudioCounts {
    /// Before the start of the segment that they would have begun.
    pub(super) early: u64,
    /// Behind the count of samples.
    pub(super) late: u64,
    /// After the end of a segment that could not take them.
    pub(super) excess: u64,
    pub(super) silent: u64,
}

/// What audio is cut into, in order.
#[derive(Debug, PartialEq)]
pub(super) enum AudioCut {
    Part(CutPart),
    /// The segment ends after a part that was not known to be the last one.
    SegmentEnd,
}
