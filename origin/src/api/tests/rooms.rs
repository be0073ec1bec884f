use common::{chat::room::NotDone, time::UnixMillis};
use serde_json::json;

use super::harness::{ADMIN_TOKEN, House, NOW, text};
use crate::api::{ChatStorage, RoomLive};

#[tokio::test]
async fn a_new_room_has_a_key_and_addresses_for_its_operator() {
    let house = House::open().await;
    let body = json!({"name": " Ciné-Club ", "access": "open", "listed": false});
    let room = house.call("POST /api/rooms").admin().json(body).expect(201).await.json;
    let key = text(&room["streamKey"]);
    assert!(key.starts_with("sk_") && key.len() == 35);
    assert_eq!(
        room,
        json!({"slug": "cine-club", "name": "Ciné-Club", "access": "open", "listed": false, "locked": false,
            "isLive": false, "interrupted": false, "startedAt": null, "viewerCount": 0, "slowModeSeconds": 0,
            "links": "everyone", "blockedWords": [], "retentionDays": null,
            "ladder": [], "slate": "off", "hasSlatePicture": false, "audioTracks": [],
            "streamKey": key, "ingestUrl": "rtmp://house.example:1935/live", "secureIngestUrl": null,
            "watchUrl": "http://watch.example/r/cine-club",
            "playlistUrl": "http://watch.example/live/cine-club/index.m3u8"})
    );
    assert_eq!(house.plane.take_told(), ["created cine-club"]);
    let defaults = house
        .call("POST /api/rooms")
        .admin()
        .json(json!({"name": "B", "slug": "b-2"}));
    let defaults = defaults.expect(201).await.json;
    assert_eq!(
        (&defaults["access"], &defaults["listed"]),
        (&json!("invite"), &json!(true))
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_new_room_is_said_by_field() {
    let house = House::open().await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": 5}), "name"),
        (json!({"name": "  "}), "name"),
        (json!({"name": "a\u{202e}b"}), "name"),
        (json!({"name": "x".repeat(81)}), "name"),
        (json!({"name": "A", "slug": "Not A Slug"}), "slug"),
        (json!({"name": "A", "slug": "-a"}), "slug"),
        (json!({"name": "A", "access": "secret"}), "access"),
        (json!({"name": "A", "listed": "yes"}), "listed"),
    ] {
        let reply = house
            .call("POST /api/rooms")
            .admin()
            .json(body.clone())
            .expect(422)
            .await;
        assert!(reply.json["errors"][field].is_string(), "{body}: {}", reply.text);
    }
    for body in ["{", "", "[1]", "nonsense"] {
        let reply = house
            .call("POST /api/rooms")
            .admin()
            .raw("application/json", body)
            .send()
            .await;
        assert!(matches!(reply.0.as_u16(), 400 | 422), "{body}");
    }
    house
        .call("POST /api/rooms")
        .admin()
        .raw("text/plain", r#"{"name":"A"}"#)
        .expect(400)
        .await;
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(20_000));
    house
        .call("POST /api/rooms")
        .admin()
        .raw("application/json", &long)
        .expect(413)
        .await;
}

#[tokio::test]
async fn a_taken_slug_is_a_conflict() {
    let house = House::open().await;
    let body = json!({"name": "Another", "slug": "cinema"});
    house.call("POST /api/rooms").admin().json(body).expect(409).await;
}

#[tokio::test]
async fn operators_calls_need_the_admin_token() {
    let house = House::open().await;
    let viewer = house.viewer_token("host").await;
    for line in [
        "POST /api/rooms",
        "DELETE /api/rooms/cinema",
        "POST /api/rooms/cinema/rotate",
        "POST /api/relays",
        "GET /api/relays",
        "DELETE /api/relays/r1",
        "GET /api/session",
    ] {
        let reply = house.call(line).expect(401).await;
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
        house.call(line).header("x-admin-token", "wrong").expect(401).await;
        house.call(line).bearer("wrong").expect(401).await;
        house.call(line).bearer(&viewer).expect(403).await;
    }
    house.call("GET /api/relays").bearer(ADMIN_TOKEN).expect(200).await;
}

#[tokio::test]
async fn everyone_sees_listed_rooms_without_their_keys_and_operators_see_all() {
    let house = House::open().await;
    let hidden = json!({"name": "Hidden", "listed": false});
    house.call("POST /api/rooms").admin().json(hidden).expect(201).await;
    let seen = house.call("GET /api/rooms").expect(200).await;
    assert_eq!(seen.json.as_array().unwrap().len(), 1);
    assert_eq!(seen.json[0]["slug"], "cinema");
    for secret in ["streamKey", "sk_", "ingestUrl"] {
        assert!(!seen.text.contains(secret), "{secret}");
    }
    let all = house.call("GET /api/rooms").admin().expect(200).await.json;
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert!(all[1]["streamKey"].is_string());
    house
        .call("GET /api/rooms")
        .header("x-admin-token", "wrong")
        .expect(401)
        .await;
}

#[tokio::test]
async fn an_unlisted_room_exists_for_who_shows_something_of_it() {
    let house = House::open().await;
    let invite = house.invite_token().await;
    let viewer = house.viewer_token("viewer").await;
    house.patch_room(json!({"listed": false})).await;
    let line = "GET /api/rooms/cinema";
    house.call(line).expect(404).await;
    house.call(line).bearer("garbage").expect(401).await;
    house.call(line).bearer(&invite).expect(200).await;
    house.call(line).bearer(&viewer).expect(200).await;
    house.call(&format!("{line}?token={viewer}")).expect(200).await;
    let by_cookie = house.call(line).cookie("sc_cinema", &viewer).expect(200).await;
    assert!(by_cookie.json.get("streamKey").is_none());
    assert!(house.call(line).admin().expect(200).await.json["streamKey"].is_string());
    for path in [
        "GET /api/rooms/nowhere",
        "GET /api/rooms/NO%20SLUG",
        "GET /api/rooms/%ff",
    ] {
        house.call(path).admin().expect(404).await;
    }
}

#[tokio::test]
async fn what_is_on_air_is_told() {
    let house = House::open().await;
    *house.plane.live.lock().unwrap() = RoomLive {
        is_live: true,
        interrupted: true,
        started_at: Some(UnixMillis(NOW + 7)),
        viewer_count: 3,
    };
    let room = house.call("GET /api/rooms/cinema").expect(200).await.json;
    assert_eq!(room["startedAt"], "2026-11-22T10:00:00.007Z");
    assert_eq!(
        (&room["isLive"], &room["interrupted"], &room["viewerCount"]),
        (&json!(true), &json!(true), &json!(3))
    );
}

#[tokio::test]
async fn a_change_is_stored_and_told() {
    let house = House::open().await;
    let change = json!({"name": "Kino", "locked": true, "slowModeSeconds": 30});
    let room = house
        .call("PATCH /api/rooms/cinema")
        .admin()
        .json(change)
        .expect(200)
        .await
        .json;
    assert_eq!(
        (&room["name"], &room["locked"], &room["slowModeSeconds"]),
        (&json!("Kino"), &json!(true), &json!(30))
    );
    assert_eq!((&room["access"], &room["listed"]), (&json!("invite"), &json!(true)));
    assert_eq!(
        house.plane.take_told(),
        [
            "operator in cinema: Lock { locked: true }",
            "operator in cinema: SlowMode { seconds: 30 }",
            "changed cinema locked=true",
            "settings of cinema: Everyone []",
            "audit of cinema: operator settingsChanged name"
        ]
    );
    for body in [
        json!({"slowModeSeconds": 3601}),
        json!({"slowModeSeconds": -1}),
        json!({"name": ""}),
    ] {
        house
            .call("PATCH /api/rooms/cinema")
            .admin()
            .json(body)
            .expect(422)
            .await;
    }
    house
        .call("PATCH /api/rooms/other")
        .admin()
        .json(json!({}))
        .expect(404)
        .await;
}

#[tokio::test]
async fn a_host_sets_what_goes_on_in_the_chat_and_nothing_else() {
    let house = House::open().await;
    let host = house.viewer_token("host").await;
    let moderator = house.viewer_token("moderator").await;
    let line = "PATCH /api/rooms/cinema";
    let change = json!({"locked": true, "slowModeSeconds": 5, "links": "moderators",
        "blockedWords": [" spam ", "ça", "spam"], "retentionDays": 30});
    let room = house.relayed(line).bearer(&host).json(change).expect(200).await.json;
    assert_eq!(
        (
            &room["locked"],
            &room["slowModeSeconds"],
            &room["links"],
            &room["blockedWords"],
            &room["retentionDays"]
        ),
        (
            &json!(true),
            &json!(5),
            &json!("moderators"),
            &json!(["spam", "ça"]),
            &json!(30)
        )
    );
    assert!(room.get("streamKey").is_none());
    assert_eq!(
        house.plane.take_told(),
        [
            "Ada in cinema: Lock { locked: true }",
            "Ada in cinema: SlowMode { seconds: 5 }",
            "changed cinema locked=true",
            r#"settings of cinema: Moderators ["spam", "ça"]"#,
            "audit of cinema: Ada settingsChanged links, blockedWords, retentionDays"
        ]
    );
    let seen = house.call("GET /api/rooms/cinema").bearer(&host).expect(200).await.json;
    assert_eq!(
        (&seen["retentionDays"], &seen["links"]),
        (&json!(30), &json!("moderators"))
    );
    let forever = house
        .call(line)
        .bearer(&host)
        .json(json!({"retentionDays": null}))
        .expect(200)
        .await;
    assert_eq!(forever.json["retentionDays"], json!(null));
    assert_eq!(forever.json["blockedWords"], json!(["spam", "ça"]));
    for change in [
        json!({"name": "Mine"}),
        json!({"access": "open"}),
        json!({"listed": false}),
    ] {
        house.call(line).bearer(&host).json(change).expect(403).await;
    }
    house
        .call(line)
        .bearer(&moderator)
        .json(json!({"locked": false}))
        .expect(403)
        .await;
    house.call(line).json(json!({"locked": false})).expect(401).await;
    let seen = house
        .call("GET /api/rooms/cinema")
        .bearer(&moderator)
        .expect(200)
        .await
        .json;
    assert!(seen.get("blockedWords").is_none() && seen.get("links").is_none());
}

#[tokio::test]
async fn settings_of_the_chat_are_checked() {
    let house = House::open().await;
    let many: Vec<String> = (0..201).map(|number| format!("word {number}")).collect();
    for (change, field) in [
        (json!({"links": "nobody"}), "links"),
        (json!({"blockedWords": many}), "blockedWords"),
        (json!({"blockedWords": ["fine", "x".repeat(51)]}), "blockedWords[1]"),
        (json!({"blockedWords": [" "]}), "blockedWords[0]"),
        (json!({"blockedWords": ["a\u{202e}"]}), "blockedWords[0]"),
        (json!({"retentionDays": 0}), "retentionDays"),
        (json!({"retentionDays": 36_501}), "retentionDays"),
        (json!({"retentionDays": "7"}), "retentionDays"),
    ] {
        let reply = house
            .call("PATCH /api/rooms/cinema")
            .admin()
            .json(change)
            .expect(422)
            .await;
        assert!(reply.json["errors"][field].is_string(), "{field}: {}", reply.text);
    }
    assert_eq!(house.plane.take_told(), [] as [String; 0]);
    let most: Vec<String> = (0..200)
        .map(|number| format!("{number:0>50}").replace('0', "é"))
        .collect();
    house.patch_room(json!({"blockedWords": most})).await;
}

#[tokio::test]
async fn what_the_running_chat_does_not_do_is_not_stored() {
    let house = House::open().await;
    for (why, status) in [(NotDone::NotAllowed, 403), (NotDone::TooLong { max: 60 }, 422)] {
        *house.plane.not_done.lock().unwrap() = Some(why);
        let change = json!({"slowModeSeconds": 61});
        house
            .call("PATCH /api/rooms/cinema")
            .admin()
            .json(change)
            .expect(status)
            .await;
    }
    let room = house.call("GET /api/rooms/cinema").expect(200).await.json;
    assert_eq!(room["slowModeSeconds"], 0);
}

#[tokio::test]
async fn a_rotated_key_cuts_who_publishes_on_the_old_one() {
    let house = House::open().await;
    let old = text(&house.call("GET /api/rooms/cinema").admin().expect(200).await.json["streamKey"]);
    let new = text(
        &house
            .call("POST /api/rooms/cinema/rotate")
            .admin()
            .expect(200)
            .await
            .json["streamKey"],
    );
    assert_ne!(old, new);
    assert!(house.control.room_by_stream_key(&old).await.unwrap().is_none());
    assert!(house.control.room_by_stream_key(&new).await.unwrap().is_some());
    assert_eq!(house.plane.take_told(), ["cut publisher of cinema"]);
    house.call("POST /api/rooms/other/rotate").admin().expect(404).await;
}

#[tokio::test]
async fn a_deleted_room_is_gone_and_its_viewers_are_out() {
    let house = House::open().await;
    let (invite, viewer) = (house.invite_token().await, house.viewer_token("host").await);
    let reply = house.call("DELETE /api/rooms/cinema").admin().expect(204).await;
    assert_eq!(reply.text, "");
    assert_eq!(
        house.plane.take_told(),
        [r#"revoked Room(RoomSlug("cinema"))"#, "deleted cinema"]
    );
    house.call("GET /api/rooms/cinema").admin().expect(404).await;
    house.call("DELETE /api/rooms/cinema").admin().expect(404).await;
    house
        .join(json!({"nickname": "Ada", "invite": invite}))
        .expect(404)
        .await;

    let again = json!({"name": "Cinema", "slug": "cinema"});
    house.call("POST /api/rooms").admin().json(again).expect(201).await;
    house
        .join(json!({"nickname": "Ada", "invite": invite}))
        .expect(401)
        .await;
    house
        .call("GET /api/rooms/cinema/invites")
        .bearer(&viewer)
        .expect(403)
        .await;
    house.wait(1);
    let fresh = house.viewer_token("host").await;
    house
        .call("GET /api/rooms/cinema/invites")
        .bearer(&fresh)
        .expect(200)
        .await;
}

#[tokio::test]
async fn health_is_for_operators_and_hosts() {
    let house = House::open().await;
    let line = "GET /api/rooms/cinema/health";
    *house.plane.storage.lock().unwrap() = ChatStorage {
        waiting: 7,
        dropped: 1,
        is_failing: true,
    };
    assert_eq!(
        house.call(line).admin().expect(200).await.json,
        json!({"of": "cinema", "chat": {"waiting": 7, "dropped": 1, "isFailing": true}})
    );
    house
        .call(line)
        .bearer(&house.viewer_token("host").await)
        .expect(200)
        .await;
    house
        .call(line)
        .bearer(&house.viewer_token("moderator").await)
        .expect(403)
        .await;
    house.call(line).expect(401).await;
    house.call("GET /api/rooms/other/health").admin().expect(404).await;
}

#[tokio::test]
async fn unknown_calls_and_methods_are_problems_too() {
    let house = House::open().await;
    house.call("GET /api/nothing").expect(404).await;
    house.call("PUT /api/rooms").expect(405).await;
    house.relayed("POST /api/rooms").expect(405).await;
    for line in ["GET /api/relays", "POST /api/session", "POST /api/rooms/cinema/rotate"] {
        house
            .relayed(line)
            .header("x-admin-token", ADMIN_TOKEN)
            .expect(404)
            .await;
    }
}

#[tokio::test]
async fn no_answer_through_a_relay_holds_a_stream_key_whatever_is_shown() {
    let house = House::open().await;
    let link = house.control.make_sign_in_link(house.now()).await.unwrap();
    let token = link.split_once("#token=").unwrap().1;
    let (session, _) = house.control.sign_in(token, house.now()).await.unwrap().unwrap();
    for line in ["GET /api/rooms", "GET /api/rooms/cinema"] {
        let by_header = house
            .relayed(line)
            .header("x-admin-token", ADMIN_TOKEN)
            .expect(200)
            .await;
        let by_cookie = house
            .relayed(line)
            .cookie("streamcircle_session", session.expose())
            .expect(200)
            .await;
        assert!(!by_header.text.contains("sk_") && !by_cookie.text.contains("sk_"));
        house.relayed(line).bearer(ADMIN_TOKEN).expect(401).await;
    }
    house.relayed("GET /api/time").expect(200).await;
}

#[tokio::test]
async fn without_the_database_calls_fail_and_say_no_more_than_that() {
    let house = House::open().await;
    house.control.db().close().await;
    let reply = house.call("GET /api/rooms").expect(503).await;
    assert_eq!(reply.json["detail"], "the database cannot answer now");
    house.call("GET /api/time").expect(200).await;
}
