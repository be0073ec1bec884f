//! The API calls of viewers' pages, as they go up and come back.

use std::sync::atomic::Ordering;

use reqwest::{Method, header};

use super::stage::Stage;

const OURS: &str = "https://watch.example.org";

#[tokio::test]
async fn a_call_goes_up_with_what_the_origin_may_see_and_comes_back_as_it_is() {
    let stage = Stage::new();
    let base = stage.listen().await;
    let answer = reqwest::Client::new()
        .post(format!("{base}/api/rooms/cinema/join?x=1"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::COOKIE, "foreign=1; sc_cinema=t")
        .header("x-admin-token", "geheim")
        .body(r#"{"nickname":"Zoë"}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 409);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.text().await.unwrap(), r#"{"status":409}"#);

    let call = stage.rooms.calls.lock().unwrap().pop().unwrap();
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("POST", "/api/rooms/cinema/join?x=1")
    );
    assert_eq!(call.peer, "127.0.0.1");
    assert_eq!(call.body, r#"{"nickname":"Zoë"}"#);
    let mut headers = call.headers;
    headers.sort();
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        headers,
        [text("content-type", "application/json"), text("cookie", "sc_cinema=t")]
    );
}

#[tokio::test]
async fn only_the_calls_of_viewers_are_carried() {
    let stage = Stage::new();
    let base = stage.listen().await;
    let client = reqwest::Client::new();
    for (method, path, status) in [
        (Method::GET, "/api/rooms", 409),
        (Method::GET, "/api/rooms/cinema", 409),
        (Method::GET, "/api/rooms/cinema/messages?limit=5", 409),
        (Method::PATCH, "/api/rooms/cinema", 409),
        (Method::GET, "/api/rooms/cinema/messages/export", 409),
        (Method::POST, "/api/rooms/cinema/emotes?name=cat", 409),
        (Method::DELETE, "/api/rooms/cinema/emotes/cat", 409),
        (Method::GET, "/api/rooms/cinema/emotes/files/x.png", 404),
        (Method::GET, "/api/rooms/cinema/audit", 409),
        (Method::GET, "/api/rooms/cinema/bans", 409),
        (Method::DELETE, "/api/rooms/cinema/bans/v1", 409),
        (Method::POST, "/api/rooms/cinema/invites", 409),
        (Method::DELETE, "/api/invites/i1", 409),
        (Method::DELETE, "/api/rooms/cinema", 405),
        (Method::POST, "/api/rooms/cinema/rotate", 404),
        (Method::GET, "/api/relays", 404),
    ] {
        let answer = client
            .request(method.clone(), format!("{base}{path}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
    }
    assert_eq!(stage.rooms.calls.lock().unwrap().len(), 12);
}

#[tokio::test]
async fn without_the_origin_and_above_the_cap_a_call_is_refused() {
    let stage = Stage::new();
    let base = stage.listen().await;
    let join = || reqwest::Client::new().post(format!("{base}/api/rooms/cinema/join"));
    assert_eq!(
        join().body(vec![b' '; 64 * 1024 + 1]).send().await.unwrap().status(),
        413
    );
    let picture = |len| {
        let request = reqwest::Client::new().post(format!("{base}/api/rooms/cinema/emotes?name=cat"));
        request.body(vec![0; len]).send()
    };
    assert_eq!(picture(512 * 1024).await.unwrap().status(), 409);
    assert_eq!(picture(512 * 1024 + 1).await.unwrap().status(), 413);
    stage.rooms.link_is_up.store(false, Ordering::Relaxed);
    let answer = join().body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
}

#[tokio::test]
async fn only_our_own_sites_may_read_answers_with_credentials() {
    let stage = Stage::new();
    let base = stage.listen().await;
    let client = reqwest::Client::new();
    let url = format!("{base}/api/rooms/cinema/join");
    for method in [Method::OPTIONS, Method::POST] {
        let from = async |site: &str| {
            let request = client.request(method.clone(), &url).header(header::ORIGIN, site);
            request.send().await.unwrap().headers().clone()
        };
        let ours = from(OURS).await;
        assert_eq!(ours[header::ACCESS_CONTROL_ALLOW_ORIGIN], OURS);
        assert_eq!(ours[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert_eq!(ours[header::VARY], "origin");
        for foreign in ["https://evil.example", "https://watch.example.org.evil.example", "null"] {
            let headers = from(foreign).await;
            assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{foreign}");
            assert_eq!(headers[header::VARY], "origin");
        }
    }
}

#[tokio::test]
async fn time_is_the_origins() {
    let stage = Stage::new();
    let base = stage.listen().await;
    let answer = reqwest::get(format!("{base}/api/time")).await.unwrap();
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.text().await.unwrap(), r#"{"now":"2026-11-22T10:00:00.000Z"}"#);
    assert_eq!(reqwest::get(format!("{base}/healthz")).await.unwrap().status(), 200);
    let page = reqwest::get(format!("{base}/r/cinema")).await.unwrap();
    assert!(page.headers().contains_key(header::CONTENT_SECURITY_POLICY));
}
