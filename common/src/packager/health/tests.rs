//! A publisher of a picture and two sounds, and what its streamer is told.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::{
    id::Msn,
    media::{
        access_unit::{Codec, MediaMessage, StreamMetadata},
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
    /// What it has besides.
    has_picture: bool,
    has_sound: bool,
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
            has_picture: true,
            has_sound: true,
        }
    }

    fn health(&self) -> IngestHealth {
        self.packager.health(self.now())
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
            while self.has_sound && sound * 1024 / 48 <= frame * 40 {
                let at_ms = begin + sound * 1024 / 48;
                self.now_ms += at_ms - self.at_ms;
                self.at_ms = at_ms;
                self.unit(TrackId::audio(0), true, Bytes::from_static(SINE[sound as usize % 2]));
                self.unit(TrackId::audio(1), true, silence.clone());
                sound += 1;
            }
            self.now_ms += (begin + frame * 40).saturating_sub(self.at_ms);
            self.at_ms = self.at_ms.max(begin + frame * 40);
            if self.has_picture {
                self.unit(TrackId::VIDEO, frame % 50 == 0, Bytes::from_static(&[7; 1000]));
            }
        }
    }
}

#[test]
fn each_sound_has_its_level_and_the_silent_one_its_warning() {
    let mut publisher = Publisher::new();
    publisher.configure();
    publisher.send(40);
    let health = publisher.health();
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
    let health = publisher.health();
    assert_eq!((health.unsupported[0].track, health.unsupported[0].index), ("audio", 2));
    assert_eq!(health.warnings.len(), 2, "{:?}", health.warnings);

    let now = publisher.now();
    publisher.packager.interrupted(now);
    publisher.now_ms += 20_000;
    publisher.configure();
    publisher.send(5);
    let health = publisher.health();
    assert_eq!(
        (health.unsupported.len(), health.warnings.as_slice()),
        (0, &[] as &[String])
    );
    let outage = health.history.iter().filter(|point| point.fps == 0.0).count();
    assert!((8..=10).contains(&outage), "{outage} points of the outage");
}

#[test]
fn a_picture_that_stops_while_sound_goes_on_has_no_rate_and_a_warning() {
    let mut publisher = Publisher::new();
    publisher.configure();
    publisher.send(10);
    publisher.has_picture = false;
    publisher.send(4);
    let health = publisher.health();
    assert_eq!(health.warnings, [] as [&str; 0], "it may have nothing new to show");
    let video = health.video.unwrap();
    assert_eq!((video.fps, video.kbps, health.av_offset_milliseconds), (0.0, 0.0, None));

    publisher.send(3);
    let health = publisher.health();
    assert_eq!(health.warnings.len(), 1, "{:?}", health.warnings);
    assert!(
        health.warnings[0].starts_with("The picture stopped coming 7 s ago: look at"),
        "{:?}",
        health.warnings
    );
    assert!(health.audio.unwrap().level_db.is_some());

    publisher.has_picture = true;
    publisher.send(3);
    let health = publisher.health();
    assert_eq!(health.video.unwrap().fps, 25.0);
    assert!(!health.warnings.iter().any(|warning| warning.contains("stopped coming")));
}

#[test]
fn a_sound_that_stops_has_no_level_and_is_silent() {
    let mut publisher = Publisher::new();
    publisher.configure();
    publisher.send(10);
    publisher.has_sound = false;
    publisher.send(6);
    let health = publisher.health();
    let sound = health.audio.unwrap();
    assert_eq!((sound.kbps, sound.level_db), (0.0, None));
    assert!((5.9..6.1).contains(&sound.silent_seconds), "{}", sound.silent_seconds);
    let says = ["Sound stopped coming 6 s ago", "Audio track 2 stopped coming 6 s ago"];
    assert_eq!(
        health.warnings.len(),
        3,
        "with the silence put in: {:?}",
        health.warnings
    );
    assert!(
        health
            .warnings
            .iter()
            .zip(says)
            .all(|(warning, says)| warning.starts_with(says))
    );
}

#[test]
fn a_connection_from_which_nothing_comes_is_told_of_at_once_and_as_one_thing() {
    let mut publisher = Publisher::new();
    publisher.configure();
    publisher.send(10);
    publisher.now_ms += 4_900;
    assert_eq!(publisher.health().warnings, [] as [&str; 0]);
    publisher.now_ms += 1_100;
    let health = publisher.health();
    assert_eq!(health.warnings.len(), 1, "{:?}", health.warnings);
    assert!(health.warnings[0].starts_with("Nothing has arrived for 6 s: check the network"));
    assert_eq!((health.video.unwrap().kbps, health.audio.unwrap().kbps), (0.0, 0.0));

    let now = publisher.now();
    publisher.packager.interrupted(now);
    publisher.now_ms += 10_000;
    assert_eq!(publisher.health().warnings, [] as [&str; 0], "there is no connection");
}

