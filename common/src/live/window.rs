//! The live window: what a playlist lists, what is still kept behind it, and the bodies that are here.
//!
//! Origin and relays use the same one. It takes events strictly in order (a part never changes once it is here), and knows nothing
//! of playlists' text, sockets or waiting. Who calls it has to call [`LiveWindow::expire`] every second or so.

use std::sync::Arc;

use bytes::Bytes;

pub use super::{
    error::{PartRule, RecordRule, WindowError},
    order::{MAX_INIT_LEN, MAX_INITS, MAX_PART_LEN, MAX_PARTS_PER_SEGMENT},
    records::{PartRecord, SegmentRecord, WindowRecords},
    retention::Retention,
    segment::{Segment, StoredPart},
};
use super::{
    rendition_window::{Listing, RenditionWindow},
    retention::ENDED_EPOCH_KEPT,
};
use crate::{
    id::{Epoch, Msn, PartId, RenditionId},
    live::{BitRate, EpochDescription, LiveEvent},
    time::Monotonic,
};

pub use super::lookup::{Edge, Lookup, SegmentLookup};

/// How many parts ahead of the live edge a request is told to wait: the hinted one, and those that a player saw listed by another
/// relay which is a moment ahead.
pub const NOT_YET_PARTS: u32 = 10;

/// One epoch's window.
#[derive(Clone, Debug)]
pub struct LiveWindow {
    description: Arc<EpochDescription>,
    retention: Retention,
    renditions: Vec<RenditionWindow>,
    ended_at: Option<Monotonic>,
    version: u64,
}

impl LiveWindow {
    /// An empty window at the start of an epoch. The description must be a valid one ([`EpochDescription::validate`]).
    pub fn new(description: Arc<EpochDescription>, retention: Retention) -> Self {
        let renditions = description
            .rendition_ids()
            .zip(&description.renditions)
            .map(|(id, rendition)| {
                let discontinuities = description.discontinuities();
                RenditionWindow::new(id, rendition.timescale, description.first_msn, discontinuities)
            })
            .collect();
        Self {
            description,
            retention,
            renditions,
            ended_at: None,
            version: 0,
        }
    }

    /// A window whose bodies are not here. Init segments have to be given by [`LiveWindow::apply`].
    pub fn from_records(
        description: Arc<EpochDescription>,
        records: WindowRecords,
        retention: Retention,
        now: Monotonic,
    ) -> Result<Self, WindowError> {
        description.validate()?;
        if records.renditions.len() != description.renditions.len() {
            return Err(WindowError::BadRecords {
                rendition: RenditionId(0),
                rule: RecordRule::RenditionCount,
            });
        }
        let mut window = Self::new(description, retention);
        let listing = window.listing();
        for (rendition, records) in window.renditions.iter_mut().zip(records.renditions) {
            rendition.take_records(records)?;
            rendition.trim(now, listing);
        }
        Ok(window)
    }

    /// Takes the next event. An event that does not follow is refused and changes nothing.
    pub fn apply(&mut self, event: LiveEvent, now: Monotonic) -> Result<(), WindowError> {
        if self.ended() {
            return Err(WindowError::Ended);
        }
        let listing = self.listing();
        match event {
            LiveEvent::Start(_) => return Err(WindowError::Start),
            LiveEvent::Init {
                rendition,
                init_id,
                body,
            } => {
                self.rendition_mut(rendition)?.add_init(init_id, body)?;
                return Ok(());
            }
            LiveEvent::Part(part) => self.rendition_mut(part.id.rendition)?.add_part(part, now, listing)?,
            LiveEvent::SegmentEnd { rendition, msn } => {
                self.rendition_mut(rendition)?.end_segment(msn, now, listing)?;
            }
            LiveEvent::BitRate { rendition, bit_rate } => return self.raise_bit_rate(rendition, bit_rate),
            LiveEvent::End => self.end(now)?,
        }
        self.version += 1;
        Ok(())
    }

