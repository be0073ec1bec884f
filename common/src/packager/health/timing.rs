//! What timestamps say beside the time at which they arrive: how the encoder's clock runs, and whether sound and picture come together.
//!
//! Arrival is the publisher's time plus a delay that is never below the way's own. So the least delay of each ten seconds is looked at:
//! queues come and go above it, and only a clock that runs otherwise makes it rise or fall for minutes.

use std::collections::VecDeque;

use crate::time::Monotonic;

/// The least delay is taken of each so many milliseconds.
const WINDOW_MS: f64 = 10_000.0;

/// Windows looked at: ten minutes.
const WINDOWS: usize = 60;

/// Fewer windows, three minutes, do not tell a clock from the network.
const MIN_WINDOWS: usize = 18;

/// Samples of the offset between sound and picture, one a frame: at 30 frames a second, the last eight seconds.
const OFFSETS: usize = 256;

/// Fewer say nothing.
const MIN_OFFSETS: usize = 32;

/// Farther apart one of them stands still, milliseconds.
const MAX_OFFSET_MS: i64 = 3_000;

const MILLION: f64 = 1_000_000.0;

/// A frame's delay: milliseconds of arrival less session time, counted from anywhere.
#[derive(Clone, Copy, Debug)]
struct Delay {
    arrived_ms: f64,
    delay_ms: f64,
}

/// How fast the encoder's clock runs beside this machine's.
#[derive(Default)]
pub(super) struct ClockDrift {
    windows: VecDeque<Delay>,
    opened_ms: f64,
    least: Option<Delay>,
}

impl ClockDrift {
    /// A frame of the leading track.
    pub(super) fn frame(&mut self, at_ms: i64, arrived: Monotonic) {
        let arrived_ms = arrived.0.as_secs_f64() * 1000.0;
        let delay = Delay {
            arrived_ms,
            delay_ms: arrived_ms - at_ms as f64,
        };
        match self.least {
            None => {
                self.opened_ms = arrived_ms;
                self.least = Some(delay);
            }
            Some(least) if arrived_ms - self.opened_ms >= WINDOW_MS => {
                if self.windows.len() == WINDOWS {
                    self.windows.pop_front();
                }
                self.windows.push_back(least);
                self.opened_ms = arrived_ms;
                self.least = Some(delay);
            }
            Some(least) if delay.delay_ms < least.delay_ms => self.least = Some(delay),
            Some(_) => {}
        }
    }

    /// Parts in a million by which the encoder's clock is fast, below 0 slow: the median slope between any two windows (Theil and Sen),
    /// which a third of the windows may contradict. None before there is enough to tell.
    pub(super) fn ppm(&self) -> Option<f64> {
        if self.windows.len() < MIN_WINDOWS {
            return None;
        }
        let mut slopes: Vec<f64> = Vec::with_capacity(WINDOWS * WINDOWS / 2);
        for (count, later) in self.windows.iter().enumerate() {
            slopes.extend(
                self.windows.iter().take(count).map(|earlier| {
                    (later.delay_ms - earlier.delay_ms) / (later.arrived_ms - earlier.arrived_ms).max(1.0)
                }),
            );
        }
        let middle = slopes.len() / 2;
        let (_, median, _) = slopes.select_nth_unstable_by(middle, f64::total_cmp);
        Some(-*median * MILLION)
    }
}

/// How far the picture is ahead of the sound that arrives with it. Looked at as a frame of the picture comes: between two of them the sound
/// goes on, and would seem to be ahead by half the time from one to the next.
#[derive(Default)]
pub(super) struct AvOffset {
    audio_ms: Option<i64>,
    samples: VecDeque<i64>,
}

impl AvOffset {
    pub(super) fn video(&mut self, at_ms: i64) {
        let offset = self.audio_ms.map(|audio_ms| at_ms - audio_ms);
        if let Some(offset) = offset.filter(|offset| offset.abs() <= MAX_OFFSET_MS) {
            if self.samples.len() == OFFSETS {
                self.samples.pop_front();
            }
            self.samples.push_back(offset);
        }
    }

    pub(super) fn audio(&mut self, at_ms: i64) {
        self.audio_ms = self.audio_ms.max(Some(at_ms));
    }

