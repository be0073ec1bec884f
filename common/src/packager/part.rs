//! A part as the cutters hand it to a rendition: samples with a place in time, still without a number.

use crate::cmaf::fragment::FragmentSample;

/// Most samples in a part. Reached only by frames that all have the same timestamp.
pub(super) const MAX_PART_SAMPLES: usize = 16_384;

/// Longest access unit taken, in bytes.
pub(super) const MAX_SAMPLE_BYTES: usize = 15 * 1024 * 1024;

/// Most payload in a part, so that with its boxes it stays below [`crate::cmaf::MAX_FRAGMENT_BYTES`].
pub(super) const MAX_PART_BYTES: usize = MAX_SAMPLE_BYTES;

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