    fn raise_bit_rate(&mut self, id: RenditionId, bit_rate: BitRate) -> Result<(), WindowError> {
        let held = self
            .description
            .rendition(id)
            .ok_or(WindowError::UnknownRendition(id))?
            .bit_rate;
        if bit_rate.peak < held.peak {
            return Err(WindowError::BitRateFell(id));
        }
        if bit_rate != held
            && let Some(rendition) = Arc::make_mut(&mut self.description)
                .renditions
                .get_mut(usize::from(id.0))
        {
            rendition.bit_rate = bit_rate;
        }
        Ok(())
    }

    fn end(&mut self, now: Monotonic) -> Result<(), WindowError> {
        for (rendition, window) in self.description.rendition_ids().zip(&self.renditions) {
            if let Some(open) = window.open() {
                return Err(WindowError::EndInsideSegment {
                    rendition,
                    msn: open.msn(),
                });
            }
        }
        self.ended_at = Some(now);
        Ok(())
    }

    /// Ends an epoch whose `End` will never come because another one took its place: what is open is closed as it stands.
    pub fn abandon(&mut self, now: Monotonic) {
        if self.ended() {
            return;
        }
        let listing = self.listing();
        for rendition in &mut self.renditions {
            rendition.close_open(now, listing);
        }
        self.ended_at = Some(now);
        self.version += 1;
    }

    /// Stores the body of a part whose record has none. `false`: it is not wanted (any more).
    pub fn fill(&mut self, id: PartId, body: Bytes) -> Result<bool, WindowError> {
        self.rendition_mut(id.rendition)?.fill(id, body)
    }

    /// Takes over what `other`, an older window of the same epoch, has of the bodies and init segments that are missing here.
    pub fn adopt(&mut self, other: &Self) {
        if self.epoch() == other.epoch() {
            for (rendition, other) in self.renditions.iter_mut().zip(&other.renditions) {
                rendition.adopt(other);
            }
        }
    }

    /// Drops what left the list long enough ago.
    pub fn expire(&mut self, now: Monotonic) {
        for rendition in &mut self.renditions {
            rendition.expire(now);
        }
    }

    /// It ended so long ago that it need not answer any more.
    pub fn is_over(&self, now: Monotonic) -> bool {
        self.ended_at
            .is_some_and(|ended_at| now.since(ended_at) >= ENDED_EPOCH_KEPT)
    }

    /// As the epoch started, with the bit rates as they stand.
    pub fn description(&self) -> &Arc<EpochDescription> {
        &self.description
    }

    pub fn epoch(&self) -> Epoch {
        self.description.epoch
    }

    /// Nothing follows: playlists carry ENDLIST.
    pub fn ended(&self) -> bool {
        self.ended_at.is_some()
    }

    /// Grows whenever the rendition's playlist has another text: also when only the report on another rendition changed.
    /// 0 for no such rendition.
    pub fn version(&self, rendition: RenditionId) -> u64 {
        self.rendition(rendition).map_or(0, |_| self.version)
    }

    /// Where the rendition stands.
    pub fn edge(&self, rendition: RenditionId) -> Option<Edge> {
        let window = self.rendition(rendition)?;
        let (open, open_parts) = window.next();
        Some(Edge {
            last_complete: window.last_complete(),
            open,
            open_parts,
        })
    }

    /// Place of the part that comes next; the epoch's first for no such rendition.
    pub fn next(&self, rendition: RenditionId) -> (Msn, u32) {
        self.rendition(rendition)
            .map_or((self.description.first_msn, 0), RenditionWindow::next)
    }

    /// The listed segments, oldest first; the last one may be open. GAP segments in front of the epoch's first are not here.
    pub fn segments(&self, rendition: RenditionId) -> impl DoubleEndedIterator<Item = &Segment> {
        self.rendition(rendition).into_iter().flat_map(RenditionWindow::listed)
    }

