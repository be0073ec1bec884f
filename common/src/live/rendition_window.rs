//! One rendition's side of a window: segments in order without holes, and the init segments that they need.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;

use crate::{
    id::{Msn, PartId, RenditionId},
    live::{
        Part, PartFlags,
        description::{MAX_DTS, MAX_MSN},
        error::{PartRule, RecordRule, WindowError},
        records::{PartRecord, SegmentRecord},
        retention::{MAX_LISTED_SEGMENTS, Retention},
        segment::{Departure, Segment, StoredPart, ticks_to_duration},
    },
    time::Monotonic,
};

/// Longest body of a part.
pub const MAX_PART_LEN: usize = 16 << 20;
/// Most parts in a segment: 12 s of 50 ms parts, and room to spare.
pub const MAX_PARTS_PER_SEGMENT: usize = 512;
/// Longest init segment.
pub const MAX_INIT_LEN: usize = 64 << 10;
/// Most init segments of a rendition at a time.
pub const MAX_INITS: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct RenditionWindow {
    id: RenditionId,
    timescale: u32,
    first_msn: Msn,
    /// Numbers follow each other. First those that left the list, then the listed ones; only the last may be open.
    segments: VecDeque<Segment>,
    departed: usize,
    inits: BTreeMap<u32, Bytes>,
    held_bytes: usize,
}

impl RenditionWindow {
    pub(super) fn new(id: RenditionId, timescale: u32, first_msn: Msn) -> Self {
        let segments = VecDeque::new();
        Self {
            id,
            timescale,
            first_msn,
            segments,
            departed: 0,
            inits: BTreeMap::new(),
            held_bytes: 0,
        }
    }

    /// Fills an empty window with records, oldest first. On an error the window is of no use.
    pub(super) fn take_records(&mut self, records: Vec<SegmentRecord>) -> Result<(), WindowError> {
        let rendition = self.id;
        let broken = |rule| WindowError::BadRecords { rendition, rule };
        if records.len() > MAX_LISTED_SEGMENTS + 1 {
            return Err(broken(RecordRule::TooManySegments));
        }
        for record in records {
            self.take_record(record).map_err(broken)?;
        }
        Ok(())
    }

    fn take_record(&mut self, record: SegmentRecord) -> Result<(), RecordRule> {
        let newest = self.segments.back();
        let due = newest.map_or(record.msn.max(self.first_msn), |segment| segment.msn.next());
        if record.msn != due || record.msn.0 > MAX_MSN {
            return Err(RecordRule::Numbers);
        }
        if newest.is_some_and(|segment| !segment.complete) {
            return Err(RecordRule::OpenInside);
        }
        let Some(first) = record.parts.first() else {
            return Err(RecordRule::NoParts);
        };
        if let Some(newest) = newest {
            let marks = u64::from(first.flags.discontinuity);
            if newest.discontinuity_number.checked_add(marks) != Some(record.discontinuity_number) {
                return Err(RecordRule::Discontinuity);
            }
        }
        let mut segment = Segment {
            msn: record.msn,
            init_id: record.init_id,
            discontinuity_number: record.discontinuity_number,
            complete: record.complete,
            parts: Vec::with_capacity(record.parts.len().min(MAX_PARTS_PER_SEGMENT)),
            departure: None,
        };
        let last_index = record.parts.len() - 1;
        for (index, part) in record.parts.into_iter().enumerate() {
            if part.flags.last && (index != last_index || !record.complete) {
                return Err(RecordRule::LastFlag);
            }
            self.check_place(&segment.parts, record.init_id, &part)
                .map_err(RecordRule::Part)?;
            segment.parts.push(StoredPart {
                record: part,
                body: None,
            });
        }
        self.segments.push_back(segment);
        Ok(())
    }

    /// What a part has to keep whether it comes as an event or as a record. `before` are the parts before it in its segment.
    fn check_place(&self, before: &[StoredPart], init_id: u32, part: &PartRecord) -> Result<(), PartRule> {
        let PartFlags { discontinuity, gap, .. } = part.flags;
        if part.duration == 0 {
            return Err(PartRule::NoDuration);
        }
        if before.len() >= MAX_PARTS_PER_SEGMENT {
            return Err(PartRule::TooManyParts);
        }
        if discontinuity && !before.is_empty() {
            return Err(PartRule::DiscontinuityInside);
        }
        if part.size as usize > MAX_PART_LEN {
            return Err(PartRule::TooLong);
        }
        if gap != (part.size == 0) {
            return Err(PartRule::Body);
        }
        let newest = self.segments.back();
        if before.is_empty() && newest.is_some_and(|segment| segment.init_id > init_id) {
            return Err(PartRule::InitOrder);
        }
        let previous = before
            .last()
            .or_else(|| newest.and_then(|segment| segment.parts.last()));
        if part.dts > MAX_DTS || previous.is_some_and(|previous| previous.record.dts >= part.dts) {
            return Err(PartRule::DecodeTime);
        }
        Ok(())
    }

