//! What must not end the evening: a relay that dies, a publisher that drops.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::{
    api::Viewer,
    browser::Browser,
    daemon::{Origin, Relay},
    evening::Evening,
    hls, player,
    process::wait_for,
    publisher::Settings,
};

/// From an origin that is back to the link of a relay: what it sends next (a report every 2 s at the latest), a wait before it dials, a handshake.
const TOLD_WITHIN: Duration = Duration::from_secs(4);

/// A page that plays, marked to see later that it was not reloaded.
async fn watching(url: &str) -> Result<Browser> {
    let browser = Browser::start().await?;
    player::open_invite(&browser, url, "Ann").await?;
    player::wait_until_playing(&browser, Duration::from_secs(20)).await?;
    browser.run("window.__mark = true").await?;
    Ok(browser)
}

async fn ensure_not_reloaded(browser: &Browser) -> Result<()> {
    ensure!(
        browser.run("return window.__mark === true").await? == true,
        "the page was reloaded"
    );
    Ok(())
}

/// First listed media sequence number and the newest part's name.
async fn edge(viewer: &Viewer) -> Result<(u64, String)> {
    let multivariant = viewer.text("index.m3u8").await?;
    let playlist = viewer.text(hls::variant(&multivariant).context("a variant")?).await?;
    let first = playlist
        .lines()
        .find_map(|line| line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:"))
        .context("a number")?;
    let newest = playlist
        .lines()
        .rfind(|line| line.starts_with("#EXT-X-PART:"))
        .and_then(hls::uri);
    Ok((first.parse()?, newest.context("a part")?.to_owned()))
}

#[tokio::test]
async fn a_relay_that_is_killed_and_started_again_goes_on_and_so_does_the_page() -> Result<()> {
    let mut evening = Evening::start(Settings::default()).await?;
    let browser = watching(&evening.invite_at_relay()).await?;

    evening.relay.restart().await?;
    player::wait_until_playing(&browser, Duration::from_secs(30)).await?;
    ensure_not_reloaded(&browser).await?;
    browser.close().await
}

#[tokio::test]
async fn a_publisher_that_drops_and_returns_goes_on_in_the_same_page_and_numbers_never_go_back() -> Result<()> {
    let mut evening = Evening::start(Settings::default()).await?;
    let browser = watching(&evening.invite_at_relay()).await?;
    let bob = evening.friend("Bob").await?;
    let (first, newest) = edge(&bob).await?;

    evening.publisher.kill()?;
    let slug = evening.room.slug.clone();
    wait_for("the interruption to be shown", Duration::from_secs(10), async || {
        let room = evening.origin.admin.room(&slug).await.ok()?;
        (room["isLive"] == true && room["interrupted"] == true).then_some(())
    })
    .await?;
    ensure!(
        bob.get("index.m3u8").await?.status() == 200,
        "the playlist went away with the publisher"
    );

    evening.publish_again()?;
    wait_for("the publisher to be back", Duration::from_secs(15), async || {
        let room = evening.origin.admin.room(&slug).await.ok()?;
        (room["interrupted"] == false).then_some(())
    })
    .await?;
    let later = wait_for("a new part", Duration::from_secs(10), async || {
        edge(&bob).await.ok().filter(|(_, part)| *part != newest)
    })
    .await?;
    ensure!(
        later.0 >= first,
        "media sequence numbers went back from {first} to {}",
        later.0
    );
    player::wait_until_playing(&browser, Duration::from_secs(20)).await?;
    ensure_not_reloaded(&browser).await?;
    browser.close().await
}

#[tokio::test]
async fn a_stream_that_is_stopped_ends_and_the_next_one_plays_in_the_same_page() -> Result<()> {
    let mut evening = Evening::start(Settings::default()).await?;
    let browser = watching(&evening.invite.url).await?;

    // ffmpeg says goodbye (FCUnpublish, deleteStream) when it is asked to end.
    evening.publisher.signal("INT")?;
    evening.publisher.wait(Duration::from_secs(10))?;
    wait_for("the room to be offline", Duration::from_secs(10), async || {
        (!evening.origin.admin.is_live(&evening.room.slug).await).then_some(())
    })
    .await?;

    evening.publish_again()?;
    player::wait_until_playing(&browser, Duration::from_secs(30)).await?;
    ensure_not_reloaded(&browser).await?;
    browser.close().await
}

/// Has the page find ENDLIST in the first picture's playlist that it reads, as between two broadcasts.
const END_FIRST_LIST: &str = "
    const { get } = Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, 'responseText');
    window.__first = null;
    Object.defineProperty(XMLHttpRequest.prototype, 'responseText', { get() {
        const text = get.call(this);
        if (this.readyState !== 4 || !this.responseURL.includes('/video.m3u8')) return text;
        window.__first ??= this;
        return this === window.__first ? `${text}#EXT-X-ENDLIST\n` : text;
    } });";
/// So many segments on, the oldest pictures are far from the newest.
const SEGMENTS: usize = 6;

#[tokio::test]
async fn a_page_that_finds_a_broadcast_just_ended_plays_the_next_one_and_not_the_oldest_pictures() -> Result<()> {
    let evening = Evening::start(Settings::default()).await?;
    let bob = evening.friend("Bob").await?;
    wait_for("a window of some length", Duration::from_secs(30), async || {
        let multivariant = bob.text("index.m3u8").await.ok()?;
        let playlist = bob.text(hls::variant(&multivariant)?).await.ok()?;
        let count = |tag| playlist.matches(tag).count();
        (count("#EXTINF:") - count("#EXT-X-GAP") >= SEGMENTS).then_some(())
    })
    .await?;
    let browser = Browser::start().await?;
    browser.client.goto(&evening.invite_at_relay()).await?;
    browser.run(END_FIRST_LIST).await?;
    player::enter(&browser, "Ann").await?;
    player::wait_until_playing(&browser, Duration::from_secs(20)).await?;
    ensure!(
        browser.run("return window.__first !== null").await? == true,
        "no list was ended"
    );
    // hls.js keeps the duration at the end of what is listed.
    let behind = browser
        .run("const v = document.querySelector('video'); return v.duration - v.currentTime")
        .await?;
    ensure!(behind.as_f64().context("a duration")? < 4.0, "{behind} s behind");
    browser.close().await
}

#[tokio::test]
async fn an_origin_that_restarts_is_found_again_by_its_relay_and_goes_on_with_higher_numbers() -> Result<()> {
    let mut evening = Evening::start(Settings::default()).await?;
    let ann = evening.friend("Ann").await?;
    let (before, _) = wait_for("the film", Duration::from_secs(15), async || edge(&ann).await.ok()).await?;

    evening.publisher.kill()?;
    evening.origin.restart().await?;
    evening.publish_again()?;
    let (after, _) = wait_for("the film at the relay", Duration::from_secs(30), async || {
        edge(&ann).await.ok().filter(|(first, _)| *first > before)
    })
    .await?;
    ensure!(after > before);
    Ok(())
}

#[tokio::test]
async fn a_relay_of_an_origin_that_was_killed_is_told_as_soon_as_the_next_one_listens() -> Result<()> {
    let mut origin = Origin::start().await?;
    let relay = Relay::join(&origin, "lyon").await?;

    origin.crash().await?;
    let back = Instant::now();
    relay.ready().await?;
    ensure!(back.elapsed() < TOLD_WITHIN, "back after {:?}", back.elapsed());
    Ok(())
}
