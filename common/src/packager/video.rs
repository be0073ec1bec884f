//! Cuts video into parts and segments.
//!
//! A sample's duration is the next one's decode time less its own, so one frame is always held. A part is cut at 87 % of the part
//! target and looks one frame further, so that a key frame just behind it finds the last frame before it in this part and not alone in a
//! part of its own. Nothing is held longer than that while pictures come; when they stay away, [`VideoCutter::close_held`] lets go.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{
    part::{CutPart, MAX_PART_BYTES, MAX_PART_SAMPLES},
    plan::Plan,
};
use crate::{
    cmaf::{VIDEO_TIMESCALE, fragment::FragmentSample},
    live::window::MAX_PARTS_PER_SEGMENT,
};

const TICKS_PER_MS: u64 = VIDEO_TIMESCALE as u64 / 1000;

/// Where a part is cut if nothing speaks against it, in percent of the part target.
const NOMINAL_PERCENT: u64 = 87;

/// A segment with so many parts takes no more frames. Those that it has make three more at most when the next one comes, and as many when
/// none does.
const MOST_PARTS: usize = MAX_PARTS_PER_SEGMENT - 8;

/// A key frame so soon after a segment's start opens no other one.
const MIN_SEGMENT_TICKS: u64 = 100 * TICKS_PER_MS;

/// One frame in ticks, its duration not known yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct VideoSample {
    pub(super) dts: u64,
    pub(super) composition_offset: i32,
    pub(super) sync: bool,
    pub(super) payload: Bytes,
}

struct Held {
    sample: VideoSample,
    starts_segment: bool,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It goes on in its segment.
    Inside,
    StartsSegment,
    /// Its segment would become too long, or have more parts than a window takes: it was not taken, and the segment has to be closed.
    TooLong,
}

pub(super) struct VideoCutter {
    part_target: u64,
    nominal: u64,
    segment_limit: u64,
    /// Below the limit, so that audio has room for its last part.
    cut_limit: u64,
    longest_gop: u64,
    /// Decode time of the newest segment's start; none while closed.
    segment_start: Option<u64>,
    key: u64,
    /// Everything before this is cut.
    end: u64,
    /// Parts cut of the segment that is being cut.
    parts: usize,
    held: VecDeque<Held>,
}

impl VideoCutter {
    /// `longest_gop` in ticks, as far as known.
    pub(super) fn new(plan: &Plan, longest_gop: u64) -> Self {
        let part_target = u64::from(plan.part_target_ms) * TICKS_PER_MS;
        Self {
            part_target,
            nominal: part_target * NOMINAL_PERCENT / 100,
            segment_limit: plan.segment_limit_ms().unsigned_abs() * TICKS_PER_MS,
            cut_limit: plan.video_limit_ms().unsigned_abs() * TICKS_PER_MS,
            longest_gop,
            segment_start: None,
            key: 0,
            end: 0,
            parts: 0,
            held: VecDeque::new(),
        }
    }

    /// A cutter of a rung, whose segments begin where the source's do ([`Self::push_aligned`]).
    pub(super) fn aligned(part_target_ms: u32) -> Self {
        let part_target = u64::from(part_target_ms) * TICKS_PER_MS;
        Self {
            part_target,
            nominal: part_target * NOMINAL_PERCENT / 100,
            // The source keeps its limits.
            segment_limit: u64::MAX,
            cut_limit: u64::MAX,
            longest_gop: 0,
            segment_start: None,
            key: 0,
            end: 0,
            parts: 0,
            held: VecDeque::new(),
        }
    }

    /// Where what was cut ends, in ticks.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Whether the next frame starts a run of segments.
    pub(super) fn is_closed(&self) -> bool {
        self.segment_start.is_none()
    }

    /// Takes the next frame. The first after a start or [`Self::close`] has to be a key frame.
    pub(super) fn push(&mut self, sample: VideoSample) -> Pushed {
        let follows_still = self.resumes_at().is_some();
        let sample = self.in_order(sample);
        let dts = sample.dts;
        let Some(start) = self.segment_start else {
            return self.open_segment(sample);
        };
        let length = dts - start;
        if length > self.segment_limit {
            return Pushed::TooLong;
        }
        // Still timestamps, or pictures that fill a part each.
        let is_full = self.parts >= MOST_PARTS;
        if sample.sync {
            self.longest_gop = self.longest_gop.max(dts - self.key);
            // Left alone, the next key frame may come too late: it does so above all after one that is decoded before its time.
            let may_be_late = follows_still || length + self.longest_gop > self.cut_limit;
            if length >= MIN_SEGMENT_TICKS && (may_be_late || is_full) {
                return self.open_segment(sample);
            }
            self.key = dts;
        }
        if is_full {
            return Pushed::TooLong;
        }
        self.held.push_back(Held {
            sample,
            starts_segment: false,
        });
        Pushed::Inside
    }

    /// Takes the next frame, which begins a segment if its caller says so. The first after a start or [`Self::close`] has to.
    pub(super) fn push_aligned(&mut self, sample: VideoSample, starts_segment: bool) {
        let sample = self.in_order(sample);
        if starts_segment {
            self.open_segment(sample);
        } else {
            self.held.push_back(Held {
                sample,
                starts_segment: false,
            });
        }
    }

