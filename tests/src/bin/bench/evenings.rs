//! The long versions of `drop_and_return`: publishers that are away for 5, 20 and 80 s, one that does not come back, and OBS that
//! stops, dies and finds a restarted origin again, each seen from pages on two relays that are never reloaded.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{
    clock_pattern::now_ms,
    obs::{Obs, ObsSettings},
    process::wait_for,
    publisher::{self, Settings},
    screening::{Audience, Screening},
};

use crate::results::{Results, say};

const AWAY: [u64; 3] = [5, 20, 80];
const PATIENCE: Duration = Duration::from_secs(30);
/// The room stays open for 90 s.
const GIVEN_UP: Duration = Duration::from_secs(100);

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    say("publishers that go and come back: 6 minutes");
    for away in AWAY {
        tell(&format!("killed for {away} s"), killed(results, away).await);
    }
    tell("killed for good", gone(results).await);
    let by_the_second = ObsSettings {
        key_seconds: Some(2),
        ..ObsSettings::default()
    };
    for (name, settings) in [
        ("OBS as installed", ObsSettings::default()),
        ("OBS, key frames every 2 s", by_the_second),
    ] {
        tell(name, obs(results, name, settings).await);
    }
    Ok(())
}

/// One evening that failed is no reason to skip the others.
fn tell(name: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        say(&format!("{name}: NOT: {error:#}"));
    }
}

/// Adds how long after the first key frame since `ms` the picture was back.
async fn add(results: &mut Results, name: &str, screening: &Screening, audience: &Audience, ms: u64) -> Result<()> {
    let key_frame = wait_for("a new key frame", PATIENCE, async || screening.path.key_frame_after(ms)).await?;
    let seconds = audience.seconds_until_picture(key_frame, PATIENCE).await?;
    audience.ensure_playing().await?;
    for (relay, seconds) in ["embedded relay", "separate relay"].iter().zip(seconds) {
        results.add(
            &format!("{name}: picture after the key frame, {relay}"),
            "s",
            seconds,
            1,
        );
    }
    Ok(())
}

async fn killed(results: &mut Results, away: u64) -> Result<()> {
    let screening = Screening::prepare().await?;
    let publish = || publisher::test_picture(&screening.publish_url(), Settings::default(), screening.origin.folder());
    let mut publisher = publish()?;
    screening.until_live().await?;
    let audience = Audience::enter(&screening).await?;
    publisher.kill()?;
    let back = tokio::time::Instant::now() + Duration::from_secs(away);
    audience.until_state("interrupted", PATIENCE).await?;
    tokio::time::sleep_until(back).await;
    let again = now_ms();
    let _publisher = publish()?;
    add(results, &format!("killed for {away} s"), &screening, &audience, again).await?;
    audience.leave().await
}

async fn gone(results: &mut Results) -> Result<()> {
    let screening = Screening::prepare().await?;
    let mut publisher =
        publisher::test_picture(&screening.publish_url(), Settings::default(), screening.origin.folder())?;
    screening.until_live().await?;
    let audience = Audience::enter(&screening).await?;
    publisher.kill()?;
    let killed = now_ms();
    screening.until_off_air(GIVEN_UP).await?;
    results.add("killed for good: off air", "s", (now_ms() - killed) as f64 / 1000.0, 1);
    audience.until_state("ended", PATIENCE).await?;
    results.add(
        "killed for good: both pages say so",
        "s",
        (now_ms() - killed) as f64 / 1000.0,
        1,
    );
    audience.leave().await
}

async fn obs(results: &mut Results, name: &str, settings: ObsSettings) -> Result<()> {
    let mut screening = Screening::prepare().await?;
    let key = screening.room.key.clone();
    let mut obs = Obs::start(screening.path.address, &key, settings).await?;
    obs.start_stream().await?;
    screening.until_live().await?;
    let audience = Audience::enter(&screening).await?;

    obs.stop_stream().await?;
    screening.until_off_air(PATIENCE).await?;
    audience.until_state("ended", PATIENCE).await?;
    let again = now_ms();
    obs.start_stream().await?;
    add(results, &format!("{name}, stopped"), &screening, &audience, again).await?;

    obs.process.kill()?;
    screening.until_interrupted().await?;
    audience.until_state("interrupted", PATIENCE).await?;
    let mut obs = Obs::start(screening.path.address, &key, settings).await?;
    let again = now_ms();
    obs.start_stream().await?;
    add(results, &format!("{name}, killed"), &screening, &audience, again).await?;

    screening.origin.crash().await?;
    let again = now_ms();
    add(results, &format!("{name}, origin killed"), &screening, &audience, again).await?;
    let status = obs.status().await?;
    ensure!(status["outputActive"] == true, "{status}");
    audience.leave().await.context("the pages")
}
