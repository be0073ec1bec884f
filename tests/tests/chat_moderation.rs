//! Who may do what to whom, and that it is done on every relay.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use e2e::{
    chatter::is,
    guest::Guest,
    party::{Friend, Party},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const ROLES: [&str; 3] = ["viewer", "moderator", "host"];
/// From a ban or a revocation to the closed socket.
const AT_ONCE: Duration = Duration::from_secs(2);

/// What is done to somebody.
#[derive(Clone, Copy, Debug)]
enum Act {
    Delete,
    Timeout,
    Ban,
    Unban,
}

/// What is done to the room.
#[derive(Clone, Copy, Debug)]
enum RoomAct {
    Pin,
    SlowMode,
    Lock,
}

/// The matrix, for others than oneself.
fn may(actor: &str, target: &str) -> bool {
    match actor {
        "host" => target != "host",
        "moderator" => target == "viewer",
        _ => false,
    }
}

async fn ensure_forbidden(
    actor: &mut Friend,
    target: &mut Friend,
    what: &str,
    effect: impl Fn(&Value) -> bool,
) -> Result<()> {
    actor
        .chat
        .wait_for(&format!("the refusal of {what}"), |event| {
            is(event, "error") && event["code"] == "forbidden"
        })
        .await?;
    // What the room told before is here now.
    target.chat.sync().await?;
    ensure!(
        !target.chat.has(effect) && target.chat.is_open(),
        "{what} was refused, and done"
    );
    Ok(())
}

/// Tries one act, on another relay than the target's.
async fn try_act(party: &Party, act: Act, actor: &mut Friend, role: &str, target_role: &str) -> Result<()> {
    let what = format!("{act:?} of a {target_role} by a {role}");
    let allowed = may(role, target_role);
    let nickname = format!("{act:?} {role} {target_role}");
    let mut target = party.friend(2, &nickname, target_role).await?;
    let id = target.chat.viewer_id.clone();
    actor.chat.forget_the_past();
    match act {
        Act::Delete => {
            let message = target.chat.tell(&what).await?;
            actor.chat.hear(&what).await?;
            actor
                .chat
                .send(&json!({ "type": "delete", "messageId": message.id, "reason": "test" }))
                .await?;
            let effect = |event: &Value| is(event, "deleted") && event["messageId"] == message.id;
            if allowed {
                let deleted = target.chat.wait_for(&what, effect).await?;
                ensure!(deleted["by"] == actor.chat.viewer_id.as_str(), "{what}: {deleted}");
            } else {
                ensure_forbidden(actor, &mut target, &what, effect).await?;
            }
        }
        Act::Timeout => {
            let timeout = |seconds: u32| json!({ "type": "timeout", "viewerId": id, "seconds": seconds });
            actor.chat.send(&timeout(60)).await?;
            if allowed {
                // The notice to moderators says that it is in force.
                actor
                    .chat
                    .wait_for(&what, |event| {
                        is(event, "notice") && event["code"] == "timedOut" && event["seconds"] == 60
                    })
                    .await?;
                let code = target.chat.refusal("may I?").await?;
                ensure!(code == "timedOut", "{what}: {code}");
                actor.chat.send(&timeout(0)).await?;
                actor
                    .chat
                    .wait_for(&what, |event| {
                        is(event, "notice") && event["code"] == "timedOut" && event["seconds"] == 0
                    })
                    .await?;
            } else {
                ensure_forbidden(actor, &mut target, &what, |_| false).await?;
            }
            target.chat.tell("I may").await?;
        }
        Act::Ban => {
            actor
                .chat
                .send(&json!({ "type": "ban", "viewerId": id, "reason": "test" }))
                .await?;
            if allowed {
                let (code, reason) = target.chat.wait_until_closed(AT_ONCE).await?;
                ensure!((code, reason.as_str()) == (4403, "banned"), "{what}: {code} {reason}");
            } else {
                ensure_forbidden(actor, &mut target, &what, |event| is(event, "kicked")).await?;
            }
        }
        Act::Unban => {
            let bans = format!("/api/rooms/{}/bans", party.slug());
            ban_as_operator(party, &target).await?;
            actor.chat.send(&json!({ "type": "unban", "viewerId": id })).await?;
            if !allowed {
                actor
                    .chat
                    .wait_for(&what, |event| is(event, "error") && event["code"] == "forbidden")
                    .await?;
            }
            let is_banned = async || {
                let bans = party
                    .origin
                    .admin
                    .call(Method::GET, &bans, None)
                    .await
                    .unwrap_or_default();
                bans.to_string().contains(&id)
            };
            if allowed {
                e2e::process::wait_for(&what, Duration::from_secs(5), async || {
                    (!is_banned().await).then_some(())
                })
                .await?;
            } else {
                ensure!(is_banned().await, "{what} was refused, and done");
            }
        }
    }
    Ok(())
}

