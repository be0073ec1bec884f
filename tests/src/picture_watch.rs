//! What a viewer's eyes would say of a page's player over minutes: when pictures came, when the film stood still, when it jumped.
//!
//! A stall is a pause that nobody asked for, seen on the playhead, so that it counts for sound alone too, and a film whose pictures
//! stand still by themselves has none.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::browser::Browser;

/// Pictures further apart than this make a gap, milliseconds.
const GAP_MS: u64 = 1000;
/// So many pictures without a gap are a film.
const RUN: usize = 12;

/// What was seen since [`watch`].
#[derive(Clone, Debug, Deserialize)]
pub struct Seen {
    /// New pictures.
    pub frames: u64,
    /// When pictures began to come again after a gap, Unix milliseconds.
    pub returns: Vec<u64>,
    /// How long the playhead stood each time that it stood for more than a quarter of a second, milliseconds.
    pub stalls: Vec<f64>,
    /// Seconds by which the player moved the playhead by itself.
    pub jumps: Vec<f64>,
    /// Size of the newest picture.
    pub width: u32,
    pub height: u32,
    /// The page is the one that was told to watch.
    pub marked: bool,
}

/// Tells the page to write down what its player does from now on.
pub async fn watch(browser: &Browser) -> Result<()> {
    browser
        .run(
            &WATCH
                .replace("GAP_MS", &GAP_MS.to_string())
                .replace("RUN", &RUN.to_string()),
        )
        .await?;
    Ok(())
}

/// What happened since; an error if the page was loaded anew.
pub async fn seen(browser: &Browser) -> Result<Seen> {
    let value = browser
        .run(
            "const w = window.__watch, v = document.querySelector('video');
             return w ? { frames: w.frames, returns: w.returns, stalls: [...w.stalls, ...w.standing], jumps: w.jumps, width: v?.videoWidth ?? 0,
                          height: v?.videoHeight ?? 0, marked: true } : null",
        )
        .await?;
    ensure!(!value.is_null(), "the page was reloaded");
    serde_json::from_value(value).context("the watch's notes")
}

/// When the first picture came after `ms` (Unix time) of a film that moves again, Unix milliseconds.
pub async fn picture_back_after(browser: &Browser, ms: u64) -> Result<Option<u64>> {
    let seen = seen(browser).await?;
    Ok(seen.returns.into_iter().find(|at| *at >= ms))
}

/// The player's state as the page tells it (`data-state`).
pub async fn state(browser: &Browser) -> Result<String> {
    let state = browser
        .run("return document.querySelector('video')?.dataset.state ?? ''")
        .await?;
    Ok(state.as_str().unwrap_or_default().to_owned())
}

/// The element may be another after a while, the notes stay.
const WATCH: &str = r"
    const watch = window.__watch = { frames: 0, returns: [], stalls: [], standing: [], jumps: [] };
    let element = null, last = Date.now(), run = [], position = null, stood = Date.now(), moving = true;
    const onFrame = (video) => () => {
        if (video !== element) return;
        const now = Date.now();
        // A picture by itself is not the film: the player may show one more of what it had.
        if (now - last > GAP_MS) run = [now];
        else if (run.length > 0 && run.push(now) === RUN) {
            watch.returns.push(run[0]);
            run = [];
        }
        last = now;
        watch.frames++;
        video.requestVideoFrameCallback(onFrame(video));
    };
    setInterval(() => {
        const video = document.querySelector('video'), now = Date.now();
        if (video !== element) {
            element = video;
            position = null;
            if (video) video.requestVideoFrameCallback(onFrame(video));
        }
        if (!video) return;
        if (position !== null && Math.abs(video.currentTime - position) > 1) watch.jumps.push(video.currentTime - position);
        if (video.currentTime !== position) {
            if (!moving) watch.stalls.push(now - stood);
            position = video.currentTime;
            stood = now;
            moving = true;
        } else if (now - stood > 250 && !video.paused) {
            moving = false;
        }
        watch.standing = moving ? [] : [now - stood];
    }, 50);
";
