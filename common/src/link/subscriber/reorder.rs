//! One rendition's parts, put back in order: what is early waits, what is missing is asked for, what stays missing becomes a gap.
//!
//! Parts travel on streams of their own and pass each other; the control frames about them (`SegmentEnd`, `Skipped`, `Init`) come
//! before or after them. Whatever arrives, parts leave here in the order of their numbers, each once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    gap::{Neighbour, gap_part},
    pending::Pending,
};
use crate::{
    id::{Msn, PartId, RenditionId},
    live::{
        EpochDescription, LiveEvent, Part,
        window::{LiveWindow, Segment},
    },
    time::Monotonic,
    wire::media::PartOutline,
};

/// Fetches of missing parts that run at a time. Each may turn out to double what is on its way already.
const MAX_FETCHES: usize = 4;
/// How far missing parts are looked for; more than may be fetched, so that those which are gone do not block the others.
const MAX_LOOKED_FOR: usize = 64;

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
    pending: Pending,
    fetches: BTreeMap<Position, Fetch>,
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
            pending: Pending::default(),
            fetches: BTreeMap::new(),
        }
    }

    /// The first part that is not here.
    pub(super) fn next(&self) -> Position {
        self.next
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.pending.held_bytes()
    }

    /// Whether nothing is known to be missing, and no segment is open.
    pub(super) fn is_settled(&self) -> bool {
        self.next.1 == 0 && self.pending.evidence(self.next).is_none()
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
        if Pending::is_plausible(at, self.next) {
            self.fetches.remove(&at);
            self.pending.hold(part, now);
        }
        None
    }

    pub(super) fn take_segment_end(&mut self, msn: Msn, parts: u32, now: Monotonic) {
        if Pending::is_plausible((msn, 0), (self.next.0, 0)) {
            self.pending.segment_end(msn, parts, now);
        }
    }

    pub(super) fn take_skipped(&mut self, at: Position, outline: PartOutline, now: Monotonic) {
        if Pending::is_plausible(at, self.next) {
            self.pending.skip(at, outline, now);
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
        self.pending = Pending::default();
        self.fetches.clear();
    }

    /// The early parts, for a successor that starts further ahead.
    pub(super) fn into_held(self) -> impl Iterator<Item = Part> {
        self.pending.into_held()
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
        let gap_at = self.pending.evidence(self.next)? + self.gap_after;
        let may_ask = self.running_fetches() < MAX_FETCHES;
        let asks = self.missing().into_iter().filter_map(|at| match self.fetches.get(&at) {
            None if may_ask => self.pending.evidence(at).map(|since| since + self.fetch_after),
            Some(Fetch::Failed { again_at }) if may_ask => Some(*again_at),
            _ => None,
        });
        Some(asks.fold(gap_at, Monotonic::min))
    }

    fn segment_is_over(&self) -> bool {
        self.next.1 > 0
            && self
                .pending
                .parts_of(self.next.0)
                .is_some_and(|parts| parts <= self.next.1)
    }

    fn take_next(&mut self) -> Option<Part> {
        let init_id = self.pending.held(self.next)?.init_id;
        if self.inits.contains(&init_id) {
            self.pending.take_held(self.next)
        } else {
            None
        }
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
        self.pending.forget_before(next);
        self.fetches = self.fetches.split_off(&next);
    }

    fn missing(&self) -> Vec<Position> {
        self.pending.missing(self.next, MAX_LOOKED_FOR)
    }

    fn running_fetches(&self) -> usize {
        self.fetches.values().filter(|&&fetch| fetch == Fetch::Running).count()
    }

    fn due_gap(&self, now: Monotonic) -> Result<Option<Part>, Stuck> {
        let Some(since) = self.pending.evidence(self.next) else {
            return Ok(None);
        };
        let skipped = self.pending.outline(self.next);
        // Upstream does not have it, and so will not send it either.
        let is_lost = self.fetches.get(&self.next) == Some(&Fetch::Gone);
        if !is_lost && now < since + self.gap_after {
            return Ok(None);
        }
        // Here but without its init segment, perhaps not even a part, or the start of a segment of which nothing is known (was there
        // a break before it?): no gap can stand for it.
        let starts_unknown = self.next.1 == 0 && skipped.is_none();
        if starts_unknown || self.pending.held(self.next).is_some() || !self.pending.is_known(self.next) {
            return Err(Stuck);
        }
        let (msn, number) = self.next;
        let id = PartId {
            rendition: self.id,
            msn,
            part: number,
        };
        let following = self.pending.first_held();
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
        let is_last = self.pending.parts_of(msn).is_some_and(|parts| number + 1 >= parts);
        Ok(Some(gap_part(id, outline, is_last)))
    }

    fn ask(&mut self, now: Monotonic, steps: &mut Vec<Step>) {
        let mut running = self.running_fetches();
        for at in self.missing() {
            let is_due = match self.fetches.get(&at) {
                None => {
                    self.pending.outline(at).is_some()
                        || self
                            .pending
                            .evidence(at)
                            .is_some_and(|since| since + self.fetch_after <= now)
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
