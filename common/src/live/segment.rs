//! One segment of one rendition: its parts' records, and those bodies that are here.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    id::Msn,
    live::{
        Part,
        records::{PartRecord, SegmentRecord},
    },
    time::{Monotonic, UnixMillis},
};

/// A segment that is listed, or was. Has at least one part.
#[derive(Clone, Debug)]
pub struct Segment {
    pub(super) msn: Msn,
    pub(super) init_id: u32,
    pub(super) discontinuity_number: u64,
    pub(super) complete: bool,
    pub(super) parts: Vec<StoredPart>,
    /// Set when it leaves the list.
    pub(super) departure: Option<Departure>,
}

/// A part's record, and its body if that is here.
#[derive(Clone, Debug)]
pub struct StoredPart {
    pub record: PartRecord,
    /// `None` for a gap, for a body that was dropped, and for one that never came.
    pub body: Option<Bytes>,
}

/// What becomes of a segment that left the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departure {
    pub(super) bodies_until: Monotonic,
    pub(super) record_until: Monotonic,
    pub(super) bodies_dropped: bool,
}

impl Segment {
    pub fn msn(&self) -> Msn {
        self.msn
    }

    /// The init segment that all its parts refer to.
    pub fn init_id(&self) -> u32 {
        self.init_id
    }

    /// Number of discontinuities in the epoch up to and with the start of this segment.
    pub fn discontinuity_number(&self) -> u64 {
        self.discontinuity_number
    }

    /// No part follows in it.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub fn parts(&self) -> &[StoredPart] {
        &self.parts
    }

    /// Sum of its parts' durations, ticks.
    pub fn duration(&self) -> u64 {
        self.parts.iter().map(|part| u64::from(part.record.duration)).sum()
    }

    /// Decode time of its first sample, ticks.
    pub fn dts(&self) -> u64 {
        self.parts.first().map_or(0, |part| part.record.dts)
    }

    /// Wall-clock time of its first sample.
    pub fn program_date_time(&self) -> UnixMillis {
        self.parts
            .first()
            .map_or(UnixMillis(0), |part| part.record.program_date_time)
    }

    /// Some of its media was lost.
    pub fn has_gap(&self) -> bool {
        self.parts.iter().any(|part| part.record.flags.gap)
    }

    /// It was closed by an event of its own, not by the `last` flag of its newest part.
    pub(super) fn needs_segment_end(&self) -> bool {
        self.complete && self.parts.last().is_some_and(|part| !part.record.flags.last)
    }

    pub(super) fn record(&self) -> SegmentRecord {
        SegmentRecord {
            msn: self.msn,
            init_id: self.init_id,
            discontinuity_number: self.discontinuity_number,
            complete: self.complete,
            parts: self.parts.iter().map(|part| part.record).collect(),
        }
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.parts
            .iter()
            .filter_map(|part| part.body.as_ref())
            .map(Bytes::len)
            .sum()
    }

    /// Takes the bodies away and returns how many bytes they held.
    pub(super) fn drop_bodies(&mut self) -> usize {
        let held = self.held_bytes();
        for part in &mut self.parts {
            part.body = None;
        }
        held
    }
}

impl StoredPart {
    /// `size` is the body's length as the caller has checked it.
    pub(super) fn new(part: Part, size: u32) -> Self {
        Self {
            record: PartRecord {
                dts: part.dts,
                duration: part.duration,
                program_date_time: part.program_date_time,
                flags: part.flags,
                size,
            },
            body: (!part.flags.gap).then_some(part.body),
        }
    }
}

/// `ticks` of a clock of `timescale` ticks a second, rounded down to the microsecond.
pub fn ticks_to_duration(ticks: u64, timescale: u32) -> Duration {
    let micros = u128::from(ticks) * 1_000_000 / u128::from(timescale.max(1));
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}
