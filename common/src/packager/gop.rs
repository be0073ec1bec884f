//! How the publisher spaces frames and key frames, measured as they arrive.

use serde::{Deserialize, Serialize};

/// Frame intervals remembered, for the typical one.
const INTERVALS: usize = 64;

/// Intervals this near to the median, in milliseconds, are the typical one plus rounding.
const ROUNDING_MS: i64 = 2;

/// An interval above this, in milliseconds, and above [`STALL_FACTOR`] typical ones, is a stall.
const STALL_MS: i64 = 100;
const STALL_FACTOR: i64 = 3;

/// Ticks of [`crate::cmaf::VIDEO_TIMESCALE`] in a millisecond.
const TICKS_PER_MS: u64 = 90;

/// Taken for the frame interval while there is none: 30 frames a second.
const UNKNOWN_INTERVAL_TICKS: u64 = 3_000;

/// So many intervals tell the frame rate.
const TELLING_INTERVALS: usize = 8;

/// Over so many of the GOPs expected, one of them would have come.
const SETTLED_FACTOR: i64 = 2;

/// How frames and key frames are spaced, as far as an epoch has to know before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FramePace {
    /// From frame to frame, in ticks of 1/90000 s.
    pub(super) frame_ticks: u64,
    /// None: as long as can be.
    pub(super) longest_gop_ms: Option<i64>,
}

#[derive(Default)]
pub(super) struct GopMeter {
    newest_ms: Option<i64>,
    key_ms: Option<i64>,
    /// Time in stalls since the newest key frame.
    stalled_ms: i64,
    /// Of GOPs since the last reset, as they are decoded: the longest of all but the newest, and the newest.
    longest_ms: Option<i64>,
    newest_gop_ms: Option<i64>,
    /// The longest as it was sent, without stalls.
    longest_steady_ms: Option<i64>,
    last_ms: Option<i64>,
    /// The first key frame since the last reset.
    first_key_ms: Option<i64>,
    /// The two newest ones since then are as long as each other.
    is_regular: bool,
    /// By how much the newest key frame is decoded before its time, because the picture before it had to end; the most of all.
    early_ms: i64,
    stretch_ms: i64,
    /// A ring of the newest intervals.
    intervals: Vec<i64>,
    intervals_seen: usize,
}

impl GopMeter {
    /// Takes note of a frame.
    pub(super) fn frame(&mut self, at_ms: i64, sync: bool) {
        if let Some(newest) = self.newest_ms
            && at_ms > newest
        {
            self.interval(at_ms - newest);
        }
        self.newest_ms = Some(self.newest_ms.map_or(at_ms, |newest| newest.max(at_ms)));
        if sync {
            if let Some(key) = self.key_ms {
                let length = at_ms - key;
                let last = self.last_ms.filter(|_| self.newest_gop_ms.is_some());
                self.is_regular = last.is_some_and(|last| (last - length).abs() <= ROUNDING_MS);
                self.last_ms = Some(length);
                self.longest_ms = self.longest_ms.max(self.newest_gop_ms);
                self.newest_gop_ms = Some(length + self.early_ms);
                self.longest_steady_ms = self.longest_steady_ms.max(Some(length - self.stalled_ms));
            }
            self.first_key_ms.get_or_insert(at_ms);
            self.key_ms = Some(at_ms);
            self.early_ms = 0;
            self.stalled_ms = 0;
        }
    }

    fn interval(&mut self, interval: i64) {
        if let Some(typical) = self.median()
            && interval > STALL_MS.max(typical * STALL_FACTOR)
        {
            self.stalled_ms += interval - typical;
        }
        if self.intervals.len() < INTERVALS {
            self.intervals.push(interval);
        } else {
            self.intervals[self.intervals_seen % INTERVALS] = interval;
        }
        self.intervals_seen += 1;
    }

    /// The key frame of this time is decoded so much sooner: its GOP is longer by that, and the one before it shorter.
    pub(super) fn stretched(&mut self, key_ms: i64, by_ms: i64) {
        self.stretch_ms = self.stretch_ms.max(by_ms);
        if self.key_ms == Some(key_ms) {
            self.newest_gop_ms = self.newest_gop_ms.map(|gop| gop + self.early_ms - by_ms);
            self.early_ms = by_ms;
        }
    }

    /// The timeline is broken: what follows is measured anew. Whoever lets pictures stay goes on to.
    pub(super) fn reset(&mut self) {
        *self = Self {
            last_ms: self.last_ms,
            stretch_ms: self.stretch_ms,
            ..Self::default()
        };
    }

