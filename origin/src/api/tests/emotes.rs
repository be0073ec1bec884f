use std::io::Cursor;

use image::{ImageFormat, Rgba, RgbaImage};
use serde_json::json;

use super::harness::{ADMIN_TOKEN, House, text};
use crate::emotes::{MAX_EMOTES, MAX_UPLOAD_LEN};

fn picture(colour: u8, format: ImageFormat) -> Vec<u8> {
    let image = RgbaImage::from_pixel(256, 128, Rgba([colour, 0, 0, 255]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn add(house: &House, name: &str, body: Vec<u8>) -> super::harness::Call {
    let line = format!("POST /api/rooms/cinema/emotes?name={name}");
    house.call(&line).admin().bytes(body)
}

#[tokio::test]
async fn the_running_chat_hears_of_changes_at_once_in_the_order_in_which_they_are_kept() {
    let house = House::open().await;
    let names = ["aa", "bb", "cc", "dd", "ee", "ff"];
    let uploads = names.map(|name| add(&house, name, picture(7, ImageFormat::Png)).expect(201));
    futures::future::join_all(uploads).await;
    let mut told = house.plane.take_told();
    told.retain(|told| told.starts_with("emotes"));
    let counts: Vec<usize> = told.iter().map(|told| told.split(' ').skip(3).count()).collect();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_host_adds_an_emote_that_viewers_get() {
    let house = House::open().await;
    let host = house.viewer_token("host").await;
    let made = house
        .relayed("POST /api/rooms/cinema/emotes?name=wave")
        .bearer(&host)
        .bytes(picture(200, ImageFormat::WebP))
        .expect(201)
        .await
        .json;
    assert_eq!(
        (&made["name"], &made["width"], &made["height"]),
        (&json!("wave"), &json!(128), &json!(64))
    );
    let url = text(&made["url"]);
    let file = url.strip_prefix("/emotes/cinema/").unwrap();
    assert!(file.len() == 36 && file.ends_with(".png"), "{file}");
    assert_eq!(
        house.plane.take_told(),
        ["audit of cinema: Ada emoteAdded wave", "emotes of cinema: wave"]
    );
    let viewer = house.viewer_token("viewer").await;
    let listed = house
        .relayed("GET /api/rooms/cinema/emotes")
        .bearer(&viewer)
        .expect(200)
        .await;
    assert_eq!(listed.json, json!([made]));

    let line = format!("GET /api/rooms/cinema/emotes/files/{file}");
    let image = house.relayed(&line).bearer(&viewer).expect(200).await;
    assert_eq!(image::guess_format(&image.bytes).unwrap(), ImageFormat::Png);
    for (header, value) in [
        ("content-type", "image/png"),
        ("cache-control", "private, max-age=31536000, immutable"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(image.headers[header], value);
    }
    house.relayed(&line).expect(401).await;
    house.call(&line).admin().expect(200).await;
    for other in ["0123.png", "x.svg", "%2e%2e", "x"] {
        let line = format!("GET /api/rooms/cinema/emotes/files/{other}");
        house.call(&line).admin().expect(404).await;
    }
}

#[tokio::test]
async fn an_emote_is_removed_by_its_name() {
    let house = House::open().await;
    for (name, colour) in [("wave", 1), ("nod", 2)] {
        add(&house, name, picture(colour, ImageFormat::Png)).expect(201).await;
    }
    house.plane.take_told();
    house
        .call("DELETE /api/rooms/cinema/emotes/wave")
        .admin()
        .expect(204)
        .await;
    assert_eq!(
        house.plane.take_told(),
        ["audit of cinema: operator emoteRemoved wave", "emotes of cinema: nod"]
    );
    house
        .call("DELETE /api/rooms/cinema/emotes/wave")
        .admin()
        .expect(404)
        .await;
}

#[tokio::test]
async fn emotes_are_the_hosts_to_change_and_the_viewers_to_see() {
    let house = House::open().await;
    let calls = [
        "POST /api/rooms/cinema/emotes?name=wave",
        "DELETE /api/rooms/cinema/emotes/wave",
    ];
    let moderator = house.viewer_token("moderator").await;
    for line in calls {
        house.call(line).expect(401).await;
        house.call(line).bearer(&moderator).expect(403).await;
        house.relayed(line).bearer(ADMIN_TOKEN).expect(401).await;
    }
    house.call("GET /api/rooms/cinema/emotes").expect(401).await;
    house
        .call("GET /api/rooms/cinema/emotes")
        .bearer(&moderator)
        .expect(200)
        .await;
    house.patch_room(json!({"listed": false})).await;
    house.call("GET /api/rooms/cinema/emotes").expect(404).await;
}

#[tokio::test]
async fn a_name_is_taken_once_and_is_a_word() {
    let house = House::open().await;
    add(&house, "wave", picture(1, ImageFormat::Gif)).expect(201).await;
    add(&house, "wave", picture(2, ImageFormat::Png)).expect(409).await;
    for name in ["", "x", "%3Cscript%3E", "..%2F..%2Fetc", "wave.svg", "a%20b", "%00%00"] {
        let reply = add(&house, name, picture(1, ImageFormat::Png)).expect(422).await;
        assert!(reply.json["errors"]["name"].is_string(), "{name}");
    }
    house
        .call("POST /api/rooms/cinema/emotes")
        .admin()
        .bytes(picture(1, ImageFormat::Png))
        .expect(422)
        .await;
}

#[tokio::test]
async fn what_is_no_picture_is_refused_with_a_reason() {
    let house = House::open().await;
    let mut cut = picture(1, ImageFormat::Gif);
    cut.truncate(40);
    for (body, reason) in [
        (b"<svg onload='alert(1)'/>".to_vec(), "is an SVG"),
        (b"<html><script>alert(1)</script>".to_vec(), "is no PNG, WebP or GIF"),
        (Vec::new(), "is no PNG, WebP or GIF"),
        (cut, "is broken"),
    ] {
        let reply = add(&house, "wave", body)
            .header("content-type", "image/png")
            .expect(422)
            .await;
        let said = text(&reply.json["errors"]["image"]);
        assert!(said.starts_with(reason), "{said}");
    }
    add(&house, "wave", vec![0; MAX_UPLOAD_LEN + 1]).expect(413).await;
    add(&house, "wave", vec![0; MAX_UPLOAD_LEN]).expect(422).await;
    assert_eq!(house.plane.take_told(), [] as [String; 0]);
}

#[tokio::test]
async fn a_room_has_so_many_emotes_and_no_more() {
    let house = House::open().await;
    let room = "cinema".parse().unwrap();
    for number in 0..MAX_EMOTES {
        let new = crate::db::NewEmote {
            name: format!("emote_{number}"),
            file: "aa.png".into(),
            image: vec![1],
            width: 1,
            height: 1,
        };
        let added = house.control.db().add_emote(&room, &new, MAX_EMOTES, house.now()).await;
        assert!(added.unwrap().is_some());
    }
    let refusal = add(&house, "wave", picture(1, ImageFormat::Png)).expect(409).await;
    assert!(text(&refusal.json["detail"]).contains("remove one first"));
}

#[tokio::test]
async fn one_address_cannot_upload_without_end() {
    let house = House::open().await;
    let mut uploads = 0;
    while add(&house, "wave", Vec::new()).send().await.0.as_u16() == 422 {
        uploads += 1;
        assert!(uploads < 100);
    }
    assert!(uploads >= 30);
    add(&house, "wave", Vec::new()).expect(429).await;
    add(&house, "wave", Vec::new()).from("198.51.100.1:1").expect(422).await;
}
