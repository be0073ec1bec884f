//! Playlists: what is held, for how long, and that all viewers share one text.

use std::{collections::HashSet, io::Read, time::Duration};

use axum::{
    body::Body,
    http::{Request, StatusCode},
    response::Response,
};
use common::live::LiveEvent;
use reqwest::header;
use tower::ServiceExt;

use super::stage::{AUDIO, FIRST, Stage, VIDEO};

const VIDEO_PLAYLIST: &str = "/live/cinema/00000000000000c1/video.m3u8";

struct Player {
    url: String,
    client: reqwest::Client,
}

impl Player {
    async fn of(stage: &Stage) -> Self {
        let base = stage.listen().await;
        Self {
            url: format!("{base}{VIDEO_PLAYLIST}?token={}", stage.token()),
            client: reqwest::Client::new(),
        }
    }

    async fn get(&self, directives: &str) -> reqwest::Response {
        self.client
            .get(format!("{}{directives}", self.url))
            .send()
            .await
            .unwrap()
    }
}

fn request(stage: &Stage, query: &str) -> Request<Body> {
    let uri = format!("{VIDEO_PLAYLIST}?token={}{query}", stage.token());
    Request::get(uri).body(Body::empty()).unwrap()
}

async fn text(answer: Response) -> String {
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn the_multivariant_playlist_leads_to_the_media_playlists() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    let answer = reqwest::get(format!("{base}/live/cinema/index.m3u8?token={}", stage.token()))
        .await
        .unwrap();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/vnd.apple.mpegurl");
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, max-age=5");
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("00000000000000c1/video.m3u8") && text.contains("00000000000000c1/audio.m3u8"),
        "{text}"
    );
    assert!(!text.contains("token"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_blocking_reload_is_answered_by_the_next_part() {
    let stage = Stage::playing(2);
    let plain = stage.router.clone().oneshot(request(&stage, "")).await.unwrap();
    assert_eq!(plain.headers()[header::CACHE_CONTROL], "private, no-cache");

    let held = tokio::spawn(stage.router.clone().oneshot(request(&stage, "&_HLS_msn=9&_HLS_part=0")));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!held.is_finished());
    stage.part_of(AUDIO, FIRST + 2, 0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!held.is_finished(), "the other rendition's part is no answer");
    stage.part_of(VIDEO, FIRST + 2, 0);
    let answer = held.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, max-age=12");
    let text = text(answer).await;
    assert!(text.contains(r#"URI="v-9.0.m4s",INDEPENDENT=YES"#), "{text}");
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_for_one_part_share_one_rendering() {
    let stage = Stage::playing(2);
    let waiting: Vec<_> = (0..50)
        .map(|_| tokio::spawn(stage.router.clone().oneshot(request(&stage, "&_HLS_msn=9&_HLS_part=0"))))
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.part(FIRST + 2, 0);
    let mut texts = HashSet::new();
    for answer in waiting {
        texts.insert(text(answer.await.unwrap().unwrap()).await);
    }
    assert_eq!(texts.len(), 1);
}

#[tokio::test]
async fn directives_that_make_no_sense_are_refused_at_once() {
    let stage = Stage::playing(2);
    let player = Player::of(&stage).await;
    for directives in [
        "&_HLS_part=0",
        "&_HLS_msn=a",
        "&_HLS_msn=-1",
        "&_HLS_msn=9&_HLS_msn=9",
        "&_HLS_msn=99999999999999999999999",
        "&_HLS_msn=1000",
        "&_HLS_msn=9&_HLS_part=500",
    ] {
        let answer = player.get(directives).await;
        assert_eq!(answer.status(), 400, "{directives}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    }
    assert_eq!(player.get("&_HLS_unknown=1").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_nothing_answers_ends_after_three_target_durations() {
    let stage = Stage::playing(2);
    let started = tokio::time::Instant::now();
    let answer = stage
        .router
        .clone()
        .oneshot(request(&stage, "&_HLS_msn=9&_HLS_part=0"))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(started.elapsed().as_secs(), 6);

    // The same playlist without directives: unchanged, at once.
    let answer = stage.router.clone().oneshot(request(&stage, "")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(started.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_playlist_is_held_until_a_player_can_start_with_it() {
    let stage = Stage::new();
    stage.start();
    let early = tokio::spawn(stage.router.clone().oneshot(request(&stage, "")));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!early.is_finished());
    stage.segment(FIRST);
    stage.segment(FIRST + 1);
    assert_eq!(early.await.unwrap().unwrap().status(), StatusCode::OK);

    let never = Stage::new();
    never.start();
    let answer = never.router.clone().oneshot(request(&never, "")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
}

#[tokio::test(start_paused = true)]
async fn a_stopping_relay_lets_held_requests_go() {
    let stage = Stage::playing(2);
    let held = tokio::spawn(stage.router.clone().oneshot(request(&stage, "&_HLS_msn=9&_HLS_part=0")));
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.shutdown.trigger();
    assert_eq!(held.await.unwrap().unwrap().status(), 503);
}

#[tokio::test]
async fn after_the_end_directives_are_void() {
    let stage = Stage::playing(2);
    let player = Player::of(&stage).await;
    stage.apply(LiveEvent::End);
    let answer = player.get("&_HLS_msn=9&_HLS_part=0").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains("#EXT-X-ENDLIST"));
}

#[tokio::test]
async fn all_viewers_get_the_same_bytes() {
    let stage = Stage::playing(3);
    let base = stage.listen().await;
    let other = stage.sign(&common::auth::ViewerClaims {
        viewer_id: "viewer-2".into(),
        ..super::stage::claims()
    });
    for file in ["index.m3u8", "00000000000000c1/video.m3u8", "00000000000000c1/v-8.m4s"] {
        let by = async |token: &str| {
            let answer = reqwest::get(format!("{base}/live/cinema/{file}?token={token}"))
                .await
                .unwrap();
            (answer.headers()[header::ETAG].clone(), answer.bytes().await.unwrap())
        };
        assert_eq!(by(&stage.token()).await, by(&other).await, "{file}");
        let by_path = reqwest::get(format!("{base}/t/{other}/live/cinema/{file}"))
            .await
            .unwrap();
        assert_eq!(by_path.bytes().await.unwrap(), by(&other).await.1, "{file}");
    }
}

#[tokio::test]
async fn gzip_holds_the_same_text() {
    let stage = Stage::playing(3);
    let player = Player::of(&stage).await;
    let plain = player.get("").await;
    assert_eq!(plain.headers()[header::VARY], "accept-encoding");
    assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
    let plain = plain.bytes().await.unwrap();

    let packed = player
        .client
        .get(&player.url)
        .header(header::ACCEPT_ENCODING, "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
    let length: usize = packed.headers()[header::CONTENT_LENGTH]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let packed = packed.bytes().await.unwrap();
    assert_eq!(packed.len(), length);
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_end(&mut text)
        .unwrap();
    assert_eq!(text, plain);
}

#[tokio::test]
async fn a_playlist_that_did_not_change_is_not_sent_again() {
    let stage = Stage::playing(2);
    let player = Player::of(&stage).await;
    let etag = player.get("").await.headers()[header::ETAG].clone();
    let again = async || {
        let request = player
            .client
            .get(&player.url)
            .header(header::IF_NONE_MATCH, etag.clone());
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(again().await, 304);
    stage.part_of(VIDEO, FIRST + 2, 0);
    assert_eq!(again().await, 200);
}

#[tokio::test]
async fn an_unknown_epoch_or_track_is_not_found() {
    let stage = Stage::playing(2);
    let base = stage.listen().await;
    for path in [
        "00000000000000ff/video.m3u8",
        "c1/video.m3u8",
        "00000000000000c1/subtitles.m3u8",
    ] {
        let answer = reqwest::get(format!("{base}/live/cinema/{path}?token={}", stage.token()))
            .await
            .unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "max-age=1");
    }
}
