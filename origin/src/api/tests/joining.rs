use std::collections::HashSet;

use common::{auth::Role, time::UnixMillis};
use serde_json::{Value, json};

use super::harness::{House, NOW, relay_status, text};

fn viewer_id(reply: &Value) -> String {
    text(&reply["viewerId"])
}

#[tokio::test]
async fn an_invite_is_traded_for_a_token_and_a_cookie() {
    let house = House::open().await;
    let invite = house.invite(json!({"role": "moderator"})).await;
    let reply = house
        .join(json!({"nickname": "  Zoe\u{308} ", "invite": invite["token"]}))
        .expect(200)
        .await;
    let token = text(&reply.json["token"]);
    let claims = house
        .control
        .secrets()
        .signing()
        .verifier()
        .verify_viewer(&token, house.now())
        .unwrap();
    assert_eq!(claims.viewer_id, viewer_id(&reply.json));
    assert_eq!(claims.invite_id.as_deref(), invite["id"].as_str());
    assert_eq!(
        (claims.room.as_str(), claims.role, claims.nickname.as_str()),
        ("cinema", Role::Moderator, "Zoë")
    );
    assert_eq!(claims.expires_at, UnixMillis(NOW + 600_000));
    assert_eq!(
        (&reply.json["nickname"], &reply.json["role"], &reply.json["expiresAt"]),
        (&json!("Zoë"), &json!("moderator"), &json!("2026-11-22T10:10:00.000Z"))
    );
    assert_eq!(reply.json["room"]["slug"], "cinema");
    assert!(!reply.text.contains("sk_"));
    let (value, header) = reply.set_cookie();
    assert_eq!(value, token);
    assert_eq!(
        header,
        format!("sc_cinema={token}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax")
    );
    assert_eq!(reply.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn who_has_no_valid_invite_stays_out() {
    let house = House::open().await;
    let late = house.invite(json!({"expiresInSeconds": 60})).await;
    let early = house.invite(json!({"notBefore": "2026-11-22T12:00:00Z"})).await;
    let viewer = house.viewer_token("viewer").await;
    house.wait(60);
    for invite in [
        &json!(null),
        &json!(""),
        &json!("garbage"),
        &json!("a.b.c"),
        &late["token"],
        &early["token"],
        &json!(viewer),
    ] {
        house
            .join(json!({"nickname": "Ada", "invite": invite}))
            .expect(401)
            .await;
    }
    house.wait(2 * 3600);
    house
        .join(json!({"nickname": "Ada", "invite": early["token"]}))
        .expect(200)
        .await;
}

#[tokio::test]
async fn an_invite_opens_its_room_alone() {
    let house = House::open().await;
    house
        .call("POST /api/rooms")
        .admin()
        .json(json!({"name": "Games"}))
        .expect(201)
        .await;
    let body = json!({"nickname": "Ada", "invite": house.invite_token().await});
    house
        .call("POST /api/rooms/games/join")
        .json(body.clone())
        .expect(403)
        .await;
    house.call("POST /api/rooms/nowhere/join").json(body).expect(404).await;
}

#[tokio::test]
async fn an_open_room_lets_everyone_in_as_viewer() {
    let house = House::open().await;
    house.patch_room(json!({"access": "open"})).await;
    let reply = house.join(json!({"nickname": "Ada"})).expect(200).await;
    assert_eq!(reply.json["role"], "viewer");
    let host = house.invite(json!({"role": "host"})).await;
    let (cookie, _) = reply.set_cookie();
    let host = house
        .join(json!({"nickname": "Ada", "invite": host["token"]}))
        .cookie("sc_cinema", &cookie);
    let host = host.expect(200).await;
    assert_eq!(
        (&host.json["role"], viewer_id(&host.json)),
        (&json!("host"), viewer_id(&reply.json))
    );
    house
        .join(json!({"nickname": "Ada", "invite": "garbage"}))
        .expect(401)
        .await;

    house.patch_room(json!({"access": "invite"})).await;
    house.join(json!({})).cookie("sc_cinema", &cookie).expect(401).await;
    house
        .join(json!({}))
        .cookie("sc_cinema", &host.set_cookie().0)
        .expect(200)
        .await;
}

#[tokio::test]
async fn an_unlisted_room_is_unknown_to_who_shows_nothing_of_it() {
    let house = House::open().await;
    let invite = house.invite(json!({"expiresInSeconds": 60})).await;
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
    for access in ["invite", "open"] {
        house.patch_room(json!({"listed": false, "access": access})).await;
        for invite in [&json!(null), &json!("garbage"), &other["token"]] {
            house
                .join(json!({"nickname": "Ada", "invite": invite}))
                .expect(404)
                .await;
        }
    }
    let reply = house
        .join(json!({"nickname": "Ada", "invite": invite["token"]}))
        .expect(200)
        .await;
    house
        .join(json!({}))
        .cookie("sc_cinema", &reply.set_cookie().0)
        .expect(200)
        .await;
    house.wait(60);
    house
        .join(json!({"nickname": "Ada", "invite": invite["token"]}))
        .expect(401)
        .await;
}

#[tokio::test]
async fn nicknames_are_checked() {
    let house = House::open().await;
    let invite = house.invite_token().await;
    for nickname in [
        json!(null),
        json!(""),
        json!("  "),
        json!("x".repeat(33)),
        json!("a\u{7}"),
        json!("a\u{202e}b"),
        json!(5),
    ] {
        let reply = house
            .join(json!({"nickname": nickname, "invite": invite}))
            .expect(422)
            .await;
        assert!(reply.json["errors"]["nickname"].is_string(), "{nickname}");
    }
    house
        .join(json!({"nickname": "x".repeat(32), "invite": invite}))
        .expect(200)
        .await;
    house
        .call("POST /api/rooms/cinema/join")
        .raw("application/json", "{")
        .expect(400)
        .await;
}

#[tokio::test]
async fn a_name_is_one_viewers_and_the_next_gets_a_number() {
    let house = House::open().await;
    let invite = house.invite(json!({"role": "moderator", "maxSeats": 2})).await;
    let join = || house.join(json!({"nickname": "Ann", "invite": invite["token"]}));
    let first = join().expect(200).await;
    let second = join().expect(200).await;
    assert_eq!(
        (&first.json["nickname"], &second.json["nickname"]),
        (&json!("Ann"), &json!("Ann 2"))
    );
    let verifier = house.control.secrets().signing().verifier();
    let claims = verifier.read_viewer(&text(&second.json["token"])).unwrap();
    assert_eq!(claims.nickname, "Ann 2");
    let again = house.join(json!({})).cookie("sc_cinema", &second.set_cookie().0);
    assert_eq!(again.expect(200).await.json["nickname"], "Ann 2");
    // Who gets no seat leaves no name behind.
    house
        .join(json!({"nickname": "Bob", "invite": invite["token"]}))
        .expect(409)
        .await;
    let names = house
        .control
        .db()
        .staff_names(&"cinema".parse().unwrap())
        .await
        .unwrap();
    let mut names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["Ann", "Ann 2"]);
    let bob = house.invite_token().await;
    let bob = house.join(json!({"nickname": "Bob", "invite": bob})).expect(200).await;
    assert_eq!(bob.json["nickname"], "Bob");
}

#[tokio::test]
async fn seats_are_bounded_and_kept_by_the_same_browser() {
    let house = House::open().await;
    let invite = house.invite(json!({"maxSeats": 2})).await;
    let join = |name: &str| house.join(json!({"nickname": name, "invite": invite["token"]}));
    let ada = join("Ada").expect(200).await;
    join("Bob").expect(200).await;
    join("Eve").expect(409).await;
    let (cookie, _) = ada.set_cookie();
    let again = join("Ada B").cookie("sc_cinema", &cookie).expect(200).await;
    assert_eq!(viewer_id(&again.json), viewer_id(&ada.json));
    assert_eq!(again.json["nickname"], "Ada B");
    let listed = house
        .call("GET /api/rooms/cinema/invites")
        .admin()
        .expect(200)
        .await
        .json;
    assert_eq!(listed[0]["seatsUsed"], 2);
}

#[tokio::test]
async fn who_was_seen_by_a_relay_takes_a_seat() {
    let house = House::open().await;
    let invite = house.invite(json!({"maxSeats": 1})).await;
    let seen = HashSet::from(["somebody".to_owned()]);
    house.plane.viewers.lock().unwrap().insert(text(&invite["id"]), seen);
    house
        .join(json!({"nickname": "Ada", "invite": invite["token"]}))
        .expect(409)
        .await;
    house.plane.viewers.lock().unwrap().clear();
    house
        .join(json!({"nickname": "Ada", "invite": invite["token"]}))
        .expect(200)
        .await;
}

#[tokio::test]
async fn a_token_ends_with_its_invite_and_is_renewed_by_the_cookie() {
    let house = House::open().await;
    let invite = house.invite(json!({"expiresInSeconds": 900})).await;
    let first = house
        .join(json!({"nickname": "Ada", "invite": invite["token"]}))
        .expect(200)
        .await;
    assert_eq!(first.json["expiresAt"], "2026-11-22T10:10:00.000Z");
    house.wait(480);
    let renewed = house
        .join(json!({}))
        .cookie("sc_cinema", &first.set_cookie().0)
        .expect(200)
        .await;
    assert_eq!(renewed.json["expiresAt"], "2026-11-22T10:15:00.000Z");
    assert_eq!(
        (viewer_id(&renewed.json), &renewed.json["nickname"]),
        (viewer_id(&first.json), &json!("Ada"))
    );
    house.wait(420);
    house
        .join(json!({}))
        .cookie("sc_cinema", &renewed.set_cookie().0)
        .expect(401)
        .await;
}

#[tokio::test]
async fn a_browser_is_known_by_its_cookie_for_a_day_after_its_token() {
    let house = House::open().await;
    let first = house
        .join(json!({"nickname": "Ada", "invite": house.invite_token().await}))
        .expect(200)
        .await;
    let (cookie, _) = first.set_cookie();
    house.wait(600 + 86_399);
    let later = house.join(json!({})).cookie("sc_cinema", &cookie).expect(200).await;
    assert_eq!(viewer_id(&later.json), viewer_id(&first.json));
    house.wait(1);
    house
        .join(json!({"nickname": "Ada"}))
        .cookie("sc_cinema", &cookie)
        .expect(401)
        .await;
    house
        .join(json!({"nickname": "Ada"}))
        .cookie("sc_cinema", "forged")
        .expect(401)
        .await;
}

#[tokio::test]
async fn a_locked_room_keeps_out_who_comes_and_keeps_who_is_in() {
    let house = House::open().await;
    let invite = house.invite_token().await;
    let ada = house
        .join(json!({"nickname": "Ada", "invite": invite}))
        .expect(200)
        .await;
    house.patch_room(json!({"locked": true})).await;
    house
        .join(json!({"nickname": "Bob", "invite": invite}))
        .expect(403)
        .await;
    house
        .join(json!({}))
        .cookie("sc_cinema", &ada.set_cookie().0)
        .expect(200)
        .await;
    house.wait(600);
    house
        .join(json!({}))
        .cookie("sc_cinema", &ada.set_cookie().0)
        .expect(403)
        .await;
}

#[tokio::test]
async fn a_lock_counts_as_the_running_chat_has_it_not_as_the_database_will() {
    let house = House::open().await;
    let invite = house.invite_token().await;
    let newcomer = || house.join(json!({"nickname": "Bob", "invite": invite}));
    *house.plane.locked.lock().unwrap() = Some(true);
    newcomer().expect(403).await;
    house.patch_room(json!({"locked": true})).await;
    *house.plane.locked.lock().unwrap() = Some(false);
    newcomer().expect(200).await;
}

#[tokio::test]
async fn the_answer_names_the_relays_that_may_serve() {
    let house = House::open().await;
    let mut ids = Vec::new();
    for name in ["paris", "lyon", "brest", "nice"] {
        let relay = house
            .call("POST /api/relays")
            .admin()
            .json(json!({"name": name}))
            .expect(201)
            .await
            .json;
        ids.push(text(&relay["id"]));
    }
    *house.plane.relays.lock().unwrap() = vec![
        relay_status(&ids[0], "https://paris.example/", true),
        relay_status(&ids[1], "https://lyon.example", true),
        relay_status(&ids[2], "https://brest.example", false),
        relay_status(&ids[3], "", true),
    ];
    let all = house
        .join(json!({"nickname": "Ada", "invite": house.invite_token().await}))
        .expect(200)
        .await
        .json;
    assert_eq!(
        all["relays"],
        json!([{"id": ids[0], "name": "paris", "url": "https://paris.example"},
               {"id": ids[1], "name": "lyon", "url": "https://lyon.example"}])
    );
    let invite = house.invite(json!({"relays": ["lyon", "brest"]})).await;
    let some = house
        .join(json!({"nickname": "Ada", "invite": invite["token"]}))
        .expect(200)
        .await
        .json;
    assert_eq!(some["relays"].as_array().unwrap().len(), 1);
    let verifier = house.control.secrets().signing().verifier();
    let claims = verifier.verify_viewer(&text(&some["token"]), house.now()).unwrap();
    assert!(claims.allows_relay(&ids[1]) && claims.allows_relay(&ids[2]) && !claims.allows_relay(&ids[0]));
}

#[tokio::test]
async fn joining_through_a_relay_is_the_same_and_its_cookie_keeps_to_tls() {
    let house = House::open().await;
    let invite = house.invite_token().await;
    let body = json!({"nickname": "Ada", "invite": invite});
    let plain = house
        .relayed("POST /api/rooms/cinema/join")
        .json(body.clone())
        .expect(200)
        .await;
    assert!(!plain.set_cookie().1.contains("Secure"));
    house
        .plane
        .relays
        .lock()
        .unwrap()
        .push(relay_status("r1", "https://paris.example", true));
    let secure = house
        .relayed("POST /api/rooms/cinema/join")
        .json(body)
        .expect(200)
        .await;
    assert!(secure.set_cookie().1.ends_with("; Secure"));
}

#[tokio::test]
async fn one_address_cannot_join_without_end() {
    let house = House::open().await;
    let mut answers = Vec::new();
    for _ in 0..200 {
        let call = house.join(json!({"nickname": "Ada", "invite": "garbage"}));
        let (status, reply) = call.send().await;
        answers.push(status.as_u16());
        if status.as_u16() == 429 {
            let wait: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!(wait >= 1);
            assert_eq!(reply.json["status"], 429);
            break;
        }
    }
    assert_eq!(answers.last(), Some(&429));
    assert!(answers.len() > 100);
    let elsewhere = house.join(json!({"nickname": "Ada", "invite": "garbage"}));
    elsewhere.from("198.51.100.1:1").expect(401).await;
}
