//! What the publishers of live rooms send, as metrics: figures for whoever watches the machine, where health is for the streamer.

use std::{collections::HashSet, time::Duration};

use common::{id::RoomSlug, packager::IngestHealth};
use metrics::gauge;
use node::shutdown::Shutdown;

use super::Rooms;

/// How often they are taken: as often as a scrape is worth.
const EVERY: Duration = Duration::from_secs(10);

/// Takes the figures of all rooms until the daemon stops.
pub async fn record(rooms: Rooms, shutdown: Shutdown) {
    let mut ticks = tokio::time::interval(EVERY);
    let mut shown = HashSet::new();
    while shutdown.token().run_until_cancelled(ticks.tick()).await.is_some() {
        let present = rooms.all_health();
        let streams: HashSet<RoomSlug> = present.iter().map(|(slug, _)| slug.clone()).collect();
        for (slug, health) in &present {
            tell(slug, health);
        }
        for over in shown.difference(&streams) {
            tell(over, &IngestHealth::default());
        }
        shown = streams;
    }
}

/// A stream that is over has zeros from then on: a gauge cannot be taken back.
fn tell(room: &RoomSlug, health: &IngestHealth) {
    let labels = [("room", room.to_string())];
    let video = health.video.as_ref();
    // Not `sum`: of nothing that is -0.
    let audio_kbps = health.audio_tracks.iter().fold(0.0, |sum, track| sum + track.kbps);
    let silent = health.audio.as_ref().map_or(0.0, |audio| audio.silent_seconds);
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
    gauge!("streamcircle_stream_key_frame_interval_seconds", &labels).set(key_interval.unwrap_or_default());
    gauge!("streamcircle_stream_silent_seconds", &labels).set(silent);
    gauge!("streamcircle_stream_av_offset_seconds", &labels)
        .set(health.av_offset_milliseconds.unwrap_or_default() as f64 / 1000.0);
    gauge!("streamcircle_stream_clock_drift_ppm", &labels).set(health.clock_drift_ppm.unwrap_or_default() as f64);
    gauge!("streamcircle_stream_dropped_frames", &labels).set(dropped.iter().sum::<u64>() as f64);
    gauge!("streamcircle_stream_breaks", &labels).set(f64::from(health.breaks));
    gauge!("streamcircle_stream_warnings", &labels).set(health.warnings.len() as f64);
}

#[cfg(test)]
mod tests {
    use common::packager::AudioHealth;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn a_stream_that_is_over_has_zeros() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let room: RoomSlug = "cinema".parse().unwrap();
        let health = IngestHealth {
            audio_tracks: vec![AudioHealth {
                index: 0,
                codec: "mp4a.40.2".to_owned(),
                channels: 2,
                sample_rate: 48_000,
                kbps: 160.0,
                drift_milliseconds: 0,
                level_db: None,
                silent_seconds: 0.0,
            }],
            warnings: vec!["Sound is silent".to_owned()],
            ..IngestHealth::default()
        };
        metrics::with_local_recorder(&recorder, || tell(&room, &health));
        let figure = "streamcircle_stream_audio_bits_per_second{room=\"cinema\"}";
        assert!(handle.render().contains(&format!("{figure} 160000")));
        metrics::with_local_recorder(&recorder, || tell(&room, &IngestHealth::default()));
        assert!(handle.render().contains(&format!("{figure} 0")));
    }
}
