//! How many frames and bytes a track has a second, and how evenly: over the publisher's own time, so that the network has no part in it.

use std::collections::VecDeque;

/// Frames and bytes are counted over so long a time, in milliseconds.
const WINDOW_MS: i64 = 2_000;

/// Windows remembered, to tell how even they are: a minute.
const WINDOWS: usize = 30;

/// Fewer windows say nothing of evenness.
const MIN_WINDOWS: usize = 10;

/// A track of which nothing came for so many of its usual intervals, and for longer than a window, has stopped.
const STOPPED_INTERVALS: f64 = 3.0;

/// What a stretch of the stream had a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pace {
    pub(super) fps: f64,
    pub(super) kbps: f64,
    /// Presentation later than decoding, at most.
    composition_ms: f64,
}

/// How much later than decoding frames are to be shown, as a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reordering {
    pub(super) ms: f64,
    pub(super) frames: f64,
}

/// How one measure was spread over the last minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) lowest: f64,
    pub(super) usual: f64,
    pub(super) highest: f64,
    /// Of all windows, those that were a fifth and more off the usual; 0 to 1.
    pub(super) uneven: f64,
}

/// Counts frames and bytes over stretches of session time.
#[derive(Default)]
pub(super) struct PaceMeter {
    start_ms: Option<i64>,
    newest_ms: i64,
    frames: u32,
    bytes: u64,
    composition_ms: i32,
    windows: VecDeque<Pace>,
}

impl PaceMeter {
    pub(super) fn frame(&mut self, at_ms: i64, bytes: usize) {
        let start = *self.start_ms.get_or_insert(at_ms);
        let length = at_ms - start;
        if length >= WINDOW_MS {
            if self.windows.len() == WINDOWS {
                self.windows.pop_front();
            }
            self.windows.push_back(Pace {
                fps: f64::from(self.frames) * 1000.0 / length as f64,
                kbps: self.bytes as f64 * 8.0 / length as f64,
                composition_ms: f64::from(self.composition_ms),
            });
            self.begin(Some(at_ms));
        }
        self.newest_ms = at_ms;
        self.frames += 1;
        self.bytes += bytes as u64;
    }

    /// The frame taken last is to be shown so much later than it is decoded.
    pub(super) fn composition(&mut self, composition_ms: i32) {
        self.composition_ms = self.composition_ms.max(composition_ms);
    }

    /// The timeline is broken: the open window would hold time in which nothing was to come.
    pub(super) fn broken(&mut self) {
        self.begin(None);
    }

    fn begin(&mut self, start_ms: Option<i64>) {
        self.start_ms = start_ms;
        self.frames = 0;
        self.bytes = 0;
        self.composition_ms = 0;
    }

    /// Over the newest complete window, `quiet_ms` after the newest frame came; nothing, where the track has stopped since.
    pub(super) fn newest(&self, quiet_ms: i64) -> Pace {
        let newest = self.windows.back().filter(|_| !self.has_stopped(quiet_ms));
        newest.copied().unwrap_or_default()
    }

    /// Whether no frame for so long is more than the time between two of them.
    pub(super) fn has_stopped(&self, quiet_ms: i64) -> bool {
        let usual_ms = self.windows.back().map_or(0.0, |pace| 1000.0 / pace.fps);
        quiet_ms >= WINDOW_MS && quiet_ms as f64 >= usual_ms * STOPPED_INTERVALS
    }

    /// Time from the frame before to one at `at_ms`, where that is longer than `factor` usual intervals; none before the usual is known.
    pub(super) fn hole_ms(&self, at_ms: i64, factor: f64) -> Option<i64> {
        self.start_ms?;
        let fps = self.windows.back()?.fps;
        let interval = at_ms - self.newest_ms;
        (interval as f64 * fps > 1000.0 * factor).then_some(interval)
    }

    /// How much later than decoding frames are to be shown, once there is enough to tell. Counted in frames of their own window: where frames
    /// are far apart, one is shown later for that alone.
    pub(super) fn reordering(&self) -> Option<Reordering> {
        Some(Reordering {
            ms: self.spread(|pace| pace.composition_ms)?.usual,
            frames: self.spread(|pace| pace.composition_ms * pace.fps / 1000.0)?.usual,
        })
    }

