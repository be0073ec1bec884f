//! Glass to glass: from the moment a picture is drawn to the moment Chromium shows it, through a separate relay.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{
    browser::Browser,
    clock_pattern,
    daemon::{Origin, Relay},
    player,
    publisher::{ClockPublisher, Settings},
};
use serde_json::json;

use crate::results::{Results, percentile, say};

/// Time given to the player to settle before anything counts.
const SETTLE: Duration = Duration::from_secs(8);
const MEASURE: Duration = Duration::from_secs(60);
/// Pictures are looked at this often, milliseconds.
const EVERY_MS: u32 = 200;
/// OBS's default key interval, frames.
const OBS_DEFAULT_KEY_INTERVAL: u32 = 250;

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    for (name, key_interval) in [("GOP 2 s", 60), ("OBS default key interval", OBS_DEFAULT_KEY_INTERVAL)] {
        measure(
            results,
            name,
            Settings {
                key_interval,
                ..Settings::default()
            },
        )
        .await?;
    }
    Ok(())
}

async fn measure(results: &mut Results, name: &str, settings: Settings) -> Result<()> {
    say(&format!("glass to glass, {name}: {} s", (SETTLE + MEASURE).as_secs()));
    let origin = Origin::start().await?;
    let relay = Relay::join(&origin, "bench").await?;
    let room = origin.admin.create_room("bench").await?;
    let invite = origin.admin.invite(&room.slug, json!({})).await?;
    let _publisher = ClockPublisher::start(&origin.publish_url(&room), settings, origin.folder())?;

    let browser = Browser::start().await?;
    player::open_invite(
        &browser,
        &format!("{}/r/{}#invite={}", relay.url, room.slug, invite.token),
        "Ann",
    )
    .await?;
    player::wait_until_playing(&browser, Duration::from_secs(60)).await?;
    tokio::time::sleep(SETTLE).await;
    browser.run(&clock_pattern::sampler(EVERY_MS)).await?;
    browser
        .run(
            "window.__stalls = 0; document.querySelector('video').addEventListener('waiting', () => window.__stalls++)",
        )
        .await?;
    tokio::time::sleep(MEASURE).await;

    let glass = browser.run("return window.__glass").await?;
    let latencies = glass["latencies"].as_array().context("samples")?;
    let mut seconds: Vec<f64> = latencies
        .iter()
        .filter_map(serde_json::Value::as_f64)
        .map(|ms| ms / 1000.0)
        .collect();
    ensure!(
        seconds.len() > 100,
        "only {} pictures could be read, {} could not",
        seconds.len(),
        glass["bad"]
    );
    let stalls = browser
        .run("return window.__stalls")
        .await?
        .as_f64()
        .context("stalls")?;
    let n = seconds.len();
    results.add(
        &format!("glass to glass, {name}, p50"),
        "s",
        percentile(&mut seconds, 0.5),
        n,
    );
    results.add(
        &format!("glass to glass, {name}, p95"),
        "s",
        percentile(&mut seconds, 0.95),
        n,
    );
    results.add(&format!("glass to glass, {name}, stalls"), "count", stalls, n);
    browser.close().await
}
