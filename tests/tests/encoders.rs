//! What encoders send, decoded to its end by ffmpeg without an error. `bench encoders` has the whole table, and Chromium.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    decoded::{Decoded, Decoding},
    encoders::{AAC, Encoding, Ffmpeg, X264, gstreamer, nginx_push},
    obs::{Obs, ObsSettings},
    screening::Screening,
};

/// Of film.
const SECONDS: u32 = 14;
const END: Duration = Duration::from_secs(60);
/// Pictures that are decoded at least: the player comes late.
const LEAST: usize = 150;
/// Less than a frame, more than the jitter of an encoder's own clock.
const GAP_MS: i64 = 20;
/// What films a clock leaves out pictures itself when the machine is busy (OBS), or gives those that are late the times of its sound
/// (GStreamer's `flvmux`, at its start).
const LIVE_GAP_MS: i64 = 500;

async fn decode(screening: &Screening, sounds: usize) -> Result<Vec<Decoded>> {
    screening.until_live().await?;
    let viewer = screening.friend("Ann").await?;
    let decoding = Decoding::start(&viewer, true, sounds, screening.origin.folder())?;
    tokio::task::spawn_blocking(move || decoding.to_the_end(END)).await?
}

fn ensure_whole(tracks: &[Decoded], sounds: usize, gap_ms: i64) -> Result<()> {
    ensure!(tracks.len() == 1 + sounds, "{tracks:?}");
    ensure!(tracks[0].frames >= LEAST, "{tracks:?}");
    ensure!(
        tracks.iter().all(|track| track.longest_gap_ms <= gap_ms),
        "something is missing: {tracks:?}"
    );
    Ok(())
}

async fn ensure_decoded(video: &'static str, audio: &'static [&'static str]) -> Result<()> {
    let screening = Screening::prepare().await?;
    let encoding = Encoding {
        ffmpeg: Ffmpeg::Newer,
        video,
        audio,
        output: "-rtmp_enhanced_codecs hvc1,av01,vp09",
        seconds: SECONDS,
        ..Encoding::default()
    };
    let _publisher = encoding.start(&screening.publish_url(), screening.origin.folder())?;
    ensure_whole(&decode(&screening, audio.len()).await?, audio.len(), GAP_MS)
}

#[tokio::test]
async fn gstreamers_rtmp2sink_is_decoded_to_its_end() -> Result<()> {
    let screening = Screening::prepare().await?;
    let _publisher = gstreamer(&screening.publish_url(), SECONDS, screening.origin.folder())?;
    ensure_whole(&decode(&screening, 1).await?, 1, LIVE_GAP_MS)
}

#[tokio::test]
async fn nginx_rtmps_push_is_decoded_to_its_end() -> Result<()> {
    let screening = Screening::prepare().await?;
    let folder = screening.origin.folder();
    let (_nginx, address) = nginx_push(screening.path.address, &screening.origin.admin, folder)?;
    let encoding = Encoding {
        seconds: SECONDS,
        ..Encoding::default()
    };
    let _publisher = encoding.start(&format!("rtmp://{address}/in/{}", screening.room.key), folder)?;
    ensure_whole(&decode(&screening, 1).await?, 1, GAP_MS)
}

#[tokio::test]
async fn obs_with_two_b_frames_is_decoded_to_its_end() -> Result<()> {
    let screening = Screening::prepare().await?;
    let settings = ObsSettings {
        key_seconds: Some(2),
        b_frames: Some(2),
        ..ObsSettings::default()
    };
    let mut obs = Obs::start(screening.path.address, &screening.room.key, settings).await?;
    obs.start_stream().await?;
    screening.until_live().await?;
    let (decoded, stopped) = tokio::join!(decode(&screening, 1), async {
        tokio::time::sleep(Duration::from_secs(u64::from(SECONDS))).await;
        obs.stop_stream().await
    });
    stopped?;
    ensure_whole(&decoded?, 1, LIVE_GAP_MS)
}

#[tokio::test]
async fn two_sounds_are_decoded_to_their_end() -> Result<()> {
    ensure_decoded(X264, &[AAC, AAC]).await
}

#[tokio::test]
async fn hevc_is_decoded_to_its_end() -> Result<()> {
    ensure_decoded(
        "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=60 -pix_fmt yuv420p",
        &[AAC],
    )
    .await
}

#[tokio::test]
async fn av1_and_opus_are_decoded_to_their_end() -> Result<()> {
    ensure_decoded(
        "-c:v libaom-av1 -usage realtime -cpu-used 8 -g 60 -b:v 600k -pix_fmt yuv420p",
        &["libopus -b:a 96k -ac 2"],
    )
    .await
}