    /// Nothing before this is cut any more: something else stands there. Only while closed.
    pub(super) fn skip_to(&mut self, ticks: u64) {
        self.end = self.end.max(ticks);
    }

    /// Decode time of the newest frame that is not cut yet.
    pub(super) fn newest(&self) -> Option<u64> {
        self.held.back().map(|newest| newest.sample.dts)
    }

    /// Publishes all that is held, though what follows the newest frame has not come: it ends at `until`, or where its segment has to.
    pub(super) fn close_held(&mut self, until: u64) -> Vec<CutPart> {
        let (Some(start), Some(newest)) = (self.segment_start, self.held.back()) else {
            return Vec::new();
        };
        let until = until.min(start.saturating_add(self.segment_limit));
        if until < newest.sample.dts + self.part_target {
            // Little is won, and its part would be short.
            return Vec::new();
        }
        self.cut_all(until, false)
    }

    /// Where the next frame has to be decoded: after [`Self::close_held`], so that there is no hole. A segment that it does not go on in has
    /// to be ended before it.
    pub(super) fn resumes_at(&self) -> Option<u64> {
        (!self.is_closed() && self.held.is_empty()).then_some(self.end)
    }

    /// Decode times rise; presentation times stay what they are.
    fn in_order(&self, mut sample: VideoSample) -> VideoSample {
        let earliest = self.held.back().map_or(self.end, |newest| newest.sample.dts + 1);
        if let Some(late) = earliest.checked_sub(sample.dts).filter(|&late| late > 0) {
            sample.dts = earliest;
            let late = i32::try_from(late).unwrap_or(i32::MAX);
            sample.composition_offset = sample.composition_offset.saturating_sub(late);
        }
        sample
    }

    fn open_segment(&mut self, sample: VideoSample) -> Pushed {
        let dts = sample.dts;
        self.segment_start = Some(dts);
        self.key = dts;
        if self.held.is_empty() {
            // The segment before was cut to its end without it.
            self.parts = 0;
        }
        self.held.push_back(Held {
            sample,
            starts_segment: true,
        });
        Pushed::StartsSegment
    }

    /// The next part that can be cut from the frames at hand.
    pub(super) fn next_part(&mut self) -> Option<CutPart> {
        let count = self.cut()?;
        Some(self.take(count))
    }

    /// Closes the segment with all that is held; the newest frame gets `typical` ticks, or what the segment has room for.
    pub(super) fn close(&mut self, typical: u64) -> Vec<CutPart> {
        let (Some(start), Some(newest)) = (self.segment_start.take(), self.held.back()) else {
            return Vec::new();
        };
        let newest = newest.sample.dts;
        let room = start.saturating_add(self.segment_limit).saturating_sub(newest);
        self.cut_all(newest + typical.min(room).max(1), true)
    }

    fn cut_all(&mut self, until: u64, ends_segment: bool) -> Vec<CutPart> {
        // A frame after the end that is never cut, so that the rule for parts is the same one.
        let end = VideoSample {
            dts: until,
            composition_offset: 0,
            sync: ends_segment,
            payload: Bytes::new(),
        };
        self.held.push_back(Held {
            sample: end,
            starts_segment: ends_segment,
        });
        let mut parts = Vec::new();
        while self.held.len() > 1 {
            let count = self.cut().unwrap_or(self.held.len() - 1);
            parts.push(self.take(count));
        }
        self.held.clear();
        parts
    }

    /// How many of the held frames make the next part, once that is certain.
    fn cut(&self) -> Option<usize> {
        let first = self.held.front()?.sample.dts;
        let mut bytes = 0;
        for count in 1..self.held.len() {
            let next = &self.held[count];
            bytes += self.held[count - 1].sample.payload.len();
            let duration = next.sample.dts - first;
            let too_long = duration > self.part_target || bytes > MAX_PART_BYTES;
            if too_long {
                // A frame that is too long or too large all by itself cannot be helped.
                return Some((count - 1).max(1));
            }
            if next.starts_segment || count == MAX_PART_SAMPLES {
                return Some(count);
            }
            if duration >= self.nominal {
                let after = self.held.get(count + 1)?;
                let with_next =
                    after.sample.dts - first <= self.part_target && bytes + next.sample.payload.len() <= MAX_PART_BYTES;
                return Some(if after.starts_segment && with_next {
                    count + 1
                } else {
                    count
                });
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> CutPart {
        let mut samples = Vec::with_capacity(count);
        let mut dts = None;
        for _ in 0..count {
            let (Some(this), Some(next)) = (self.held.pop_front(), self.held.front()) else {
                break;
            };
            dts.get_or_insert(this.sample.dts);
            self.end = next.sample.dts;
            samples.push(FragmentSample {
                // Bounded by the segment limit.
                duration: u32::try_from(next.sample.dts - this.sample.dts).unwrap_or(u32::MAX),
                composition_offset: this.sample.composition_offset,
                sync: this.sample.sync,
                payload: this.sample.payload,
            });
        }
        let last = self.held.front().is_some_and(|next| next.starts_segment);
        self.parts = if last { 0 } else { self.parts + 1 };
        CutPart {
            dts: dts.unwrap_or(self.end),
            samples,
            last,
        }
    }
}

#[cfg(test)]
mod tests;
