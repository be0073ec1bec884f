//! Pictures of emotes, from the origin once and from the relay after that.

use std::sync::atomic::Ordering;

use reqwest::header;

use super::stage::Stage;

const PICTURE: &str = "0123456789abcdef0123456789abcdef.gif";
const MISSING: &str = "f123456789abcdef0123456789abcdef.png";

#[tokio::test]
async fn a_picture_is_asked_for_once_and_may_be_kept_for_ever() {
    let stage = Stage::new();
    let base = stage.listen().await;
    let url = format!("{base}/emotes/cinema/{PICTURE}?token={}", stage.token());
    for _ in 0..2 {
        let answer = reqwest::get(&url).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "image/gif");
        assert_eq!(
            answer.headers()[header::CACHE_CONTROL],
            "private, max-age=31536000, immutable"
        );
        assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(
            answer.headers()[header::CONTENT_SECURITY_POLICY],
            "default-src 'none'; sandbox"
        );
        assert_eq!(answer.text().await.unwrap(), "picture");
        // The second is answered without the origin.
        stage.rooms.link_is_up.store(false, Ordering::Relaxed);
    }
    let call = stage.rooms.calls.lock().unwrap().pop().unwrap();
    assert_eq!(call.path, format!("/api/rooms/cinema/emotes/files/{PICTURE}"));
    assert!(stage.rooms.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_picture_of_the_room_is_not_served() {
    let stage = Stage::new();
    let base = stage.listen().await;
    let status = async |path: &str, token: &str| {
        let url = format!("{base}/emotes/{path}?token={token}");
        reqwest::get(url).await.unwrap().status().as_u16()
    };
    let token = stage.token();
    assert_eq!(status(&format!("cinema/{PICTURE}"), "x").await, 401);
    assert_eq!(status(&format!("dark/{PICTURE}"), &token).await, 403);
    assert_eq!(status(&format!("nowhere/{PICTURE}"), &token).await, 404);
    for file in [
        "x.png",
        "0123456789ABCDEF0123456789abcdef.gif",
        "0123456789abcdef0123456789abcdef.svg",
    ] {
        assert_eq!(status(&format!("cinema/{file}"), &token).await, 404, "{file}");
    }
    assert!(stage.rooms.calls.lock().unwrap().is_empty());
    for _ in 0..2 {
        assert_eq!(status(&format!("cinema/{MISSING}"), &token).await, 404);
    }
    assert_eq!(
        stage.rooms.calls.lock().unwrap().len(),
        1,
        "that it is missing is remembered"
    );
}
