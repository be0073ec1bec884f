//! What may follow what in a rendition, for events and for records alike: numbers without holes, times that grow, marks where they
//! belong, and a cap on every length.

use crate::live::{
    Part, PartFlags,
    description::{MAX_DTS, MAX_MSN},
    error::{PartRule, RecordRule, WindowError},
    records::{PartRecord, SegmentRecord},
    rendition_window::RenditionWindow,
    retention::MAX_LISTED_SEGMENTS,
    segment::{Segment, StoredPart},
};

/// Longest body of a part.
pub const MAX_PART_LEN: usize = 16 << 20;
/// Most parts in a segment: 12 s of 50 ms parts, and room to spare.
pub const MAX_PARTS_PER_SEGMENT: usize = 512;
/// Longest init segment.
pub const MAX_INIT_LEN: usize = 64 << 10;
/// Most init segments of a rendition at a time. A source that loops a clip breaks its timeline every second or two, each time with
/// one of some 1 KiB, and all are kept as long as the segments that need them.
pub const MAX_INITS: usize = 1024;

impl RenditionWindow {
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
        if record.discontinuity_number > MAX_MSN {
            return Err(RecordRule::Discontinuity);
        }
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

    /// Returns the body's size.
    pub(super) fn check_part(&self, part: &Part) -> Result<u32, PartRule> {
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
}

#[cfg(test)]
impl RenditionWindow {
    pub(super) fn check_invariants(&self, listing: crate::live::rendition_window::Listing) {
        let bodies: usize = self.segments.iter().map(Segment::held_bytes).sum();
        let inits: usize = self.inits.values().map(bytes::Bytes::len).sum();
        assert_eq!(self.held_bytes, bodies + inits, "held bytes are counted");
        assert!(
            self.listed().len() <= listing.retention.listed_segments + 1,
            "the list is short"
        );
        assert!(!self.first_may_leave(listing), "what may leave has left");
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
