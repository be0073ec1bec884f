use serde_json::json;

use super::harness::{ADMIN_TOKEN, House};

const COOKIE: &str = "streamcircle_session";

async fn link_token(house: &House) -> String {
    let link = house.control.make_sign_in_link(house.now()).await.unwrap();
    link.split_once("#token=").unwrap().1.to_owned()
}

async fn session(house: &House) -> String {
    let body = json!({"token": link_token(house).await});
    house
        .call("POST /api/session")
        .json(body)
        .expect(200)
        .await
        .set_cookie()
        .0
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let house = House::open().await;
    let body = json!({"token": link_token(&house).await});
    let reply = house.call("POST /api/session").json(body.clone()).expect(200).await;
    let (value, header) = reply.set_cookie();
    assert_eq!(
        header,
        format!("{COOKIE}={value}; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax")
    );
    assert_eq!(reply.json, json!({"expiresAt": "2026-11-29T10:00:00.000Z"}));
    house.call("POST /api/session").json(body).expect(401).await;

    let rooms = house.call("GET /api/rooms").cookie(COOKIE, &value).expect(200).await;
    assert!(rooms.json[0]["streamKey"].is_string());
    house.call("GET /api/session").cookie(COOKIE, &value).expect(200).await;
}

#[tokio::test]
async fn a_link_is_good_for_a_quarter_of_an_hour() {
    let house = House::open().await;
    let token = link_token(&house).await;
    house.wait(15 * 60);
    house
        .call("POST /api/session")
        .json(json!({"token": token}))
        .expect(401)
        .await;
}

#[tokio::test]
async fn the_admin_token_signs_in_as_often_as_it_is_typed() {
    let house = House::open().await;
    for _ in 0..20 {
        let body = json!({"token": format!(" {ADMIN_TOKEN}\n")});
        house.call("POST /api/session").json(body).expect(200).await;
    }
    house.call("GET /api/session").admin().expect(200).await;
}

#[tokio::test]
async fn guessing_is_slowed_down_for_the_one_who_guesses() {
    let house = House::open().await;
    let guess = || house.call("POST /api/session").json(json!({"token": "guess"}));
    for _ in 0..10 {
        guess().expect(401).await;
    }
    let reply = guess().expect(429).await;
    assert!(reply.headers.contains_key("retry-after"));
    house
        .call("POST /api/session")
        .json(json!({"token": ADMIN_TOKEN}))
        .expect(429)
        .await;
    guess().from("198.51.100.1:1").expect(401).await;
    house.call("POST /api/session").json(json!({})).expect(422).await;
    house
        .call("POST /api/session")
        .raw("application/json", "{")
        .expect(400)
        .await;
}

#[tokio::test]
async fn a_session_ends_by_sign_out_and_after_a_week() {
    let house = House::open().await;
    let (first, second) = (session(&house).await, session(&house).await);
    let reply = house
        .call("DELETE /api/session")
        .cookie(COOKIE, &first)
        .expect(204)
        .await;
    assert!(reply.set_cookie().1.contains("Max-Age=0"));
    house.call("GET /api/session").cookie(COOKIE, &first).expect(401).await;
    house.call("GET /api/session").cookie(COOKIE, &second).expect(200).await;
    house.wait(7 * 24 * 3600);
    house.call("GET /api/session").cookie(COOKIE, &second).expect(401).await;
    house.call("GET /api/rooms").cookie(COOKIE, &second).expect(200).await;
}

#[tokio::test]
async fn a_session_serves_the_dashboards_own_pages_alone() {
    let house = House::open().await;
    let session = session(&house).await;
    let call = |line: &str| {
        house
            .call(line)
            .cookie(COOKIE, &session)
            .header("host", "house.example:4000")
    };
    let room = json!({"name": "Made"});
    let post = || call("POST /api/rooms").json(room.clone());
    post().expect(201).await;
    post().header("sec-fetch-site", "same-origin").expect(201).await;
    post().header("origin", "http://house.example:4000").expect(201).await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://watch.example"),
        ("origin", "http://house.example:8080"),
        ("origin", "null"),
    ] {
        post().header(name, value).expect(403).await;
        let read = call("GET /api/rooms").header(name, value).expect(200).await;
        assert!(!read.text.contains("sk_"), "{name}: {value}");
    }
    // The admin token in a header is no cookie: no other page has it.
    let by_token = house
        .call("POST /api/rooms")
        .admin()
        .json(room.clone())
        .header("sec-fetch-site", "cross-site");
    by_token.expect(201).await;
}
