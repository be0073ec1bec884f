//! Relays that send too much, or take nothing.

use common::{
    auth::Role,
    wire::chat::{ChatDown, ChatUp, RefusalCode, SocketEvent},
};

use super::harness::{House, cinema, saying};
use crate::chat::TooMuch;

#[tokio::test]
async fn a_relay_that_floods_is_refused_then_ended_and_harms_nobody_else() {
    let house = House::open();
    let (mut flood, mut calm) = (house.relay("flood"), house.relay("calm"));
    for relay in [&mut flood, &mut calm] {
        relay.follow().await;
        relay.enter(1, "v1", Role::Viewer).await;
        assert!(matches!(relay.told(1).await, SocketEvent::Entered { .. }));
    }
    // Of a socket that is not there: what costs is the frame.
    let act = |socket| ChatUp::Act {
        room: cinema(),
        socket,
        act: saying("flood"),
    };
    let mut outcome = Ok(());
    for _ in 0..40 {
        outcome = flood.chat.carry((0..5000).map(|_| act(9)).collect()).await;
        if outcome.is_err() {
            break;
        }
    }
    assert_eq!(outcome, Err(TooMuch));
    let client_id = flood.find(|item| match item {
        ChatDown::Socket {
            event: SocketEvent::Refused { code, client_id, .. },
            ..
        } if *code == RefusalCode::RateLimited => client_id.clone(),
        _ => None,
    });
    assert_eq!(client_id.await, "c-flood");
    calm.say(1, "calm").await;
    assert_eq!(calm.message().await.text, "calm");
}

#[tokio::test]
async fn frames_without_items_count_too() {
    let house = House::open();
    let mut relay = house.relay("r1");
    let mut outcome = Ok(());
    for _ in 0..1_000_000 {
        outcome = relay.chat.carry(Vec::new()).await;
        if outcome.is_err() {
            break;
        }
    }
    assert_eq!(outcome, Err(TooMuch));
}

#[tokio::test]
async fn a_relay_that_takes_nothing_has_to_leave_and_the_others_go_on() {
    let house = House::open();
    let (mut stuck, mut calm) = (house.relay("stuck"), house.relay("calm"));
    stuck.follow().await;
    calm.follow().await;
    let must_leave = stuck.chat.must_leave();
    let mut changes = 0;
    while !must_leave.is_cancelled() {
        changes += 1;
        assert!(changes < 10_000, "its queue has an end");
        let settings = common::chat::room::Settings {
            name: format!("Cinema {changes}"),
            ..Default::default()
        };
        house.chats.settings_changed(&cinema(), settings);
        calm.next().await;
    }
    drop(stuck);
    calm.enter(1, "v1", Role::Viewer).await;
    calm.say(1, "still here").await;
    assert_eq!(calm.message().await.text, "still here");
}
