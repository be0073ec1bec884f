//! What the publishers of live rooms send, as metrics: figures for whoever watches the machine, where health is for the streamer.
//!
//! What is not known is not a number (NaN), so that no alarm takes it for good. Labels are rooms, the numbers of sounds and families of
//! codecs: nothing that a publisher could make ever more of.

use std::{collections::HashMap, time::Duration};

use common::{
    id::RoomSlug,
    media::access_unit::MAX_AUDIO_TRACKS,
    packager::{AudioHealth, IngestHealth},
};
use metrics::gauge;
use node::shutdown::Shutdown;

use super::Rooms;

/// How often they are taken: as often as a scrape is worth.
const EVERY: Duration = Duration::from_secs(10);

/// The codecs of picture and first sound, each one of a few words.
type Codecs = (&'static str, &'static str);

/// Takes the figures of all rooms until the daemon stops.
pub async fn record(rooms: Rooms, shutdown: Shutdown) {
    let mut ticks = tokio::time::interval(EVERY);
    let mut figures = Figures::default();
    while shutdown.token().run_until_cancelled(ticks.tick()).await.is_some() {
        figures.take(rooms.all_health());
    }
}

/// What was told of which rooms.
#[derive(Default)]
struct Figures(HashMap<RoomSlug, Option<Codecs>>);

impl Figures {
    /// Tells of the rooms with a stream, and takes back what was told of others: a gauge cannot be removed.
    fn take(&mut self, present: Vec<(RoomSlug, IngestHealth)>) {
        let mut before = std::mem::take(&mut self.0);
        for (slug, health) in present {
            tell(&slug, &health);
            let codecs = codecs(&health);
            tell_codecs(&slug, before.remove(&slug).flatten(), codecs);
            self.0.insert(slug, codecs);
        }
        for (slug, codecs) in before {
            tell(&slug, &IngestHealth::default());
            tell_codecs(&slug, codecs, None);
        }
    }
}

/// A stream that is over has zeros from then on, and what it has no more is unknown.
fn tell(room: &RoomSlug, health: &IngestHealth) {
    let labels = [("room", room.to_string())];
    let video = health.video.as_ref();
    // Not `sum`: of nothing that is -0.
    let audio_kbps = health.audio_tracks.iter().fold(0.0, |sum, track| sum + track.kbps);
    let key_interval = video.and_then(|video| video.key_frame_interval_seconds);
    let dropped = &health.dropped;
    let dropped = [
        dropped.before_start_video,
        dropped.before_start_audio,
        dropped.out_of_time_video,
        dropped.out_of_time_audio,
        dropped.unusable_video,
        dropped.unusable_audio,
    ];
    gauge!("streamcircle_stream_video_bits_per_second", &labels).set(video.map_or(0.0, |video| video.kbps * 1000.0));
    gauge!("streamcircle_stream_audio_bits_per_second", &labels).set(audio_kbps * 1000.0);
    gauge!("streamcircle_stream_frames_per_second", &labels).set(video.map_or(0.0, |video| video.fps));
    gauge!("streamcircle_stream_width_pixels", &labels).set(video.map_or(0.0, |video| video.width.into()));
    gauge!("streamcircle_stream_height_pixels", &labels).set(video.map_or(0.0, |video| video.height.into()));
    gauge!("streamcircle_stream_b_frames", &labels).set(known(video.map(|video| f64::from(u8::from(video.b_frames)))));
    gauge!("streamcircle_stream_key_frame_interval_seconds", &labels).set(known(key_interval));
    gauge!("streamcircle_stream_silent_seconds", &labels).set(known(health.audio.as_ref().and_then(silent_seconds)));
    gauge!("streamcircle_stream_av_offset_seconds", &labels)
        .set(known(health.av_offset_milliseconds.map(|ms| ms as f64 / 1000.0)));
    gauge!("streamcircle_stream_clock_drift_ppm", &labels).set(known(health.clock_drift_ppm.map(|ppm| ppm as f64)));
    gauge!("streamcircle_stream_silent_audio_frames", &labels).set(health.silent_audio_frames as f64);
    gauge!("streamcircle_stream_late_audio_frames", &labels).set(health.late_audio_frames as f64);
    gauge!("streamcircle_stream_dropped_frames", &labels).set(dropped.iter().sum::<u64>() as f64);
    gauge!("streamcircle_stream_breaks", &labels).set(f64::from(health.breaks));
    gauge!("streamcircle_stream_warnings", &labels).set(health.warnings.len() as f64);
    for index in 0..MAX_AUDIO_TRACKS {
        let sound = health.audio_tracks.iter().find(|sound| sound.index == index);
        let labels = [("room", room.to_string()), ("sound", (index + 1).to_string())];
        gauge!("streamcircle_stream_audio_level_db", &labels).set(known(sound.and_then(|sound| sound.level_db)));
    }
}

fn known(figure: Option<f64>) -> f64 {
    figure.unwrap_or(f64::NAN)
}

/// None of a sound that nobody can listen to, as far as it still comes.
fn silent_seconds(sound: &AudioHealth) -> Option<f64> {
    (sound.level_db.is_some() || sound.silent_seconds > 0.0).then_some(sound.silent_seconds)
}

/// 1 with the codecs of now, 0 with those before.
fn tell_codecs(room: &RoomSlug, before: Option<Codecs>, now: Option<Codecs>) {
    let told = [(before.filter(|_| before != now), 0.0), (now, 1.0)];
    for ((video, audio), value) in told.into_iter().filter_map(|(codecs, value)| Some((codecs?, value))) {
        let room = room.to_string();
        gauge!("streamcircle_stream_info", "room" => room, "video" => video, "audio" => audio).set(value);
    }
}

