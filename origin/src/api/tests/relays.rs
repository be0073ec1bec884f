use common::auth::join_token::JoinToken;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::harness::{House, relay_status, text};

#[tokio::test]
async fn a_new_relay_gets_a_token_that_enrols_it_once() {
    let house = House::open().await;
    let reply = house
        .call("POST /api/relays")
        .admin()
        .json(json!({"name": "paris", "region": "eu"}))
        .expect(201)
        .await;
    let token = text(&reply.json["joinToken"]);
    assert!(token.starts_with("scj1."));
    assert_eq!(reply.json["command"], format!("streamcircle-relay --join {token}"));
    let token = JoinToken::decode(&token).unwrap();
    assert_eq!(
        (token.addresses(), token.key_sha256()),
        (&["house.example:4443".to_owned()][..], &[7; 32])
    );
    let id = text(&reply.json["id"]);

    let listed = house.call("GET /api/relays").admin().expect(200).await.json;
    assert_eq!(
        listed,
        json!([{"id": id, "name": "paris", "region": "eu", "url": null, "state": "pending", "rooms": 0, "viewers": 0,
            "egressBytes": 0, "rttMs": null, "lastSeenAt": null, "version": null}])
    );
    let hash = Sha256::digest(token.secret().expose()).into();
    let redeemed = house
        .control
        .db()
        .redeem_relay_secret(&hash, house.now())
        .await
        .unwrap();
    assert_eq!(redeemed.unwrap().id, id);
    assert_eq!(
        house
            .control
            .db()
            .redeem_relay_secret(&hash, house.now())
            .await
            .unwrap(),
        None
    );
    let listed = house.call("GET /api/relays").admin().expect(200).await.json;
    assert_eq!(listed[0]["state"], "offline");
}

#[tokio::test]
async fn a_join_token_serves_for_a_day() {
    let house = House::open().await;
    let reply = house
        .call("POST /api/relays")
        .admin()
        .json(json!({"name": "paris"}))
        .expect(201)
        .await;
    let token = JoinToken::decode(&text(&reply.json["joinToken"])).unwrap();
    house.wait(24 * 3600);
    let hash = Sha256::digest(token.secret().expose()).into();
    assert_eq!(
        house
            .control
            .db()
            .redeem_relay_secret(&hash, house.now())
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_relay_that_is_online_says_how_it_does() {
    let house = House::open().await;
    let id = text(
        &house
            .call("POST /api/relays")
            .admin()
            .json(json!({"name": "paris"}))
            .expect(201)
            .await
            .json["id"],
    );
    house
        .plane
        .relays
        .lock()
        .unwrap()
        .push(relay_status(&id, "https://paris.example", true));
    let listed = house.call("GET /api/relays").admin().expect(200).await.json;
    assert_eq!(
        listed,
        json!([{"id": id, "name": "paris", "region": null, "url": "https://paris.example", "state": "online", "rooms": 2,
            "viewers": 5, "egressBytes": 1234, "rttMs": 12.5, "lastSeenAt": "2026-11-22T10:00:00.000Z", "version": "relay/0.1"}])
    );
}

#[tokio::test]
async fn a_removed_relay_is_cut_off() {
    let house = House::open().await;
    let id = text(
        &house
            .call("POST /api/relays")
            .admin()
            .json(json!({"name": "paris"}))
            .expect(201)
            .await
            .json["id"],
    );
    house
        .call("POST /api/relays")
        .admin()
        .json(json!({"name": "paris"}))
        .expect(409)
        .await;
    house
        .call(&format!("DELETE /api/relays/{id}"))
        .admin()
        .expect(204)
        .await;
    house
        .call(&format!("DELETE /api/relays/{id}"))
        .admin()
        .expect(404)
        .await;
    assert_eq!(house.plane.take_told(), [format!("cut relay {id}")]);
    assert_eq!(house.control.db().enrolled_relay(&id).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_wrong_with_a_relay_is_said_by_field() {
    let house = House::open().await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(65)}), "name"),
        (json!({"name": "paris", "region": "a\nb"}), "region"),
    ] {
        let reply = house.call("POST /api/relays").admin().json(body).expect(422).await;
        assert!(reply.json["errors"][field].is_string());
    }
}
