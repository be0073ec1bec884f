//! The ladder of a room, made by the real ffmpeg while somebody watches it and not otherwise.

use std::{collections::BTreeMap, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{
    api::Viewer,
    browser::Browser,
    picture_watch,
    process::{Process, wait_for},
    publisher::{self, Settings},
    screening::{Audience, Screening},
};
use reqwest::Method;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);
/// After the last request: the relay's linger, then the origin's.
const LINGER: Duration = Duration::from_secs(60);
const FRAME_SECONDS: f64 = 1.0 / 30.0;
const RUNGS: [&str; 2] = ["240p", "144p"];

/// A room with two rungs below a source of 360p, on air.
async fn laddered() -> Result<(Screening, Process)> {
    let screening = Screening::prepare().await?;
    let path = format!("/api/rooms/{}", screening.room.slug);
    let ladder = json!({ "ladder": RUNGS });
    screening.origin.admin.call(Method::PATCH, &path, Some(ladder)).await?;
    let publisher = publisher::test_picture(&screening.publish_url(), Settings::default(), screening.origin.folder())?;
    screening.until_live().await?;
    Ok((screening, publisher))
}

/// Programs named ffmpeg that the origin started.
fn transcoders(screening: &Screening) -> Result<usize> {
    let parent = screening.origin.process.id().to_string();
    let found = Command::new("pgrep").args(["-P", &parent, "ffmpeg"]).output()?;
    Ok(String::from_utf8(found.stdout)?.lines().count())
}

/// Whole segments by number: when they begin, in seconds of the day, and how long they are.
fn segments(playlist: &str) -> BTreeMap<u64, (f64, f64)> {
    let (mut msn, mut begin, mut duration) = (0, None, None);
    let mut found = BTreeMap::new();
    for line in playlist.lines() {
        if let Some(first) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
            msn = first.parse().unwrap_or_default();
        } else if let Some(date) = line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:") {
            begin = seconds_of_day(date);
        } else if let Some(length) = line.strip_prefix("#EXTINF:") {
            duration = length.trim_end_matches(',').parse().ok();
        } else if !line.starts_with('#') {
            if let (Some(begin), Some(duration)) = (begin.take(), duration.take()) {
                found.insert(msn, (begin, duration));
            }
            msn += 1;
        }
    }
    found
}

fn seconds_of_day(date: &str) -> Option<f64> {
    let time = date.split_once('T')?.1.trim_end_matches('Z');
    time.split(':')
        .try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))
}

/// The variants' playlists in the order of the multivariant.
async fn variants(viewer: &Viewer) -> Result<Vec<String>> {
    let multivariant = viewer.text("index.m3u8").await?;
    let lines = multivariant
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

#[tokio::test]
async fn rungs_have_the_numbers_and_times_of_the_source_and_no_ffmpeg_runs_with_nobody_watching() -> Result<()> {
    let (screening, _publisher) = laddered().await?;
    let viewer = screening.friend("Ann").await?;
    let playlists = variants(&viewer).await?;
    ensure!(playlists.len() == 1 + RUNGS.len(), "{playlists:?}");
    ensure!(transcoders(&screening)? == 0, "an ffmpeg runs before anybody asked");

    let aligned = wait_for("two whole segments of every rung", PATIENCE, async || {
        let mut all = Vec::new();
        for playlist in &playlists {
            all.push(segments(&viewer.text(playlist).await.ok()?));
        }
        let (source, rungs) = all.split_first()?;
        let common: Vec<_> = source
            .iter()
            .filter_map(|(msn, there)| {
                let made: Option<Vec<_>> = rungs.iter().map(|rung| rung.get(msn)).collect();
                Some((*msn, *there, made?.into_iter().copied().collect::<Vec<_>>()))
            })
            .collect();
        (common.len() >= 2).then_some(common)
    })
    .await?;
    for (msn, (begin, duration), rungs) in aligned {
        for (rung_begin, rung_duration) in rungs {
            ensure!(
                (rung_begin - begin).abs() <= FRAME_SECONDS && (rung_duration - duration).abs() <= FRAME_SECONDS,
                "segment {msn} is at {begin} for {duration} s, in a rung at {rung_begin} for {rung_duration} s"
            );
        }
    }
    ensure!(transcoders(&screening)? == RUNGS.len(), "one ffmpeg a rung");

    wait_for("the end of every ffmpeg", LINGER, async || {
        (transcoders(&screening).ok()? == 0).then_some(())
    })
    .await
}

/// Picks an entry of the player's quality menu.
async fn choose_quality(page: &Browser, label: &str) -> Result<()> {
    page.run(
        "document.querySelector('button[aria-haspopup=menu][aria-label^=Quality]')?.dispatchEvent(
           new MouseEvent('click', { bubbles: true }))",
    )
    .await?;
    let pick = format!(
        "const row = [...document.querySelectorAll('[role=menuitemradio]')].find((row) => row.innerText.trim().startsWith({}));
         row?.click(); return row !== undefined",
        json!(label)
    );
    wait_for(label, PATIENCE, async || {
        (page.run(&pick).await.ok()? == true).then_some(())
    })
    .await
    .context("the menu")
}

#[tokio::test]
async fn a_viewer_changes_to_a_rung_and_back_without_a_stall() -> Result<()> {
    let (screening, _publisher) = laddered().await?;
    let audience = Audience::enter_by(&screening.doors()[1..]).await?;
    let page = &audience.pages[0];
    for (label, height) in [("240p", 240), ("Source", 360)] {
        choose_quality(page, label).await?;
        wait_for(label, PATIENCE, async || {
            (picture_watch::seen(page).await.ok()?.height == height).then_some(())
        })
        .await?;
        audience.ensure_playing().await?;
    }
    let seen = audience.seen().await?.remove(0);
    ensure!(seen.stalls.is_empty() && seen.jumps.is_empty(), "{seen:?}");
    audience.leave().await
}
