//! The two numbers that an epoch cannot change: target duration and part target.

use super::{gop::FramePace, part::MAX_PART_SOUNDS};
use crate::{cmaf::VIDEO_TIMESCALE, media::audio_config::AudioConfig};

/// EXT-X-TARGETDURATION, seconds.
const MIN_TARGET_DURATION_S: u32 = 2;
pub(super) const MAX_TARGET_DURATION_S: u32 = 12;

/// EXTINF is rounded to the nearest second and must then not exceed the target: so far above it a segment may be.
const ROUNDING_MS: i64 = 499;

/// Bounds of PART-TARGET, and the step in which one is looked for, in milliseconds.
const MIN_PART_TARGET_MS: u32 = 50;
const MAX_PART_TARGET_MS: u32 = 5_000;
const PART_TARGET_STEP_MS: u32 = 5;

/// A part has to reach this share of the part target (RFC 8216bis section 4.4.4.9).
const MIN_PART_PERCENT: u64 = 85;

/// GOPs of what stands in for a publisher are no longer than this, or than one picture: every epoch of pictures holds them, whatever its
/// own GOPs and parts are.
pub const STAND_IN_GOP_MS: u32 = 1_000;

const TICKS_PER_MS: u64 = VIDEO_TIMESCALE as u64 / 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) target_duration_s: u32,
    pub(super) part_target_ms: u32,
    /// The longest whole part of a sound; zero without any.
    longest_audio_part_ms: i64,
    sounds: usize,
}

impl Plan {
    /// Plans an epoch of the given tracks. Where the length of GOPs is not known the longest target is taken.
    pub(super) fn new(configured_part_ms: u32, video: Option<FramePace>, audio: &[&AudioConfig]) -> Self {
        let part_target_ms = part_target(configured_part_ms, video.map(|pace| pace.frame_ticks), audio);
        let mut plan = Self {
            target_duration_s: MIN_TARGET_DURATION_S,
            part_target_ms,
            longest_audio_part_ms: 0,
            sounds: audio.len(),
        };
        let parts = audio.iter().map(|config| plan.audio_part_ms(config));
        plan.longest_audio_part_ms = parts.max().unwrap_or(0);
        while plan.target_duration_s < MAX_TARGET_DURATION_S {
            let gop_fits = video.is_none_or(|pace| pace.longest_gop_ms.is_some_and(|gop| plan.fits(gop)));
            if gop_fits && plan.target_duration_s * 1000 >= part_target_ms {
                break;
            }
            plan.target_duration_s += 1;
        }
        plan
    }

    /// Frames in each whole part of a sound.
    pub(super) fn audio_frames(&self, config: &AudioConfig) -> u32 {
        audio_frames(config, self.part_target_ms).max(1)
    }

    fn audio_part_ms(&self, config: &AudioConfig) -> i64 {
        let samples = i64::from(self.audio_frames(config)) * i64::from(config.frame_samples);
        samples * 1000 / i64::from(config.sample_rate.max(1))
    }

    /// The longest a segment may be, milliseconds.
    pub(super) fn segment_limit_ms(&self) -> i64 {
        i64::from(self.target_duration_s) * 1000 + ROUNDING_MS
    }

    /// The longest a video segment should be, milliseconds: audio's end at the first whole part after it.
    pub(super) fn video_limit_ms(&self) -> i64 {
        self.segment_limit_ms() - self.longest_audio_part_ms
    }

    /// Whether segments of such GOPs stay below the limit, in audio too.
    pub(super) fn fits(&self, gop_ms: i64) -> bool {
        gop_ms <= self.video_limit_ms()
    }

    /// Whether whole frames fill parts as they have to.
    pub(super) fn fits_frames(&self, frame_ticks: u64) -> bool {
        video_fits(frame_ticks, self.part_target_ms)
    }

    /// Whole parts of a segment of the first sound when there are no pictures. Other sounds end at their first whole part after it.
    pub(super) fn audio_parts(&self, config: &AudioConfig) -> u32 {
        let part_ms = self.audio_part_ms(config).max(1);
        let target_ms = i64::from(self.target_duration_s) * 1000;
        let mut parts = (target_ms + part_ms / 2) / part_ms;
        if self.sounds > 1 {
            parts = parts.min(self.video_limit_ms() / part_ms);
        }
        u32::try_from(parts).unwrap_or(1).max(1)
    }
}