/// A host bans; the ban is in the database when this returns.
async fn ban_as_operator(party: &Party, target: &Friend) -> Result<()> {
    let mut host = party.friend(1, "banning host", "host").await?;
    let id = target.chat.viewer_id.clone();
    host.chat.send(&json!({ "type": "ban", "viewerId": id })).await?;
    target.chat.wait_until_closed(AT_ONCE).await?;
    let bans = format!("/api/rooms/{}/bans", party.slug());
    e2e::process::wait_for("the ban in the list", Duration::from_secs(5), async || {
        let bans = party.origin.admin.call(Method::GET, &bans, None).await.ok()?;
        bans.to_string().contains(&id).then_some(())
    })
    .await
}

async fn the_matrix(act: Act, targets: &[&str]) -> Result<()> {
    let party = Party::start(2).await?;
    for role in ROLES {
        let mut actor = party.friend(1, role, role).await?;
        for target in targets {
            try_act(&party, act, &mut actor, role, target).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_matrix_of_deleting_holds_across_relays() -> Result<()> {
    the_matrix(Act::Delete, &ROLES).await
}

#[tokio::test]
async fn the_matrix_of_timeouts_holds_across_relays() -> Result<()> {
    the_matrix(Act::Timeout, &ROLES).await
}

#[tokio::test]
async fn the_matrix_of_bans_holds_across_relays_and_a_ban_closes_at_once() -> Result<()> {
    the_matrix(Act::Ban, &ROLES).await
}

#[tokio::test]
async fn the_matrix_of_unbanning_holds() -> Result<()> {
    the_matrix(Act::Unban, &["viewer"]).await
}

#[tokio::test]
async fn moderators_and_hosts_alone_pin_slow_down_and_lock_and_everyone_deletes_their_own() -> Result<()> {
    let party = Party::start(2).await?;
    let mut watcher = party.friend(2, "Watcher", "viewer").await?;
    let message = watcher.chat.tell("pin me").await?;
    for role in ROLES {
        let mut actor = party.friend(1, role, role).await?;
        for act in [RoomAct::Pin, RoomAct::SlowMode, RoomAct::Lock] {
            let what = format!("{act:?} by a {role}");
            let (on, off) = match act {
                RoomAct::Pin => (
                    json!({ "type": "pin", "messageId": message.id }),
                    json!({ "type": "pin", "messageId": null }),
                ),
                RoomAct::SlowMode => (
                    json!({ "type": "slowMode", "seconds": 7 }),
                    json!({ "type": "slowMode", "seconds": 0 }),
                ),
                RoomAct::Lock => (
                    json!({ "type": "lock", "locked": true }),
                    json!({ "type": "lock", "locked": false }),
                ),
            };
            let is_on = |event: &Value| {
                is(event, "room")
                    && match act {
                        RoomAct::Pin => event["pinned"]["id"] == message.id,
                        RoomAct::SlowMode => event["slowModeSeconds"] == 7,
                        RoomAct::Lock => event["locked"] == true,
                    }
            };
            let is_off = |event: &Value| {
                is(event, "room")
                    && match act {
                        RoomAct::Pin => event.get("pinned").is_some_and(Value::is_null),
                        RoomAct::SlowMode => event["slowModeSeconds"] == 0,
                        RoomAct::Lock => event["locked"] == false,
                    }
            };
            actor.chat.forget_the_past();
            watcher.chat.forget_the_past();
            actor.chat.send(&on).await?;
            if role == "viewer" {
                ensure_forbidden(&mut actor, &mut watcher, &what, is_on).await?;
            } else {
                watcher.chat.wait_for(&what, is_on).await?;
                actor.chat.send(&off).await?;
                watcher.chat.wait_for(&format!("the end of {what}"), is_off).await?;
            }
        }
        let own = actor.chat.tell("a slip").await?;
        actor
            .chat
            .send(&json!({ "type": "delete", "messageId": own.id }))
            .await?;
        watcher
            .chat
            .wait_for("a deletion of one's own", |event| {
                is(event, "deleted") && event["messageId"] == own.id
            })
            .await?;
        let oneself = json!({ "type": "ban", "viewerId": actor.chat.viewer_id });
        actor.chat.send(&oneself).await?;
        actor
            .chat
            .wait_for("no ban of oneself", |event| {
                is(event, "error") && event["code"] == "forbidden"
            })
            .await?;
    }
    Ok(())
}

async fn rejoin(party: &Party, guest: &Guest, invite: Option<&str>) -> Result<StatusCode> {
    let answer = guest.try_join(party.url(0), party.slug(), "again", invite).await?;
    Ok(answer.status())
}

#[tokio::test]
async fn a_ban_of_who_had_an_invite_alone_revokes_it() -> Result<()> {
    let party = Party::start(2).await?;
    let mut marthe = party.friend(1, "Marthe", "host").await?;
    let eve = party.friend(2, "Eve", "viewer").await?;
    let told = json!({ "type": "ban", "viewerId": eve.chat.viewer_id, "reason": "insults" });
    marthe.chat.send(&told).await?;
    eve.chat.wait_until_closed(AT_ONCE).await?;
    marthe
        .chat
        .wait_for("word of the revoked link", |event| {
            is(event, "notice") && event["code"] == "linkRevoked"
        })
        .await?;
    for (who, guest, invite) in [
        ("the same browser", &eve.guest, None),
        ("the same browser and invite", &eve.guest, Some(&eve.invite.token)),
        ("another browser", &Guest::new()?, Some(&eve.invite.token)),
    ] {
        let status = rejoin(&party, guest, invite.map(String::as_str)).await?;
        ensure!(status == StatusCode::FORBIDDEN, "{who}: {status}");
    }
    let status = e2e::chatter::Door::new(party.url(2), party.slug(), &eve.pass.token)
        .status()
        .await?;
    ensure!(status == 403, "the banned viewer's token opens a socket: {status}");

    let audit = format!("{}/api/rooms/{}/audit", party.url(1), party.slug());
    let audit: Value = e2e::process::wait_for("the ban in the audit log", Duration::from_secs(5), async || {
        let answer = marthe.guest.call(Method::GET, &audit, &marthe.pass, None).await.ok()?;
        let entries: Value = answer.json().await.ok()?;
        entries.to_string().contains("insults").then_some(entries)
    })
    .await?;
    let text = audit.to_string();
    for part in ["\"ban\"", "Marthe", "Eve", &eve.chat.viewer_id] {
        ensure!(text.contains(part), "no {part} in {text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_ban_of_who_shares_an_invite_keeps_out_browser_and_address_and_nobody_else() -> Result<()> {
    let party = Party::start(2).await?;
    let mut marthe = party.friend(1, "Marthe", "host").await?;
    let invite = party.invite("viewer").await?;
    let mut ann = party.friend_with(2, "Ann", Guest::new()?, invite.clone()).await?;
    let eve = party.friend_with(2, "Eve", Guest::new()?, invite.clone()).await?;
    marthe
        .chat
        .send(&json!({ "type": "ban", "viewerId": eve.chat.viewer_id }))
        .await?;
    eve.chat.wait_until_closed(AT_ONCE).await?;
    let notice = marthe
        .chat
        .wait_for("word of the shared link", |event| {
            is(event, "notice") && event["code"] == "linkShared"
        })
        .await?;
    ensure!(notice["others"] == 1 && notice["nickname"] == "Eve", "{notice}");
    ann.chat.tell("I am still here").await?;
    let link = Some(invite.token.as_str());
    ensure!(
        rejoin(&party, &eve.guest, None).await? == StatusCode::FORBIDDEN,
        "by cookie"
    );
    ensure!(
        rejoin(&party, &eve.guest, link).await? == StatusCode::FORBIDDEN,
        "by cookie and invite"
    );
    let neighbour = Guest::at(eve.guest.address)?;
    ensure!(
        rejoin(&party, &neighbour, link).await? == StatusCode::FORBIDDEN,
        "from the same address"
    );
    ensure!(
        rejoin(&party, &Guest::new()?, link).await? == StatusCode::OK,
        "a friend elsewhere is kept out"
    );
    ensure!(
        rejoin(&party, &ann.guest, None).await? == StatusCode::OK,
        "a friend who is in is kept out"
    );

    marthe
        .chat
        .send(&json!({ "type": "unban", "viewerId": eve.chat.viewer_id }))
        .await?;
    e2e::process::wait_for("Eve to be let in again", Duration::from_secs(5), async || {
        let status = rejoin(&party, &eve.guest, link).await.ok()?;
        (status == StatusCode::OK).then_some(())
    })
    .await?;
    let back = eve.guest.join(party.url(2), party.slug(), "Eve", link).await?;
    let mut chat = e2e::chatter::Chatter::enter(party.url(2), party.slug(), &back).await?;
    chat.tell("sorry").await?;
    Ok(())
}

#[tokio::test]
async fn a_revoked_invite_closes_its_sockets_at_once_on_every_relay() -> Result<()> {
    let party = Party::start(2).await?;
    for at in [0, 1, 2] {
        let ann = party.friend(at, "Ann", "viewer").await?;
        party.origin.admin.revoke(&ann.invite).await?;
        let (code, reason) = ann.chat.wait_until_closed(AT_ONCE).await?;
        ensure!(
            (code, reason.as_str()) == (4403, "revoked"),
            "relay {at}: {code} {reason}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_locked_room_takes_nobody_new_and_lets_moderators_speak_until_it_is_unlocked() -> Result<()> {
    let party = Party::start(2).await?;
    let mut marthe = party.friend(1, "Marthe", "moderator").await?;
    let mut ann = party.friend(2, "Ann", "viewer").await?;
    let invite = party.invite("viewer").await?;
    marthe.chat.send(&json!({ "type": "lock", "locked": true })).await?;
    ann.chat
        .wait_for("the lock", |event| is(event, "room") && event["locked"] == true)
        .await?;
    ensure!(ann.chat.refusal("hello?").await? == "locked");
    marthe.chat.tell("quiet, please").await?;
    // A new guest each time: who got in once may stay.
    e2e::process::wait_for("the lock at the door", AT_ONCE, async || {
        let status = rejoin(&party, &Guest::new().ok()?, Some(&invite.token)).await.ok()?;
        (status == StatusCode::FORBIDDEN).then_some(())
    })
    .await?;
    ensure!(
        rejoin(&party, &ann.guest, None).await? == StatusCode::OK,
        "who is in may stay"
    );

    marthe.chat.send(&json!({ "type": "lock", "locked": false })).await?;
    ann.chat
        .wait_for("the end of the lock", |event| {
            is(event, "room") && event["locked"] == false
        })
        .await?;
    ann.chat.tell("hello again").await?;
    e2e::process::wait_for("the open door", Duration::from_secs(3), async || {
        let status = rejoin(&party, &Guest::new().ok()?, Some(&invite.token)).await.ok()?;
        (status == StatusCode::OK).then_some(())
    })
    .await
}

#[tokio::test]
async fn slow_mode_links_and_blocked_words_hold_for_viewers_and_not_for_moderators() -> Result<()> {
    let party = Party::start(2).await?;
    let mut marthe = party.friend(1, "Marthe", "moderator").await?;
    let mut ann = party.friend(2, "Ann", "viewer").await?;
    marthe.chat.send(&json!({ "type": "slowMode", "seconds": 3 })).await?;
    ann.chat
        .wait_for("slow mode", |event| is(event, "room") && event["slowModeSeconds"] == 3)
        .await?;
    ann.chat.tell("one").await?;
    ensure!(ann.chat.refusal("two").await? == "slowMode");
    marthe.chat.tell("one").await?;
    marthe.chat.tell("two").await?;
    marthe.chat.send(&json!({ "type": "slowMode", "seconds": 0 })).await?;
    ann.chat
        .wait_for("its end", |event| is(event, "room") && event["slowModeSeconds"] == 0)
        .await?;
    ann.chat.tell("two").await?;

    let settings = json!({ "links": "moderators", "blockedWords": ["popcorn"] });
    let room = format!("/api/rooms/{}", party.slug());
    party.origin.admin.call(Method::PATCH, &room, Some(settings)).await?;
    for text in ["see https://example.org/x", "PopCorn!"] {
        let code = refusal_of(&mut ann, text).await?;
        ensure!(code == "forbidden", "{text}: {code}");
        marthe.chat.tell(text).await?;
    }
    Ok(())
}

/// As `refusal`, when the room's settings may need a moment to be in force and one must not speak too fast.
async fn refusal_of(friend: &mut Friend, text: &str) -> Result<String> {
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        let client_id = friend.chat.say(text).await?;
        let answer = friend.chat.answer_to(&client_id).await?;
        match answer["code"].as_str() {
            None | Some("rateLimited") => {}
            Some(code) => return Ok(code.to_owned()),
        }
    }
    bail!("{text} passes")
}

#[tokio::test]
async fn two_of_the_same_name_are_told_apart_and_a_moderators_name_is_nobody_elses() -> Result<()> {
    let party = Party::start(1).await?;
    let marthe = party.friend(0, "Marthe", "moderator").await?;
    let ann = party.friend(0, "Ann", "viewer").await?;
    let other = party.friend(1, "Ann", "viewer").await?;
    ensure!(
        ann.chat.nickname == "Ann" && other.chat.nickname == "Ann 2",
        "{}",
        other.chat.nickname
    );
    drop(marthe);
    // Cyrillic а and е.
    let eve = party.friend(1, "M\u{430}rth\u{435}", "viewer").await?;
    let roster = eve.chat.hello["roster"].as_array().context("roster")?;
    let named: Vec<&str> = roster.iter().filter_map(|entry| entry["nickname"].as_str()).collect();
    ensure!(
        eve.chat.nickname != "M\u{430}rth\u{435}",
        "somebody took a moderator's name: {named:?}"
    );
    Ok(())
}