/// `None`: nothing comes.
fn codecs(health: &IngestHealth) -> Option<Codecs> {
    let video = health.video.as_ref().map(|video| video.codec.as_str());
    let audio = health.audio.as_ref().map(|audio| audio.codec.as_str());
    video.or(audio)?;
    Some((family(video), family(audio)))
}

/// Profiles and levels are as many as a publisher likes.
fn family(codec: Option<&str>) -> &'static str {
    const FAMILIES: [&str; 9] = ["avc1", "hvc1", "av01", "vp09", "mp4a", "opus", "fLaC", "ac-3", "ec-3"];
    let Some(codec) = codec else { return "none" };
    let found = FAMILIES
        .into_iter()
        .find(|family| codec.split('.').next() == Some(family));
    found.unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use common::packager::VideoHealth;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    fn cinema() -> RoomSlug {
        "cinema".parse().unwrap()
    }

    fn sound(index: u8, level_db: Option<f64>) -> AudioHealth {
        AudioHealth {
            index,
            codec: "mp4a.40.2".to_owned(),
            channels: 2,
            sample_rate: 48_000,
            kbps: 160.0,
            drift_milliseconds: 0,
            level_db,
            silent_seconds: 0.0,
        }
    }

    fn stream(video_codec: &str) -> IngestHealth {
        let sounds = vec![sound(0, Some(-20.5)), sound(2, None)];
        IngestHealth {
            video: Some(VideoHealth {
                codec: video_codec.to_owned(),
                width: 1280,
                height: 720,
                fps: 30.0,
                kbps: 2500.0,
                key_frame_interval_seconds: Some(2.0),
                b_frames: true,
                range: "SDR",
                captions: false,
            }),
            audio: sounds.first().cloned(),
            audio_tracks: sounds,
            silent_audio_frames: 3,
            late_audio_frames: 2,
            clock_drift_ppm: Some(-40),
            warnings: vec!["Sound is silent".to_owned()],
            ..IngestHealth::default()
        }
    }

    /// What a scrape shows after each of these moments.
    fn shown(moments: Vec<Vec<(RoomSlug, IngestHealth)>>) -> Vec<String> {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let mut figures = Figures::default();
        let mut show = |moment| {
            metrics::with_local_recorder(&recorder, || figures.take(moment));
            handle.render()
        };
        moments.into_iter().map(&mut show).collect()
    }

    fn value<'a>(text: &'a str, figure: &str) -> &'a str {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(figure)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {figure} in {text}"))
    }

    #[test]
    fn a_stream_that_is_over_has_zeros_and_is_unknown_where_zero_would_be_good() {
        let [live, over] = shown(vec![vec![(cinema(), stream("avc1.64001f"))], vec![]])
            .try_into()
            .unwrap();
        for (figure, while_live, afterwards) in [
            ("video_bits_per_second", "2500000", "0"),
            ("audio_bits_per_second", "320000", "0"),
            ("height_pixels", "720", "0"),
            ("b_frames", "1", "NaN"),
            ("silent_seconds", "0", "NaN"),
            ("key_frame_interval_seconds", "2", "NaN"),
            ("clock_drift_ppm", "-40", "NaN"),
            ("av_offset_seconds", "NaN", "NaN"),
            ("silent_audio_frames", "3", "0"),
            ("late_audio_frames", "2", "0"),
            ("warnings", "1", "0"),
        ] {
            let figure = format!("streamcircle_stream_{figure}{{room=\"cinema\"}}");
            assert_eq!(
                (value(&live, &figure), value(&over, &figure)),
                (while_live, afterwards),
                "{figure}"
            );
        }
    }

    #[test]
    fn each_sound_has_its_level_and_one_that_is_not_measured_has_none() {
        let [live] = shown(vec![vec![(cinema(), stream("avc1.64001f"))]]).try_into().unwrap();
        for (sound, level) in [(1, "-20.5"), (2, "NaN"), (3, "NaN"), (4, "NaN")] {
            let figure = format!("streamcircle_stream_audio_level_db{{room=\"cinema\",sound=\"{sound}\"}}");
            assert_eq!(value(&live, &figure), level, "{figure}");
        }
    }

    #[test]
    fn codecs_are_families_and_those_before_are_taken_back() {
        let codecs = ["avc1.64001f", "avc1.640028", "hvc1.1.6.L93.B0"];
        let mut moments: Vec<_> = codecs.iter().map(|codec| vec![(cinema(), stream(codec))]).collect();
        moments.push(vec![(cinema(), IngestHealth::default())]);
        moments.push(vec![]);
        let shown = shown(moments);
        let of = |text: &str, video: &str| {
            let figure = format!("streamcircle_stream_info{{room=\"cinema\",video=\"{video}\",audio=\"mp4a\"}}");
            value(text, &figure).to_owned()
        };
        assert_eq!(
            [of(&shown[0], "avc1"), of(&shown[1], "avc1"), of(&shown[2], "avc1")],
            ["1", "1", "0"]
        );
        assert_eq!([of(&shown[2], "hvc1"), of(&shown[3], "hvc1")], ["1", "0"]);
        let series = shown[4]
            .lines()
            .filter(|line| line.starts_with("streamcircle_stream_info{"));
        assert_eq!(series.count(), 2);
        assert_eq!((family(None), family(Some("vvc1.1"))), ("none", "other"));
    }
}
