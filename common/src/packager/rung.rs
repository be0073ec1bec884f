//! One rung of a ladder: an encoder's pictures become an epoch whose segments have the source's numbers and begin at its times.
//!
//! The source's segments come from its packager's tap, frames come from the encoder, in the order of presentation and some time later. A
//! key frame is recognised by when it is shown. Where the encoder made nothing, parts are marked as gaps, so that numbers stay consecutive.
//!
//! What callers keep: everything tapped goes in before frames made of it do; after each call, [`RungPackager::poll`] until nothing comes.

mod description;
mod opened;

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use self::opened::{Content, Opened, Slot, TICKS_PER_MS, ticks};
use super::{clock::Anchor, part::MAX_SAMPLE_BYTES, rendition::Rendition, tap::Tapped, video::VideoCutter};
use crate::{
    cmaf::{VIDEO_TIMESCALE, fragment::FragmentTrack, init},
    id::{Epoch, RenditionId, Rung},
    live::{EpochDescription, LiveEvent, RungDescription},
    media::video_config::VideoConfig,
};

/// Timestamps of an encoder may be off by their rounding.
const ROUNDING_MS: i64 = 1;
/// A segment so much longer than the target duration is none: something between its ends was missed.
const LONGEST_EXTRA_MS: i64 = 1_000;
/// Taken for the frame interval where no rate is known, ticks.
const UNKNOWN_INTERVAL: u64 = 3_000;

/// What the encoder was given and has not answered yet.
enum Mark {
    Segment(Slot),
    Break { end_ms: i64 },
}

/// Turns an encoder's frames into one epoch of a rung.
pub struct RungPackager {
    epoch: Epoch,
    parent: Arc<EpochDescription>,
    rung: RungDescription,
    part_target: u64,
    /// A segment of which the first frame is due, and whether the encoder gets it.
    told: Option<(Slot, bool)>,
    marks: VecDeque<Mark>,
    config: Option<(VideoConfig, Bytes)>,
    opened: Option<Opened>,
    events: VecDeque<LiveEvent>,
    over: bool,
}

impl RungPackager {
    /// A rung of the `parent` epoch; `None` when it offers no such one. No two may have the same `epoch`.
    pub fn new(epoch: Epoch, rung: Rung, parent: Arc<EpochDescription>) -> Option<Self> {
        let rung = parent.ladder.iter().find(|offered| offered.rung == rung)?.clone();
        Some(Self {
            epoch,
            rung,
            part_target: u64::from(parent.part_target_ms) * TICKS_PER_MS.unsigned_abs(),
            parent,
            told: None,
            marks: VecDeque::new(),
            config: None,
            opened: None,
            events: VecDeque::new(),
            over: false,
        })
    }

    /// The source's epoch.
    pub fn parent(&self) -> &Arc<EpochDescription> {
        &self.parent
    }

    /// Whether there is an epoch to play.
    pub fn has_begun(&self) -> bool {
        self.opened.is_some()
    }

    /// Nothing comes any more: the source's epoch is over, or its segments are not to be followed any further.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Takes what was tapped next. `given`: an encoder gets it too, and its answer is waited for.
    pub fn source(&mut self, tapped: &Tapped, given: bool) {
        if self.over {
            return;
        }
        match *tapped {
            Tapped::Start { .. } => {}
            Tapped::Segment {
                msn,
                at_ms,
                unix,
                delay_ms,
                discontinuity,
                discontinuities,
            } => {
                let slot = Slot {
                    msn,
                    start_ms: at_ms,
                    shown_ms: at_ms,
                    delay_ms,
                    anchor: Anchor { at_ms, unix },
                    discontinuity,
                    discontinuities,
                };
                self.told = Some((slot, given));
            }
            Tapped::Frame {
                at_ms, composition_ms, ..
            } => match self.told.take() {
                Some((slot, given)) => {
                    let shown_ms = at_ms + i64::from(composition_ms);
                    self.mark(Mark::Segment(Slot { shown_ms, ..slot }), given);
                }
                None => self.keep_up(at_ms),
            },
            Tapped::Break { end_ms } => {
                self.told = None;
                self.mark(Mark::Break { end_ms }, given);
            }
            Tapped::End => self.end(),
        }
    }

