//! What one more stream costs an ingest: processor time over 20, 10, 5 and 1 streams of 2.5 Mb/s that nobody watches, beside
//! nginx-rtmp, which gets the same bytes at the same time and writes HLS of 2 s segments.

use std::{
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use e2e::{
    daemon::Origin,
    nginx_rtmp::NginxRtmp,
    process::wait_for,
    publisher::Settings,
    recording::Recording,
    rtmp_sender::{Replay, Target},
};

use crate::results::{Results, say};

/// Downwards, so that the windows need to be filled only once.
const STREAMS: [usize; 4] = [20, 10, 5, 1];
/// Longer than the window, so that no memory is new any more.
const FILL: Duration = Duration::from_secs(75);
/// Longer than the grace of a stopped stream.
const SETTLE: Duration = Duration::from_secs(10);
const MEASURE: Duration = Duration::from_secs(40);
/// Between the starts of two streams, so that their key frames do not come together.
const APART: Duration = Duration::from_millis(137);

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = Settings {
        width: 1280,
        height: 720,
        video_kbps: 2400,
        ..Settings::default()
    };
    let recording = Arc::new(Recording::noise(settings, folder.path())?);
    let origin = Origin::start().await?;
    let peer = NginxRtmp::start(folder.path())?;
    wait_for("nginx", Duration::from_secs(10), async || {
        tokio::net::TcpStream::connect(peer.rtmp).await.ok()
    })
    .await?;
    say(&format!(
        "processor time per ingested stream of {:.2} Mb/s, {STREAMS:?} streams: {} s; the origin is process {}",
        recording.bit_rate() / 1e6,
        (FILL + (SETTLE + MEASURE) * STREAMS.len() as u32).as_secs(),
        origin.process.id()
    ));

    let mut streams = Vec::new();
    for number in 0..STREAMS[0] {
        // Streamers have an address each.
        let address = Ipv4Addr::new(127, 0, 1, number as u8 + 1);
        let room = origin.admin.create_room(&format!("room-{number}")).await?;
        let from = Instant::now() + APART;
        let ours = Replay::start(&recording, &Target::new(origin.rtmp, &room.key).from(address), from).await?;
        let theirs = Replay::start(&recording, &Target::new(peer.rtmp, &room.slug).from(address), from).await?;
        streams.push([ours, theirs]);
        tokio::time::sleep_until(from.into()).await;
    }
    tokio::time::sleep(FILL).await;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for count in STREAMS {
        for replay in streams.drain(count..).flatten() {
            replay.stop().await.context("a stream ended too early")?;
        }
        tokio::time::sleep(SETTLE).await;
        let start = Instant::now();
        let before = [origin.process.cpu_time()?, peer.cpu_time()?];
        tokio::time::sleep(MEASURE).await;
        let elapsed = start.elapsed().as_secs_f64();
        let after = [origin.process.cpu_time()?, peer.cpu_time()?];
        let [origin_cpu, peer_cpu] =
            std::array::from_fn(|at| after[at].saturating_sub(before[at]).as_secs_f64() / elapsed * 100.0);
        results.add_beside(
            &format!("origin, {count} streams nobody watches (peer nginx-rtmp HLS)"),
            "% of core",
            origin_cpu,
            peer_cpu,
            1,
        );
        ours.push((count as f64, origin_cpu));
        theirs.push((count as f64, peer_cpu));
    }
    for replay in streams.into_iter().flatten() {
        replay.stop().await.context("a stream ended too early")?;
    }
    results.add_beside(
        "origin, one more stream: slope over 1 to 20 (peer nginx-rtmp HLS)",
        "% of core",
        slope(&ours),
        slope(&theirs),
        STREAMS.len(),
    );
    Ok(())
}

/// Least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (mean_x, mean_y) = (
        points.iter().map(|(x, _)| x).sum::<f64>() / n,
        points.iter().map(|(_, y)| y).sum::<f64>() / n,
    );
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}
