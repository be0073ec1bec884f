//! One rendition's parts, put back in order: what is early waits, what is missing is asked for, what stays missing becomes a gap.
//!
//! Parts travel on streams of their own and pass each other; the control frames about them (`SegmentEnd`, `Skipped`, `Init`) come
//! before or after them. Whatever arrives, parts leave here in the order of their numbers, each once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;

use super::gap::{Neighbour, gap_part};
use crate::{
    id::{Msn, PartId, RenditionId},
    live::{
        EpochDescription, LiveEvent, Part,
        window::{LiveWindow, MAX_PARTS_PER_SEGMENT, Segment},
    },
    time::Monotonic,
    wire::media::PartOutline,
};

/// Most bytes of early parts that wait; beyond it the one furthest ahead is dropped, to be fetched when its turn comes.
pub const MAX_HELD_BYTES: usize = 8 << 20;
/// Most early parts that wait.
const MAX_HELD_PARTS: usize = 512;
/// How many segments ahead of the next part anything may be.
const MAX_SEGMENTS_AHEAD: u64 = 64;
/// Fetches of missing parts that run at a time. Each may turn out to double what is on its way already.
const MAX_FETCHES: usize = 4;

/// Segment and part: a place in a rendition.
pub(super) type Position = (Msn, u32);

/// What leaves a [`Reorder`].
#[derive(Debug)]
pub(super) enum Step {
    Apply(LiveEvent),
    Fetch(PartId),
}

/// Something that cannot be placed is not explained within the time of a gap: only a new window helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stuck;

#[derive(Debug)]
pub(super) struct Reorder {
    id: RenditionId,
    timescale: u32,
    part_target: Duration,
    fetch_after: Duration,
    gap_after: Duration,
    next: Position,
    previous: Option<Neighbour>,
    oldest_init: u32,
    inits: BTreeSet<u32>,
    held: BTreeMap<Position, Held>,
    held_bytes: usize,
    ends: BTreeMap<Msn, End>,
    skipped: BTreeMap<Position, Skipped>,
    fetches: BTreeMap<Position, Fetch>,
}

#[derive(Debug)]
struct Held {
    part: Part,
    since: Monotonic,
}

#[derive(Clone, Copy, Debug)]
struct End {
    parts: u32,
    since: Monotonic,
}

#[derive(Clone, Copy, Debug)]
struct Skipped {
    outline: PartOutline,
    since: Monotonic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetch {
    Running,
    Failed { again_at: Monotonic },
    Gone,
}

impl Reorder {
    /// Goes on where `window` ends.
    pub(super) fn new(id: RenditionId, description: &EpochDescription, window: &LiveWindow) -> Self {
        let part_target = Duration::from_millis(u64::from(description.part_target_ms));
        let timescale = description.rendition(id).map_or(1, |rendition| rendition.timescale);
        Self {
            id,
            timescale,
            part_target,
            fetch_after: part_target * 3 / 2,
            gap_after: Duration::from_secs(3 * u64::from(description.target_duration_s)),
            next: window.next(id),
            previous: window
                .segments(id)
                .next_back()
                .and_then(|newest| Neighbour::at_the_end_of(newest, timescale)),
            oldest_init: window.segments(id).next().map_or(0, Segment::init_id),
            inits: BTreeSet::new(),
            held: BTreeMap::new(),
            held_bytes: 0,
            ends: BTreeMap::new(),
            skipped: BTreeMap::new(),
            fetches: BTreeMap::new(),
        }
    }

