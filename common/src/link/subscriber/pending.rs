//! What is here, or known, of the parts behind the next one of a rendition: early parts, counts of segments, skipped parts.

use std::collections::BTreeMap;

use super::reorder::Position;
use crate::{
    id::Msn,
    live::{Part, window::MAX_PARTS_PER_SEGMENT},
    time::Monotonic,
    wire::media::PartOutline,
};

/// Most bytes of early parts that wait; beyond it the one furthest ahead is dropped, to be fetched when its turn comes.
pub const MAX_HELD_BYTES: usize = 8 << 20;
/// Most early parts that wait.
const MAX_HELD_PARTS: usize = 512;
/// How many segments ahead of the next part anything may be.
const MAX_SEGMENTS_AHEAD: u64 = 64;

#[derive(Debug, Default)]
pub(super) struct Pending {
    held: BTreeMap<Position, Held>,
    held_bytes: usize,
    ends: BTreeMap<Msn, End>,
    skipped: BTreeMap<Position, Skipped>,
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

impl Pending {
    /// Whether something can be at `at` when `next` comes next. Also keeps sums of numbers from overflowing.
    pub(super) fn is_plausible(at: Position, next: Position) -> bool {
        at >= next && at.0.0 - next.0.0 <= MAX_SEGMENTS_AHEAD && (at.1 as usize) < MAX_PARTS_PER_SEGMENT
    }

    pub(super) fn hold(&mut self, part: Part, now: Monotonic) {
        let at = (part.id.msn, part.id.part);
        if self.held.contains_key(&at) {
            return;
        }
        self.held_bytes += part.body.len();
        self.held.insert(at, Held { part, since: now });
        while self.held.len() > MAX_HELD_PARTS || (self.held_bytes > MAX_HELD_BYTES && self.held.len() > 1) {
            if let Some((_, dropped)) = self.held.pop_last() {
                self.held_bytes -= dropped.part.body.len();
            }
        }
    }

    /// The segment has `parts` parts.
    pub(super) fn segment_end(&mut self, msn: Msn, parts: u32, now: Monotonic) {
        if (1..=MAX_PARTS_PER_SEGMENT).contains(&(parts as usize)) {
            self.ends.entry(msn).or_insert(End { parts, since: now });
        }
    }

    pub(super) fn skip(&mut self, at: Position, outline: PartOutline, now: Monotonic) {
        if !self.held.contains_key(&at) {
            self.skipped.entry(at).or_insert(Skipped { outline, since: now });
        }
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    pub(super) fn held(&self, at: Position) -> Option<&Part> {
        self.held.get(&at).map(|held| &held.part)
    }

    pub(super) fn first_held(&self) -> Option<&Part> {
        self.held.values().next().map(|held| &held.part)
    }

    pub(super) fn take_held(&mut self, at: Position) -> Option<Part> {
        let part = self.held.remove(&at)?.part;
        self.held_bytes -= part.body.len();
        Some(part)
    }

    pub(super) fn into_held(self) -> impl Iterator<Item = Part> {
        self.held.into_values().map(|held| held.part)
    }

    /// What was told of a part that is not pushed.
    pub(super) fn outline(&self, at: Position) -> Option<PartOutline> {
        self.skipped.get(&at).map(|skipped| skipped.outline)
    }

    /// How many parts the segment has, if that is known.
    pub(super) fn parts_of(&self, msn: Msn) -> Option<u32> {
        self.ends.get(&msn).map(|end| end.parts)
    }

    /// Drops what is about places before `next`.
    pub(super) fn forget_before(&mut self, next: Position) {
        let later = self.held.split_off(&next);
        let past = std::mem::replace(&mut self.held, later);
        self.held_bytes -= past.values().map(|held| held.part.body.len()).sum::<usize>();
        self.ends = self.ends.split_off(&next.0);
        self.skipped = self.skipped.split_off(&next);
    }

    /// The last place that is known to exist at or behind `next`.
    fn horizon(&self, next: Position) -> Option<Position> {
        let held = self.held.keys().next_back().copied();
        let skipped = self.skipped.keys().next_back().copied();
        let ended = self
            .ends
            .iter()
            .next_back()
            .map(|(&msn, end)| (msn, end.parts.saturating_sub(1)));
        held.max(skipped).max(ended.filter(|&last| last >= next))
    }

    /// Since when something is here that lies at or behind `at`; `None`: nothing is missing there yet.
    pub(super) fn evidence(&self, at: Position) -> Option<Monotonic> {
        let held = self.held.range(at..).map(|(_, held)| held.since);
        let skipped = self.skipped.range(at..).map(|(_, skipped)| skipped.since);
        let ends = self
            .ends
            .range(at.0..)
            .filter(|&(&msn, end)| msn > at.0 || end.parts > at.1);
        held.chain(skipped).chain(ends.map(|(_, end)| end.since)).min()
    }

    /// Whether there is a part at `at`, given that there is something at or behind it.
    pub(super) fn is_known(&self, at: Position) -> bool {
        let rest = at..(at.0.next(), 0);
        at.1 == 0
            || self.ends.get(&at.0).is_some_and(|end| end.parts > at.1)
            || self.held.range(rest.clone()).next().is_some()
            || self.skipped.range(rest).next().is_some()
    }

    /// The place after `at`; `None` when it cannot be told.
    fn following(&self, at: Position) -> Option<Position> {
        let (in_segment, in_next) = ((at.0, at.1 + 1), (at.0.next(), 0));
        let is_last = self.ends.get(&at.0).is_some_and(|end| in_segment.1 >= end.parts)
            || self.held(at).is_some_and(|part| part.flags.last)
            || self.outline(at).is_some_and(|outline| outline.record.flags.last);
        if is_last {
            Some(in_next)
        } else {
            self.is_known(in_segment).then_some(in_segment)
        }
    }

    /// The first places from `next` on whose parts are known to exist and are not here, at most `most`.
    pub(super) fn missing(&self, next: Position, most: usize) -> Vec<Position> {
        let mut missing = Vec::new();
        let Some(horizon) = self.horizon(next) else {
            return missing;
        };
        let mut at = Some(next).filter(|&next| self.is_known(next));
        while let Some(here) = at.filter(|&at| at <= horizon && missing.len() < most) {
            if !self.held.contains_key(&here) {
                missing.push(here);
            }
            at = self.following(here);
        }
        missing
    }
}
