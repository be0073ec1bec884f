//! A room with two relays in front of it and a page on each, to see what a publisher's mishaps look like: nobody publishes yet.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::{
    api::{Invite, Room, Viewer},
    browser::Browser,
    daemon::{Origin, Relay},
    picture_watch::{self, Seen},
    player,
    process::wait_for,
    rtmp_path::RtmpPath,
};

const SOON: Duration = Duration::from_secs(15);
const WINDOW: (u32, u32) = (700, 500);

/// Everything is ended when it is dropped.
#[derive(Debug)]
pub struct Screening {
    /// Where publishers connect, so that it is known when their key frames passed.
    pub path: RtmpPath,
    pub room: Room,
    pub invite: Invite,
    pub relay: Relay,
    pub origin: Origin,
}

impl Screening {
    pub async fn prepare() -> Result<Self> {
        let origin = Origin::start().await?;
        let relay = Relay::join(&origin, "lyon").await?;
        let room = origin.admin.create_room("premiere").await?;
        let invite = origin.admin.invite(&room.slug, json!({})).await?;
        let path = RtmpPath::to(origin.rtmp).await?;
        Ok(Self {
            path,
            room,
            invite,
            relay,
            origin,
        })
    }

    pub fn publish_url(&self) -> String {
        format!("rtmp://{}/live/{}", self.path.address, self.room.key)
    }

    /// The invite link at the embedded relay and at the separate one.
    pub fn doors(&self) -> [String; 2] {
        [&self.origin.relay_url, &self.relay.url]
            .map(|relay| format!("{relay}/r/{}#invite={}", self.room.slug, self.invite.token))
    }

    /// Somebody at the separate relay without a browser.
    pub async fn friend(&self, nickname: &str) -> Result<Viewer> {
        Viewer::join(&self.relay.url, &self.room.slug, nickname, Some(&self.invite.token)).await
    }

    pub async fn until_live(&self) -> Result<()> {
        self.until("on air", SOON * 2, true, false).await
    }

    pub async fn until_interrupted(&self) -> Result<()> {
        self.until("interrupted", SOON, true, true).await
    }

    pub async fn until_off_air(&self, limit: Duration) -> Result<()> {
        self.until("off air", limit, false, false).await
    }

    async fn until(&self, what: &str, limit: Duration, live: bool, interrupted: bool) -> Result<()> {
        wait_for(&format!("the room to be {what}"), limit, async || {
            let room = self.origin.admin.room(&self.room.slug).await.ok()?;
            (room["isLive"] == live && room["interrupted"] == interrupted).then_some(())
        })
        .await
    }
}

/// A page on each of the two relays, never reloaded.
#[derive(Debug)]
pub struct Audience {
    pub pages: Vec<Browser>,
}

impl Audience {
    /// Opens a page on each relay and waits until both play; what they see is written down from then on.
    pub async fn enter(screening: &Screening) -> Result<Self> {
        Self::enter_by(&screening.doors()).await
    }

    /// As [`Audience::enter`], with a page for each of these doors.
    pub async fn enter_by(doors: &[String]) -> Result<Self> {
        let mut pages = Vec::new();
        for (door, name) in doors.iter().zip(["Ann", "Bob"]) {
            let browser = Browser::start().await?;
            // Two of them and an encoder share the machine, and paint in software.
            browser.client.set_window_size(WINDOW.0, WINDOW.1).await?;
            player::open_invite(&browser, door, name).await?;
            player::wait_until_playing(&browser, Duration::from_secs(30)).await?;
            picture_watch::watch(&browser).await?;
            pages.push(browser);
        }
        Ok(Self { pages })
    }

    /// Waits until every page says that its player is in this state.
    pub async fn until_state(&self, state: &str, limit: Duration) -> Result<()> {
        for (number, page) in self.pages.iter().enumerate() {
            let reached = wait_for(state, limit, async || {
                (picture_watch::state(page).await.ok()? == state).then_some(())
            })
            .await;
            if reached.is_err() {
                let (found, says) = (
                    picture_watch::state(page).await?,
                    page.run("return document.body.innerText").await?,
                );
                bail!("page {number} is {found:?}, not {state:?}, after {limit:?}; it says {says}");
            }
        }
        Ok(())
    }

    /// Seconds from the moment `key_frame` (Unix milliseconds) to each page's first new picture.
    pub async fn seconds_until_picture(&self, key_frame: u64, limit: Duration) -> Result<Vec<f64>> {
        let mut seconds = Vec::new();
        for (number, page) in self.pages.iter().enumerate() {
            let back = wait_for("the picture", limit, async || {
                picture_watch::picture_back_after(page, key_frame).await.ok()?
            })
            .await;
            let Ok(back) = back else {
                bail!(
                    "no new picture in page {number} {limit:?} after the key frame: {:?}; it says {}",
                    picture_watch::seen(page).await?,
                    page.run("return document.body.innerText").await?
                );
            };
            seconds.push(back.saturating_sub(key_frame) as f64 / 1000.0);
        }
        Ok(seconds)
    }

    /// Every page plays on for a while after it came back.
    pub async fn ensure_playing(&self) -> Result<()> {
        for page in &self.pages {
            player::wait_until_playing(page, SOON).await?;
            let before = picture_watch::seen(page).await?.frames;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let after = picture_watch::seen(page).await?.frames;
            ensure!(after > before + 5, "only {} pictures in a second", after - before);
        }
        Ok(())
    }

    pub async fn seen(&self) -> Result<Vec<Seen>> {
        let mut seen = Vec::new();
        for page in &self.pages {
            seen.push(picture_watch::seen(page).await?);
        }
        Ok(seen)
    }

    pub async fn leave(self) -> Result<()> {
        for page in self.pages {
            page.close().await.context("a page that closes")?;
        }
        Ok(())
    }
}