    /// How the encoder's next frames are decoded.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn configure(&mut self, config: VideoConfig) -> Result<(), init::InitError> {
        let init = init::video(&config)?;
        self.config = Some((config, init));
        Ok(())
    }

    /// Takes a frame of the encoder, at the session time at which it is shown.
    pub fn made(&mut self, shown_ms: i64, sync: bool, payload: Bytes) {
        if self.over || payload.is_empty() || payload.len() > MAX_SAMPLE_BYTES {
            return;
        }
        let is_due =
            |mark: Option<&Mark>| matches!(mark, Some(Mark::Segment(slot)) if slot.shown_ms <= shown_ms + ROUNDING_MS);
        while is_due(self.marks.front()) {
            let Some(Mark::Segment(slot)) = self.marks.pop_front() else {
                break;
            };
            if sync && !is_due(self.marks.front()) {
                self.begin(slot, shown_ms, payload);
                return;
            }
            // Its key frame was not made.
            self.pass(&Mark::Segment(slot));
        }
        if let Some(opened) = &mut self.opened
            && let Content::Frames { delay_ms } = opened.content
        {
            opened.push(shown_ms - delay_ms, shown_ms, sync, payload, false, &mut self.events);
        }
    }

    /// Nothing more comes of what the encoder was given: it ended, as it should after a break or not.
    pub fn drained(&mut self) {
        if let Some((_, given)) = &mut self.told {
            *given = false;
        }
        if self.marks.is_empty() {
            let typical = self.typical();
            if let Some(opened) = &mut self.opened {
                opened.lose(typical, &mut self.events);
            }
        }
        while let Some(mark) = self.marks.pop_front() {
            self.pass(&mark);
        }
    }

    /// The epoch is over: what is held is published.
    pub fn end(&mut self) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let typical = self.typical();
        if let Some(opened) = &mut self.opened {
            match opened.content {
                Content::Closed => {}
                Content::Frames { .. } => opened.close(typical, true, &mut self.events),
                Content::Lost => opened.rendition.segment_end(&mut self.events),
            }
            self.events.push_back(LiveEvent::End);
        }
    }

    /// Whoever plays the epoch can follow it no more: it is over, and what is not fetched of it is left.
    pub fn abandon(&mut self) {
        self.over = true;
        self.events.clear();
    }

    /// The next event, in order.
    pub fn poll(&mut self) -> Option<LiveEvent> {
        self.events.pop_front()
    }

    /// Ticks of a frame where the next one is not known.
    fn typical(&self) -> u64 {
        (1000 * u64::from(VIDEO_TIMESCALE))
            .checked_div(self.rung.frame_rate_millihertz.into())
            .unwrap_or(UNKNOWN_INTERVAL)
    }

    fn mark(&mut self, mark: Mark, given: bool) {
        if !given && self.marks.is_empty() {
            self.pass(&mark);
            return;
        }
        if let (true, Mark::Segment(slot), Some(opened)) = (self.marks.is_empty(), &mark, &mut self.opened)
            && opened.content == Content::Lost
        {
            opened.fill(slot.start_ms, true, self.part_target, &mut self.events);
        }
        self.marks.push_back(mark);
    }

    /// Goes by a mark of which nothing was made.
    fn pass(&mut self, mark: &Mark) {
        let until_ms = match mark {
            Mark::Segment(slot) => slot.start_ms,
            Mark::Break { end_ms } => *end_ms,
        };
        self.finish(until_ms);
        if let (Mark::Segment(slot), Some(opened)) = (mark, &mut self.opened)
            && !self.over
        {
            if opened.next_msn == slot.msn {
                opened.open(slot, None, &mut self.events);
            } else {
                self.end();
            }
        }
    }

    /// Closes the open segment at this time.
    fn finish(&mut self, until_ms: i64) {
        let typical = self.typical();
        let Some(opened) = &mut self.opened else { return };
        let longest_ms = i64::from(self.parent.target_duration_s) * 1000 + LONGEST_EXTRA_MS;
        if opened.content != Content::Closed && until_ms - opened.start_ms > longest_ms {
            self.end();
            return;
        }
        if let (Content::Frames { .. }, Some(newest)) = (opened.content, opened.cutter.newest()) {
            let rest = ticks(until_ms).saturating_sub(newest);
            if rest <= self.part_target.max(2 * typical) {
                opened.close(rest, true, &mut self.events);
                return;
            }
            opened.lose(typical, &mut self.events);
        }
        opened.fill(until_ms, true, self.part_target, &mut self.events);
    }

    /// Marks as lost what the source has published meanwhile.
    fn keep_up(&mut self, at_ms: i64) {
        if let Some(opened) = &mut self.opened
            && self.marks.is_empty()
        {
            opened.fill(at_ms, false, self.part_target, &mut self.events);
        }
    }

    /// Opens a segment with its key frame.
    fn begin(&mut self, slot: Slot, shown_ms: i64, payload: Bytes) {
        let Some((config, init)) = &self.config else { return };
        let init = init.clone();
        if self.opened.is_none() {
            let description = self.describe(&slot, config);
            let bit_rate = self.rung.bit_rate;
            self.events.push_back(LiveEvent::Start(Arc::new(description)));
            let mut rendition = Rendition::new(
                RenditionId(0),
                FragmentTrack::Video,
                VIDEO_TIMESCALE,
                slot.msn,
                bit_rate,
            );
            rendition.begin(init.clone(), &mut self.events);
            let opened = self.opened.insert(Opened {
                rendition,
                cutter: VideoCutter::aligned(self.parent.part_target_ms),
                anchor: slot.anchor,
                next_msn: slot.msn,
                start_ms: slot.start_ms,
                content: Content::Closed,
                init,
            });
            let first = Slot {
                discontinuity: false,
                ..slot
            };
            opened.open(&first, None, &mut self.events);
        } else {
            let runs_on = self.opened.as_ref().is_some_and(|opened| {
                matches!(opened.content, Content::Frames { .. }) && opened.init == init && !slot.discontinuity
            });
            if !runs_on {
                self.finish(slot.start_ms);
            }
            match &mut self.opened {
                Some(opened) if !self.over && opened.can_open(&slot, &init) => {
                    opened.open(&slot, Some(init), &mut self.events);
                }
                _ => return self.end(),
            }
        }
        if let Some(opened) = &mut self.opened {
            opened.content = Content::Frames {
                delay_ms: slot.delay_ms,
            };
            opened.push(slot.start_ms, shown_ms, true, payload, true, &mut self.events);
        }
    }
}

#[cfg(test)]
mod tests;