    /// The publisher is lost, and another one may come.
    pub(super) fn interrupt(&mut self) {
        self.stretch_ms = 0;
    }

    /// The longest time from key frame to key frame that was or is to be expected, milliseconds; none before the second key frame.
    pub(super) fn longest_ms(&self) -> Option<i64> {
        self.longest_ms.max(self.newest_gop_ms).max(self.longest_steady_ms())
    }

    /// The same less the time in which no frame came though one was due; any may follow a picture that had to end.
    pub(super) fn longest_steady_ms(&self) -> Option<i64> {
        self.longest_steady_ms.map(|longest| longest + self.stretch_ms)
    }

    /// What the encoder does by itself, holes before key frames left out too.
    pub(super) fn longest_own_ms(&self) -> Option<i64> {
        self.longest_steady_ms
    }

    /// The longest, once it is clear that no longer ones come, though one of `expected_ms` might: key frames at scene cuts come sooner.
    pub(super) fn settled_ms(&self, expected_ms: i64) -> Option<i64> {
        let measured_ms = self.key_ms? - self.first_key_ms?;
        let is_settled = self.is_regular || measured_ms >= SETTLED_FACTOR * expected_ms;
        self.longest_ms().filter(|_| is_settled)
    }

    /// What was measured since the last reset.
    pub(super) fn pace(&self) -> FramePace {
        FramePace {
            frame_ticks: self.typical_ticks(),
            longest_gop_ms: self.longest_ms(),
        }
    }

    /// Whether frames enough were seen to tell their rate.
    pub(super) fn tells_rate(&self) -> bool {
        self.intervals_seen >= TELLING_INTERVALS
    }

    /// The newest complete one, across breaks.
    pub(super) fn last_ms(&self) -> Option<i64> {
        self.last_ms
    }

    /// Time since the newest key frame, to the newest frame.
    pub(super) fn open_ms(&self) -> Option<i64> {
        Some(self.newest_ms? - self.key_ms?)
    }

    /// The usual time between frames, in ticks of 1/90000 s: the mean of those intervals that differ by rounding alone.
    pub(super) fn typical_ticks(&self) -> u64 {
        let Some(median) = self.median() else {
            return UNKNOWN_INTERVAL_TICKS;
        };
        let near = self
            .intervals
            .iter()
            .filter(|&&interval| (interval - median).abs() <= ROUNDING_MS);
        let (count, sum) = near.fold((0_u64, 0_u64), |(count, sum), &interval| {
            (count + 1, sum + interval.unsigned_abs())
        });
        (sum * TICKS_PER_MS / count.max(1)).max(1)
    }

    fn median(&self) -> Option<i64> {
        let mut sorted = self.intervals.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A meter that has seen one GOP of so many frames, at so many a second.
    pub(in crate::packager) fn measured(fps: i64, gop_frames: i64) -> GopMeter {
        let mut meter = GopMeter::default();
        for frame in 0..=gop_frames {
            meter.frame(frame * 1000 / fps, frame % gop_frames == 0);
        }
        meter
    }

    #[test]
    fn rounded_milliseconds_average_to_the_frame_rate() {
        let mut meter = GopMeter::default();
        for frame in 0..61 {
            meter.frame(frame * 1000 / 30, frame % 60 == 0);
        }
        assert_eq!(meter.longest_ms(), Some(2000));
        assert_eq!(meter.typical_ticks(), 3000);
    }

    /// Whether GOPs of these lengths say that none of eight seconds comes.
    fn settled(gops_ms: &[i64]) -> Option<i64> {
        let mut meter = GopMeter::default();
        meter.frame(0, true);
        let mut at_ms = 0;
        for gop_ms in gops_ms {
            at_ms += gop_ms;
            meter.frame(at_ms, true);
        }
        meter.settled_ms(8000)
    }

    #[test]
    fn scene_cuts_do_not_tell_how_long_gops_are() {
        assert_eq!(settled(&[2000]), None);
        assert_eq!(settled(&[3000, 1200, 4000]), None);
        assert_eq!(settled(&[2000, 2001]), Some(2001));
        assert_eq!(settled(&[3000, 1200, 4000, 3500, 2900, 2000]), Some(4000));
        assert_eq!(settled(&[8000, 8000]), Some(8000));
    }

    #[test]
    fn a_stall_is_not_the_encoders_doing() {
        let mut meter = GopMeter::default();
        for frame in 0..30 {
            meter.frame(frame * 33, frame == 0);
        }
        meter.frame(2990, true);
        assert_eq!(meter.longest_ms(), Some(2990));
        assert_eq!(meter.longest_steady_ms(), Some(30 * 33));
    }
}
