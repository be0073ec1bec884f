//! The rung's open segment: frames or gaps, and where each part of it stands.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{
    cmaf::VIDEO_TIMESCALE,
    id::Msn,
    live::LiveEvent,
    packager::{
        clock::Anchor,
        part::CutPart,
        rendition::Rendition,
        video::{VideoCutter, VideoSample},
    },
};

pub(super) const TICKS_PER_MS: i64 = VIDEO_TIMESCALE as i64 / 1000;

/// A segment of the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) msn: Msn,
    pub(super) start_ms: i64,
    /// When its key frame is shown.
    pub(super) shown_ms: i64,
    /// By so much the frames after it are decoded before they are shown.
    pub(super) delay_ms: i64,
    pub(super) anchor: Anchor,
    pub(super) discontinuity: bool,
    pub(super) discontinuities: u64,
}

/// What is in the open segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// There is none.
    Closed,
    /// Frames. What is shown at a time is decoded so much earlier, as in the source; the segment's first one where the source's begins.
    Frames { delay_ms: i64 },
    /// Nothing: gaps.
    Lost,
}

/// What exists from the first frame on.
pub(super) struct Opened {
    pub(super) rendition: Rendition,
    pub(super) cutter: VideoCutter,
    pub(super) anchor: Anchor,
    /// Of the next segment to open.
    pub(super) next_msn: Msn,
    /// Start of the newest one.
    pub(super) start_ms: i64,
    pub(super) content: Content,
    pub(super) init: Bytes,
}

type Events = VecDeque<LiveEvent>;

impl Opened {
    /// Whether a segment of frames that are decoded as `init` says may follow in this epoch. Another init is a discontinuity, and a rung
    /// has those of the source and no others: players go from one to the other by their count.
    pub(super) fn can_open(&self, slot: &Slot, init: &Bytes) -> bool {
        self.next_msn == slot.msn && (slot.discontinuity || *init == self.init)
    }

    /// Opens a segment, of which nothing is known to be there yet. `init`, where frames follow, is another one only at a discontinuity.
    pub(super) fn open(&mut self, slot: &Slot, init: Option<Bytes>, out: &mut Events) {
        if slot.discontinuity {
            self.init = init.unwrap_or_else(|| self.init.clone());
            self.rendition.begin(self.init.clone(), out);
        }
        self.anchor = slot.anchor;
        self.start_ms = slot.start_ms;
        self.next_msn = slot.msn.next();
        if !matches!(self.content, Content::Frames { .. }) {
            self.cutter.skip_to(ticks(slot.start_ms));
        }
        self.content = Content::Lost;
    }

    pub(super) fn push(
        &mut self,
        at_ms: i64,
        shown_ms: i64,
        sync: bool,
        payload: Bytes,
        starts: bool,
        out: &mut Events,
    ) {
        // Bounded by what a publisher may ask for, and rounding.
        let offset = i32::try_from((shown_ms - at_ms) * TICKS_PER_MS).unwrap_or(0);
        let sample = VideoSample {
            dts: ticks(at_ms),
            composition_offset: offset,
            sync,
            payload,
        };
        self.cutter.push_aligned(sample, starts);
        while let Some(part) = self.cutter.next_part() {
            self.rendition.part(&part, self.anchor, out);
        }
    }

    /// Publishes what is held; the newest frame gets `typical` ticks. With `last`, that is the segment's end.
    pub(super) fn close(&mut self, typical: u64, last: bool, out: &mut Events) {
        let parts = self.cutter.close(typical);
        for part in parts {
            let last = last && part.last;
            self.rendition.part(&CutPart { last, ..part }, self.anchor, out);
        }
        self.content = if last { Content::Closed } else { Content::Lost };
    }

    /// No more frames follow in the open segment.
    pub(super) fn lose(&mut self, typical: u64, out: &mut Events) {
        if matches!(self.content, Content::Frames { .. }) {
            self.close(typical, false, out);
        }
    }

    /// Marks as lost what is between the newest part and this time: in whole parts, or all of it and with it the segment's end.
    pub(super) fn fill(&mut self, until_ms: i64, last: bool, part_target: u64, out: &mut Events) {
        if self.content != Content::Lost {
            return;
        }
        let until = ticks(until_ms);
        let mut at = self.cutter.end();
        while at + part_target < until {
            self.rendition.gap(at, part_target, false, self.anchor, out);
            at += part_target;
        }
        if last {
            let rest = until.saturating_sub(at).max(1);
            self.rendition.gap(at, rest, true, self.anchor, out);
            at += rest;
            self.content = Content::Closed;
        }
        self.cutter.skip_to(at);
    }
}

pub(super) fn ticks(ms: i64) -> u64 {
    (ms.max(0) * TICKS_PER_MS).unsigned_abs()
}