    /// Milliseconds, above 0 where sound comes late: the median, so that a burst does not count.
    pub(super) fn milliseconds(&self) -> Option<i64> {
        if self.samples.len() < MIN_OFFSETS {
            return None;
        }
        let mut samples: Vec<i64> = self.samples.iter().copied().collect();
        let middle = samples.len() / 2;
        Some(*samples.select_nth_unstable(middle).1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// A clock that is fast by so many parts in a million sends 30 frames a second for `seconds`, each delayed by what `delay_ms` says.
    fn clock(ppm: f64, seconds: u32, mut delay_ms: impl FnMut(f64) -> f64) -> ClockDrift {
        let mut drift = ClockDrift::default();
        for frame in 0..seconds * 30 {
            let sent_ms = f64::from(frame) * 1000.0 / 30.0;
            let at_ms = (sent_ms * (1.0 + ppm / MILLION)) as i64 + 10_000;
            let arrived = Duration::from_secs_f64((5000.0 + sent_ms + delay_ms(sent_ms)) / 1000.0);
            drift.frame(at_ms, Monotonic(arrived));
        }
        drift
    }

    #[test]
    fn a_good_clock_is_told_to_be_good_after_three_minutes() {
        assert_eq!(clock(0.0, 170, |_| 20.0).ppm(), None);
        let ppm = clock(0.0, 240, |_| 20.0).ppm().unwrap();
        assert!(ppm.abs() < 5.0, "{ppm}");
    }

    #[test]
    fn a_network_that_comes_and_goes_is_no_drift() {
        // A saw of up to 800 ms every 47 s, and for one minute nothing below 300 ms.
        let delay = |ms: f64| {
            let saw = ms % 47_000.0 / 47_000.0 * 800.0;
            let bad = if (200_000.0..260_000.0).contains(&ms) {
                300.0
            } else {
                0.0
            };
            let jitter = (ms * 7.3) % 25.0;
            15.0 + jitter + bad + if saw > 600.0 { saw } else { 0.0 }
        };
        let ppm = clock(600.0, 600, delay).ppm().unwrap();
        assert!((540.0..660.0).contains(&ppm), "{ppm}");
    }

    #[test]
    fn an_encoder_slower_than_time_is_slow_by_its_rate() {
        let ppm = clock(-50_000.0, 240, |_| 0.0).ppm().unwrap();
        assert!((-50_100.0..-49_900.0).contains(&ppm), "{ppm}");
    }

    #[test]
    fn sound_and_picture_in_step_have_no_offset_to_speak_of() {
        let mut offset = AvOffset::default();
        for frame in 0..300 {
            offset.video(frame * 33);
            offset.audio(frame * 33 + 5);
            offset.audio(frame * 33 + 26);
        }
        assert!(offset.milliseconds().unwrap().abs() <= 33);
    }

    #[test]
    fn a_picture_that_changes_rarely_is_not_late() {
        for interval_ms in [250, 1000, 2500] {
            let mut offset = AvOffset::default();
            for frame in 0..40 {
                let at_ms = frame * interval_ms;
                offset.video(at_ms);
                (0..interval_ms / 20).for_each(|sound| offset.audio(at_ms + sound * 20));
            }
            let told = offset.milliseconds().unwrap();
            assert!((0..=30).contains(&told), "{told} with a picture each {interval_ms} ms");
        }
    }

    #[test]
    fn sound_that_comes_late_has_an_offset_and_a_hole_in_it_none_of_its_own() {
        let mut offset = AvOffset::default();
        for frame in 0..300 {
            offset.video(frame * 33);
            offset.audio(frame * 33 - 240);
        }
        let told = offset.milliseconds().unwrap();
        assert!((200..300).contains(&told), "{told}");
        for frame in 300..5000 {
            offset.video(frame * 33);
        }
        let told = offset.milliseconds().unwrap();
        assert!((200..300).contains(&told), "{told}");
    }

    proptest! {
        #[test]
        fn jitter_alone_is_below_a_warning(seed in any::<u64>()) {
            let mut state = seed | 1;
            let jitter = |_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                // Mostly a few milliseconds, one frame in sixteen up to a second.
                let far = if state & 15 == 0 { 1000 } else { 12 };
                (state >> 32) as f64 % f64::from(far)
            };
            let ppm = clock(0.0, 200, jitter).ppm().unwrap();
            prop_assert!(ppm.abs() < 60.0, "{}", ppm);
        }
    }
}
