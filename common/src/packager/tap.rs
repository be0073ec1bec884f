//! The source's pictures as they are published, for those who make rungs of them: what a [`super::Packager`] cuts into segments,
//! frame by frame and already in its place in time.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use super::{clock::Anchor, gather::Frame};
use crate::{id::Msn, live::EpochDescription, media::video_config::VideoConfig, time::UnixMillis};

/// What comes out of the tap, in order. Times are session times: the source's decode times in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Tapped {
    /// What follows is of this epoch and decoded so. Comes when the tap is opened (the next [`Tapped::Segment`] then starts the frames), at
    /// an epoch's start, and after each break.
    Start {
        description: Arc<EpochDescription>,
        config: VideoConfig,
    },
    /// The next frame, a key frame, begins this segment.
    Segment {
        msn: Msn,
        at_ms: i64,
        /// Its PROGRAM-DATE-TIME.
        unix: UnixMillis,
        /// By so much its frames are decoded before they are shown. Not so the first one where the picture before it stayed: it is decoded
        /// where that one was published to end.
        delay_ms: i64,
        discontinuity: bool,
        /// Discontinuities in the epoch up to this segment, its own included.
        discontinuities: u64,
    },
    Frame {
        /// Above the one of the frame before.
        at_ms: i64,
        composition_ms: i32,
        sync: bool,
        payload: Bytes,
    },
    /// The timeline is broken: the open segment ends at `end_ms`. A [`Tapped::Start`] follows, or [`Tapped::End`].
    Break { end_ms: i64 },
    /// The epoch is over.
    End,
}

/// How far the one who listens is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Between epochs, or the tap is shut.
    #[default]
    Idle,
    /// An epoch was announced, and frames wait for a segment to begin.
    Announced,
    /// Frames flow.
    InSegment,
}

#[derive(Default)]
pub(super) struct Tap {
    on: bool,
    stage: Stage,
    /// The earliest time for the next frame.
    next_ms: i64,
    queue: VecDeque<Tapped>,
}

impl Tap {
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// Opens or shuts the tap. Shut, it forgets what was not fetched.
    pub(super) fn set(&mut self, on: bool) {
        if self.on != on {
            *self = Self { on, ..Self::default() };
        }
    }

    pub(super) fn poll(&mut self) -> Option<Tapped> {
        self.queue.pop_front()
    }

    /// A run of segments of this epoch follows.
    pub(super) fn start(&mut self, description: &Arc<EpochDescription>, config: &VideoConfig) {
        if self.on {
            self.stage = Stage::Announced;
            self.queue.push_back(Tapped::Start {
                description: Arc::clone(description),
                config: config.clone(),
            });
        }
    }

    /// The next frame begins this segment.
    pub(super) fn segment(
        &mut self,
        msn: Msn,
        at_ms: i64,
        delay_ms: i64,
        anchor: Anchor,
        discontinuity: bool,
        discontinuities: u64,
    ) {
        if self.on && self.stage != Stage::Idle {
            self.stage = Stage::InSegment;
            self.queue.push_back(Tapped::Segment {
                msn,
                at_ms: at_ms.max(self.next_ms),
                unix: anchor.unix_at(at_ms),
                delay_ms,
                discontinuity,
                discontinuities,
            });
        }
    }

    pub(super) fn frame(&mut self, frame: &Frame) {
        if self.on && self.stage == Stage::InSegment {
            // Decode times rise; presentation times stay what they are.
            let at_ms = frame.at_ms.max(self.next_ms);
            let late = i32::try_from(at_ms - frame.at_ms).unwrap_or(i32::MAX);
            self.next_ms = at_ms + 1;
            self.queue.push_back(Tapped::Frame {
                at_ms,
                composition_ms: frame.composition_ms.saturating_sub(late),
                sync: frame.sync,
                payload: frame.payload.clone(),
            });
        }
    }

    /// The open segment is closed, and nothing is known of what follows.
    pub(super) fn break_off(&mut self, end_ms: i64) {
        if self.on && self.stage != Stage::Idle {
            self.stage = Stage::Announced;
            self.queue.push_back(Tapped::Break { end_ms });
        }
    }

    pub(super) fn end(&mut self) {
        if self.on && self.stage != Stage::Idle {
            self.stage = Stage::Idle;
            self.queue.push_back(Tapped::End);
        }
    }
}
