//! Whether an encoder keeps up with real time, and whether anything comes of what it is given at all.

use std::{collections::VecDeque, time::Duration};

use common::time::Monotonic;

/// So long after it was given a frame an encoder is behind, if it still has it,
const BEHIND: Duration = Duration::from_secs(2);
/// and more than these: decoders and encoders keep a few until others follow.
const KEPT_FRAMES: usize = 24;
/// Most frames noted, two minutes at 60 a second.
const MAX_NOTED: usize = 7200;
/// With frames inside, one that made nothing for so long is not slow: it makes nothing of them.
const MUTE: Duration = Duration::from_secs(8);
/// Speed is measured over this.
const SPAN: Duration = Duration::from_secs(5);

/// One encoder's pace.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When a frame is shown, and when the encoder was given it.
    inside: VecDeque<(i64, Monotonic)>,
    /// When a frame was made, and when it is shown.
    made: VecDeque<(Monotonic, i64)>,
}

impl Pace {
    pub(super) fn given(&mut self, now: Monotonic, shown_ms: i64) {
        if self.inside.len() < MAX_NOTED {
            self.inside.push_back((shown_ms, now));
        }
    }

    pub(super) fn made(&mut self, now: Monotonic, shown_ms: i64) {
        // Given in the order of decoding: what is shown later may be in front, and is counted a little early.
        while self.inside.front().is_some_and(|&(inside_ms, _)| inside_ms <= shown_ms) {
            self.inside.pop_front();
        }
        self.made.push_back((now, shown_ms));
        while self.made.front().is_some_and(|&(at, _)| now.since(at) > SPAN) {
            self.made.pop_front();
        }
    }

    /// Whether it has had frames for too long, though it makes some: the computer is too slow.
    pub(super) fn is_behind(&self, now: Monotonic) -> bool {
        let advances = self.made.back().is_some_and(|&(made, _)| now.since(made) <= BEHIND);
        advances && self.oldest().is_some_and(|given| now.since(given) > BEHIND)
    }

    /// Whether frames go in and none come out.
    pub(super) fn is_mute(&self, now: Monotonic) -> bool {
        let made = self.made.back().map(|&(made, _)| made);
        self.oldest()
            .is_some_and(|given| now.since(made.map_or(given, |made| made.max(given))) >= MUTE)
    }

    /// When it was given the oldest frame that it still has, where it has more than it may keep.
    fn oldest(&self) -> Option<Monotonic> {
        let &(_, given) = self.inside.front()?;
        (self.inside.len() > KEPT_FRAMES).then_some(given)
    }

    /// Media seconds a second, of late.
    pub(super) fn speed(&self, now: Monotonic) -> Option<f64> {
        let (&(first, from_ms), &(_, to_ms)) = (self.made.front()?, self.made.back()?);
        let took = now.since(first);
        let media = Duration::from_millis((to_ms - from_ms).max(0).unsigned_abs());
        (took >= Duration::from_secs(1)).then(|| (media.as_secs_f64() / took.as_secs_f64() * 100.0).round() / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic(Duration::from_millis(ms))
    }

    #[test]
    fn an_encoder_in_step_has_speed_one_and_is_not_behind() {
        let mut pace = Pace::default();
        for frame in 0..300u64 {
            let ms = frame * 40;
            pace.given(at(ms), i64::try_from(ms).unwrap());
            pace.made(at(ms + 100), i64::try_from(ms).unwrap());
            assert!(!pace.is_behind(at(ms + 100)));
        }
        assert_eq!(pace.speed(at(299 * 40 + 100)), Some(1.0));
    }

    #[test]
    fn an_encoder_of_half_the_speed_falls_behind_within_five_seconds() {
        let mut pace = Pace::default();
        let mut behind_at = None;
        for frame in 0..250u64 {
            let ms = frame * 40;
            pace.given(at(ms), i64::try_from(ms).unwrap());
            if frame % 2 == 0 {
                pace.made(at(ms), i64::try_from(ms / 2).unwrap());
            }
            if pace.is_behind(at(ms)) {
                behind_at.get_or_insert(ms);
            }
        }
        assert!((4000..5000).contains(&behind_at.unwrap()), "{behind_at:?}");
        assert!(
            pace.speed(at(250 * 40))
                .is_some_and(|speed| (0.45..0.55).contains(&speed))
        );
    }

    #[test]
    fn one_that_stops_making_frames_is_mute_and_not_behind() {
        for made in [0, 100u64] {
            let mut pace = Pace::default();
            let mut mute_at = None;
            for frame in 0..400u64 {
                let ms = frame * 40;
                pace.given(at(ms), i64::try_from(ms).unwrap());
                if frame < made {
                    pace.made(at(ms), i64::try_from(ms).unwrap());
                }
                assert!(!pace.is_behind(at(ms)), "{ms}");
                if pace.is_mute(at(ms)) {
                    mute_at.get_or_insert(ms);
                }
            }
            let fault = made * 40;
            assert!((fault + 7900..fault + 8100).contains(&mute_at.unwrap()), "{mute_at:?}");
        }
    }

    #[test]
    fn a_slow_encoder_is_not_mute() {
        let mut pace = Pace::default();
        for frame in 0..1000u64 {
            let ms = frame * 40;
            pace.given(at(ms), i64::try_from(ms).unwrap());
            if frame % 25 == 0 {
                pace.made(at(ms), i64::try_from(ms / 25).unwrap());
            }
            assert!(!pace.is_mute(at(ms)), "{ms}");
        }
        assert!(pace.is_behind(at(40_000)));
    }

    #[test]
    fn a_source_that_sends_a_frame_now_and_then_is_no_sign_of_weakness() {
        let mut pace = Pace::default();
        for second in 0..20 {
            pace.given(at(second * 1000), i64::try_from(second).unwrap() * 1000);
        }
        assert!(!pace.is_behind(at(20_000)) && !pace.is_mute(at(20_000)));
    }
}
