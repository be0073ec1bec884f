//! Who may have which bytes: every kind of resource, every kind of token.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{
    api::{Admin, Viewer},
    evening::Evening,
    hls::Resources,
    process::wait_for,
    publisher::Settings,
};
use reqwest::StatusCode;
use serde_json::json;

/// A live room `premiere`, another room `other`, and a separate relay.
async fn evening() -> Result<Evening> {
    let evening = Evening::start(Settings::default()).await?;
    evening.origin.admin.create_room("other").await?;
    Ok(evening)
}

async fn friend(admin: &Admin, relay: &str, room: &str) -> Result<Viewer> {
    let invite = admin.invite(room, json!({})).await?;
    Viewer::join(relay, room, "Ann", Some(&invite.token)).await
}

/// Status of each kind of resource for this viewer.
async fn statuses(viewer: &Viewer, resources: &Resources) -> Result<Vec<StatusCode>> {
    let mut statuses = Vec::new();
    for file in resources.all() {
        statuses.push(viewer.get(file).await?.status());
    }
    Ok(statuses)
}

fn all(status: StatusCode) -> impl Fn(&[StatusCode]) -> bool {
    move |statuses| statuses.iter().all(|found| *found == status)
}

#[tokio::test]
async fn no_token_a_wrong_one_and_another_rooms_get_nothing_of_any_kind() -> Result<()> {
    let evening = evening().await?;
    for relay in [&evening.origin.relay_url, &evening.relay.url] {
        let ann = friend(&evening.origin.admin, relay, "premiere").await?;
        let resources = Resources::find(&ann).await?;
        ensure!(
            all(StatusCode::OK)(&statuses(&ann, &resources).await?),
            "an invited friend is refused"
        );

        for file in resources.all() {
            let bare = reqwest::get(format!("{relay}/live/premiere/{file}")).await?;
            ensure!(
                bare.status() == StatusCode::UNAUTHORIZED,
                "{file} without a token: {}",
                bare.status()
            );
        }
        let garbage = Viewer::with_token(relay, "premiere", "garbage");
        ensure!(
            all(StatusCode::UNAUTHORIZED)(&statuses(&garbage, &resources).await?),
            "garbage passes"
        );
        let other = friend(&evening.origin.admin, relay, "other").await?;
        let stranger = Viewer::with_token(relay, "premiere", &other.token);
        ensure!(
            all(StatusCode::FORBIDDEN)(&statuses(&stranger, &resources).await?),
            "another room's token passes"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_revoked_invite_stops_its_viewers_on_every_relay_within_two_seconds() -> Result<()> {
    let evening = evening().await?;
    let admin = &evening.origin.admin;
    for relay in [&evening.origin.relay_url, &evening.relay.url] {
        let invite = admin.invite("premiere", json!({})).await?;
        let ann = Viewer::join(relay, "premiere", "Ann", Some(&invite.token)).await?;
        let resources = Resources::find(&ann).await?;
        admin.revoke(&invite).await?;
        wait_for("403 on every kind of resource", Duration::from_secs(2), async || {
            statuses(&ann, &resources)
                .await
                .is_ok_and(|found| all(StatusCode::FORBIDDEN)(&found))
                .then_some(())
        })
        .await?;
        let again = Viewer::try_join(relay, "premiere", "Ann", Some(&invite.token)).await?;
        ensure!(
            again.status() == StatusCode::FORBIDDEN,
            "joining with a revoked invite: {}",
            again.status()
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_expired_invite_ends_its_viewers_tokens() -> Result<()> {
    let evening = evening().await?;
    let invite = evening
        .origin
        .admin
        .invite("premiere", json!({ "expiresInSeconds": 3 }))
        .await?;
    let ann = Viewer::join(&evening.relay.url, "premiere", "Ann", Some(&invite.token)).await?;
    let resources = Resources::find(&ann).await?;
    // 3 s of life, and 1 s of leeway for how exactly a relay knows the origin's clock.
    wait_for("401 on every kind of resource", Duration::from_secs(10), async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        statuses(&ann, &resources)
            .await
            .is_ok_and(|found| all(StatusCode::UNAUTHORIZED)(&found))
            .then_some(())
    })
    .await?;
    let again = Viewer::try_join(&evening.relay.url, "premiere", "Ann", Some(&invite.token)).await?;
    ensure!(
        again.status() == StatusCode::UNAUTHORIZED,
        "joining with an expired invite: {}",
        again.status()
    );
    Ok(())
}

#[tokio::test]
async fn two_friends_with_different_tokens_get_the_same_bytes() -> Result<()> {
    let evening = evening().await?;
    let relay = &evening.relay.url;
    let (ann, bob) = (
        friend(&evening.origin.admin, relay, "premiere").await?,
        friend(&evening.origin.admin, relay, "premiere").await?,
    );
    ensure!(ann.token != bob.token, "one token for two friends");
    let resources = Resources::find(&ann).await?;
    // A playlist of a stated moment: both ask for the same part and get the same text.
    for file in resources.immutable() {
        let (first, second) = (ann.get(file).await?.bytes().await?, bob.get(file).await?.bytes().await?);
        ensure!(!first.is_empty() && first == second, "{file} differs");
    }
    let next = resources.next_playlist(&ann).await.context("a blocking reload")?;
    let (first, second) = tokio::try_join!(ann.text(&next), bob.text(&next))?;
    ensure!(first == second, "the playlist differs:\n{first}\n{second}");
    Ok(())
}

#[tokio::test]
async fn a_segment_is_exactly_its_parts_and_the_same_on_every_relay() -> Result<()> {
    let evening = evening().await?;
    let far = evening.friend("Ann").await?;
    let near = friend(&evening.origin.admin, &evening.origin.relay_url, "premiere").await?;
    let segment = Resources::find(&far).await?.segment;
    let whole = far.get(&segment).await?.error_for_status()?.bytes().await?;
    ensure!(
        whole == near.get(&segment).await?.bytes().await?,
        "{segment} differs between relays"
    );

    let stem = segment.strip_suffix(".m4s").context("a segment's name")?;
    let mut joined = Vec::new();
    for part in 0.. {
        let answer = far.get(&format!("{stem}.{part}.m4s")).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            break;
        }
        joined.extend_from_slice(&answer.error_for_status()?.bytes().await?);
    }
    ensure!(
        !joined.is_empty() && joined == whole,
        "{segment} is not the sum of its parts"
    );
    Ok(())
}
