//! A publisher of a picture and two sounds, and what its streamer is told.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::{
    id::Msn,
    media::{
        access_unit::{Codec, MediaMessage},
        audio_config::AudioConfig,
        audio_level::tests::SINE,
        h264::tests::RECORD_720P30,
    },
    packager::{Packager, PackagerConfig},
    time::UnixMillis,
};

/// AAC-LC, 48 kHz, mono.
const MONO: &[u8] = &[0x11, 0x88];

struct Publisher {
    packager: Packager,
    now_ms: u64,
    /// Its clock.
    at_ms: u64,
}

impl Publisher {
    fn new() -> Self {
        let config = PackagerConfig {
            part_target_ms: 333,
            seed: 1,
            first_msn: Msn(0),
        };
        Self {
            packager: Packager::new(config),
            now_ms: 1000,
            at_ms: 0,
        }
    }

    fn now(&self) -> PackagerNow {
        PackagerNow {
            monotonic: Monotonic(Duration::from_millis(self.now_ms)),
            unix: UnixMillis(1_700_000_000_000 + self.now_ms.cast_signed()),
        }
    }

    fn push(&mut self, message: MediaMessage) {
        let now = self.now();
        self.packager.push(now, message).unwrap();
        while self.packager.poll().is_some() {}
    }

    fn configure(&mut self) {
        let records = [
            (TrackId::VIDEO, Codec::H264, RECORD_720P30),
            (TrackId::audio(0), Codec::Aac, MONO),
            (TrackId::audio(1), Codec::Aac, MONO),
        ];
        for (track, codec, record) in records {
            let record = Bytes::from_static(record);
            self.push(MediaMessage::Config { track, codec, record });
        }
    }

    fn unit(&mut self, track: TrackId, sync: bool, payload: Bytes) {
        let timestamp_ms = u32::try_from(self.at_ms).unwrap();
        self.push(MediaMessage::AccessUnit(AccessUnit {
            track,
            timestamp_ms,
            composition_ms: 0,
            sync,
            payload,
        }));
    }

    /// So many seconds of a tone in the first sound and silence in the second; 1000 bytes a frame at 25 frames a second.
    fn send(&mut self, seconds: u64) {
        let silence = AudioConfig::parse(Codec::Aac, &Bytes::from_static(MONO)).unwrap();
        let silence = silence.silent_frame().unwrap();
        let (begin, mut sound) = (self.at_ms, 0);
        for frame in 0..seconds * 25 {
            while sound * 1024 / 48 <= frame * 40 {
                let at_ms = begin + sound * 1024 / 48;
                self.now_ms += at_ms - self.at_ms;
                self.at_ms = at_ms;
                self.unit(TrackId::audio(0), true, Bytes::from_static(SINE[sound as usize % 2]));
                self.unit(TrackId::audio(1), true, silence.clone());
                sound += 1;
            }
            self.now_ms += (begin + frame * 40).saturating_sub(self.at_ms);
            self.at_ms = self.at_ms.max(begin + frame * 40);
            self.unit(TrackId::VIDEO, frame % 50 == 0, Bytes::from_static(&[7; 1000]));
        }
    }
}

#[test]
fn each_sound_has_its_level_and_the_silent_one_its_warning() {
    let mut publisher = Publisher::new();
    publisher.configure();
    publisher.send(40);
    let health = publisher.packager.health();
    let levels: Vec<Option<f64>> = health.audio_tracks.iter().map(|track| track.level_db).collect();
    assert!(levels[0].is_some_and(|level| level > -15.0), "{levels:?}");
    assert_eq!(levels[1], Some(-100.0));
    assert_eq!(health.audio.as_ref(), health.audio_tracks.first());
    assert_eq!(health.warnings.len(), 1, "{:?}", health.warnings);
    assert!(health.warnings[0].starts_with("Audio track 2 is silent for"));
    assert!(health.av_offset_milliseconds.unwrap().abs() <= 40);

    let video = health.video.unwrap();
    assert_eq!((video.fps, video.kbps, video.range), (25.0, 200.0, "SDR"));
    let point = &health.history[10];
    assert_eq!((point.video_kbps, point.fps), (200.0, 25.0));
    assert!((17..=20).contains(&health.history.len()));
}

#[test]
fn a_new_publisher_is_not_told_of_the_one_before() {
    let mut publisher = Publisher::new();
    publisher.configure();
    let codec = "MP3".to_owned();
    let track = TrackId::audio(2);
    publisher.push(MediaMessage::Unsupported { track, codec });
    publisher.send(35);
    let health = publisher.packager.health();
    assert_eq!((health.unsupported[0].track, health.unsupported[0].index), ("audio", 2));
    assert_eq!(health.warnings.len(), 2, "{:?}", health.warnings);

    let now = publisher.now();
    publisher.packager.interrupted(now);
    publisher.now_ms += 20_000;
    publisher.configure();
    publisher.send(5);
    let health = publisher.packager.health();
    assert_eq!(
        (health.unsupported.len(), health.warnings.as_slice()),
        (0, &[] as &[String])
    );
    let outage = health.history.iter().filter(|point| point.fps == 0.0).count();
    assert!((8..=10).contains(&outage), "{outage} points of the outage");
}

#[test]
fn what_a_publisher_does_not_send_right_is_bounded() {
    let mut meters = Meters::default();
    for index in 0..=u8::MAX {
        meters.unsupported(TrackId::audio(index), &"x".repeat(1000));
    }
    assert_eq!(meters.unsupported.len(), MAX_UNSUPPORTED);
    assert!(
        meters
            .unsupported
            .iter()
            .all(|(_, codec)| codec.len() <= MAX_CODEC_NAME)
    );
}
