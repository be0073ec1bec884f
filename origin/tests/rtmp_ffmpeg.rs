//! The ingest with a real encoder: Debian's ffmpeg, which sends `connect` in 128-byte chunks before it sets its chunk size.

mod rtmp_support;

use std::time::{Duration, Instant};

use common::media::access_unit::{AccessUnit, Codec, MediaMessage, TrackId};
use origin::ingest::admission::PublishEnd;
use rtmp_support::{KEY, Server};
use tokio::process::Command;

/// Two seconds of test picture and tone, 30 frames a second, a key frame each second, with B-frames.
fn ffmpeg(url: &str) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-nostdin"]);
    command.args(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=2"]);
    command.args(["-f", "lavfi", "-i", "sine=sample_rate=48000:duration=2"]);
    command.args([
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "2",
    ]);
    command.args([
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-c:a",
        "aac",
        "-b:a",
        "96k",
        "-f",
        "flv",
        url,
    ]);
    command.kill_on_drop(true);
    command
}

fn units(messages: &[MediaMessage], track: TrackId) -> Vec<&AccessUnit> {
    let units = messages.iter().filter_map(|message| match message {
        MediaMessage::AccessUnit(unit) if unit.track == track => Some(unit),
        _ => None,
    });
    units.collect()
}

/// The track's configuration stands before its first unit.
fn is_configured_first(messages: &[MediaMessage], codec: Codec) -> bool {
    let config = messages
        .iter()
        .position(|m| matches!(m, MediaMessage::Config { codec: c, .. } if *c == codec));
    let unit = messages
        .iter()
        .position(|m| matches!(m, MediaMessage::AccessUnit(unit) if unit.track.kind == codec.kind()));
    config.is_some() && config < unit
}

#[tokio::test]
async fn ffmpeg_publishes_h264_and_aac() {
    let mut server = Server::start().await;
    let mut encoder = ffmpeg(&format!("rtmp://{}/live/{KEY}", server.address))
        .spawn()
        .expect("ffmpeg is installed");
    let (messages, how) = server.seen_to_the_end().await;
    assert_eq!(how, PublishEnd::Stopped);
    assert!(encoder.wait().await.unwrap().success());

    let MediaMessage::Metadata(metadata) = &messages[0] else {
        panic!("metadata first, not {:?}", messages[0])
    };
    assert!(
        metadata
            .encoder
            .as_deref()
            .is_some_and(|encoder| encoder.starts_with("Lavf")),
        "{metadata:?}"
    );
    assert_eq!(
        (metadata.has_video, metadata.has_audio, metadata.frame_rate),
        (Some(true), Some(true), Some(30.0))
    );
    assert!(is_configured_first(&messages, Codec::H264));
    assert!(is_configured_first(&messages, Codec::Aac));

    let video = units(&messages, TrackId::VIDEO);
    assert_eq!(video.len(), 60);
    let key_frames: Vec<usize> = (0..60).filter(|&index| video[index].sync).collect();
    assert_eq!(key_frames, [0, 30]);
    assert!(video.is_sorted_by(|a, b| a.timestamp_ms < b.timestamp_ms));
    assert!(video.iter().any(|unit| unit.composition_ms > 0), "B-frames");

    let audio = units(&messages, TrackId::AUDIO);
    // 2 s of 1024 samples at 48 kHz is 93.75 frames; priming and flushing add some.
    assert!((94..=97).contains(&audio.len()), "{} audio frames", audio.len());
    assert!(audio.iter().all(|unit| unit.sync && unit.composition_ms == 0));
}

#[tokio::test]
async fn ffmpeg_publishes_over_tls() {
    let mut server = Server::start().await;
    let mut encoder = ffmpeg(&format!("rtmps://{}/live/{KEY}", server.tls_address))
        .spawn()
        .expect("ffmpeg is installed");
    let (messages, how) = server.seen_to_the_end().await;
    assert_eq!(how, PublishEnd::Stopped);
    assert!(encoder.wait().await.unwrap().success());
    assert_eq!(units(&messages, TrackId::VIDEO).len(), 60);
    assert!((94..=97).contains(&units(&messages, TrackId::AUDIO).len()));
}

#[tokio::test]
async fn a_wrong_key_is_refused_over_tls_too_and_plain_rtmp_is_no_tls() {
    let server = Server::start().await;
    for (scheme, reason) in [("rtmps", "Stream key is not valid"), ("rtmp", "")] {
        let started = Instant::now();
        let output = ffmpeg(&format!("{scheme}://{}/live/sk_wrong", server.tls_address))
            .output()
            .await
            .expect("ffmpeg is installed");
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(reason), "{said}");
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn ffmpeg_with_a_query_behind_the_key_is_let_in() {
    let mut server = Server::start().await;
    let url = format!("rtmp://{}/live/{KEY}?token=abc&x=y", server.address);
    let mut encoder = ffmpeg(&url).spawn().expect("ffmpeg is installed");
    let (messages, _) = server.seen_to_the_end().await;
    assert!(!messages.is_empty());
    assert!(encoder.wait().await.unwrap().success());
}

#[tokio::test]
async fn ffmpeg_with_a_wrong_key_or_app_fails_quickly() {
    for (path, reason) in [
        ("live/sk_wrong", "Stream key is not valid"),
        ("vod/sk_wrong", "No such application"),
    ] {
        let mut server = Server::start().await;
        let started = Instant::now();
        let output = ffmpeg(&format!("rtmp://{}/{path}", server.address))
            .output()
            .await
            .expect("ffmpeg is installed");
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(reason), "{said}");
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        assert!(server.has_seen_nothing());
    }
}
