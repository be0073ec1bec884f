use common::{auth::Role, time::UnixMillis};
use serde_json::json;

use super::harness::{House, NOW, relay_status, text};

#[tokio::test]
async fn an_invite_says_what_was_asked_and_shows_its_token_once() {
    let house = House::open().await;
    let body = json!({"label": "friends", "role": "moderator", "expiresInSeconds": 3600, "maxSeats": 4,
        "notBefore": "2026-11-22T11:30:00+01:00"});
    let invite = house.invite(body).await;
    let token = text(&invite["token"]);
    let mut expected = json!({"id": invite["id"], "room": "cinema", "label": "friends", "role": "moderator",
        "createdAt": "2026-11-22T10:00:00.000Z", "notBefore": "2026-11-22T10:30:00.000Z",
        "expiresAt": "2026-11-22T11:00:00.000Z", "maxSeats": 4, "seatsUsed": 0, "relays": null, "revokedAt": null});
    let listed = house
        .call("GET /api/rooms/cinema/invites")
        .admin()
        .expect(200)
        .await
        .json;
    assert_eq!(listed, json!([expected]));
    expected["token"] = json!(token);
    expected["url"] = json!(format!("http://watch.example/r/cinema#invite={token}"));
    assert_eq!(invite, expected);

    let claims = house
        .control
        .secrets()
        .signing()
        .verifier()
        .read_invite(&token)
        .unwrap();
    assert_eq!(
        (claims.id.as_str(), claims.role, claims.seats),
        (invite["id"].as_str().unwrap(), Role::Moderator, Some(4))
    );
    assert_eq!(claims.not_before, UnixMillis(NOW + 30 * 60_000));
    assert_eq!(claims.expires_at, UnixMillis(NOW + 60 * 60_000));
}

#[tokio::test]
async fn an_invite_lives_a_month_for_anyone_when_nothing_is_asked() {
    let house = House::open().await;
    let invite = house
        .call("POST /api/rooms/cinema/invites")
        .admin()
        .expect(201)
        .await
        .json;
    assert_eq!(invite["expiresAt"], "2026-12-22T10:00:00.000Z");
    assert_eq!((&invite["role"], &invite["maxSeats"]), (&json!("viewer"), &json!(null)));
}

#[tokio::test]
async fn what_is_wrong_with_an_invite_is_said_by_field() {
    let house = House::open().await;
    for (body, field) in [
        (json!({"role": "king"}), "role"),
        (json!({"expiresInSeconds": 0}), "expiresInSeconds"),
        (json!({"expiresInSeconds": -5}), "expiresInSeconds"),
        (json!({"expiresInSeconds": u64::MAX}), "expiresInSeconds"),
        (json!({"maxSeats": 0}), "maxSeats"),
        (json!({"maxSeats": 1.5}), "maxSeats"),
        (json!({"notBefore": "tomorrow"}), "notBefore"),
        (
            json!({"notBefore": "2026-11-22T12:00:00Z", "expiresInSeconds": 60}),
            "notBefore",
        ),
        (json!({"relays": ["nowhere"]}), "relays"),
        (json!({"relays": []}), "relays"),
        (json!({"label": "a\nb"}), "label"),
    ] {
        let reply = house
            .call("POST /api/rooms/cinema/invites")
            .admin()
            .json(body.clone())
            .expect(422)
            .await;
        assert!(reply.json["errors"][field].is_string(), "{body}: {}", reply.text);
    }
    let two = json!({"maxSeats": 0, "relays": ["nowhere"]});
    let reply = house
        .call("POST /api/rooms/cinema/invites")
        .admin()
        .json(two)
        .expect(422)
        .await;
    assert_eq!(reply.json["errors"].as_object().unwrap().len(), 2);
    house
        .call("POST /api/rooms/other/invites")
        .admin()
        .json(json!({}))
        .expect(404)
        .await;
    house.call("GET /api/rooms/other/invites").admin().expect(404).await;
}

