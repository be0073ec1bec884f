//! A publisher that goes and comes back, seen from pages on two relays that are never reloaded. `bench evenings` has the longer ones.

use std::{
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use e2e::{
    clock_pattern::now_ms,
    obs::{Obs, ObsSettings},
    process::{Process, wait_for},
    publisher::{self, Settings},
    recording::Recording,
    rtmp_sender::{Replay, RtmpSender, Target},
    screening::{Audience, Screening},
};

/// Seconds from the first new key frame to the picture.
const BACK_WITHIN: f64 = 3.0;
/// Before the second key frame of OBS as it is installed.
const BEFORE_THE_NEXT_KEY: f64 = 8.0;
const PATIENCE: Duration = Duration::from_secs(20);

fn publish(screening: &Screening) -> Result<Process> {
    publisher::test_picture(&screening.publish_url(), Settings::default(), screening.origin.folder())
}

/// The pages show what began after `ms` this many seconds after its first key frame.
async fn ensure_back(screening: &Screening, audience: &Audience, ms: u64, within: f64) -> Result<()> {
    let key_frame = wait_for("a new key frame", PATIENCE, async || screening.path.key_frame_after(ms)).await?;
    let seconds = audience.seconds_until_picture(key_frame, PATIENCE).await?;
    ensure!(
        seconds.iter().all(|seconds| *seconds <= within),
        "the picture was back {seconds:?} s after the first new key frame"
    );
    audience.ensure_playing().await
}

#[tokio::test]
async fn a_publisher_that_is_killed_for_five_seconds_is_waited_for() -> Result<()> {
    let screening = Screening::prepare().await?;
    let mut publisher = publish(&screening)?;
    screening.until_live().await?;
    let audience = Audience::enter(&screening).await?;

    publisher.kill()?;
    let killed = now_ms();
    screening.until_interrupted().await?;
    audience.until_state("interrupted", PATIENCE).await?;
    tokio::time::sleep(Duration::from_millis(5000u64.saturating_sub(now_ms() - killed))).await;

    let again = now_ms();
    let _publisher = publish(&screening)?;
    ensure_back(&screening, &audience, again, BACK_WITHIN).await?;
    audience.leave().await
}

#[tokio::test]
async fn obs_that_stops_ends_the_stream_and_obs_that_starts_again_is_seen_in_the_same_page() -> Result<()> {
    let screening = Screening::prepare().await?;
    let mut obs = Obs::start(screening.path.address, &screening.room.key, ObsSettings::default()).await?;
    obs.start_stream().await?;
    screening.until_live().await?;
    let audience = Audience::enter(&screening).await?;

    obs.stop_stream().await?;
    screening.until_off_air(Duration::from_secs(10)).await?;
    audience.until_state("ended", PATIENCE).await?;

    let again = now_ms();
    obs.start_stream().await?;
    ensure_back(&screening, &audience, again, BEFORE_THE_NEXT_KEY).await?;
    audience.leave().await
}

#[tokio::test]
async fn obs_that_dies_is_waited_for_and_the_next_obs_goes_on() -> Result<()> {
    let screening = Screening::prepare().await?;
    let mut obs = Obs::start(screening.path.address, &screening.room.key, ObsSettings::default()).await?;
    obs.start_stream().await?;
    screening.until_live().await?;
    let audience = Audience::enter(&screening).await?;

    obs.process.kill()?;
    screening.until_interrupted().await?;
    audience.until_state("interrupted", PATIENCE).await?;

    let mut obs = Obs::start(screening.path.address, &screening.room.key, ObsSettings::default()).await?;
    let again = now_ms();
    obs.start_stream().await?;
    ensure_back(&screening, &audience, again, BACK_WITHIN).await?;
    audience.leave().await
}

#[tokio::test]
async fn an_origin_that_restarts_under_obs_is_found_again_and_the_page_goes_on() -> Result<()> {
    let mut screening = Screening::prepare().await?;
    let mut obs = Obs::start(screening.path.address, &screening.room.key, ObsSettings::default()).await?;
    obs.start_stream().await?;
    screening.until_live().await?;
    let audience = Audience::enter(&screening).await?;

    screening.origin.crash().await?;
    // By the time that OBS tries again the separate relay has heard of the new origin.
    ensure_back(&screening, &audience, now_ms(), BEFORE_THE_NEXT_KEY).await?;
    audience.leave().await
}

#[tokio::test]
async fn an_origin_that_restarts_while_its_publisher_is_gone_says_that_the_stream_will_be_back() -> Result<()> {
    let mut screening = Screening::prepare().await?;
    let mut publisher = publish(&screening)?;
    screening.until_live().await?;
    let audience = Audience::enter(&screening).await?;

    publisher.kill()?;
    screening.until_interrupted().await?;
    screening.origin.crash().await?;
    screening.until_interrupted().await?;
    audience.until_state("interrupted", PATIENCE).await?;

    let again = now_ms();
    let _publisher = publish(&screening)?;
    ensure_back(&screening, &audience, again, BEFORE_THE_NEXT_KEY).await?;
    audience.leave().await
}

async fn film(screening: &Screening) -> Result<Arc<Recording>> {
    Ok(Arc::new(Recording::noise(
        Settings::default(),
        screening.origin.folder(),
    )?))
}

#[tokio::test]
async fn a_publisher_whose_network_died_takes_over_from_its_own_half_open_connection_at_once() -> Result<()> {
    let screening = Screening::prepare().await?;
    let film = film(&screening).await?;
    let target = Target::new(screening.path.address, &screening.room.key);
    let _first = Replay::start(&film, &target, Instant::now()).await?;
    screening.until_live().await?;
    let audience = Audience::enter(&screening).await?;

    screening.path.cut();
    let again = now_ms();
    let second = Replay::start(&film, &target, Instant::now())
        .await
        .context("the same key from the same address")?;
    let key_frame = wait_for("a new key frame", PATIENCE, async || {
        screening.path.key_frame_after(again)
    })
    .await?;
    ensure!(key_frame - again < 1000, "let in only {} ms later", key_frame - again);
    audience.ensure_playing().await?;
    second.stop().await?;
    audience.leave().await
}

#[tokio::test]
async fn somebody_elses_publisher_is_told_bad_name_until_the_first_is_silent() -> Result<()> {
    let screening = Screening::prepare().await?;
    let film = film(&screening).await?;
    let target = Target::new(screening.path.address, &screening.room.key);
    let rival = Target::new(screening.origin.rtmp, &screening.room.key).from(Ipv4Addr::new(127, 0, 0, 2));
    let _first = Replay::start(&film, &target, Instant::now()).await?;
    screening.until_live().await?;

    let refused = RtmpSender::publish(&rival).await;
    let why = refused.err().context("two publishers at once")?.to_string();
    ensure!(why.contains("BadName"), "{why}");

    screening.path.cut();
    let cut = Instant::now();
    let _second = wait_for("the takeover", PATIENCE, async || {
        Replay::start(&film, &rival, Instant::now()).await.ok()
    })
    .await?;
    let waited = cut.elapsed();
    ensure!(
        (Duration::from_millis(1500)..Duration::from_secs(4)).contains(&waited),
        "taken over after {waited:?}"
    );
    screening.until_live().await
}
