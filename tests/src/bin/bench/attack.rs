//! What an attacking publisher costs another room: how long after its last frame was sent a part is with a viewer, in calm and
//! under attack, by turns in one run.

use std::{
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use common::cmaf::inspect;
use e2e::{
    api::Viewer,
    daemon::{Origin, Relay},
    hls,
    process::{Process, program, wait_for},
    publisher::Settings,
    recording::Recording,
    rtmp_sender::{Replay, Target},
};
use serde_json::json;

use crate::results::{Results, percentile, say};

const SETTLE: Duration = Duration::from_secs(10);
/// Of calm and of attack, by turns.
const TURN: Duration = Duration::from_secs(45);
const TURNS: u32 = 3;
/// Key frames come this often, and every segment starts with one.
const SEGMENT_MS: f64 = 2000.0;

/// Milliseconds from a part's last frame to its arrival.
type Delays = Arc<Mutex<Vec<f64>>>;

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    say(&format!(
        "part delivery in calm and under attack: {} s",
        (SETTLE + TURN * TURNS * 2).as_secs()
    ));
    let origin = Origin::start().await?;
    let relay = Relay::join(&origin, "bench").await?;
    let room = origin.admin.create_room("bench").await?;
    let enemy = origin.admin.create_room("enemy").await?;
    let invite = origin.admin.invite(&room.slug, json!({})).await?;
    let film = Arc::new(Recording::noise(Settings::default(), origin.folder())?);
    let start = Instant::now();
    let replay = Replay::start(&film, &Target::new(origin.rtmp, &room.key), start).await?;
    let first = film.media.iter().find(|tag| tag.type_id == 9).context("a picture")?;
    let start = start + Duration::from_millis(first.at_ms.into());
    wait_for("the live flag", Duration::from_secs(20), async || {
        origin.admin.is_live(&room.slug).await.then_some(())
    })
    .await?;
    let viewer = Viewer::join(&relay.url, &room.slug, "Ann", Some(&invite.token)).await?;
    let delays = Delays::default();
    let watching = tokio::spawn(watch(viewer, start, Arc::clone(&delays)));
    tokio::time::sleep(SETTLE).await;

    let (mut calm, mut attacked) = (Vec::new(), Vec::new());
    for turn in 0..TURNS * 2 {
        let attacker = (turn % 2 == 1)
            .then(|| {
                let mut command = Command::new("nice");
                command.args(["-n", "19"]).arg(program("rtmp_attacker")?);
                command.args([&origin.rtmp.to_string(), &enemy.key]);
                Process::start("attacker", &mut command, origin.folder())
            })
            .transpose()?;
        take(&delays);
        tokio::time::sleep(TURN).await;
        let kind = if attacker.is_some() { &mut attacked } else { &mut calm };
        kind.extend(take(&delays));
    }
    if watching.is_finished() {
        watching.await??;
    }
    replay.stop().await.context("the attacked room's publisher")?;
    let n = attacked.len();
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        results.add_beside(
            &format!("part delivery under attack, {name} (peer: in calm)"),
            "ms",
            percentile(&mut attacked, share),
            percentile(&mut calm, share),
            n,
        );
    }
    Ok(())
}

fn take(delays: &Delays) -> Vec<f64> {
    std::mem::take(&mut *delays.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Gets every part of the video as soon as it is announced.
async fn watch(viewer: Viewer, start: Instant, delays: Delays) -> Result<()> {
    let multivariant = viewer.text("index.m3u8").await?;
    let playlist = hls::variant(&multivariant).context("a variant")?.to_owned();
    let folder = playlist.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut text = viewer.text(&playlist).await?;
    let map = text
        .lines()
        .find(|line| line.starts_with("#EXT-X-MAP:"))
        .and_then(hls::uri);
    let init = viewer
        .get(&format!("{folder}/{}", map.context("an init segment")?))
        .await?;
    let init = inspect::read_init(&init.bytes().await?)?;
    let (mut newest, mut key_frame) = (None, None);
    loop {
        let parts: Vec<String> = text
            .lines()
            .filter(|line| hls::is_part(line))
            .filter_map(hls::uri)
            .map(str::to_owned)
            .collect();
        let known = newest
            .as_ref()
            .and_then(|newest| parts.iter().rposition(|part| part == newest));
        for part in &parts[known.map_or(0, |at| at + 1)..] {
            let body = viewer.get(&format!("{folder}/{part}")).await?.bytes().await?;
            let arrived = start.elapsed().as_secs_f64() * 1000.0;
            // What lay there already says nothing of its way.
            if known.is_none() {
                continue;
            }
            let fragments = inspect::read_fragments(&body)?;
            let mut samples = fragments.iter().flat_map(|fragment| &fragment.samples);
            let first = samples.next().context("an empty part")?;
            let in_ms = |dts: u64| dts as f64 * 1000.0 / f64::from(init.timescale);
            if first.is_sync() {
                key_frame = Some(in_ms(first.dts));
            }
            // Both clocks have a key frame every so often, which is longer than any delay.
            if let Some(key_frame) = key_frame {
                let since_key_frame = in_ms(samples.last().unwrap_or(first).dts) - key_frame;
                let delay = (arrived - since_key_frame).rem_euclid(SEGMENT_MS);
                delays.lock().unwrap_or_else(PoisonError::into_inner).push(delay);
            }
        }
        newest = parts.last().cloned().or(newest);
        text = viewer.text(&hls::hinted(&text, &playlist).context("a hint")?).await?;
    }
}
