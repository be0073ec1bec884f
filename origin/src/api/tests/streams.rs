use std::io::Cursor;

use image::{ImageFormat, RgbImage, load_from_memory};
use serde_json::{Value, json};

use super::harness::House;
use crate::slate::picture::MAX_UPLOAD_LEN;

fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(64, 36).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn a_host_sets_what_is_made_of_the_stream() {
    let house = House::open().await;
    let host = house.viewer_token("host").await;
    let before = house.call("GET /api/rooms/cinema").bearer(&host).expect(200).await.json;
    let shown = |room: &Value| {
        let fields = ["ladder", "audioTracks", "slate", "hasSlatePicture"];
        Value::from(fields.map(|field| room[field].clone()).to_vec())
    };
    assert_eq!(shown(&before), json!([[], [], "off", false]));
    let change = json!({"ladder": ["480p", "audio", "720p", "480p"], "slate": "card",
        "audioTracks": [{"name": " Français ", "language": "fr"}, {"name": "", "language": "pt-BR"}, {}]});
    let room = house.relayed("PATCH /api/rooms/cinema").bearer(&host).json(change);
    let room = room.expect(200).await.json;
    let tracks = json!([{"name": "Français", "language": "fr"}, {"name": null, "language": "pt-BR"}, {"name": null, "language": null}]);
    assert_eq!(shown(&room), json!([["720p", "480p", "audio"], tracks, "card", false]));
    let told = house.plane.take_told();
    assert!(
        told.contains(&r#"stream of cinema: ["720p", "480p"] audio_only=true labels=3 slate=card"#.to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"audit of cinema: Ada settingsChanged ladder, audioTracks, slate".to_owned()),
        "{told:?}"
    );
    let all = house.call("GET /api/rooms").admin().expect(200).await.json;
    assert_eq!(shown(&all[0]), shown(&room));
    let moderator = house.viewer_token("moderator").await;
    let seen = house.call("GET /api/rooms/cinema").bearer(&moderator).expect(200).await;
    assert!(seen.json.get("ladder").is_none(), "{}", seen.text);
    let change = house.call("PATCH /api/rooms/cinema").bearer(&moderator);
    change.json(json!({"ladder": []})).expect(403).await;
}

#[tokio::test]
async fn settings_of_the_stream_are_checked() {
    let house = House::open().await;
    for (change, field) in [
        (json!({"ladder": ["720p", "4k"]}), "ladder[1]"),
        (json!({"ladder": vec!["720p"; 8]}), "ladder"),
        (json!({"slate": "film"}), "slate"),
        (json!({"audioTracks": [{}, {}, {}, {}, {}]}), "audioTracks"),
        (
            json!({"audioTracks": [{"name": "x".repeat(65)}]}),
            "audioTracks[0].name",
        ),
        (json!({"audioTracks": [{"name": "a\"b"}]}), "audioTracks[0].name"),
        (
            json!({"audioTracks": [{"name": "a"}, {"name": "a"}]}),
            "audioTracks[1].name",
        ),
        (
            json!({"audioTracks": [{"language": "fr\",X=\""}]}),
            "audioTracks[0].language",
        ),
    ] {
        let call = house.call("PATCH /api/rooms/cinema").admin().json(change);
        let reply = call.expect(422).await;
        assert!(reply.json["errors"][field].is_string(), "{field}: {}", reply.text);
    }
    assert_eq!(house.plane.take_told(), [] as [String; 0]);
}

#[tokio::test]
async fn a_hosts_picture_is_made_ready_shown_and_removed() {
    let house = House::open().await;
    let host = house.viewer_token("host").await;
    house.patch_room(json!({"slate": "picture"})).await;
    assert!(house.plane.take_told().iter().any(|told| told.ends_with("slate=card")));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let call = house.relayed("PUT /api/rooms/cinema/slate").bearer(&host);
        call.bytes(picture(format)).expect(204).await;
    }
    let told = house.plane.take_told();
    assert!(told.iter().any(|told| told.ends_with("slate=picture")), "{told:?}");
    assert!(
        told.contains(&"audit of cinema: Ada settingsChanged slatePicture".to_owned()),
        "{told:?}"
    );
    let image = house
        .relayed("GET /api/rooms/cinema/slate")
        .bearer(&host)
        .expect(200)
        .await;
    assert_eq!(image.headers["content-type"], "image/png");
    assert_eq!(load_from_memory(&image.bytes).unwrap().width(), 64);
    let removed = house.call("DELETE /api/rooms/cinema/slate").admin();
    removed.expect(204).await;
    assert!(house.plane.take_told().iter().any(|told| told.ends_with("slate=card")));
    house.call("GET /api/rooms/cinema/slate").admin().expect(404).await;
    house.call("DELETE /api/rooms/cinema/slate").admin().expect(404).await;
}

#[tokio::test]
async fn a_picture_that_is_none_or_too_long_or_not_the_hosts_is_refused() {
    let house = House::open().await;
    let put = || house.call("PUT /api/rooms/cinema/slate");
    put().admin().bytes(b"no picture".to_vec()).expect(422).await;
    put().admin().bytes(vec![0; MAX_UPLOAD_LEN + 1]).expect(413).await;
    put().bytes(picture(ImageFormat::Png)).expect(401).await;
    let viewer = house.viewer_token("viewer").await;
    put().bearer(&viewer).bytes(picture(ImageFormat::Png)).expect(403).await;
    house
        .call("GET /api/rooms/cinema/slate")
        .bearer(&viewer)
        .expect(403)
        .await;
    let other = house.call("PUT /api/rooms/other/slate").admin();
    other.bytes(picture(ImageFormat::Png)).expect(404).await;
}
