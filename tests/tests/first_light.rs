//! The main job: a film goes from an encoder through the origin and a relay to an invited friend's browser.

use std::{path::Path, time::Duration};

use anyhow::{Result, ensure};
use e2e::{browser::Browser, evening::Evening, player, publisher::Settings};

async fn a_friend_watches(relay_url: &str, invite_url: &str, picture: &str) -> Result<()> {
    let browser = Browser::start().await?;
    ensure!(
        invite_url.starts_with(relay_url),
        "{invite_url} does not lead to {relay_url}"
    );
    player::open_invite(&browser, invite_url, "Ann").await?;
    player::wait_until_playing(&browser, Duration::from_secs(20)).await?;

    let address = browser.client.current_url().await?;
    ensure!(address.fragment().is_none(), "the invite stays in the address bar");
    ensure!(
        player::motion(&browser, Duration::from_secs(1)).await? > 1.0,
        "the picture stands still"
    );
    let before = player::decoded_audio_bytes(&browser).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ensure!(
        player::decoded_audio_bytes(&browser).await? > before,
        "there is no sound"
    );
    save_screenshot(&browser, picture).await?;
    browser.close().await
}

/// Kept beside the build, to be looked at.
async fn save_screenshot(browser: &Browser, name: &str) -> Result<()> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    std::fs::create_dir_all(&folder)?;
    browser.screenshot(&folder.join(format!("{name}.png"))).await
}

#[tokio::test]
async fn an_invited_friend_sees_and_hears_the_film_on_the_embedded_relay_and_on_a_separate_one() -> Result<()> {
    let evening = Evening::start(Settings::default()).await?;
    a_friend_watches(&evening.origin.relay_url, &evening.invite.url, "room-embedded").await?;
    a_friend_watches(&evening.relay.url, &evening.invite_at_relay(), "room-relay").await
}

#[tokio::test]
async fn somebody_without_an_invite_is_told_what_to_do_and_sees_no_film() -> Result<()> {
    let evening = Evening::start(Settings::default()).await?;
    let browser = Browser::start().await?;
    let forged = format!("{}x", evening.invite.url);
    player::open_invite(&browser, &forged, "Eve").await?;
    let told = browser
        .client
        .wait()
        .at_most(Duration::from_secs(10))
        .for_element(fantoccini::Locator::Css("[role=alert], main h1, main h2"))
        .await?
        .text()
        .await?;
    ensure!(!told.is_empty(), "an error page without words");
    ensure!(player::position(&browser).await?.is_none(), "a film for the uninvited");
    save_screenshot(&browser, "not-invited").await?;
    browser.close().await
}