    /// Place of the part that comes next.
    pub(super) fn next(&self) -> (Msn, u32) {
        match self.segments.back() {
            None => (self.first_msn, 0),
            Some(newest) if newest.complete => (newest.msn.next(), 0),
            Some(newest) => (newest.msn, part_count(newest)),
        }
    }

    pub(super) fn last_complete(&self) -> Option<Msn> {
        let newest = self.segments.back()?;
        if newest.complete {
            return Some(newest.msn);
        }
        (newest.msn > self.first_msn).then(|| Msn(newest.msn.0 - 1))
    }

    pub(super) fn open(&self) -> Option<&Segment> {
        self.segments.back().filter(|segment| !segment.complete)
    }

    pub(super) fn listed(&self) -> impl DoubleEndedIterator<Item = &Segment> + ExactSizeIterator {
        self.segments.range(self.departed..)
    }

    /// A segment that is listed or still kept.
    pub(super) fn segment(&self, msn: Msn) -> Option<&Segment> {
        self.segments.get(self.index(msn)?)
    }

    fn index(&self, msn: Msn) -> Option<usize> {
        let oldest = self.segments.front()?.msn;
        usize::try_from(msn.0.checked_sub(oldest.0)?)
            .ok()
            .filter(|&index| index < self.segments.len())
    }

    pub(super) fn init(&self, init_id: u32) -> Option<&Bytes> {
        self.inits.get(&init_id)
    }

    pub(super) fn inits(&self) -> impl Iterator<Item = (u32, &Bytes)> {
        self.inits.iter().map(|(&id, body)| (id, body))
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Returns whether anything changed: an init segment may come again with the same bytes.
    pub(super) fn add_init(&mut self, init_id: u32, body: Bytes) -> Result<bool, WindowError> {
        let rendition = self.id;
        if let Some(here) = self.inits.get(&init_id) {
            return if *here == body {
                Ok(false)
            } else {
                Err(WindowError::InitChanged { rendition, init_id })
            };
        }
        let needed = self.oldest_init_needed().is_none_or(|oldest| init_id >= oldest);
        if !needed || body.is_empty() || body.len() > MAX_INIT_LEN || self.inits.len() >= MAX_INITS {
            return Err(WindowError::BadInit { rendition, init_id });
        }
        self.held_bytes += body.len();
        self.inits.insert(init_id, body);
        Ok(true)
    }

    fn oldest_init_needed(&self) -> Option<u32> {
        self.segments.front().map(|segment| segment.init_id)
    }

    pub(super) fn add_part(&mut self, part: Part, now: Monotonic, listing: Listing) -> Result<(), WindowError> {
        let id = part.id;
        let due = self.next();
        if (id.msn, id.part) != due {
            return Err(WindowError::OutOfOrder { got: id, due });
        }
        let size = self
            .check_part(&part)
            .map_err(|rule| WindowError::BadPart { id, rule })?;
        self.held_bytes += part.body.len();
        let PartFlags {
            last, discontinuity, ..
        } = part.flags;
        let init_id = part.init_id;
        let stored = StoredPart::new(part, size);
        match self.segments.back_mut() {
            Some(open) if !open.complete => open.parts.push(stored),
            newest => {
                let marks_before = newest.map_or(0, |segment| segment.discontinuity_number);
                self.segments.push_back(Segment {
                    msn: id.msn,
                    init_id,
                    discontinuity_number: marks_before + u64::from(discontinuity),
                    complete: false,
                    parts: vec![stored],
                    departure: None,
                });
            }
        }
        if last {
            self.close_open(now, listing);
        }
        Ok(())
    }

    /// Returns the body's size.
    fn check_part(&self, part: &Part) -> Result<u32, PartRule> {
        if part.id.msn.0 > MAX_MSN {
            return Err(PartRule::Number);
        }
        let size = u32::try_from(part.body.len()).map_err(|_| PartRule::TooLong)?;
        let before = match self.open() {
            Some(open) if open.init_id != part.init_id => return Err(PartRule::InitOrder),
            Some(open) => open.parts.as_slice(),
            None if !self.inits.contains_key(&part.init_id) => return Err(PartRule::UnknownInit),
            None => &[],
        };
        let record = PartRecord {
            dts: part.dts,
            duration: part.duration,
            program_date_time: part.program_date_time,
            flags: part.flags,
            size,
        };
        self.check_place(before, part.init_id, &record)?;
        Ok(size)
    }

    pub(super) fn end_segment(&mut self, msn: Msn, now: Monotonic, listing: Listing) -> Result<(), WindowError> {
        if self.open().is_none_or(|open| open.msn != msn) {
            return Err(WindowError::SegmentNotOpen {
                rendition: self.id,
                msn,
            });
        }
        self.close_open(now, listing);
        Ok(())
    }

    /// Closes the open segment, if any.
    pub(super) fn close_open(&mut self, now: Monotonic, listing: Listing) {
        if let Some(newest) = self.segments.back_mut() {
            newest.complete = true;
        }
        self.trim(now, listing);
    }

    /// Takes whole segments off the front of the list while it is too long.
    pub(super) fn trim(&mut self, now: Monotonic, listing: Listing) {
        let Listing {
            retention,
            target_duration_s,
        } = listing;
        loop {
            let open = usize::from(self.open().is_some());
            if self.listed().len() - open <= retention.listed_segments.clamp(1, MAX_LISTED_SEGMENTS) {
                return;
            }
            let listed = self.listed_duration();
            let leaving = &mut self.segments[self.departed];
            let record_kept = retention.record_kept(listed, target_duration_s);
            leaving.departure = Some(Departure {
                bodies_until: now + retention.bodies_kept(record_kept),
                record_until: now + record_kept,
                bodies_dropped: false,
            });
            self.departed += 1;
        }
    }

    /// Duration of all that is listed.
    fn listed_duration(&self) -> Duration {
        let ticks = self.listed().map(Segment::duration).sum();
        ticks_to_duration(ticks, self.timescale)
    }

    /// Stores a body for a record that has none. `false`: there is no such record, or its body is here or no longer kept.
    pub(super) fn fill(&mut self, id: PartId, body: Bytes) -> Result<bool, WindowError> {
        let segment = self.index(id.msn).and_then(|index| self.segments.get_mut(index));
        let Some(segment) = segment.filter(|s| s.departure.is_none_or(|departure| !departure.bodies_dropped)) else {
            return Ok(false);
        };
        let Some(part) = segment.parts.get_mut(id.part as usize) else {
            return Ok(false);
        };
        if part.body.is_some() || part.record.flags.gap {
            return Ok(false);
        }
        if body.len() != part.record.size as usize {
            return Err(WindowError::BodySize {
                expected: part.record.size,
                got: body.len(),
            });
        }
        self.held_bytes += body.len();
        part.body = Some(body);
        Ok(true)
    }

    /// Drops what left the list long enough ago.
    pub(super) fn expire(&mut self, now: Monotonic) {
        for segment in self.segments.iter_mut().take(self.departed) {
            let Some(departure) = &mut segment.departure else {
                continue;
            };
            if departure.bodies_until <= now && !departure.bodies_dropped {
                departure.bodies_dropped = true;
                self.held_bytes -= segment.drop_bodies();
            }
        }
        let is_over = |segment: &Segment| segment.departure.is_some_and(|departure| departure.record_until <= now);
        while self.departed > 0 && self.segments.front().is_some_and(is_over) {
            if let Some(mut gone) = self.segments.pop_front() {
                self.held_bytes -= gone.drop_bodies();
            }
            self.departed -= 1;
        }
        if let Some(oldest) = self.oldest_init_needed() {
            let needed = self.inits.split_off(&oldest);
            let dropped = std::mem::replace(&mut self.inits, needed);
            self.held_bytes -= dropped.values().map(Bytes::len).sum::<usize>();
        }
    }
}

/// What decides how long the list is, and how long its past is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    pub(super) retention: Retention,
    pub(super) target_duration_s: u32,
}

