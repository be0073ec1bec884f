//! Media files: whole, in ranges, held until they are there, or fetched.

use std::{sync::atomic::Ordering, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, Request},
};
use common::live::window::{LiveWindow, Retention};
use reqwest::{Method, header};
use tower::ServiceExt;

use super::stage::{AUDIO, FIRST, PARTS, Stage, VIDEO, part_body};

const FOLDER: &str = "/live/cinema/00000000000000c1";

async fn get(stage: &Stage, base: &str, file: &str) -> reqwest::Response {
    reqwest::get(format!("{base}{FOLDER}/{file}?token={}", stage.token()))
        .await
        .unwrap()
}

fn length(headers: &HeaderMap) -> usize {
    headers[header::CONTENT_LENGTH].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_segment_is_its_parts_joined() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    let answer = get(&stage, &base, "v-7.m4s").await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "video/mp4");
    assert_eq!(
        answer.headers()[header::CACHE_CONTROL],
        "private, max-age=3600, immutable"
    );
    assert_eq!(answer.headers()[header::ACCEPT_RANGES], "bytes");
    let segment = answer.bytes().await.unwrap();
    let parts: Vec<u8> = (0..PARTS).flat_map(|part| part_body(VIDEO, FIRST, part)).collect();
    assert_eq!(segment, parts);

    let audio = get(&stage, &base, "a-7.1.m4s").await;
    assert_eq!(audio.headers()[header::CONTENT_TYPE], "audio/mp4");
    assert_eq!(audio.bytes().await.unwrap(), part_body(AUDIO, FIRST, 1));
    assert_eq!(
        get(&stage, &base, "v-init-0.mp4").await.text().await.unwrap(),
        "init of 0"
    );
    assert!(stage.rooms.egress.load(Ordering::Relaxed) >= segment.len() as u64);
}

#[tokio::test]
async fn what_is_neither_listed_nor_hinted_is_not_found() {
    let stage = Stage::playing(2);
    stage.part(FIRST + 2, 0);
    let base = stage.listen().await;
    for file in [
        "v-9.m4s",
        "v-9.2.m4s",
        "v-10.0.m4s",
        "v-10.m4s",
        "v-1.m4s",
        "v-init-1.mp4",
        "gap.mp4",
        "v-07.m4s",
        "x",
    ] {
        let answer = get(&stage, &base, file).await;
        assert_eq!(answer.status(), 404, "{file}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "max-age=1", "{file}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hinted_part_is_held_and_then_sent_whole() {
    let stage = Stage::playing(2);
    let uri = format!("{FOLDER}/v-9.0.m4s?token={}", stage.token());
    let request = Request::get(uri).body(Body::empty()).unwrap();
    let held = tokio::spawn(stage.router.clone().oneshot(request));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!held.is_finished());
    stage.part(FIRST + 2, 0);
    let answer = held.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let body = part_body(VIDEO, FIRST + 2, 0);
    assert_eq!(length(answer.headers()), body.len());
    assert_eq!(
        axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap(),
        body
    );
}

#[tokio::test(start_paused = true)]
async fn a_hinted_part_that_never_comes_ends_after_three_target_durations() {
    let stage = Stage::playing(2);
    let started = tokio::time::Instant::now();
    let uri = format!("{FOLDER}/v-9.0.m4s?token={}", stage.token());
    let answer = stage
        .router
        .clone()
        .oneshot(Request::get(uri).body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(started.elapsed(), Duration::from_secs(6));
}

#[tokio::test]
async fn ranges_and_heads_are_answered() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    let url = format!("{base}{FOLDER}/v-7.m4s?token={}", stage.token());
    let client = reqwest::Client::new();
    let whole = client.get(&url).send().await.unwrap().bytes().await.unwrap();
    let ranged = async |range: &str| client.get(&url).header(header::RANGE, range).send().await.unwrap();

    // Over the border between two parts.
    let border = part_body(VIDEO, FIRST, 0).len();
    let (first, last) = (border - 5, border + 5);
    let answer = ranged(&format!("bytes={first}-{last}")).await;
    assert_eq!(answer.status(), 206);
    let content_range = format!("bytes {first}-{last}/{}", whole.len());
    assert_eq!(answer.headers()[header::CONTENT_RANGE], content_range.as_str());
    assert_eq!(answer.bytes().await.unwrap(), whole[first..=last]);

    let answer = ranged("bytes=1000000-").await;
    assert_eq!(answer.status(), 416);
    assert_eq!(
        answer.headers()[header::CONTENT_RANGE],
        format!("bytes */{}", whole.len()).as_str()
    );

    let head = client.request(Method::HEAD, &url).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(length(head.headers()), whole.len());
    assert_eq!(head.headers()[header::CONTENT_TYPE], "video/mp4");
    assert_eq!(head.bytes().await.unwrap(), "");
}

/// As a relay that joined late has it: it knows of all parts, and has the body of none.
fn playing_without_bodies() -> Stage {
    let (joined, playing) = (Stage::new(), Stage::playing(2));
    let (description, records) = playing.live.read(|windows| {
        let window = windows.current().unwrap();
        (window.description().clone(), window.records())
    });
    let now = node::clock::monotonic();
    let window = LiveWindow::from_records(description, records, Retention::relay(), now).unwrap();
    joined.live.put(window);
    joined
}

#[tokio::test]
async fn media_that_is_not_here_is_fetched() {
    let stage = playing_without_bodies();
    let base = stage.listen().await;
    for (file, msn, part) in [("v-7.m4s", 7, None), ("a-8.1.m4s", 8, Some(1))] {
        let answer = get(&stage, &base, file).await;
        assert_eq!(answer.status(), 200, "{file}");
        assert_eq!(answer.headers()[header::CONTENT_LENGTH], "13");
        assert_eq!(answer.text().await.unwrap(), "from upstream");
        let asked = stage.rooms.fetches.lock().unwrap().pop().unwrap();
        assert_eq!((asked.msn.0, asked.part), (msn, part));
    }
    stage.rooms.link_is_up.store(false, Ordering::Relaxed);
    assert_eq!(get(&stage, &base, "v-7.m4s").await.status(), 503);
}
