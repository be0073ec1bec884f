use common::{auth::Role, chat::record::Record, time::UnixMillis, wire::chat::ChatMessage};
use serde_json::json;

use super::harness::{House, NOW, text};
use crate::{
    db::{Kept, Message},
    retention,
};

async fn house_with_messages() -> House {
    let house = House::open().await;
    let message = |id: i64| Message {
        id,
        viewer_id: "v1".into(),
        nickname: "Zoë".into(),
        role: Role::Host,
        text: format!("number {id}"),
        sent_at: UnixMillis(NOW + id),
        media_time: (id == 2).then_some(UnixMillis(NOW)),
        reply_to: (id == 2).then_some(1),
    };
    let messages: Vec<Message> = (1..=60).map(message).collect();
    house
        .control
        .db()
        .add_messages(&"cinema".parse().unwrap(), &messages)
        .await
        .unwrap();
    house
}

#[tokio::test]
async fn history_comes_in_pages_oldest_first() {
    let house = house_with_messages().await;
    let token = house.viewer_token("viewer").await;
    let ids = async |query: &str| {
        let reply = house
            .call(&format!("GET /api/rooms/cinema/messages{query}"))
            .bearer(&token)
            .expect(200)
            .await;
        let ids = reply
            .json
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["id"].as_i64().unwrap());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, (11..=60).collect::<Vec<_>>());
    assert_eq!(ids("?limit=2&before=11").await, [9, 10]);
    assert_eq!(ids("?limit=100000").await.len(), 60);
    assert_eq!(ids("?before=1").await, [] as [i64; 0]);
}

#[tokio::test]
async fn a_message_has_the_shape_of_the_chat_socket() {
    let house = house_with_messages().await;
    let reply = house
        .call("GET /api/rooms/cinema/messages?limit=2&before=3")
        .admin()
        .expect(200)
        .await;
    assert_eq!(
        reply.json,
        json!([
            {"id": 1, "viewerId": "v1", "nickname": "Zoë", "role": "host", "text": "number 1", "sentAt": "2026-11-22T10:00:00.001Z"},
            {"id": 2, "viewerId": "v1", "nickname": "Zoë", "role": "host", "text": "number 2", "sentAt": "2026-11-22T10:00:00.002Z",
             "mediaTime": "2026-11-22T10:00:00.000Z", "replyTo": 1}
        ])
    );
}

/// Has the chat leave this behind.
async fn keep(house: &House, records: impl IntoIterator<Item = Record>) {
    let kept = records.into_iter().map(|record| Kept {
        room: "cinema".parse().unwrap(),
        at: house.now(),
        record,
    });
    house.control.db().keep(&kept.collect::<Vec<_>>()).await.unwrap();
}

#[tokio::test]
async fn a_deleted_message_is_in_no_page_and_no_export() {
    let house = house_with_messages().await;
    keep(&house, [Record::Deleted { message_id: 59 }]).await;
    let listed = house
        .call("GET /api/rooms/cinema/messages?limit=2")
        .admin()
        .expect(200)
        .await;
    assert_eq!((&listed.json[0]["id"], &listed.json[1]["id"]), (&json!(58), &json!(60)));
    let export = house
        .call("GET /api/rooms/cinema/messages/export")
        .admin()
        .expect(200)
        .await;
    assert!(!export.text.contains("number 59"));
}

