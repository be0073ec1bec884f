//! Friends who talk, on whichever relay they sit.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{
    chatter::{Chatter, Door, Said, is},
    database::message_ids,
    party::Party,
    process::wait_for,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn numbered(messages: &[Said]) -> Vec<(i64, &str)> {
    messages
        .iter()
        .map(|message| (message.id, message.text.as_str()))
        .collect()
}

fn ids(messages: &[Said]) -> Vec<i64> {
    messages.iter().map(|message| message.id).collect()
}

#[tokio::test]
async fn friends_on_two_relays_see_the_same_messages_in_the_same_order() -> Result<()> {
    let party = Party::start(1).await?;
    let mut ann = party.friend(0, "Ann", "viewer").await?.chat;
    let mut bob = party.friend(1, "Bob", "viewer").await?.chat;
    for number in 0..4 {
        ann.say(&format!("from Ann {number}")).await?;
        bob.say(&format!("from Bob {number}")).await?;
    }
    for friend in [&ann, &bob] {
        for number in 0..4 {
            friend.hear(&format!("from Ann {number}")).await?;
            friend.hear(&format!("from Bob {number}")).await?;
        }
    }
    let (hers, his) = (ann.messages()?, bob.messages()?);
    ensure!(numbered(&hers) == numbered(&his), "{hers:?} and {his:?}");
    ensure!(
        ids(&hers).is_sorted_by(|first, second| first < second),
        "{:?}",
        ids(&hers)
    );
    ensure!(
        hers.iter()
            .all(|message| message.client_id.is_some() == (message.viewer_id == ann.viewer_id)),
        "a client id that is somebody else's: {hers:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_friend_is_answered_named_and_cheered_across_relays_with_the_moment_of_the_film() -> Result<()> {
    let party = Party::start(1).await?;
    let mut ann = party.friend(0, "Ann", "viewer").await?.chat;
    let mut bob = party.friend(1, "Bob", "viewer").await?.chat;
    ann.wait_for("Bob in the roster", |event| {
        is(event, "presence") && event["joined"].to_string().contains(&bob.viewer_id)
    })
    .await?;
    let question = ann.tell("did you <b>see</b> that?").await?;
    let answer = json!({ "type": "say", "text": "@Ann yes!", "clientId": "answer", "replyTo": question.id,
        "mediaTime": "2026-11-22T20:14:59.500Z" });
    bob.send(&answer).await?;
    let heard = ann.hear("@Ann yes!").await?;
    ensure!(heard.reply_to == Some(question.id), "{heard:?}");
    ensure!(heard.mentions == [ann.viewer_id.clone()], "{heard:?}");
    ensure!(
        heard.media_time.as_deref() == Some("2026-11-22T20:14:59.500Z"),
        "{heard:?}"
    );
    ensure!(bob.hear("did you <b>see</b> that?").await?.nickname == "Ann");

    bob.send(&json!({ "type": "react", "emoji": "🎉" })).await?;
    ann.wait_for("Bob's reaction", |event| {
        is(event, "reaction") && event["emoji"] == "🎉" && event["viewerId"] == bob.viewer_id.as_str()
    })
    .await?;
    ann.wait_for("its count", |event| {
        is(event, "reactions") && event["counts"]["🎉"] == 1
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn who_comes_back_at_another_relay_gets_exactly_what_was_missed() -> Result<()> {
    let party = Party::start(2).await?;
    let ann = party.friend(1, "Ann", "viewer").await?;
    let mut crowd = Vec::new();
    for number in 0..12 {
        crowd.push(party.friend(2, &format!("guest {number}"), "viewer").await?.chat);
    }
    // Deleted while Ann is away; she saw it.
    let regretted = crowd[0].tell("regretted").await?;
    let last_seen = crowd[1].tell("last seen").await?;
    ann.chat.hear("last seen").await?;
    drop(ann.chat);

    let mut missed = Vec::new();
    for round in 0..5 {
        for friend in &mut crowd {
            missed.push(friend.tell(&format!("missed {round}")).await?);
        }
    }
    let never_seen = missed.remove(30);
    for id in [regretted.id, never_seen.id] {
        let author = if id == regretted.id { 0 } else { 30 % 12 };
        crowd[author]
            .send(&json!({ "type": "delete", "messageId": id }))
            .await?;
        let is_deletion = |event: &Value| is(event, "deleted") && event["messageId"] == id;
        crowd[author].wait_for("the deletion", is_deletion).await?;
    }
    // The third relay follows the room only from here on.
    for at in [2, 0] {
        let back = Chatter::enter_again(party.url(at), party.slug(), &ann.pass, last_seen.id).await?;
        let history = back.history()?;
        ensure!(ids(&history) == ids(&missed), "relay {at}: {history:?}");
        ensure!(back.hello["truncated"] == false, "relay {at}: {}", back.hello);
        let deleted = back.hello["deleted"].as_array().context("deleted")?;
        ensure!(deleted.contains(&regretted.id.into()), "relay {at}: {deleted:?}");
    }
    let fresh = Chatter::enter(party.url(2), party.slug(), &ann.pass).await?;
    let history = fresh.history()?;
    ensure!(ids(&history) == ids(&missed)[missed.len() - 50..], "{history:?}");
    Ok(())
}

#[tokio::test]
async fn a_message_said_again_with_its_client_id_is_one_message() -> Result<()> {
    let party = Party::start(1).await?;
    let mut ann = party.friend(0, "Ann", "viewer").await?;
    let bob = party.friend(1, "Bob", "viewer").await?.chat;
    ann.chat.say_as("once", "the-same").await?;
    let first = ann.chat.answer_to("the-same").await?;
    // As after a break: on a new socket, at another relay.
    let mut again = Chatter::enter(party.url(1), party.slug(), &ann.pass).await?;
    let known = again
        .history()?
        .into_iter()
        .find(|message| message.client_id.as_deref() == Some("the-same"));
    ensure!(first["id"] == known.context("one's own message")?.id, "{first}");
    again.say_as("once", "the-same").await?;
    ann.chat.say_as("once", "the-same").await?;
    again.tell("the end").await?;
    ann.chat.tell("the very end").await?;
    bob.hear("the very end").await?;
    let heard = bob.messages()?;
    ensure!(
        heard.iter().filter(|message| message.text == "once").count() == 1,
        "{heard:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_token_is_renewed_over_the_socket_and_another_ones_is_not_taken() -> Result<()> {
    let party = Party::start(1).await?;
    let mut ann = party.friend(1, "Ann", "viewer").await?;
    let eve = party.friend(1, "Eve", "viewer").await?;
    // Tokens tell seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    ann.chat.send(&json!({ "type": "renew" })).await?;
    let renewed = ann.chat.wait_for("a token", |event| is(event, "token")).await?;
    let (first, second) = (
        ann.chat.hello["expiresAt"].as_str(),
        renewed["expiresAt"].as_str().context("expiresAt")?,
    );
    ensure!(
        first.context("expiresAt")? < second,
        "the new token ends no later: {renewed}"
    );
    let token = renewed["token"].as_str().context("token")?;
    for at in [0, 1] {
        let status = Door::new(party.url(at), party.slug(), token).status().await?;
        ensure!(status == 101, "relay {at}: {status}");
    }

    let joined = ann.guest.join(party.url(0), party.slug(), "Ann", None).await?;
    ensure!(
        joined.viewer_id == ann.pass.viewer_id,
        "another viewer by the same cookie"
    );
    ann.chat
        .send(&json!({ "type": "renew", "token": joined.token }))
        .await?;
    ann.chat.tell("still here").await?;

    for token in [eve.pass.token.as_str(), "garbage"] {
        ann.chat.forget_the_past();
        ann.chat.send(&json!({ "type": "renew", "token": token })).await?;
        ann.chat.wait_for("a refusal", |event| is(event, "error")).await?;
    }
    ensure!(ann.chat.tell("still Ann").await?.nickname == "Ann");
    Ok(())
}

#[tokio::test]
async fn a_socket_ends_with_its_invite() -> Result<()> {
    let party = Party::start(1).await?;
    let admin = &party.origin.admin;
    let short = json!({ "expiresInSeconds": 4 });
    for at in [0, 1] {
        let invite = admin.invite(party.slug(), short.clone()).await?;
        let guest = e2e::guest::Guest::new()?;
        let ann = party.friend_with(at, "Ann", guest, invite).await?;
        // 4 s of life, 1 s of leeway, 2 s to close.
        let (code, reason) = ann.chat.wait_until_closed(Duration::from_secs(7)).await?;
        ensure!(
            (code, reason.as_str()) == (4401, "expired"),
            "relay {at}: {code} {reason}"
        );
        let status = Door::new(party.url(at), party.slug(), &ann.pass.token).status().await?;
        ensure!(status == 401, "relay {at}: an expired token opens: {status}");
    }
    Ok(())
}

#[tokio::test]
async fn a_restart_or_a_crash_of_the_origin_is_nothing_but_delay_and_ids_never_go_back() -> Result<()> {
    let mut party = Party::start(1).await?;
    let mut ann = party.friend(1, "Ann", "viewer").await?;
    let mut newest = ann.chat.tell("at first").await?.id;
    for (text, is_crash) in [("after the restart", false), ("after the crash", true)] {
        // Said while the origin is away: held, and carried when it is back.
        let client_id = format!("held: {text}");
        if is_crash {
            party.origin.process.kill()?;
            ann.chat.say_as(text, &client_id).await?;
            party.origin.crash().await?;
        } else {
            party.origin.restart().await?;
            ann.chat.say_as(text, &client_id).await?;
        }
        let mine = loop {
            let answer = ann.chat.answer_to(&client_id).await?;
            if is(&answer, "message") {
                break answer["id"].as_i64().context("id")?;
            }
            ensure!(answer["code"] == "unavailable", "{text}: {answer}");
            ann.chat.forget_the_past();
            ann.chat.say_as(text, &client_id).await?;
        };
        ensure!(mine > newest, "{text}: id {mine} after {newest}");
        newest = mine;
        // What was said in the last moment before a crash may be gone from the database; the relay has it.
        let database = format!("sqlite://{}", party.origin.database_file().display());
        wait_for("the message in the database", Duration::from_secs(5), async || {
            let kept = message_ids(&database, "premiere").await.ok()?;
            kept.contains(&mine).then_some(())
        })
        .await?;
        ensure!(ann.chat.is_open(), "the socket on the separate relay was closed");
    }
    // What was said long enough ago to be kept is there for a newcomer, in the order of all.
    let bob = wait_for("Bob to get in", Duration::from_secs(10), async || {
        party.friend(0, "Bob", "viewer").await.ok()
    })
    .await?;
    let texts: Vec<String> = bob.chat.history()?.into_iter().map(|message| message.text).collect();
    ensure!(
        texts == ["at first", "after the restart", "after the crash"],
        "{texts:?}"
    );
    Ok(())
}

/// A red dot.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00, 0x00, 0x00, 0x0d, 0x49,
    0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0x00, 0x05, 0x00, 0x01, 0xff, 0x56, 0xc7, 0x2f,
    0x0d, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
const SVG: &[u8] = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;

#[tokio::test]
async fn an_emote_that_the_host_uploads_is_shown_on_every_relay() -> Result<()> {
    let party = Party::start(1).await?;
    let host = party.friend(1, "Marthe", "host").await?;
    let mut ann = party.friend(0, "Ann", "viewer").await?;
    let upload = |at: usize, name: &str| format!("{}/api/rooms/{}/emotes?name={name}", party.url(at), party.slug());
    let mut statuses = Vec::new();
    for (friend, name, body) in [
        (&ann, "popcorn", ("image/png", PNG)),
        (&host, "vector", ("image/svg+xml", SVG)),
        (&host, "popcorn", ("image/png", PNG)),
        (&host, "popcorn", ("image/png", PNG)),
    ] {
        let body = Some((body.0, body.1.to_vec()));
        let answer = friend
            .guest
            .call(Method::POST, &upload(1, name), &friend.pass, body)
            .await?;
        statuses.push(answer.status());
    }
    ensure!(
        statuses
            == [
                StatusCode::FORBIDDEN,
                StatusCode::UNPROCESSABLE_ENTITY,
                StatusCode::CREATED,
                StatusCode::CONFLICT
            ],
        "{statuses:?}"
    );

    let shown = ann
        .chat
        .wait_for("the room's emotes", |event| {
            is(event, "room") && event["emotes"][0]["name"] == "popcorn"
        })
        .await?;
    let path = shown["emotes"][0]["url"].as_str().context("url")?;
    for at in [0, 1] {
        let url = format!("{}{path}", party.url(at));
        let picture = ann.guest.call(Method::GET, &url, &ann.pass, None).await?;
        let header = |name: &str| {
            picture
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        ensure!(picture.status() == StatusCode::OK, "{url}: {}", picture.status());
        ensure!(
            header("cache-control").as_deref() == Some("private, max-age=31536000, immutable"),
            "{url}: {:?}",
            picture.headers()
        );
        ensure!(
            header("content-type").as_deref() == Some("image/png"),
            "{:?}",
            picture.headers()
        );
        ensure!(
            header("x-content-type-options").as_deref() == Some("nosniff"),
            "{:?}",
            picture.headers()
        );
        ensure!(picture.bytes().await?.starts_with(&PNG[..8]), "{url} is no PNG");
        let bare = reqwest::get(&url).await?.status();
        ensure!(bare == StatusCode::UNAUTHORIZED, "{url} without a token: {bare}");
    }

    ann.chat.send(&json!({ "type": "react", "emoji": ":popcorn:" })).await?;
    host.chat
        .wait_for("the emote as a reaction", |event: &Value| {
            is(event, "reaction") && event["emoji"] == ":popcorn:"
        })
        .await?;
    let removed = format!("{}/api/rooms/{}/emotes/popcorn", party.url(1), party.slug());
    let removed = host.guest.call(Method::DELETE, &removed, &host.pass, None).await?;
    ensure!(removed.status().is_success(), "{}", removed.status());
    ann.chat.forget_the_past();
    ann.chat.send(&json!({ "type": "react", "emoji": ":popcorn:" })).await?;
    ann.chat
        .wait_for("its refusal", |event| {
            is(event, "error") && event["code"] == "malformed"
        })
        .await?;
    Ok(())
}
