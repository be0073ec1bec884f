//! Rungs: their playlists in the source's folder, their media in their own, and waiting while nothing makes them.

use std::{sync::atomic::Ordering, time::Duration};

use axum::{
    body::Body,
    http::{Request, StatusCode},
    response::Response,
};
use common::{
    id::{Epoch, RenditionId},
    live::{
        LiveEvent,
        window::{LiveWindow, Retention},
    },
};
use reqwest::header;
use tower::ServiceExt;

use super::stage::{FIRST, PARTS, RUNG_EPOCH, Stage, rung, rung_body};

const PLAYLIST: &str = "00000000000000c1/480p.m3u8";
/// Number of the segment that the source is about to begin.
const NEXT: u64 = FIRST + 2;

async fn get(stage: &Stage, file: &str) -> Response {
    let (path, query) = file.split_once('?').unwrap_or((file, ""));
    let uri = format!("/live/cinema/{path}?token={}&{query}", stage.token());
    let request = Request::get(uri).body(Body::empty()).unwrap();
    stage.router.clone().oneshot(request).await.unwrap()
}

async fn text(answer: Response) -> String {
    assert_eq!(answer.status(), 200);
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// Two segments of the source, and of the rung.
fn playing() -> Stage {
    let stage = Stage::playing(2);
    stage.start_rung(RUNG_EPOCH, FIRST);
    for msn in FIRST..NEXT {
        (0..PARTS).for_each(|part| stage.rung_part(msn, part));
    }
    stage
}

/// Runs until nothing goes on without the clock, which is paused.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_cold_rung_waits_for_its_first_part() {
    let stage = Stage::playing(2);
    let (answer, ()) = tokio::join!(get(&stage, PLAYLIST), async {
        settle().await;
        assert_eq!(stage.rooms.rungs_watched.load(Ordering::Relaxed), 1);
        stage.start_rung(RUNG_EPOCH, NEXT);
        tokio::time::sleep(Duration::from_secs(1)).await;
        stage.rung_part(NEXT, 0);
    });
    let text = text(answer).await;
    for line in [
        "#EXT-X-MEDIA-SEQUENCE:2",
        r#"#EXT-X-MAP:URI="../00000000000000d1/v-init-0.mp4""#,
        r#"#EXT-X-PART:DURATION=0.50000,URI="../00000000000000d1/v-9.0.m4s",INDEPENDENT=YES"#,
        r#"#EXT-X-PRELOAD-HINT:TYPE=PART,URI="../00000000000000d1/v-9.1.m4s""#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert!(!text.contains("RENDITION-REPORT"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_rung_that_does_not_come_is_503_after_three_target_durations() {
    let stage = Stage::playing(2);
    let started = tokio::time::Instant::now();
    let answer = get(&stage, PLAYLIST).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(started.elapsed(), Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn a_rung_that_is_not_offered_or_was_given_up_is_not_found() {
    let stage = Stage::playing(2);
    let started = tokio::time::Instant::now();
    let missing = ["00000000000000c1/720p.m3u8", "00000000000000d1/480p.m3u8"];
    for file in missing {
        assert_eq!(get(&stage, file).await.status(), StatusCode::NOT_FOUND, "{file}");
    }
    assert_eq!(stage.rooms.rungs_watched.load(Ordering::Relaxed), 0);
    let (answer, ()) = tokio::join!(get(&stage, PLAYLIST), async {
        settle().await;
        stage.rooms.mirrors.set_offline(&rung(), true);
    });
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn what_was_said_of_a_rung_before_an_epoch_began_turns_nobody_away() {
    let stage = Stage::playing(2);
    drop(stage.rooms.mirrors.open(&rung()));
    stage.rooms.mirrors.set_offline(&rung(), true);
    let (answer, ()) = tokio::join!(get(&stage, PLAYLIST), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stage.rooms.mirrors.set_offline(&rung(), false);
        tokio::time::sleep(Duration::from_secs(2)).await;
        stage.start_rung(RUNG_EPOCH, NEXT);
        stage.rung_part(NEXT, 0);
    });
    assert_eq!(answer.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_cold_rung_hears_of_the_streams_end_at_once() {
    let stage = Stage::playing(2);
    let started = tokio::time::Instant::now();
    let (answer, ()) = tokio::join!(get(&stage, PLAYLIST), async {
        settle().await;
        stage.apply(LiveEvent::End);
    });
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_rung_is_waited_for_though_its_mirror_is_let_go_meanwhile() {
    let stage = Stage::playing(2);
    let (answer, ()) = tokio::join!(get(&stage, PLAYLIST), async {
        settle().await;
        stage.rooms.mirrors.forget(&rung());
        settle().await;
        stage.start_rung(RUNG_EPOCH, NEXT);
        stage.rung_part(NEXT, 0);
    });
    assert_eq!(answer.status(), 200);
    assert_eq!(stage.rooms.rungs_watched.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rungs_end_is_not_the_streams_end() {
    let stage = playing();
    stage.rung_event(LiveEvent::End);
    let (answer, ()) = tokio::join!(get(&stage, PLAYLIST), async {
        settle().await;
        stage.start_rung(Epoch(0xd2), NEXT);
        stage.rung_part(NEXT, 0);
    });
    let begun_anew = text(answer).await;
    assert!(begun_anew.contains("../00000000000000d2/v-9.0.m4s") && !begun_anew.contains("ENDLIST"));
    stage.rung_event(LiveEvent::SegmentEnd {
        rendition: RenditionId(0),
        msn: common::id::Msn(NEXT),
    });
    stage.rung_event(LiveEvent::End);
    stage.apply(LiveEvent::End);
    assert!(text(get(&stage, PLAYLIST).await).await.contains("#EXT-X-ENDLIST"));
}

#[tokio::test(start_paused = true)]
async fn a_blocking_reload_of_a_rung_is_answered_by_its_next_part() {
    let stage = playing();
    stage.part(NEXT, 0);
    let reload = format!("{PLAYLIST}?_HLS_msn=9&_HLS_part=0");
    let (answer, ()) = tokio::join!(get(&stage, &reload), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stage.rung_part(NEXT, 0);
    });
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, max-age=12");
    assert!(text(answer).await.contains("v-9.0.m4s"));
    let far = get(&stage, &format!("{PLAYLIST}?_HLS_msn=99")).await;
    assert_eq!(far.status(), StatusCode::BAD_REQUEST);
    let answer = get(&stage, &format!("{PLAYLIST}?_HLS_msn=9&_HLS_part=1")).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_rungs_media_is_in_a_folder_of_its_own_and_fetched_as_the_rungs() {
    let stage = playing();
    assert_eq!(
        text(get(&stage, "00000000000000d1/v-init-0.mp4").await).await,
        "init of the rung"
    );
    let part = text(get(&stage, "00000000000000d1/v-7.1.m4s").await).await;
    assert_eq!(part.as_bytes(), rung_body(FIRST, 1));
    // The names of the source's are the same but for the folder.
    assert_ne!(text(get(&stage, "00000000000000c1/v-7.1.m4s").await).await, part);

    let joined = Stage::playing(2);
    let (description, records) = stage.rooms.mirrors.open(&rung()).live.read(|windows| {
        let window = windows.current().unwrap();
        (window.description().clone(), window.records())
    });
    let now = node::clock::monotonic();
    let window = LiveWindow::from_records(description, records, Retention::relay(), now).unwrap();
    joined.rooms.mirrors.put(&rung(), window);
    assert_eq!(
        text(get(&joined, "00000000000000d1/v-7.m4s").await).await,
        "from upstream"
    );
    let asked = joined.rooms.fetches.lock().unwrap().pop().unwrap();
    assert_eq!((asked.channel, asked.epoch), (rung(), RUNG_EPOCH));
}

#[tokio::test]
async fn the_ladder_and_the_sound_alone_are_listed() {
    let stage = Stage::playing(2);
    let whole = text(get(&stage, "index.m3u8").await).await;
    assert!(whole.contains(&format!("\n{PLAYLIST}\n")), "{whole}");
    let answer = get(&stage, "audio.m3u8").await;
    assert!(answer.headers().contains_key(header::SET_COOKIE));
    let sound = text(answer).await;
    assert!(
        sound.contains("\n00000000000000c1/audio.m3u8\n") && !sound.contains("video"),
        "{sound}"
    );
}
