//! Cuts a sound into whole parts, and closes its segments after those of the track that it follows: video, or the first sound.
//!
//! Audio is counted in samples, not by its timestamps, which are rounded to milliseconds: every frame lasts as long as the one
//! before. Where the timestamps leave the count, frames of silence are put in or late frames left out, so the track has no
//! hole and no overlap, and every part has the same number of frames but for the last one before a break, and those that would have more
//! bytes than a part may.

mod closing;

use std::collections::VecDeque;

use bytes::Bytes;

pub(super) use super::part::{AudioCounts, AudioCut};
use super::{
    part::{CutPart, MAX_PART_BYTES, MAX_PART_SOUNDS},
    plan::Plan,
};
use crate::{cmaf::fragment::FragmentSample, live::window::MAX_PARTS_PER_SEGMENT, media::audio_config::AudioConfig};

/// Timestamps may leave the count of samples so far, in milliseconds: sound more than 40 ms ahead of the lips is noticed (EBU R 37).
const MAX_DRIFT_MS: i64 = 40;

/// Audio so far behind video is taken for lost, in milliseconds: silence goes in its place, so that the room goes on.
const MAX_LAG_MS: i64 = 3_000;

/// The same once it was lost and until a frame of it comes, so that viewers need not hang back by so much as long as it stays away.
const LOST_LAG_MS: i64 = 500;

/// Most frames held. Reached only when video stands still and with it the segment.
const MAX_HELD: usize = 512;
const _: () = assert!(
    MAX_HELD > MAX_PART_SOUNDS as usize,
    "a whole part can be held, and one frame behind it"
);

/// Longest frame that is put in where others are missing, in bytes: E-AC-3 of the highest bit rate has 24 KiB. One frame stands for those
/// of three seconds, so that a large one would make of little that is sent very much that is published.
const MAX_STAND_IN_BYTES: usize = 32 << 10;

/// Most segment starts that audio is behind.
const MAX_BOUNDARIES: usize = 128;

enum Pace {
    /// Ticks at which video segments start.
    Follow(VecDeque<u64>),
    /// Whole parts in each segment.
    Alone(u32),
}

struct Held {
    payload: Bytes,
    made_up: bool,
}

pub(super) struct AudioCutter {
    rate: i64,
    frame: u64,
    frames_in_part: usize,
    segment_limit: u64,
    /// What goes where a frame is missing: silence, or where none can be made up, the newest frame once more.
    stand_in: Bytes,
    has_silence: bool,
    /// It was made up for, and no frame came since.
    lost: bool,
    pace: Pace,
    /// Where the first frame belongs, until it came.
    floor: Option<u64>,
    /// Decode time after the newest held frame.
    next: u64,
    held: VecDeque<Held>,
    segment_start: u64,
    parts_in_segment: u32,
    pub(super) counts: AudioCounts,
    drift: i64,
}

impl AudioCutter {
    pub(super) fn new(plan: &Plan, config: &AudioConfig, follows: bool) -> Self {
        let rate = i64::from(config.sample_rate);
        Self {
            rate,
            frame: config.frame_samples.into(),
            frames_in_part: plan.audio_frames(config) as usize,
            segment_limit: (plan.segment_limit_ms() * rate / 1000).unsigned_abs(),
            stand_in: config.silent_frame().unwrap_or_default(),
            has_silence: config.silent_frame().is_some(),
            lost: false,
            pace: if follows {
                Pace::Follow(VecDeque::new())
            } else {
                Pace::Alone(plan.audio_parts(config))
            },
            floor: None,
            next: 0,
            held: VecDeque::new(),
            segment_start: 0,
            parts_in_segment: 0,
            counts: AudioCounts::default(),
            drift: 0,
        }
    }

    /// Milliseconds by which timestamps lead the count of samples.
    pub(super) fn drift_ms(&self) -> i64 {
        self.drift * 1000 / self.rate
    }

    /// Where what was cut ends, in ticks.
    pub(super) fn end(&self) -> u64 {
        self.next - self.frame * self.held.len() as u64
    }

    /// Begins a segment at a session time; frames that end before it are left out.
    pub(super) fn start(&mut self, at_ms: i64, config: &AudioConfig) {
        if let Some(silence) = config.silent_frame() {
            self.stand_in = silence;
            self.has_silence = true;
        }
        self.floor = Some(self.ticks(at_ms).max(self.next));
    }

    /// Video starts a segment at this session time, in milliseconds; the first one of a run is [`Self::start`].
    pub(super) fn boundary(&mut self, at_ms: i64) {
        let at = self.ticks(at_ms);
        if let Pace::Follow(boundaries) = &mut self.pace {
            if boundaries.len() == MAX_BOUNDARIES {
                // Unreachable while silence follows video; then the oldest two segments of audio become one.
                boundaries.pop_front();
            }
            boundaries.push_back(at);
        }
    }

    /// A frame to stand in for those that are missing, where there is nothing better yet.
    pub(super) fn seed(&mut self, payload: &Bytes) {
        if self.stand_in.is_empty() && payload.len() <= MAX_STAND_IN_BYTES {
            self.stand_in = payload.clone();
            for held in self.held.iter_mut().filter(|held| held.payload.is_empty()) {
                held.payload = payload.clone();
            }
        }
    }