#[tokio::test]
async fn relays_are_named_in_the_list_and_numbered_in_the_token() {
    let house = House::open().await;
    let relay = house
        .call("POST /api/relays")
        .admin()
        .json(json!({"name": "paris"}))
        .expect(201)
        .await
        .json;
    let invite = house.invite(json!({"relays": ["paris"]})).await;
    assert_eq!(invite["relays"], json!(["paris"]));
    let claims = house
        .control
        .secrets()
        .signing()
        .verifier()
        .read_invite(&text(&invite["token"]))
        .unwrap();
    assert_eq!(claims.relays, Some(vec![text(&relay["id"])]));
}

#[tokio::test]
async fn a_revoked_invite_lets_nobody_in_and_ends_who_is_in() {
    let house = House::open().await;
    let invite = house.invite(json!({"role": "host"})).await;
    let (id, token) = (text(&invite["id"]), text(&invite["token"]));
    let joined = house
        .join(json!({"nickname": "Ada", "invite": token}))
        .expect(200)
        .await;
    let (cookie, _) = joined.set_cookie();

    house
        .call(&format!("DELETE /api/invites/{id}"))
        .admin()
        .expect(204)
        .await;
    house
        .call(&format!("DELETE /api/invites/{id}"))
        .admin()
        .expect(204)
        .await;
    assert_eq!(house.plane.take_told()[0], format!("revoked Invite({id:?})"));
    house
        .join(json!({"nickname": "Bob", "invite": token}))
        .expect(403)
        .await;
    house.join(json!({})).cookie("sc_cinema", &cookie).expect(403).await;
    house
        .call("GET /api/rooms/cinema/messages")
        .bearer(&cookie)
        .expect(403)
        .await;
    let listed = house
        .call("GET /api/rooms/cinema/invites")
        .admin()
        .expect(200)
        .await
        .json;
    assert_eq!(listed[0]["revokedAt"], "2026-11-22T10:00:00.000Z");
    house.call("DELETE /api/invites/nothing").admin().expect(404).await;
}

#[tokio::test]
async fn hosts_invite_into_their_room_alone() {
    let house = House::open().await;
    house
        .call("POST /api/rooms")
        .admin()
        .json(json!({"name": "Games"}))
        .expect(201)
        .await;
    let other = house
        .call("POST /api/rooms/games/invites")
        .admin()
        .json(json!({}))
        .expect(201)
        .await
        .json;
    let host = house.viewer_token("host").await;

    let line = "POST /api/rooms/cinema/invites";
    let made = house.call(line).bearer(&host).json(json!({})).expect(201).await.json;
    house
        .call(line)
        .cookie("sc_cinema", &host)
        .json(json!({}))
        .expect(201)
        .await;
    house
        .call("GET /api/rooms/cinema/invites")
        .bearer(&host)
        .expect(200)
        .await;
    house
        .call(&format!("DELETE /api/invites/{}", text(&made["id"])))
        .bearer(&host)
        .expect(204)
        .await;

    house
        .call("POST /api/rooms/games/invites")
        .bearer(&host)
        .json(json!({}))
        .expect(403)
        .await;
    house
        .call("POST /api/rooms/games/invites")
        .cookie("sc_cinema", &host)
        .json(json!({}))
        .expect(401)
        .await;
    let of_games = format!("DELETE /api/invites/{}", text(&other["id"]));
    house.call(&of_games).bearer(&host).expect(403).await;
    house.call(&of_games).expect(401).await;
    house.call("DELETE /api/invites/nothing").expect(401).await;
    let viewer = house.viewer_token("viewer").await;
    house.call(line).bearer(&viewer).json(json!({})).expect(403).await;
    let invite = house.invite_token().await;
    house.call(line).bearer(&invite).json(json!({})).expect(401).await;
}

#[tokio::test]
async fn a_page_of_another_site_does_nothing_with_a_hosts_cookie() {
    let house = House::open().await;
    let host = house.viewer_token("host").await;
    let call = |origin: &str| {
        let call = house
            .call("POST /api/rooms/cinema/invites")
            .cookie("sc_cinema", &host)
            .json(json!({}));
        call.header("origin", origin).header("host", "house.example:4000")
    };
    call("http://evil.example").expect(401).await;
    call("http://house.example:4000").expect(201).await;
    call("http://watch.example").expect(201).await;
    house
        .plane
        .relays
        .lock()
        .unwrap()
        .push(relay_status("r1", "https://paris.example/", true));
    call("https://paris.example").expect(201).await;
}
