//! Chat over the link: up in frames, down in order, anew after each loss.

use common::wire::{
    chat::{ChatDown, ChatEvent, ChatUp},
    control::UpstreamFrame,
};

use super::*;
use crate::chat::link::LinkEvent;

fn leave(socket: u64) -> ChatUp {
    ChatUp::Leave {
        room: "cinema".parse().unwrap(),
        socket,
    }
}

async fn next(chat: &mut ChatEnd) -> LinkEvent {
    patiently(chat.events.recv()).await.unwrap()
}

async fn next_up(chat: &mut ChatEnd) -> u64 {
    match next(chat).await {
        LinkEvent::Up { generation, rooms } => {
            assert!(rooms.contains(&"cinema".parse().unwrap()));
            generation
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_chat_says_arrives_in_order_however_much_it_is() {
    let origin = Origin::start();
    let relay = Relay::start(&origin);
    let mut chat = relay.upstream.take_chat().unwrap();
    let generation = next_up(&mut chat).await;
    (0..5000).for_each(|socket| chat.send(generation, leave(socket)));
    eventually(|| origin.log.lock().unwrap().chat.len() == 5000).await;
    let expected: Vec<ChatUp> = (0..5000).map(leave).collect();
    assert_eq!(origin.log.lock().unwrap().chat, expected);
}

#[tokio::test]
async fn what_the_origin_says_comes_and_a_lost_link_is_told() {
    let origin = Origin::start();
    let relay = Relay::start(&origin);
    let mut chat = relay.upstream.take_chat().unwrap();
    let first = next_up(&mut chat).await;
    let items = vec![ChatDown::All(ChatEvent::Reactions { counts: Vec::new() })];
    let room = origin.room.clone();
    origin
        .send(&UpstreamFrame::Chat {
            room: room.clone(),
            items: items.clone(),
        })
        .await;
    assert_eq!(
        next(&mut chat).await,
        LinkEvent::Chat {
            room: room.clone(),
            items
        }
    );

    origin.break_link();
    assert_eq!(next(&mut chat).await, LinkEvent::Down);
    let second = next_up(&mut chat).await;
    // What was meant for the connection that is gone is not said over the next one.
    chat.send(first, leave(1));
    chat.send(second, leave(2));
    eventually(|| !origin.log.lock().unwrap().chat.is_empty()).await;
    assert_eq!(origin.log.lock().unwrap().chat, [leave(2)]);

    origin.send(&UpstreamFrame::RoomGone { room: room.clone() }).await;
    assert_eq!(next(&mut chat).await, LinkEvent::RoomGone(room));
}

#[tokio::test]
async fn what_filled_the_queue_of_a_lost_link_does_not_harm_the_next() {
    let origin = Origin::start();
    let relay = Relay::start(&origin);
    let mut chat = relay.upstream.take_chat().unwrap();
    let first = next_up(&mut chat).await;
    origin.break_link();
    assert_eq!(next(&mut chat).await, LinkEvent::Down);
    (0..70_000).for_each(|socket| chat.send(first, leave(socket)));
    let second = next_up(&mut chat).await;
    // As many as a full relay enters anew.
    (0..20_000).for_each(|socket| chat.send(second, leave(socket)));
    eventually(|| origin.log.lock().unwrap().chat.len() == 20_000).await;
    assert!(chat.events.try_recv().is_err(), "the link still stands");
}
