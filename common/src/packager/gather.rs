//! Holds frames while it is not clear yet how to publish them: before an epoch, and after a break.
//!
//! What is held begins with a key frame once one came; before it only the newest audio is kept.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;

use super::tracks::Waited;
use crate::{
    media::access_unit::{TrackId, TrackKind},
    time::Monotonic,
};

/// Longest wait for the decoder configuration of a track that may not be there at all.
const TRACK_WAIT: Duration = Duration::from_secs(2);

/// Longest wait for the decoder configuration of a track that the publisher's metadata speaks of.
const STATED_TRACK_WAIT: Duration = Duration::from_secs(5);

/// Longest wait for a second key frame, which shows how long a GOP is.
const GOP_WAIT: Duration = Duration::from_secs(10);

/// Most payload held, in bytes: ten seconds at 50 Mb/s.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Most frames held: ten seconds at 300 frames a second, and audio.
const MAX_FRAMES: usize = 4096;

/// Most audio frames held before a key frame: two seconds and a half at 96 kHz.
const MAX_LEADING_AUDIO: usize = 256;

/// One access unit with its session time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) track: TrackId,
    pub(super) at_ms: i64,
    pub(super) composition_ms: i32,
    pub(super) sync: bool,
    pub(super) payload: Bytes,
}

/// A moment on both clocks: the wall's, and the publisher's, which may run faster when it sends what it has stored.
#[derive(Clone, Copy)]
struct Moment {
    arrived: Monotonic,
    at_ms: i64,
}

#[derive(Default)]
pub(super) struct Gather {
    frames: VecDeque<Frame>,
    bytes: usize,
    first: Option<Moment>,
    key: Option<Moment>,
    newest_ms: i64,
    /// When it was last asked what to do with the frames.
    asked: Monotonic,
    /// Video that no decoder could start with, and audio before it, in frames.
    pub(super) dropped_video: u64,
    pub(super) dropped_audio: u64,
}

impl Gather {
    pub(super) fn push(&mut self, frame: Frame, now: Monotonic) {
        let moment = Moment {
            arrived: now,
            at_ms: frame.at_ms,
        };
        self.first.get_or_insert(moment);
        self.newest_ms = self.newest_ms.max(frame.at_ms);
        if self.key.is_none() && frame.track == TrackId::VIDEO {
            if !frame.sync {
                self.dropped_video += 1;
                return;
            }
            self.key = Some(moment);
        }
        self.bytes += frame.payload.len();
        self.frames.push_back(frame);
        if self.key.is_none() && self.frames.len() > MAX_LEADING_AUDIO {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.bytes -= frame.payload.len();
            self.dropped_audio += 1;
        }
    }

    /// Gives out all frames in the order of arrival, and starts over.
    pub(super) fn take(&mut self) -> VecDeque<Frame> {
        self.bytes = 0;
        self.first = None;
        self.key = None;
        self.newest_ms = 0;
        std::mem::take(&mut self.frames)
    }

    /// Starts over without the frames held.
    pub(super) fn clear(&mut self) {
        for frame in self.take() {
            match frame.track.kind {
                TrackKind::Video => self.dropped_video += 1,
                TrackKind::Audio => self.dropped_audio += 1,
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// A second key frame is held.
    pub(super) fn has_whole_gop(&self) -> bool {
        let keys = self
            .frames
            .iter()
            .filter(|frame| frame.track == TrackId::VIDEO && frame.sync);
        keys.count() > 1
    }

    /// No more is to be held: a decision is due with what there is.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > MAX_BYTES || self.frames.len() >= MAX_FRAMES
    }

    /// How long other tracks were waited for.
    pub(super) fn waited_for_tracks(&self, now: Monotonic) -> Waited {
        if self.waited(self.first, now, STATED_TRACK_WAIT) {
            Waited::Enough
        } else if self.waited(self.first, now, TRACK_WAIT) {
            Waited::ForUnknown
        } else {
            Waited::No
        }
    }

    /// A second key frame was waited for long enough.
    pub(super) fn waited_for_gop(&self, now: Monotonic) -> bool {
        self.waited(self.key, now, GOP_WAIT)
    }

    fn waited(&self, since: Option<Moment>, now: Monotonic, long: Duration) -> bool {
        since.is_some_and(|since| {
            let media = Duration::from_millis(u64::try_from(self.newest_ms - since.at_ms).unwrap_or(0));
            self.is_full() || media >= long || now.since(since.arrived) >= long
        })
    }

    /// Takes note that a decision is tried now.
    pub(super) fn ask(&mut self, now: Monotonic) {
        self.asked = now;
    }

    /// When a wait ends that had not ended when last asked.
    pub(super) fn next_tick(&self) -> Option<Monotonic> {
        let ends = [
            (self.first, TRACK_WAIT),
            (self.first, STATED_TRACK_WAIT),
            (self.key, GOP_WAIT),
        ];
        let ends = ends.into_iter().filter_map(|(since, long)| Some(since?.arrived + long));
        ends.filter(|&end| end > self.asked).min()
    }

    /// Session time of the first frame of a track.
    pub(super) fn first_ms(&self, track: TrackId) -> Option<i64> {
        self.frames
            .iter()
            .find(|frame| frame.track == track)
            .map(|frame| frame.at_ms)
    }

    /// Payload bytes of a track and the session time that they cover, in milliseconds.
    pub(super) fn extent(&self, track: TrackId) -> (u64, i64) {
        let frames = || self.frames.iter().filter(move |frame| frame.track == track);
        let bytes = frames().map(|frame| frame.payload.len() as u64).sum();
        let first = frames().map(|frame| frame.at_ms).min().unwrap_or(0);
        let last = frames().map(|frame| frame.at_ms).max().unwrap_or(0);
        (bytes, last - first)
    }
}
