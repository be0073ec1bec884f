//! Who gets in, the same for every kind of resource; and CORS on whatever is answered.

use std::sync::atomic::Ordering;

use common::{
    id::RoomSlug,
    time::UnixMillis,
    wire::control::{Revocation, RevokedSubject},
};
use reqwest::{Method, header};

use super::stage::{NOW, Stage, claims, signer};

/// One of each kind, under `/live/{slug}/`.
const RESOURCES: [&str; 5] = [
    "index.m3u8",
    "00000000000000c1/video.m3u8",
    "00000000000000c1/v-init-0.mp4",
    "00000000000000c1/v-7.m4s",
    "00000000000000c1/a-7.0.m4s",
];

async fn status(url: String) -> u16 {
    reqwest::get(url).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn each_resource_is_guarded_in_the_same_way() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    let other_room = stage.sign(&common::auth::ViewerClaims {
        room: "dark".parse().unwrap(),
        ..claims()
    });
    let other_relay = stage.sign(&common::auth::ViewerClaims {
        relays: Some(vec!["relay-2".into()]),
        ..claims()
    });
    let expired = stage.sign(&common::auth::ViewerClaims {
        expires_at: UnixMillis(NOW.0 - 2_000),
        ..claims()
    });
    let forged = signer(2).sign_viewer(&claims());
    for resource in RESOURCES {
        let at = |room: &str, token: &str| status(format!("{base}/live/{room}/{resource}?token={token}"));
        assert_eq!(at("cinema", &stage.token()).await, 200, "{resource}");
        assert_eq!(
            status(format!("{base}/live/cinema/{resource}")).await,
            401,
            "{resource}: no token"
        );
        for bad in ["", "garbage", "a.b.c", &expired, &forged] {
            assert_eq!(at("cinema", bad).await, 401, "{resource}: {bad}");
        }
        assert_eq!(at("cinema", &other_room).await, 403, "{resource}: another room's token");
        assert_eq!(
            at("cinema", &other_relay).await,
            403,
            "{resource}: another relay's token"
        );
        assert_eq!(at("nowhere", &stage.token()).await, 404, "{resource}: no such room");
        assert_eq!(at("UPPER", &stage.token()).await, 404, "{resource}: no slug");
    }
}

#[tokio::test]
async fn a_revocation_is_in_force_with_the_next_request() {
    for subject in [
        RevokedSubject::Invite("invite-1".into()),
        RevokedSubject::Viewer("viewer-1".into()),
        RevokedSubject::Room("cinema".parse::<RoomSlug>().unwrap()),
    ] {
        let stage = Stage::playing(2);
        let base = stage.listen().await;
        let url = |resource: &str| format!("{base}/live/cinema/{resource}?token={}", stage.token());
        assert_eq!(status(url("index.m3u8")).await, 200);
        let until = UnixMillis(NOW.0 + 600_000);
        stage
            .rooms
            .revocations
            .send_replace(vec![Revocation { subject, until }].into());
        for resource in RESOURCES {
            assert_eq!(status(url(resource)).await, 403, "{resource}");
        }
    }
}

#[tokio::test]
async fn a_remembered_token_ends_all_the_same_and_with_its_key() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    let url = format!("{base}/live/cinema/index.m3u8?token={}", stage.token());
    assert_eq!(status(url.clone()).await, 200);
    stage.rooms.now.fetch_add(601_000, Ordering::Relaxed);
    assert_eq!(status(url.clone()).await, 401);
    stage.rooms.now.store(NOW.0, Ordering::Relaxed);
    assert_eq!(status(url.clone()).await, 200);

    let other_keys = common::auth::keys::jwk_set([&signer(2)]);
    stage.rooms.keys.send_replace(other_keys.into());
    assert_eq!(status(url).await, 401);
}