    /// The first part that is not here.
    pub(super) fn next(&self) -> Position {
        self.next
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Whether nothing is known to be missing, and no segment is open.
    pub(super) fn is_settled(&self) -> bool {
        self.next.1 == 0 && self.horizon().is_none()
    }

    /// Whether the window wants this init segment: not one that only segments before it used.
    pub(super) fn take_init(&mut self, init_id: u32) -> bool {
        init_id >= self.oldest_init && self.inits.insert(init_id)
    }

    /// Takes a part; gives it back when its place is in the past, where at most its body is wanted.
    pub(super) fn take_part(&mut self, part: Part, now: Monotonic) -> Option<Part> {
        let at = (part.id.msn, part.id.part);
        if at < self.next {
            return Some(part);
        }
        if self.is_plausible(at) && !self.held.contains_key(&at) {
            self.fetches.remove(&at);
            self.held_bytes += part.body.len();
            self.held.insert(at, Held { part, since: now });
            self.drop_furthest();
        }
        None
    }

    pub(super) fn take_segment_end(&mut self, msn: Msn, parts: u32, now: Monotonic) {
        if (1..=MAX_PARTS_PER_SEGMENT).contains(&(parts as usize)) && msn >= self.next.0 && self.is_plausible((msn, 0))
        {
            self.ends.entry(msn).or_insert(End { parts, since: now });
        }
    }

    pub(super) fn take_skipped(&mut self, msn: Msn, part: u32, outline: PartOutline, now: Monotonic) {
        let at = (msn, part);
        if at >= self.next && self.is_plausible(at) && !self.held.contains_key(&at) {
            self.skipped.entry(at).or_insert(Skipped { outline, since: now });
        }
    }

    /// A fetch did not bring the part: it is gone upstream, or the question failed.
    pub(super) fn fetch_failed(&mut self, msn: Msn, part: u32, is_gone: bool, now: Monotonic) {
        let state = if is_gone {
            Fetch::Gone
        } else {
            Fetch::Failed {
                again_at: now + self.part_target / 2,
            }
        };
        if let Some(fetch) = self.fetches.get_mut(&(msn, part)) {
            *fetch = state;
        }
    }

    /// Forgets all but the place: a new link sends again from [`Reorder::next`] on.
    pub(super) fn forget_pending(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
        self.ends.clear();
        self.skipped.clear();
        self.fetches.clear();
    }

    /// The early parts, for a successor that starts further ahead.
    pub(super) fn into_held(self) -> impl Iterator<Item = Part> {
        self.held.into_values().map(|held| held.part)
    }

    /// The event that closes the open segment as it stands, if one is open.
    pub(super) fn close_open(&mut self) -> Option<LiveEvent> {
        let (msn, parts) = self.next;
        (parts > 0).then(|| {
            self.go_to((msn.next(), 0));
            LiveEvent::SegmentEnd {
                rendition: self.id,
                msn,
            }
        })
    }

    /// Releases all that follows, turns what is lost into gaps, and asks for what is late.
    ///
    /// # Errors
    /// [`Stuck`]: what comes next cannot be found out here.
    pub(super) fn advance(&mut self, now: Monotonic, steps: &mut Vec<Step>) -> Result<(), Stuck> {
        loop {
            if self.segment_is_over() {
                steps.extend(self.close_open().map(Step::Apply));
            } else if let Some(part) = self.take_next() {
                self.place(&part);
                steps.push(Step::Apply(LiveEvent::Part(part)));
            } else if let Some(part) = self.due_gap(now)? {
                self.place(&part);
                steps.push(Step::Apply(LiveEvent::Part(part)));
            } else {
                break;
            }
        }
        self.ask(now, steps);
        Ok(())
    }

    /// When [`Reorder::advance`] has something to do even if nothing comes.
    pub(super) fn wake_at(&self) -> Option<Monotonic> {
        let gap_at = self.evidence(self.next)? + self.gap_after;
        let may_ask = self.running_fetches() < MAX_FETCHES;
        let asks = self.missing().into_iter().filter_map(|at| match self.fetches.get(&at) {
            None if may_ask => self.evidence(at).map(|since| since + self.fetch_after),
            Some(Fetch::Failed { again_at }) if may_ask => Some(*again_at),
            _ => None,
        });
        Some(asks.fold(gap_at, Monotonic::min))
    }

    fn is_plausible(&self, (msn, part): Position) -> bool {
        msn.0 <= self.next.0.0.saturating_add(MAX_SEGMENTS_AHEAD) && (part as usize) < MAX_PARTS_PER_SEGMENT
    }

    fn drop_furthest(&mut self) {
        while self.held.len() > MAX_HELD_PARTS || (self.held_bytes > MAX_HELD_BYTES && self.held.len() > 1) {
            if let Some((_, dropped)) = self.held.pop_last() {
                self.held_bytes -= dropped.part.body.len();
            }
        }
    }

    fn segment_is_over(&self) -> bool {
        self.ends
            .get(&self.next.0)
            .is_some_and(|end| self.next.1 > 0 && end.parts <= self.next.1)
    }

    fn take_next(&mut self) -> Option<Part> {
        let entry = self.held.first_entry().filter(|entry| *entry.key() == self.next)?;
        if !self.inits.contains(&entry.get().part.init_id) {
            return None;
        }
        let part = entry.remove().part;
        self.held_bytes -= part.body.len();
        Some(part)
    }

    fn place(&mut self, part: &Part) {
        self.previous = Some(Neighbour::after(part, self.timescale));
        let PartId { msn, part: number, .. } = part.id;
        self.go_to(if part.flags.last {
            (msn.next(), 0)
        } else {
            (msn, number + 1)
        });
    }

    /// Moves on; what is about earlier places is of no use any more.
    fn go_to(&mut self, next: Position) {
        self.next = next;
        let later = self.held.split_off(&next);
        let past = std::mem::replace(&mut self.held, later);
        self.held_bytes -= past.values().map(|held| held.part.body.len()).sum::<usize>();
        self.ends = self.ends.split_off(&next.0);
        self.skipped = self.skipped.split_off(&next);
        self.fetches = self.fetches.split_off(&next);
    }

    /// The last place that is known to exist.
    fn horizon(&self) -> Option<Position> {
        let held = self.held.keys().next_back().copied();
        let skipped = self.skipped.keys().next_back().copied();
        let ended = self
            .ends
            .iter()
            .next_back()
            .map(|(&msn, end)| (msn, end.parts.saturating_sub(1)));
        held.max(skipped).max(ended.filter(|&last| last >= self.next))
    }

    /// Since when something is here that lies at or behind `at`.
    fn evidence(&self, at: Position) -> Option<Monotonic> {
        let held = self.held.range(at..).map(|(_, held)| held.since);
        let skipped = self.skipped.range(at..).map(|(_, skipped)| skipped.since);
        let ends = self
            .ends
            .range(at.0..)
            .filter(|&(&msn, end)| msn > at.0 || end.parts > at.1);
        held.chain(skipped).chain(ends.map(|(_, end)| end.since)).min()
    }

    /// Whether there is a part at `at`, given that there is something at or behind it.
    fn is_known(&self, at: Position) -> bool {
        let rest = at..(at.0.next(), 0);
        at.1 == 0
            || self.ends.get(&at.0).is_some_and(|end| end.parts > at.1)
            || self.held.range(rest.clone()).next().is_some()
            || self.skipped.range(rest).next().is_some()
    }

    fn following(&self, at: Position) -> Option<Position> {
        let (in_segment, in_next) = ((at.0, at.1 + 1), (at.0.next(), 0));
        let is_last = self.ends.get(&at.0).is_some_and(|end| in_segment.1 >= end.parts)
            || self.held.get(&at).is_some_and(|held| held.part.flags.last)
            || self
                .skipped
                .get(&at)
                .is_some_and(|skipped| skipped.outline.record.flags.last);
        if is_last {
            Some(in_next)
        } else {
            self.is_known(in_segment).then_some(in_segment)
        }
    }

    /// The first places whose parts are known to exist and are not here, up to four more than may be asked for at a time.
    fn missing(&self) -> Vec<Position> {
        let mut missing = Vec::new();
        let Some(horizon) = self.horizon() else { return missing };
        let mut at = Some(self.next).filter(|&next| self.is_known(next));
        while let Some(here) = at.filter(|&at| at <= horizon && missing.len() < 2 * MAX_FETCHES) {
            if !self.held.contains_key(&here) {
                missing.push(here);
            }
            at = self.following(here);
        }
        missing
    }

    fn running_fetches(&self) -> usize {
        self.fetches.values().filter(|&&fetch| fetch == Fetch::Running).count()
    }

    fn due_gap(&self, now: Monotonic) -> Result<Option<Part>, Stuck> {
        let Some(since) = self.evidence(self.next) else {
            return Ok(None);
        };
        let skipped = self.skipped.get(&self.next).map(|skipped| skipped.outline);
        let is_lost = skipped.is_some() && self.fetches.get(&self.next) == Some(&Fetch::Gone);
        if !is_lost && now < since + self.gap_after {
            return Ok(None);
        }
        // Here but without its init segment, perhaps not even a part, or the start of a segment of which nothing is known (was there
        // a break before it?): no gap can stand for it.
        let starts_unknown = self.next.1 == 0 && skipped.is_none();
        if starts_unknown || self.held.contains_key(&self.next) || !self.is_known(self.next) {
            return Err(Stuck);
        }
        let (msn, number) = self.next;
        let id = PartId {
            rendition: self.id,
            msn,
            part: number,
        };
        let following = self.held.values().next().map(|held| &held.part);
        let lost_before = self
            .missing()
            .iter()
            .filter(|&&at| following.is_none_or(|f| at < (f.id.msn, f.id.part)))
            .count();
        let outline = skipped.or_else(|| {
            let ticks = self.part_target.as_micros() * u128::from(self.timescale) / 1_000_000;
            Neighbour::outline_between(
                self.previous,
                following,
                lost_before,
                u32::try_from(ticks).unwrap_or(u32::MAX),
            )
        });
        let outline = outline
            .filter(|outline| self.inits.contains(&outline.init_id))
            .ok_or(Stuck)?;
        let is_last = self.ends.get(&msn).is_some_and(|end| number + 1 >= end.parts);
        Ok(Some(gap_part(id, outline, is_last)))
    }

    fn ask(&mut self, now: Monotonic, steps: &mut Vec<Step>) {
        let mut running = self.running_fetches();
        for at in self.missing() {
            let is_due = match self.fetches.get(&at) {
                None => {
                    self.skipped.contains_key(&at)
                        || self.evidence(at).is_some_and(|since| since + self.fetch_after <= now)
                }
                Some(Fetch::Failed { again_at }) => *again_at <= now,
                Some(Fetch::Running | Fetch::Gone) => false,
            };
            if is_due && running < MAX_FETCHES {
                running += 1;
                self.fetches.insert(at, Fetch::Running);
                steps.push(Step::Fetch(PartId {
                    rendition: self.id,
                    msn: at.0,
                    part: at.1,
                }));
            }
        }
    }
}

/// Puts together a part that was fetched.
pub(super) fn fetched_part(id: PartId, outline: PartOutline, body: Bytes) -> Part {
    let record = outline.record;
    Part {
        id,
        init_id: outline.init_id,
        dts: record.dts,
        duration: record.duration,
        program_date_time: record.program_date_time,
        flags: record.flags,
        body,
    }
}
