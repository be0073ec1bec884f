//! What a page's player does, as seen from within the page.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::{browser::Browser, process::wait_for};

/// Opens an invite link and gives the nickname, as a friend does.
pub async fn open_invite(browser: &Browser, url: &str, nickname: &str) -> Result<()> {
    browser.client.goto(url).await?;
    enter(browser, nickname).await
}

/// Gives the nickname at the door that the page shows.
pub async fn enter(browser: &Browser, nickname: &str) -> Result<()> {
    let input = browser
        .client
        .wait()
        .at_most(Duration::from_secs(10))
        .for_element(fantoccini::Locator::Css(
            "form input[type=text], form input:not([type])",
        ))
        .await?;
    input.send_keys(nickname).await?;
    input.send_keys("\u{e007}").await?;
    Ok(())
}

/// Waits until the page's video moves on by a second of film.
pub async fn wait_until_playing(browser: &Browser, limit: Duration) -> Result<()> {
    let playing = wait_for("a playing video", limit, async || {
        let time = position(browser).await.ok()??;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let later = position(browser).await.ok()??;
        (later > time + 0.25).then_some(())
    })
    .await;
    if playing.is_err() {
        bail!(
            "no playing video; the page says: {}",
            browser.run("return document.body.innerText").await?
        );
    }
    Ok(())
}

/// `currentTime` of the video, if there is one with data.
pub async fn position(browser: &Browser) -> Result<Option<f64>> {
    let time = browser
        .run("const v = document.querySelector('video'); return v && v.readyState >= 2 ? v.currentTime : null")
        .await?;
    Ok(time.as_f64())
}

/// How much two pictures, `apart` from each other, differ: the mean over a thumbnail's pixels, 0 to 255.
pub async fn motion(browser: &Browser, apart: Duration) -> Result<f64> {
    let grab = "const v = document.querySelector('video'), c = document.createElement('canvas'); c.width = 64; c.height = 36;
        const x = c.getContext('2d'); x.drawImage(v, 0, 0, 64, 36); return Array.from(x.getImageData(0, 0, 64, 36).data)";
    let first = pixels(browser.run(grab).await?);
    tokio::time::sleep(apart).await;
    let second = pixels(browser.run(grab).await?);
    let sum: f64 = first.iter().zip(&second).map(|(a, b)| (a - b).abs()).sum();
    Ok(sum / first.len().max(1) as f64)
}

fn pixels(value: Value) -> Vec<f64> {
    let Value::Array(values) = value else { return Vec::new() };
    values.iter().filter_map(Value::as_f64).collect()
}

/// Bytes of sound that were decoded so far.
pub async fn decoded_audio_bytes(browser: &Browser) -> Result<u64> {
    let bytes = browser
        .run("return document.querySelector('video').webkitAudioDecodedByteCount")
        .await?;
    Ok(bytes.as_u64().unwrap_or_default())
}
