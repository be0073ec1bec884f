//! From opening an invite link to the first picture, at random moments of the GOP: a new session each time, the web app's
//! files in the browser's cache.

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{
    browser::Browser,
    daemon::{Origin, Relay},
    player,
    process::wait_for,
    publisher::{ClockPublisher, Settings},
};
use serde_json::json;

use crate::results::{Results, percentile, say};

const OPENS: usize = 20;

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    say(&format!("invite link to first picture: {OPENS} opens"));
    let origin = Origin::start().await?;
    let relay = Relay::join(&origin, "bench").await?;
    let room = origin.admin.create_room("bench").await?;
    let _publisher = ClockPublisher::start(&origin.publish_url(&room), Settings::default(), origin.folder())?;
    wait_for("the live flag", Duration::from_secs(20), async || {
        origin.admin.is_live(&room.slug).await.then_some(())
    })
    .await?;

    let browser = Browser::start().await?;
    let mut seconds = Vec::new();
    for open in 0..OPENS {
        let invite = origin.admin.invite(&room.slug, json!({})).await?;
        let url = format!("{}/r/{}#invite={}", relay.url, room.slug, invite.token);
        if open == 0 {
            // The friend's browser knows the nickname from the first evening; the page itself is loaded anew each time.
            player::open_invite(&browser, &url, "Ann").await?;
            player::wait_until_playing(&browser, Duration::from_secs(20)).await?;
        }
        browser.client.delete_all_cookies().await?;
        browser.client.goto("about:blank").await?;
        // A part of the GOP that no multiple of the opens' own time hits again and again.
        tokio::time::sleep(Duration::from_millis(137 * open as u64 % 2000)).await;
        browser.client.goto(&url).await?;
        let first = wait_for("the first picture", Duration::from_secs(20), async || {
            browser.run(FIRST_PICTURE).await.ok()?.as_f64()
        })
        .await
        .context("a picture")?;
        seconds.push(first / 1000.0);
    }
    let n = seconds.len();
    results.add(
        "invite link to first picture, p50",
        "s",
        percentile(&mut seconds, 0.5),
        n,
    );
    results.add(
        "invite link to first picture, p95",
        "s",
        percentile(&mut seconds, 0.95),
        n,
    );
    browser.close().await
}

/// Milliseconds from the start of the navigation to the first picture that the compositor got, by the browser's own account.
const FIRST_PICTURE: &str = r"
    const video = document.querySelector('video');
    if (!video) return null;
    if (!window.__first) {
        window.__first = 'asked';
        if (video.readyState >= 2 && video.currentTime > 0) window.__first = performance.now();
        else video.requestVideoFrameCallback((now, frame) => { window.__first = frame.presentationTime; });
    }
    return typeof window.__first === 'number' ? window.__first : null;
";
