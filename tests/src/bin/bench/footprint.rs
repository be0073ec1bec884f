//! What one stream of 2.5 Mb/s costs: processor of origin and relay, resident memory, beside nginx-rtmp on the same stream.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use e2e::{
    api::Viewer,
    daemon::{Origin, Relay},
    hls,
    nginx_rtmp::NginxRtmp,
    process::wait_for,
    publisher::{self, Settings},
};
use serde_json::json;

use crate::results::{Results, say};

/// Longer than the window, so that the memory is what stays.
const SETTLE: Duration = Duration::from_secs(90);
const MEASURE: Duration = Duration::from_secs(60);
const MEGABYTE: f64 = 1_000_000.0;

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    say(&format!(
        "footprint of one stream of 2.5 Mb/s: {} s",
        (SETTLE + MEASURE).as_secs()
    ));
    let settings = Settings {
        width: 1280,
        height: 720,
        video_kbps: 2400,
        ..Settings::default()
    };
    let origin = Origin::start().await?;
    let relay = Relay::join(&origin, "bench").await?;
    let room = origin.admin.create_room("bench").await?;
    let invite = origin.admin.invite(&room.slug, json!({})).await?;
    let folder = tempfile::tempdir()?;
    let peer = NginxRtmp::start(folder.path())?;
    // One encoder for both, so that both get the same bytes at the same time.
    let both = format!(
        "[f=flv]{}|[f=flv]rtmp://{}/live/bench",
        origin.publish_url(&room),
        peer.rtmp
    );
    let _publisher = publisher::noise(&both, settings, origin.folder())?;
    wait_for("the live flag", Duration::from_secs(30), async || {
        origin.admin.is_live(&room.slug).await.then_some(())
    })
    .await?;
    let viewer = Viewer::join(&relay.url, &room.slug, "Ann", Some(&invite.token)).await?;
    let watching = tokio::spawn(watch(viewer));

    tokio::time::sleep(SETTLE).await;
    let start = Instant::now();
    let before = [origin.process.cpu_time()?, relay.process.cpu_time()?, peer.cpu_time()?];
    tokio::time::sleep(MEASURE).await;
    let elapsed = start.elapsed().as_secs_f64();
    let after = [origin.process.cpu_time()?, relay.process.cpu_time()?, peer.cpu_time()?];
    let [origin_cpu, relay_cpu, peer_cpu] =
        std::array::from_fn(|at| after[at].saturating_sub(before[at]).as_secs_f64() / elapsed * 100.0);
    let segments = MEASURE.as_secs() as usize;
    results.add_beside(
        "origin, one stream of 2.5 Mb/s (peer nginx-rtmp HLS)",
        "% of core",
        origin_cpu,
        peer_cpu,
        segments,
    );
    results.add("relay, one room, one viewer", "% of core", relay_cpu, segments);
    results.add(
        "origin, resident",
        "MB",
        origin.process.resident_bytes()? as f64 / MEGABYTE,
        1,
    );
    results.add(
        "relay, one room, one viewer, resident",
        "MB",
        relay.process.resident_bytes()? as f64 / MEGABYTE,
        1,
    );
    watching.abort();
    Ok(())
}

/// Plays as a player does: every playlist by blocking reload, every part once.
async fn watch(viewer: Viewer) -> Result<()> {
    let multivariant = viewer.text("index.m3u8").await?;
    let video = hls::variant(&multivariant).context("a variant")?.to_owned();
    let audio = multivariant
        .lines()
        .find(|line| line.starts_with("#EXT-X-MEDIA:"))
        .and_then(hls::uri);
    let audio = audio.context("an audio rendition")?.to_owned();
    tokio::try_join!(follow(&viewer, &video), follow(&viewer, &audio))?;
    Ok(())
}

async fn follow(viewer: &Viewer, playlist: &str) -> Result<()> {
    let folder = playlist.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut newest = String::new();
    loop {
        let text = viewer.text(&hls::next_playlist(viewer, playlist).await?).await?;
        let parts: Vec<&str> = text
            .lines()
            .filter(|line| hls::is_part(line))
            .filter_map(hls::uri)
            .collect();
        let fresh = parts
            .iter()
            .rposition(|part| *part == newest)
            .map_or(parts.len().saturating_sub(1), |at| at + 1);
        for part in &parts[fresh..] {
            viewer.get(&format!("{folder}/{part}")).await?.bytes().await?;
        }
        if let Some(last) = parts.last() {
            (*last).clone_into(&mut newest);
        }
    }
}