fn part_count(segment: &Segment) -> u32 {
    u32::try_from(segment.parts.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
impl RenditionWindow {
    pub(super) fn check_invariants(&self, listing: Listing) {
        let bodies: usize = self.segments.iter().map(Segment::held_bytes).sum();
        let inits: usize = self.inits.values().map(Bytes::len).sum();
        assert_eq!(self.held_bytes, bodies + inits, "held bytes are counted");
        assert!(
            self.listed().len() <= listing.retention.listed_segments + 1,
            "the list is short"
        );
        for (index, segment) in self.segments.iter().enumerate() {
            assert_eq!(
                segment.departure.is_some(),
                index < self.departed,
                "departed segments are in front"
            );
            assert!(
                segment.complete || index + 1 == self.segments.len(),
                "only the newest is open"
            );
            assert!(!segment.parts.is_empty(), "no segment without parts");
            assert!(segment.parts.len() <= MAX_PARTS_PER_SEGMENT);
            for (number, part) in segment.parts.iter().enumerate() {
                let flags = part.record.flags;
                assert!(number == 0 || !flags.discontinuity, "marks only in front");
                let is_last = number + 1 == segment.parts.len();
                assert!(!flags.last || (is_last && segment.complete), "last is last");
                assert!(
                    part.body
                        .as_ref()
                        .is_none_or(|body| body.len() == part.record.size as usize)
                );
            }
        }
        for (before, after) in self.segments.iter().zip(self.segments.iter().skip(1)) {
            assert_eq!(before.msn.next(), after.msn, "numbers have no holes");
            assert!(before.init_id <= after.init_id);
            let mark = u64::from(after.parts[0].record.flags.discontinuity);
            assert_eq!(before.discontinuity_number + mark, after.discontinuity_number);
        }
        let dts: Vec<u64> = self
            .segments
            .iter()
            .flat_map(|s| s.parts.iter().map(|p| p.record.dts))
            .collect();
        assert!(dts.is_sorted_by(|a, b| a < b), "decode time grows");
    }
}
