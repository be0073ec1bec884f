//! Whether a sound can be heard: its level, by a frame decoded twice a second.

use bytes::Bytes;

use crate::{
    media::{
        audio_config::AudioConfig,
        audio_level::{LevelMeter, NoLevel},
    },
    packager::PackagerNow,
    time::Monotonic,
};

use super::pace::PaceMeter;

/// A frame is measured each so many milliseconds; with the one before it, about four a second are decoded.
const MEASURE_MS: i64 = 500;

/// Measurements that make up the level shown: two seconds.
const SHOWN: usize = 4;

/// Below -70 dB of full scale nothing is heard: a room with an open microphone is some 20 dB louder.
const SILENT_POWER: f64 = 1e-7;

/// The lowest level told, in dB of full scale; digital silence has none.
const FLOOR_DB: f64 = -100.0;

/// What the next measurement waits for.
#[derive(Default)]
enum Step {
    /// The frame before the one to measure: frames overlap, and what a decoder holds is of long ago.
    #[default]
    Before,
    Measure,
}

/// One sound, as its frames come.
#[derive(Default)]
pub(super) struct SoundMeter {
    pub(super) pace: PaceMeter,
    level: Option<LevelMeter>,
    /// What the meter was made for.
    record: Option<Bytes>,
    /// It panicked: no other is made for this publisher.
    failed: bool,
    step: Step,
    due_ms: i64,
    newest_ms: i64,
    arrived: Option<Monotonic>,
    /// Of the newest measurements, in a ring.
    powers: [f64; SHOWN],
    measured: usize,
    silent_since_ms: Option<i64>,
}

impl SoundMeter {
    pub(super) fn frame(&mut self, now: PackagerNow, at_ms: i64, payload: &[u8], config: &AudioConfig) {
        self.pace.frame(at_ms, payload.len());
        self.newest_ms = at_ms;
        self.arrived = Some(now.monotonic);
        if at_ms < self.due_ms {
            return;
        }
        if self.record.as_ref() != Some(&config.record) {
            self.configure(config);
        }
        let Some(meter) = &mut self.level else { return };
        let power = match meter.power(payload) {
            Ok(power) => power,
            Err(reason) => {
                // Not known is not silent.
                self.silent_since_ms = None;
                self.measured = 0;
                self.step = Step::Before;
                self.due_ms = at_ms + MEASURE_MS;
                if reason == NoLevel::Meter {
                    self.failed = true;
                    self.level = None;
                }
                return;
            }
        };
        if let Step::Before = self.step {
            self.step = Step::Measure;
            return;
        }
        self.step = Step::Before;
        self.due_ms = at_ms + MEASURE_MS;
        self.powers[self.measured % SHOWN] = power;
        self.measured += 1;
        if power >= SILENT_POWER {
            self.silent_since_ms = None;
        } else {
            self.silent_since_ms.get_or_insert(at_ms);
        }
    }

    fn configure(&mut self, config: &AudioConfig) {
        self.record = Some(config.record.clone());
        self.level = if self.failed { None } else { LevelMeter::new(config) };
        self.measured = 0;
        self.silent_since_ms = None;
        self.step = Step::Before;
    }

    /// The mean of the last two seconds, dB of full scale; none where the codec is not decoded, nothing was yet, or nothing comes.
    pub(super) fn level_db(&self, now: PackagerNow) -> Option<f64> {
        let shown = self.measured.min(SHOWN);
        if shown == 0 || self.stopped_ms(now).is_some() {
            return None;
        }
        let mean = self.powers[..shown].iter().sum::<f64>() / shown as f64;
        Some((10.0 * mean.log10()).max(FLOOR_DB))
    }

    /// For how long nothing was to be heard, milliseconds of the publisher's.
    pub(super) fn silent_ms(&self) -> i64 {
        self.silent_since_ms.map_or(0, |since| self.newest_ms - since)
    }

    /// When the newest frame came.
    pub(super) fn arrived(&self) -> Option<Monotonic> {
        self.arrived
    }

    /// For how long no frame came, where it has stopped.
    pub(super) fn stopped_ms(&self, now: PackagerNow) -> Option<i64> {
        let quiet = super::quiet_ms(now, self.arrived);
        self.pace.has_stopped(quiet).then_some(quiet)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        media::{access_unit::Codec, audio_level::tests::SINE},
        time::UnixMillis,
    };

    /// AAC-LC, 48 kHz, mono.
    const MONO: &[u8] = &[0x11, 0x88];

    struct Publisher {
        meter: SoundMeter,
        config: AudioConfig,
        frames: i64,
    }

    impl Publisher {
        fn new(record: &'static [u8]) -> Self {
            Self {
                meter: SoundMeter::default(),
                config: AudioConfig::parse(Codec::Aac, &Bytes::from_static(record)).unwrap(),
                frames: 0,
            }
        }

        fn now(&self) -> PackagerNow {
            let at_ms = self.frames * 1024 / 48;
            PackagerNow {
                monotonic: Monotonic(Duration::from_millis(at_ms.unsigned_abs())),
                unix: UnixMillis(at_ms),
            }
        }

        fn send(&mut self, seconds: i64, frame: impl Fn(usize) -> Bytes) {
            let until = self.frames + seconds * 48_000 / 1024;
            while self.frames < until {
                let at_ms = self.frames * 1024 / 48;
                let now = self.now();
                let payload = frame(self.frames as usize);
                self.meter.frame(now, 10_000 + at_ms, &payload, &self.config);
                self.frames += 1;
            }
        }
    }

    fn sine(frame: usize) -> Bytes {
        Bytes::from_static(SINE[frame % 2])
    }

    #[test]
    fn a_tone_has_its_level_and_a_muted_microphone_is_silent() {
        let mut publisher = Publisher::new(MONO);
        publisher.send(5, sine);
        let level = publisher.meter.level_db(publisher.now()).unwrap();
        assert!((-14.0..-9.0).contains(&level), "{level}");
        assert_eq!(publisher.meter.silent_ms(), 0);

        let silence = publisher.config.silent_frame().unwrap();
        publisher.send(40, |_| silence.clone());
        assert_eq!(publisher.meter.level_db(publisher.now()), Some(FLOOR_DB));
        assert!((38_500..40_500).contains(&publisher.meter.silent_ms()));

        publisher.send(2, sine);
        assert_eq!(publisher.meter.silent_ms(), 0);
    }

    #[test]
    fn sound_that_cannot_be_decoded_is_not_called_silent() {
        let mut publisher = Publisher::new(MONO);
        let silence = publisher.config.silent_frame().unwrap();
        publisher.send(40, |_| silence.clone());
        publisher.send(2, |_| Bytes::from_static(b"\x40"));
        assert_eq!(
            (publisher.meter.level_db(publisher.now()), publisher.meter.silent_ms()),
            (None, 0)
        );
        // 5.1
        let mut publisher = Publisher::new(&[0x11, 0xb0]);
        publisher.send(40, |_| silence.clone());
        assert_eq!(
            (publisher.meter.level_db(publisher.now()), publisher.meter.silent_ms()),
            (None, 0)
        );
    }

    #[test]
    fn a_new_configuration_is_measured_anew() {
        let mut publisher = Publisher::new(MONO);
        publisher.send(3, sine);
        publisher.config = AudioConfig::parse(Codec::Aac, &Bytes::from_static(&[0x12, 0x10])).unwrap();
        let silence = publisher.config.silent_frame().unwrap();
        publisher.send(3, |_| silence.clone());
        assert_eq!(publisher.meter.level_db(publisher.now()), Some(FLOOR_DB));
    }
}