    /// How even a measure was, once there is enough to tell.
    pub(super) fn spread(&self, measure: impl Fn(&Pace) -> f64) -> Option<Spread> {
        const UNEVEN: f64 = 0.2;
        if self.windows.len() < MIN_WINDOWS {
            return None;
        }
        let mut sorted: Vec<f64> = self.windows.iter().map(measure).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let usual = sorted[sorted.len() / 2];
        let uneven = sorted
            .iter()
            .filter(|&&value| (value - usual).abs() > usual * UNEVEN)
            .count();
        Some(Spread {
            lowest: sorted[0],
            usual,
            highest: sorted[sorted.len() - 1],
            uneven: uneven as f64 / sorted.len() as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames at these numbers a second, each held for two seconds.
    fn sent(rates: impl IntoIterator<Item = i64>) -> PaceMeter {
        let mut meter = PaceMeter::default();
        let mut start = 10_000;
        for fps in rates {
            for frame in 0..2 * fps {
                meter.frame(start + frame * 1000 / fps, 1000);
            }
            start += 2000;
        }
        meter.frame(start, 1000);
        meter
    }

    #[test]
    fn frames_and_bits_are_told_a_second() {
        let meter = sent([25, 50]);
        assert_eq!((meter.newest(0).fps, meter.newest(0).kbps), (50.0, 400.0));
    }

    #[test]
    fn a_track_that_stopped_has_nothing_and_a_slow_one_has_not_stopped() {
        let meter = sent([50]);
        assert_eq!(meter.newest(1999).fps, 50.0);
        assert_eq!(meter.newest(2000), Pace::default());
        let mut slow = PaceMeter::default();
        for picture in 0..4 {
            slow.frame(picture * 4000, 1000);
        }
        assert_eq!(slow.newest(11_999).fps, 0.25);
        assert!(slow.has_stopped(12_000));
    }

    #[test]
    fn an_even_stream_has_no_spread() {
        let spread = sent([30; 30]).spread(|pace| pace.fps).unwrap();
        assert_eq!(
            (spread.lowest, spread.usual, spread.highest, spread.uneven),
            (30.0, 30.0, 30.0, 0.0)
        );
        assert_eq!(sent([30; 9]).spread(|pace| pace.fps), None);
    }

    #[test]
    fn only_windows_far_from_the_usual_are_uneven() {
        let spread = sent([60, 58, 12, 60, 60, 60, 60, 30, 60, 60])
            .spread(|pace| pace.fps)
            .unwrap();
        assert_eq!((spread.lowest, spread.usual, spread.uneven), (12.0, 60.0, 0.2));
    }

    #[test]
    fn b_frames_are_counted_in_frames_and_not_in_time() {
        let sent = |fps: i64, frames_later: i64| {
            let mut meter = PaceMeter::default();
            for frame in 0..fps * 30 {
                meter.frame(frame * 1000 / fps, 1000);
                meter.composition(i32::try_from(frames_later * 1000 / fps).unwrap());
            }
            meter.reordering().unwrap()
        };
        for fps in [10, 25, 50] {
            let told = sent(fps, 4);
            assert!((3.9..4.1).contains(&told.frames), "{told:?} at {fps}");
        }
        assert_eq!(sent(10, 4).ms, 400.0);
        assert_eq!(self::sent([30; 9]).reordering(), None);
    }

    #[test]
    fn a_break_is_no_hole_and_slows_nothing() {
        let mut meter = sent([30, 30]);
        assert_eq!(meter.hole_ms(14_033, 3.0), None);
        assert_eq!(meter.hole_ms(15_500, 3.0), Some(1500));
        meter.broken();
        assert_eq!(meter.hole_ms(60_000, 3.0), None);
        meter.frame(60_000, 1000);
        assert_eq!(meter.newest(0).fps, 30.0);
    }
}