/// The smallest part target from the configured one upwards that whole frames of all tracks fill by 85 % at least.
fn part_target(configured_ms: u32, frame_ticks: Option<u64>, audio: &[&AudioConfig]) -> u32 {
    let configured_ms = configured_ms.clamp(MIN_PART_TARGET_MS, MAX_PART_TARGET_MS);
    let fits = |&target_ms: &u32| {
        frame_ticks.is_none_or(|ticks| video_fits(ticks, target_ms))
            && audio.iter().all(|config| audio_fits(config, target_ms))
    };
    (configured_ms..=MAX_PART_TARGET_MS)
        .step_by(PART_TARGET_STEP_MS as usize)
        .find(fits)
        .unwrap_or(configured_ms)
}

fn video_fits(frame_ticks: u64, target_ms: u32) -> bool {
    let target = u64::from(target_ms) * TICKS_PER_MS;
    // Frames of whole milliseconds arrive exact, others rounded to one.
    let rounding = if frame_ticks.is_multiple_of(TICKS_PER_MS) {
        0
    } else {
        TICKS_PER_MS
    };
    let frames = target.saturating_sub(rounding) / frame_ticks.max(1);
    frames > 0 && (frames * frame_ticks).saturating_sub(rounding) * 100 >= target * MIN_PART_PERCENT
}

fn audio_frames(config: &AudioConfig, target_ms: u32) -> u32 {
    let frames = u64::from(target_ms) * u64::from(config.sample_rate) / (u64::from(config.frame_samples) * 1000);
    u32::try_from(frames).unwrap_or(u32::MAX).min(MAX_PART_SOUNDS)
}

fn audio_fits(config: &AudioConfig, target_ms: u32) -> bool {
    let samples = u64::from(audio_frames(config, target_ms)) * u64::from(config.frame_samples);
    samples * 1000 * 100 >= u64::from(target_ms) * u64::from(config.sample_rate) * MIN_PART_PERCENT
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::access_unit::Codec;
    use crate::packager::gop::{GopMeter, tests::measured};

    fn aac(sample_rate_index: u8) -> AudioConfig {
        let record = [0x10 | (sample_rate_index >> 1), (sample_rate_index << 7) | 0x10];
        AudioConfig::parse(Codec::Aac, &Bytes::copy_from_slice(&record)).unwrap()
    }

    fn pace(fps: i64, gop_frames: i64) -> Option<FramePace> {
        Some(measured(fps, gop_frames).pace())
    }

    #[test]
    fn the_default_part_target_fits_usual_rates() {
        for fps in [24, 25, 30, 50, 60] {
            for rate in [3, 4] {
                let plan = Plan::new(333, pace(fps, fps * 2), &[&aac(rate)]);
                assert_eq!(
                    (plan.part_target_ms, plan.target_duration_s),
                    (333, 2),
                    "{fps} frames a second"
                );
            }
        }
    }

    #[test]
    fn a_part_target_that_no_number_of_frames_fills_is_raised() {
        assert_eq!(Plan::new(200, pace(24, 48), &[]).part_target_ms, 210);
        assert_eq!(Plan::new(333, pace(5, 10), &[]).part_target_ms, 403);
        assert_eq!(Plan::new(100, pace(30, 60), &[&aac(3)]).part_target_ms, 110);
    }

    #[test]
    fn the_target_duration_holds_the_longest_gop() {
        let audio = aac(3);
        let plan = |gop| Plan::new(333, pace(30, gop), &[&audio]).target_duration_s;
        assert_eq!((plan(15), plan(60), plan(125), plan(250)), (2, 2, 4, 9));
        assert_eq!(plan(600), 12);
        let mut unknown = GopMeter::default();
        unknown.frame(0, true);
        assert_eq!(Plan::new(333, Some(unknown.pace()), &[&audio]).target_duration_s, 12);
    }

    #[test]
    fn every_plan_holds_the_gops_of_what_stands_in() {
        let sounds: Vec<AudioConfig> = [3, 4, 8, 11].into_iter().map(aac).collect();
        let mut seen = 0;
        for configured_ms in (100..=1000).step_by(20) {
            // Up to 240 frames a second, and down to one in two seconds.
            for frame_ticks in (375..180_000).step_by(375) {
                let frame_ms = i64::try_from(frame_ticks / TICKS_PER_MS).unwrap();
                let gop_frames = (u64::from(STAND_IN_GOP_MS) * TICKS_PER_MS / frame_ticks).max(1);
                let gop_ms = i64::try_from(gop_frames * frame_ticks / TICKS_PER_MS).unwrap();
                let pace = FramePace {
                    frame_ticks,
                    longest_gop_ms: Some(frame_ms),
                };
                for used in 0..=sounds.len() {
                    let plan = Plan::new(configured_ms, Some(pace), &sounds[..used].iter().collect::<Vec<_>>());
                    assert!(plan.fits(gop_ms), "{gop_ms} ms in {plan:?} of {frame_ms} ms");
                    seen += 1;
                }
            }
        }
        assert!(seen > 100_000);
    }
}