    /// Takes the next frame, of a session time in milliseconds.
    pub(super) fn push(&mut self, at_ms: i64, payload: Bytes) {
        let wanted = self.ticks(at_ms);
        self.lost = false;
        self.seed(&payload);
        if !self.has_silence && payload.len() <= MAX_STAND_IN_BYTES {
            self.stand_in = payload.clone();
        }
        if let Some(floor) = self.floor {
            if wanted + self.frame <= floor || wanted < self.next {
                self.counts.early += 1;
                return;
            }
            self.begin(wanted, floor);
        }
        // Both are below 2^62: session times in ticks.
        self.drift = wanted.cast_signed() - self.next.cast_signed();
        let allowed = self.allowed_drift();
        if self.drift < -allowed {
            self.counts.late += 1;
            return;
        }
        if self.held.len() >= MAX_HELD {
            self.counts.excess += 1;
            return;
        }
        if self.drift > allowed {
            let frame = self.frame.cast_signed();
            self.fill((self.drift + frame / 2) / frame);
        }
        self.hold(payload, false);
    }

    /// The first frame of a run is at `wanted`: silence from the start of the segment up to it, then the count goes by it.
    fn begin(&mut self, wanted: u64, floor: u64) {
        self.floor = None;
        let hole = wanted.saturating_sub(floor.max(self.next));
        let hole = if hole.cast_signed() > self.allowed_drift() {
            hole / self.frame
        } else {
            0
        };
        self.next = wanted - hole * self.frame;
        self.segment_start = self.next;
        self.parts_in_segment = 0;
        self.fill(hole.cast_signed());
    }

    /// Video is at this session time: audio that is too far behind is made up for.
    pub(super) fn keep_up(&mut self, video_ms: i64) {
        let lag_ms = if self.lost { LOST_LAG_MS } else { MAX_LAG_MS };
        let until = self.ticks(video_ms - lag_ms);
        if let Some(floor) = self.floor {
            if floor + self.frame > until {
                return;
            }
            self.begin(floor, floor);
        }
        while self.next + self.frame <= until && self.held.len() < MAX_HELD {
            self.lost = true;
            self.fill(1);
        }
    }

    fn fill(&mut self, frames: i64) {
        for _ in 0..frames {
            self.counts.silent += 1;
            self.hold(self.stand_in.clone(), true);
        }
    }

    fn hold(&mut self, payload: Bytes, made_up: bool) {
        self.held.push_back(Held { payload, made_up });
        self.next += self.frame;
    }

    /// The next cut that the frames at hand allow: a part as soon as one frame behind it is here, and with it all video up to its end.
    pub(super) fn next_cut(&mut self) -> Option<AudioCut> {
        if self.parts_in_segment > 0 && self.reaches_boundary(self.end()) {
            self.end_segment();
            return Some(AudioCut::SegmentEnd);
        }
        if self.held.len() <= self.frames_in_part {
            return None;
        }
        let count = self.fitting(self.frames_in_part);
        let end = self.end() + self.frame * count as u64;
        if self.parts_in_segment > 0 && (end - self.segment_start > self.segment_limit || self.is_full()) {
            // Early, if video has gone on; else this waits for video.
            return self.has_boundary().then(|| {
                self.end_segment();
                AudioCut::SegmentEnd
            });
        }
        let last = match &self.pace {
            Pace::Follow(_) => self.reaches_boundary(end),
            Pace::Alone(parts) => self.parts_in_segment + 1 >= *parts,
        };
        Some(AudioCut::Part(self.take(count, last)))
    }

    /// Of so many frames, those that a part can hold.
    fn fitting(&self, frames: usize) -> usize {
        let mut bytes = 0;
        let fits = |held: &&Held| {
            bytes += held.payload.len();
            bytes <= MAX_PART_BYTES
        };
        self.held.iter().take(frames).take_while(fits).count().max(1)
    }

    /// The open segment has as many parts as a window takes.
    fn is_full(&self) -> bool {
        self.parts_in_segment as usize >= MAX_PARTS_PER_SEGMENT
    }

    fn take(&mut self, count: usize, last: bool) -> CutPart {
        let dts = self.end();
        let sample = |held: Held| FragmentSample {
            // Within 32 bits in every codec.
            duration: self.frame as u32,
            composition_offset: 0,
            sync: true,
            payload: held.payload,
        };
        let samples = self.held.drain(..count).map(sample).collect();
        self.parts_in_segment += 1;
        if last {
            self.end_segment();
        }
        CutPart { dts, samples, last }
    }

    fn has_boundary(&self) -> bool {
        matches!(&self.pace, Pace::Follow(boundaries) if !boundaries.is_empty())
    }

    fn reaches_boundary(&self, end: u64) -> bool {
        matches!(&self.pace, Pace::Follow(boundaries) if boundaries.front().is_some_and(|&at| at <= end))
    }

    /// What is cut from here on is in the next segment.
    fn end_segment(&mut self) {
        if let Pace::Follow(boundaries) = &mut self.pace {
            boundaries.pop_front();
        }
        self.segment_start = self.end();
        self.parts_in_segment = 0;
    }

    /// Ticks.
    fn allowed_drift(&self) -> i64 {
        MAX_DRIFT_MS * self.rate / 1000
    }

    fn ticks(&self, at_ms: i64) -> u64 {
        ((at_ms.max(0) * self.rate + 500) / 1000).unsigned_abs()
    }
}

#[cfg(test)]
mod tests;