#[tokio::test]
async fn the_first_place_with_a_token_decides() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    let good = stage.token();
    let client = reqwest::Client::new();
    let ask = async |path: String, bearer: Option<&str>, cookie: Option<&str>| {
        let mut request = client.get(format!("{base}{path}"));
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        if let Some(token) = cookie {
            request = request.header(header::COOKIE, format!("sc_cinema={token}"));
        }
        request.send().await.unwrap().status().as_u16()
    };
    let plain = "/live/cinema/index.m3u8".to_owned();
    assert_eq!(ask(plain.clone(), Some(&good), None).await, 200);
    assert_eq!(ask(plain.clone(), None, Some(&good)).await, 200);
    assert_eq!(ask(format!("/t/{good}{plain}"), None, None).await, 200);
    assert_eq!(
        ask(format!("{plain}?token={good}"), Some("bad"), Some(&good)).await,
        401
    );
    assert_eq!(ask(format!("/t/{good}{plain}?token=bad"), None, Some(&good)).await, 401);
    assert_eq!(ask(format!("/t/bad{plain}"), None, Some(&good)).await, 401);
    assert_eq!(ask(format!("/t/bad{plain}?token={good}"), None, None).await, 200);
}

#[tokio::test]
async fn a_player_that_keeps_cookies_follows_relative_uris() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    let player = reqwest::Client::builder().cookie_store(true).build().unwrap();
    let first = player
        .get(format!("{base}/live/cinema/index.m3u8?token={}", stage.token()))
        .send()
        .await
        .unwrap();
    let cookie = first.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("sc_cinema="), "{cookie}");
    for attribute in ["; Path=/;", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "over plain HTTP a browser would drop it");
    let next = player
        .get(format!("{base}/live/cinema/{}", RESOURCES[1]))
        .send()
        .await
        .unwrap();
    assert_eq!(next.status(), 200);

    let bearer = reqwest::Client::new()
        .get(format!("{base}/live/cinema/index.m3u8"))
        .bearer_auth(stage.token());
    assert!(!bearer.send().await.unwrap().headers().contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn any_site_may_read_any_answer() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    let client = reqwest::Client::new();
    let token = stage.token();
    for (method, path, status) in [
        (Method::GET, format!("/live/cinema/index.m3u8?token={token}"), 200),
        (Method::GET, "/live/cinema/index.m3u8".into(), 401),
        (Method::GET, "/live/nowhere/index.m3u8".into(), 404),
        (
            Method::GET,
            format!("/live/cinema/00000000000000c1/v-99.m4s?token={token}"),
            404,
        ),
        (
            Method::GET,
            format!("/live/cinema/00000000000000c1/video.m3u8?_HLS_part=1&token={token}"),
            400,
        ),
        (Method::GET, "/live".into(), 404),
        (Method::GET, "/live/".into(), 404),
        (Method::POST, "/live/cinema/index.m3u8".into(), 405),
        (Method::OPTIONS, "/live/cinema/index.m3u8".into(), 204),
        (Method::OPTIONS, format!("/t/{token}/live/cinema/index.m3u8"), 204),
    ] {
        let request = client
            .request(method.clone(), format!("{base}{path}"))
            .header(header::ORIGIN, "https://a.b");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        let headers = answer.headers();
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{method} {path}");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        assert_eq!(headers["timing-allow-origin"], "*");
        assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
        if method == Method::OPTIONS {
            assert_eq!(headers[header::ACCESS_CONTROL_MAX_AGE], "7200");
        }
    }
}

#[tokio::test]
async fn an_error_never_repeats_the_token() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    for path in [
        "/t/geheim/live/cinema/index.m3u8",
        "/live/cinema/index.m3u8?token=geheim",
    ] {
        let answer = reqwest::get(format!("{base}{path}")).await.unwrap();
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert!(!answer.text().await.unwrap().contains("geheim"));
    }
}

#[tokio::test]
async fn the_upstream_learns_who_watches() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    status(format!("{base}/live/cinema/index.m3u8")).await;
    assert!(stage.rooms.seen.lock().unwrap().is_empty());
    status(format!("{base}/live/cinema/index.m3u8?token={}", stage.token())).await;
    let seen = stage.rooms.seen.lock().unwrap();
    assert_eq!(
        (seen[0].viewer_id.as_str(), seen[0].invite_id.as_deref()),
        ("viewer-1", Some("invite-1"))
    );
}

#[tokio::test]
async fn an_offline_room_says_when_to_ask_again() {
    let stage = Stage::new();
    let base = stage.listen().await;
    let token = stage.sign(&common::auth::ViewerClaims {
        room: "dark".parse().unwrap(),
        ..claims()
    });
    for playlist in ["index.m3u8", "00000000000000c1/video.m3u8"] {
        let answer = reqwest::get(format!("{base}/live/dark/{playlist}?token={token}"))
            .await
            .unwrap();
        assert_eq!(answer.status(), 404);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
    }
}