    /// Number of the first GAP segment that a playlist still lists before [`LiveWindow::segments`]; `None` when none is.
    ///
    /// They leave as real segments do: the list is as long as if they were real.
    pub fn first_listed_gap(&self, rendition: RenditionId) -> Option<Msn> {
        let first = self.description.first_msn;
        let most = first.0 - self.description.first_gap_msn().0;
        let listed = self.rendition(rendition)?.listed_gaps(most, self.listing());
        (listed > 0).then(|| Msn(first.0 - listed))
    }

    /// A segment that is listed or still kept.
    pub fn kept_segment(&self, rendition: RenditionId, msn: Msn) -> Option<&Segment> {
        self.rendition(rendition)?.segment(msn)
    }

    /// An init segment that something listed or kept needs, or the next part will.
    pub fn init(&self, rendition: RenditionId, init_id: u32) -> Option<&Bytes> {
        self.rendition(rendition)?.init(init_id)
    }

    /// All init segments that are here, oldest first.
    pub fn inits(&self, rendition: RenditionId) -> impl Iterator<Item = (u32, &Bytes)> {
        self.rendition(rendition).into_iter().flat_map(RenditionWindow::inits)
    }

    /// What there is of a part.
    pub fn part(&self, id: PartId) -> Lookup {
        let Some(window) = self.rendition(id.rendition) else {
            return Lookup::Unknown;
        };
        if let Some(part) = window
            .segment(id.msn)
            .and_then(|segment| segment.parts().get(id.part as usize))
        {
            return match &part.body {
                Some(body) => Lookup::Here(body.clone()),
                None if part.record.flags.gap => Lookup::Unknown,
                None => Lookup::Absent,
            };
        }
        let (open, open_parts) = window.next();
        let soon = (id.msn == open && id.part >= open_parts && id.part - open_parts < NOT_YET_PARTS)
            || (id.msn == open.next() && id.part < NOT_YET_PARTS);
        if soon && !self.ended() {
            Lookup::NotYet
        } else {
            Lookup::Unknown
        }
    }

    /// What there is of a segment.
    pub fn segment(&self, rendition: RenditionId, msn: Msn) -> SegmentLookup {
        let Some(window) = self.rendition(rendition) else {
            return SegmentLookup::Unknown;
        };
        let Some(segment) = window.segment(msn) else {
            let next = window.next().0;
            return if msn == next && !self.ended() {
                SegmentLookup::NotYet
            } else {
                SegmentLookup::Unknown
            };
        };
        if !segment.is_complete() {
            return SegmentLookup::Open;
        }
        let media = segment.parts().iter().filter(|part| !part.record.flags.gap);
        match media.map(|part| part.body.clone()).collect::<Option<Vec<Bytes>>>() {
            None => SegmentLookup::Absent,
            Some(rope) if rope.is_empty() => SegmentLookup::Unknown,
            Some(rope) => SegmentLookup::Here(rope),
        }
    }

    /// The listed segments without their bodies.
    pub fn records(&self) -> WindowRecords {
        let records = |window: &RenditionWindow| window.listed().map(Segment::record).collect();
        WindowRecords {
            renditions: self.renditions.iter().map(records).collect(),
        }
    }

    /// Bytes of bodies and init segments that are here.
    pub fn held_bytes(&self) -> usize {
        self.renditions.iter().map(RenditionWindow::held_bytes).sum()
    }

    pub(super) fn rendition(&self, id: RenditionId) -> Option<&RenditionWindow> {
        self.renditions.get(usize::from(id.0))
    }

    fn rendition_mut(&mut self, id: RenditionId) -> Result<&mut RenditionWindow, WindowError> {
        self.renditions
            .get_mut(usize::from(id.0))
            .ok_or(WindowError::UnknownRendition(id))
    }

    fn listing(&self) -> Listing {
        Listing {
            retention: self.retention,
            target_duration_s: self.description.target_duration_s,
        }
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
