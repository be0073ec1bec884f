//! A slate that stands in for a lost publisher, seen from a page.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    picture_watch,
    process::wait_for,
    publisher::{self, Settings},
    screening::{Audience, Screening},
};
use reqwest::Method;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);
/// By then the page has shown what the publisher had sent.
const LONG_GONE: Duration = Duration::from_secs(6);

#[tokio::test]
async fn the_film_becomes_a_slate_and_a_film_again_without_a_stall() -> Result<()> {
    let screening = Screening::prepare().await?;
    let admin = &screening.origin.admin;
    let room = format!("/api/rooms/{}", screening.room.slug);
    admin
        .call(Method::PATCH, &room, Some(json!({ "slate": "card" })))
        .await?;
    let publish = || publisher::test_picture(&screening.publish_url(), Settings::default(), screening.origin.folder());
    let mut publisher = publish()?;
    screening.until_live().await?;
    wait_for("the slate", PATIENCE, async || {
        let health = admin.call(Method::GET, &format!("{room}/health"), None).await.ok()?;
        (health["slate"]["state"] == "ready").then_some(())
    })
    .await?;
    let audience = Audience::enter_by(&screening.doors()[1..]).await?;
    let page = &audience.pages[0];

    publisher.kill()?;
    screening.until_interrupted().await?;
    tokio::time::sleep(LONG_GONE).await;
    ensure!(picture_watch::state(page).await? == "playing");
    let says = page.run("return document.body.innerText").await?.to_string();
    ensure!(says.contains("The stream will be back"), "{says}");

    let _publisher = publish()?;
    screening.until_live().await?;
    audience.ensure_playing().await?;
    let seen = audience.seen().await?.remove(0);
    ensure!(seen.stalls.is_empty() && seen.jumps.is_empty(), "{seen:?}");
    audience.leave().await
}
