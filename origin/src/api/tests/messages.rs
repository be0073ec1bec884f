use common::{auth::Role, time::UnixMillis};
use serde_json::json;

use super::harness::{House, NOW};
use crate::db::Message;

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