#[tokio::test]
async fn an_export_is_a_file_of_all_messages_for_operators_and_hosts() {
    let house = house_with_messages().await;
    let line = "GET /api/rooms/cinema/messages/export";
    let host = house.viewer_token("host").await;
    let here = house.call(line).admin().expect(200).await;
    let relayed = house.relayed(line).bearer(&host).expect(200).await;
    for reply in [&here, &relayed] {
        assert_eq!(reply.headers["content-type"], "application/json");
        let disposition = reply.headers["content-disposition"].to_str().unwrap();
        assert_eq!(disposition, "attachment; filename=\"cinema-chat.json\"");
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(
            (&reply.json["room"], &reply.json["exportedAt"]),
            (&json!("cinema"), &json!("2026-11-22T10:00:00.000Z"))
        );
        let messages = reply.json["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 60);
        assert_eq!((&messages[1]["id"], &messages[1]["replyTo"]), (&json!(2), &json!(1)));
    }
    house.call(line).expect(401).await;
    house
        .call(line)
        .bearer(&house.viewer_token("moderator").await)
        .expect(403)
        .await;
    house
        .call("GET /api/rooms/other/messages/export")
        .admin()
        .expect(404)
        .await;
    house
        .call("POST /api/rooms")
        .admin()
        .json(json!({"name": "Games"}))
        .expect(201)
        .await;
    let empty = house
        .call("GET /api/rooms/games/messages/export")
        .admin()
        .expect(200)
        .await;
    assert_eq!(empty.json["messages"], json!([]));
}

#[tokio::test]
async fn a_long_export_comes_whole_here_and_is_refused_through_a_relay() {
    let house = House::open().await;
    let say = |id: i64| {
        Record::Message(ChatMessage {
            id,
            viewer_id: "v1".into(),
            nickname: "Zoë".into(),
            role: Role::Viewer,
            text: "said at length ".repeat(30),
            sent_at: UnixMillis(NOW + id),
            media_time: None,
            reply_to: None,
            mentions: Vec::new(),
            client_id: String::new(),
        })
    };
    keep(&house, (1..=10_000).map(say)).await;
    let line = "GET /api/rooms/cinema/messages/export";
    let whole = house.call(line).admin().expect(200).await;
    let messages = whole.json["messages"].as_array().unwrap();
    let ids: Vec<i64> = messages.iter().map(|message| message["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (1..=10_000).collect::<Vec<_>>());
    let host = house.viewer_token("host").await;
    let refusal = house.relayed(line).bearer(&host).expect(413).await;
    assert!(text(&refusal.json["detail"]).contains("the origin's own API address"));
}

#[tokio::test]
async fn messages_older_than_the_room_keeps_them_are_swept() {
    let house = house_with_messages().await;
    let three_days_later = NOW + 3 * 24 * 3_600_000;
    let sweep = async |at| {
        retention::sweep(&house.control, &*house.plane, UnixMillis(at))
            .await
            .unwrap();
        let left = house
            .call("GET /api/rooms/cinema/messages?limit=200")
            .admin()
            .expect(200)
            .await;
        left.json.as_array().unwrap().len()
    };
    assert_eq!(sweep(three_days_later).await, 60);
    assert_eq!(house.plane.take_told(), [] as [String; 0]);
    house.patch_room(json!({"retentionDays": 3})).await;
    house.plane.take_told();
    // Message n was sent n milliseconds after the start.
    assert_eq!(sweep(three_days_later + 50).await, 11);
    assert_eq!(
        house.plane.take_told(),
        ["forget messages of cinema before 2026-11-22T10:00:00.050Z"]
    );
}

#[tokio::test]
async fn history_is_for_viewers_of_the_room() {
    let house = house_with_messages().await;
    let line = "GET /api/rooms/cinema/messages";
    let viewer = house.viewer_token("viewer").await;
    house.call(line).expect(401).await;
    house.call(line).bearer("garbage").expect(401).await;
    house.call(line).bearer(&house.invite_token().await).expect(401).await;
    house.call(line).cookie("sc_cinema", &viewer).expect(200).await;
    house.relayed(&format!("{line}?token={viewer}")).expect(200).await;
    house
        .call(&format!("{line}?limit=many"))
        .bearer(&viewer)
        .expect(400)
        .await;
    house
        .call("POST /api/rooms")
        .admin()
        .json(json!({"name": "Games"}))
        .expect(201)
        .await;
    house
        .call("GET /api/rooms/games/messages")
        .bearer(&viewer)
        .expect(403)
        .await;
    house
        .call("GET /api/rooms/nowhere/messages")
        .bearer(&viewer)
        .expect(404)
        .await;
    house.patch_room(json!({"listed": false})).await;
    house.call(line).expect(404).await;
    house.wait(631);
    house.patch_room(json!({"listed": true})).await;
    house.call(line).bearer(&viewer).expect(401).await;
}
