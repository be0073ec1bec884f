//! One rendition's side of a window: segments in order without holes, and the init segments that they need. What may follow what
//! is in [`super::order`].

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;

use crate::{
    id::{Msn, PartId, RenditionId},
    live::{
        Part, PartFlags,
        error::WindowError,
        order::{MAX_INIT_LEN, MAX_INITS},
        retention::Retention,
        segment::{Departure, Segment, StoredPart, ticks_to_duration},
    },
    time::Monotonic,
};

#[derive(Clone, Debug)]
pub(super) struct RenditionWindow {
    pub(super) id: RenditionId,
    pub(super) timescale: u32,
    pub(super) first_msn: Msn,
    /// Discontinuities in front of the first segment.
    discontinuities: u64,
    /// Numbers follow each other. First those that left the list, then the listed ones; only the last may be open.
    pub(super) segments: VecDeque<Segment>,
    pub(super) departed: usize,
    pub(super) inits: BTreeMap<u32, Bytes>,
    pub(super) held_bytes: usize,
}

impl RenditionWindow {
    pub(super) fn new(id: RenditionId, timescale: u32, first_msn: Msn, discontinuities: u64) -> Self {
        let segments = VecDeque::new();
        Self {
            id,
            timescale,
            first_msn,
            discontinuities,
            segments,
            departed: 0,
            inits: BTreeMap::new(),
            held_bytes: 0,
        }
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
                let marks_before = newest.map_or(self.discontinuities, |segment| segment.discontinuity_number);
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
        while self.first_may_leave(listing) {
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

    pub(super) fn first_may_leave(&self, listing: Listing) -> bool {
        let Some(first) = self.segments.get(self.departed).filter(|first| first.complete) else {
            return false;
        };
        let (count, ticks) = self.complete();
        let rest = ticks_to_duration(ticks - first.duration(), self.timescale);
        listing.retention.may_leave(count - 1, rest, listing.target_duration_s)
    }

    /// How many of the listed segments are complete, and their duration in ticks.
    fn complete(&self) -> (usize, u64) {
        let complete = self.listed().filter(|segment| segment.complete);
        complete.fold((0, 0), |(count, ticks), segment| {
            (count + 1, ticks + segment.duration())
        })
    }

    /// How many of the `most` GAP segments in front of the epoch's first are still listed. They leave by the same rule as if they
    /// were real and a target duration long, and so before any real one does.
    pub(super) fn listed_gaps(&self, most: u64, listing: Listing) -> u64 {
        if self.listed().next().is_some_and(|first| first.msn > self.first_msn) {
            return 0;
        }
        let (count, ticks) = self.complete();
        let duration = ticks_to_duration(ticks, self.timescale);
        let target = Duration::from_secs(u64::from(listing.target_duration_s));
        let has_left = |rest: u32| {
            let rest_count = count.saturating_add(rest as usize);
            let rest_duration = duration.saturating_add(target.saturating_mul(rest));
            listing
                .retention
                .may_leave(rest_count, rest_duration, listing.target_duration_s)
        };
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        (0..most).find(|&rest| has_left(rest)).unwrap_or(most).into()
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

    /// Takes over bodies of parts whose records are the same there, and init segments that are needed.
    pub(super) fn adopt(&mut self, other: &Self) {
        for segment in &mut self.segments {
            let Some(theirs) = other.segment(segment.msn) else {
                continue;
            };
            for (part, theirs) in segment.parts.iter_mut().zip(&theirs.parts) {
                if part.body.is_none() && part.record == theirs.record && theirs.body.is_some() {
                    part.body.clone_from(&theirs.body);
                    self.held_bytes += part.body.as_ref().map_or(0, Bytes::len);
                }
            }
        }
        for (&init_id, body) in &other.inits {
            // Refused when it is older than all that is needed here.
            let _ = self.add_init(init_id, body.clone());
        }
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