#[test]
fn pictures_that_are_far_apart_do_not_stop() {
    let mut publisher = Publisher::new();
    publisher.push(MediaMessage::Config {
        track: TrackId::VIDEO,
        codec: Codec::H264,
        record: Bytes::from_static(RECORD_720P30),
    });
    for _ in 0..20 {
        publisher.unit(TrackId::VIDEO, true, Bytes::from_static(&[7; 1000]));
        publisher.now_ms += 2_500;
        publisher.at_ms += 2_500;
    }
    publisher.now_ms += 4_000;
    let health = publisher.health();
    assert_eq!(health.video.unwrap().fps, 0.4);
    assert!(!health.warnings.iter().any(|warning| warning.contains("arrived for 6")));
    publisher.now_ms += 1_500;
    assert!(publisher.health().warnings[0].starts_with("Nothing has arrived for 8 s"));
}

impl Publisher {
    /// Says that it sends both, and configures only one of them in a way that can be read.
    fn configure_one(&mut self, good: (TrackId, Codec, &'static [u8]), bad: (TrackId, Codec, &'static [u8])) {
        self.push(MediaMessage::Metadata(StreamMetadata {
            has_video: Some(true),
            has_audio: Some(true),
            ..StreamMetadata::default()
        }));
        let (track, codec, record) = good;
        let record = Bytes::from_static(record);
        self.push(MediaMessage::Config { track, codec, record });
        let (track, codec, record) = bad;
        let record = Bytes::from_static(record);
        let now = self.now();
        let refused = self.packager.push(now, MediaMessage::Config { track, codec, record });
        assert!(refused.is_err());
    }
}

const PICTURE: (TrackId, Codec, &[u8]) = (TrackId::VIDEO, Codec::H264, RECORD_720P30);
const SOUND: (TrackId, Codec, &[u8]) = (TrackId::AUDIO, Codec::Aac, MONO);

#[test]
fn a_sound_whose_configuration_is_refused_is_not_called_missing() {
    // Object types 39 and 42, and FLAC in a wrapper that nobody knows.
    let records: [(Codec, &[u8], &str); 3] = [
        (
            Codec::Aac,
            &[0xf8, 0xe6, 0x40, 0],
            "Sound is in a kind of AAC that cannot be carried",
        ),
        (
            Codec::Aac,
            &[0xf9, 0x46, 0x40, 0],
            "Sound is in a kind of AAC that cannot be carried",
        ),
        (Codec::Flac, b"?", "Sound is in a kind of FLAC that cannot be read"),
    ];
    for (codec, record, says) in records {
        let mut publisher = Publisher::new();
        publisher.configure_one(PICTURE, (TrackId::AUDIO, codec, record));
        publisher.send(12);
        let health = publisher.health();
        assert_eq!(health.warnings.len(), 2, "{:?}", health.warnings);
        assert!(health.warnings[0].starts_with(says), "{:?}", health.warnings);
        assert!(
            health.warnings[1].starts_with("Audio track 2 comes without"),
            "{:?}",
            health.warnings
        );
        assert_eq!(
            (health.unsupported[0].track, health.unsupported[0].codec.as_str()),
            ("audio", codec.name())
        );
    }
}

#[test]
fn a_picture_whose_configuration_is_refused_has_a_sentence_beside_the_sound_that_goes_on() {
    for codec in [Codec::H264, Codec::Hevc, Codec::Av1] {
        let mut publisher = Publisher::new();
        publisher.configure_one(SOUND, (TrackId::VIDEO, codec, &[1, 2, 3]));
        publisher.send(12);
        let health = publisher.health();
        assert_eq!((health.video, health.audio_tracks.len()), (None, 1));
        let says = format!(
            "This kind of {} cannot be read, and the picture is left out",
            codec.name()
        );
        assert!(health.warnings[0].starts_with(&says), "{:?}", health.warnings);
        assert!(
            !health
                .warnings
                .iter()
                .any(|warning| warning.starts_with("No picture arrives"))
        );
    }
}

#[test]
fn a_refused_configuration_is_forgotten_with_a_good_one_and_with_its_publisher() {
    let refused = |health: &IngestHealth| health.warnings.iter().any(|warning| warning.contains("kind of"));
    let mut publisher = Publisher::new();
    publisher.configure_one(PICTURE, (TrackId::AUDIO, Codec::Aac, &[0xf8, 0xe6, 0x40, 0]));
    assert!(refused(&publisher.health()));
    publisher.configure();
    assert!(!refused(&publisher.health()));
    publisher.configure_one(PICTURE, (TrackId::AUDIO, Codec::Aac, &[0xf8, 0xe6, 0x40, 0]));
    let now = publisher.now();
    publisher.packager.interrupted(now);
    assert!(!refused(&publisher.health()));
}

#[test]
fn a_picture_that_is_announced_and_never_comes_is_missed() {
    let says_so = MediaMessage::Metadata(StreamMetadata {
        has_video: Some(true),
        has_audio: Some(true),
        ..StreamMetadata::default()
    });
    let (track, codec, record) = PICTURE;
    let record = Bytes::from_static(record);
    for announced in [says_so, MediaMessage::Config { track, codec, record }] {
        let mut publisher = Publisher::new();
        publisher.push(announced);
        let (track, codec, record) = SOUND;
        let record = Bytes::from_static(record);
        publisher.push(MediaMessage::Config { track, codec, record });
        publisher.has_picture = false;
        publisher.send(3);
        assert_eq!(publisher.health().warnings, [] as [&str; 0], "it may still come");
        publisher.send(3);
        let said = publisher.health().warnings;
        assert!(
            said.iter()
                .any(|warning| warning.starts_with("No picture arrives, though")),
            "{said:?}"
        );
    }
}
