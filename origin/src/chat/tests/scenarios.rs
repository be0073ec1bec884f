//! What happens in a room, as its relays see it.

use common::{
    auth::Role,
    chat::{
        record::{Doer, Record},
        room::{NotDone, OnAir, Settings},
    },
    wire::{
        chat::{
            ChatAct, ChatDown, ChatEvent, ChatMessage, ChatUp, EmoteRef, KickReason, Notice, RefusalCode, SocketEvent,
        },
        control::{Revocation, RevokedSubject},
    },
};

use super::harness::{House, MemoryStore, cinema, entering, saying, token};
use crate::{
    chat::{Known, Loaded},
    db::BannedLink,
};

fn message(id: i64) -> ChatMessage {
    ChatMessage {
        id,
        viewer_id: "v9".into(),
        nickname: "Zoë".into(),
        role: Role::Viewer,
        text: format!("message {id}"),
        sent_at: common::time::UnixMillis(id),
        media_time: None,
        reply_to: None,
        mentions: Vec::new(),
        client_id: String::new(),
    }
}

fn operator() -> Doer {
    Doer {
        viewer_id: None,
        nickname: "operator".into(),
        role: Role::Host,
    }
}

#[tokio::test]
async fn what_is_said_on_one_relay_comes_to_all_in_one_order_and_is_kept() {
    let house = House::open();
    let (mut paris, mut tokyo) = (house.relay("paris"), house.relay("tokyo"));
    for (relay, viewer) in [(&mut paris, "v1"), (&mut tokyo, "v2")] {
        relay.follow().await;
        relay.enter(7, viewer, Role::Viewer).await;
        assert_eq!(relay.snapshot().await, []);
        let SocketEvent::Entered { nickname, .. } = relay.told(7).await else {
            panic!("the socket is let in first")
        };
        assert_eq!(nickname, format!("name of {viewer}"));
    }
    paris.say(7, "one").await;
    tokyo.say(7, "two").await;
    paris.say(7, "three").await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        let (there, here) = (tokyo.message().await, paris.message().await);
        assert_eq!((&*there.text, &there), (text, &here));
        ids.push(there.id);
    }
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    house.until(|store| store.kept.lock().unwrap().len() >= 4).await;
    assert_eq!(house.kept_ids(), ids);
}

#[tokio::test]
async fn a_chat_opens_with_what_the_database_has_and_numbers_go_on_behind_it() {
    let store = MemoryStore::default();
    *store.loaded.lock().unwrap() = Loaded {
        history: vec![message(3), message(40)],
        newest_id: 41,
        ..Loaded::default()
    };
    let house = House::open_with(store);
    let mut relay = house.relay("r1");
    relay.follow().await;
    assert_eq!(relay.snapshot().await, [message(3), message(40)]);
    relay.enter(1, "v1", Role::Viewer).await;
    relay.say(1, "hi").await;
    assert_eq!(relay.message().await.id, 42);
    // What the start set aside goes before the database's newest.
    let first_id = 500;
    let games = "games".parse().unwrap();
    let settings = Settings::default();
    house.chats.open(&games, Known { settings, first_id });
    let enter = ChatUp::Enter {
        room: games.clone(),
        socket: 2,
        token: token("v1", Role::Viewer),
        address: String::new(),
    };
    let (room, act, socket, after) = (games.clone(), saying("hi"), 2, None);
    let follow = ChatUp::Follow { room: games, after };
    relay
        .carry(vec![follow, enter, ChatUp::Act { room, socket, act }])
        .await;
    assert_eq!(relay.message().await.id, 500);
}

#[tokio::test]
async fn what_comes_while_a_chat_opens_happens_then_in_order() {
    let store = MemoryStore::default();
    *store.is_silent.lock().unwrap() = true;
    let house = House::open_with(store);
    let mut relay = house.relay("r1");
    relay.follow().await;
    relay.enter(1, "v1", Role::Viewer).await;
    relay.say(1, "early").await;
    let mut late = house.relay("r3");
    late.follow().await;
    let mut left = house.relay("r2");
    left.follow().await;
    drop(left);
    // The database does not answer: the chat opens without.
    assert_eq!(relay.snapshot().await, []);
    assert!(matches!(relay.told(1).await, SocketEvent::Entered { .. }));
    assert_eq!(relay.message().await.text, "early");
    // What was said before it came is in its snapshot, and nothing comes before that.
    match late.next().await.1 {
        ChatDown::Snapshot(piece) => assert_eq!(piece.messages[0].text, "early"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_chat_that_opened_without_the_database_learns_the_rest_when_it_is_back() {
    let store = MemoryStore::default();
    *store.is_down.lock().unwrap() = true;
    let emotes = vec![EmoteRef {
        name: "wave".into(),
        file: "0.png".into(),
    }];
    *store.loaded.lock().unwrap() = Loaded {
        history: vec![message(3)],
        newest_id: 3,
        emotes: emotes.clone(),
        banned: vec![("v2".into(), Role::Viewer)],
        ..Loaded::default()
    };
    let house = House::open_from(store, 10);
    let mut relay = house.relay("r1");
    relay.follow().await;
    relay.enter(2, "v2", Role::Viewer).await;
    relay.snapshot().await;
    assert!(matches!(relay.told(2).await, SocketEvent::Entered { .. }));
    relay.say(2, "is anybody there").await;
    assert_eq!(relay.message().await.id, 10);
    *house.store.is_down.lock().unwrap() = false;
    let reason = KickReason::Banned;
    assert_eq!(relay.told(2).await, SocketEvent::Kicked { reason });
    let told = relay.find(|item| match item {
        ChatDown::All(ChatEvent::State(state)) if !state.emotes.is_empty() => Some(state.emotes.clone()),
        _ => None,
    });
    assert_eq!(told.await, emotes);
    let ids: Vec<i64> = relay.snapshot().await.iter().map(|message| message.id).collect();
    assert_eq!(ids, [3, 10]);
}

#[tokio::test]
async fn a_ban_that_waits_for_the_database_is_dropped_once_it_is_taken_back() {
    let house = House::open();
    let mut relay = house.relay("r1");
    relay.follow().await;
    for (socket, viewer, role) in [(1, "v1", Role::Viewer), (2, "h1", Role::Host)] {
        relay.enter(socket, viewer, role).await;
        assert!(matches!(relay.told(socket).await, SocketEvent::Entered { .. }));
    }
    *house.store.is_down.lock().unwrap() = true;
    let viewer_id = || "v1".to_owned();
    let ban = ChatAct::Ban {
        viewer_id: viewer_id(),
        reason: None,
    };
    relay.act(2, ban).await;
    relay.told(1).await;
    relay.act(2, ChatAct::Unban { viewer_id: viewer_id() }).await;
    // Done after both.
    relay.say(2, "welcome back").await;
    relay.message().await;
    *house.store.is_down.lock().unwrap() = false;
    house.until(|store| *store.unbanned.lock().unwrap() == ["v1"]).await;
    assert!(house.store.banned.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_ban_of_the_last_moment_is_kept_when_the_origin_stops() {
    let house = House::open();
    let mut relay = house.relay("r1");
    relay.follow().await;
    for (socket, viewer, role) in [(1, "v1", Role::Viewer), (2, "h1", Role::Host)] {
        relay.enter(socket, viewer, role).await;
        assert!(matches!(relay.told(socket).await, SocketEvent::Entered { .. }));
    }
    house.shutdown.trigger();
    // All that waited for the stop has seen it; the relay is still there.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let ban = ChatAct::Ban {
        viewer_id: "v1".to_owned(),
        reason: None,
    };
    relay.act(2, ban).await;
    relay.told(1).await;
    drop(relay);
    assert_eq!(house.shutdown.drain(std::time::Duration::from_secs(10)).await, 0);
    assert_eq!(house.store.banned.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn tokens_that_do_not_count_and_rooms_that_are_not_there_let_nobody_in() {
    let house = House::open();
    let mut relay = house.relay("r1");
    house.gate.shut_out.lock().unwrap().push("v3".into());
    let lost = ChatUp::Enter {
        room: "nowhere".parse().unwrap(),
        socket: 4,
        token: token("v1", Role::Viewer),
        address: String::new(),
    };
    let follow = ChatUp::Follow {
        room: "nowhere".parse().unwrap(),
        after: None,
    };
    let items = vec![
        entering(2, "garbage"),
        entering(3, &token("v3", Role::Host)),
        follow,
        lost,
        ChatUp::Act {
            room: cinema(),
            socket: 2,
            act: saying("ignored"),
        },
    ];
    relay.carry(items).await;
    for (socket, reason) in [
        (2, KickReason::Expired),
        (3, KickReason::Revoked),
        (4, KickReason::RoomGone),
    ] {
        assert_eq!(relay.told(socket).await, SocketEvent::Kicked { reason });
    }
    assert_eq!(house.kept_ids(), [] as [i64; 0]);
}

#[tokio::test]
async fn a_ban_is_in_force_at_once_and_kept_when_the_database_is_back() {
    let house = House::open();
    let (mut paris, mut tokyo) = (house.relay("paris"), house.relay("tokyo"));
    for (relay, viewer, role) in [(&mut paris, "v1", Role::Viewer), (&mut tokyo, "h1", Role::Host)] {
        relay.follow().await;
        relay.enter(1, viewer, role).await;
        assert!(matches!(relay.told(1).await, SocketEvent::Entered { .. }));
    }
    *house.store.is_down.lock().unwrap() = true;
    *house.store.link.lock().unwrap() = Some(BannedLink::Shared { others: 3 });
    let ban = |viewer_id: &str| ChatAct::Ban {
        viewer_id: viewer_id.to_owned(),
        reason: Some("rude".to_owned()),
    };
    tokyo.act(1, ban("v1")).await;
    let reason = KickReason::Banned;
    assert_eq!(paris.told(1).await, SocketEvent::Kicked { reason });
    assert_eq!(*house.gate.shut_out.lock().unwrap(), ["v1"]);
    assert!(house.store.banned.lock().unwrap().is_empty());
    *house.store.is_down.lock().unwrap() = false;
    house.until(|store| !store.banned.lock().unwrap().is_empty()).await;
    let order = house.store.banned.lock().unwrap()[0].clone();
    assert_eq!((&*order.viewer_id, order.invite_id.as_deref()), ("v1", Some("i1")));
    assert_eq!(order.address.as_deref(), Some("192.0.2.1"));
    let notice = tokyo.find(|item| match item {
        ChatDown::Staff { least, notice } => Some((*least, notice.clone())),
        _ => None,
    });
    let (least, notice) = notice.await;
    let Notice::LinkShared { viewer_id, others, .. } = notice else {
        panic!("{notice:?}")
    };
    assert_eq!((least, &*viewer_id, others), (Role::Host, "v1", 3));
    let unban = ChatAct::Unban {
        viewer_id: "v1".to_owned(),
    };
    tokyo.act(1, unban).await;
    house.until(|store| *store.unbanned.lock().unwrap() == ["v1"]).await;
}

#[tokio::test]
async fn a_viewer_gets_a_newer_token_or_is_told_why_not() {
    let house = House::open();
    house.store.ended.lock().unwrap().insert("v2".to_owned());
    let mut relay = house.relay("r1");
    relay.follow().await;
    for (socket, viewer) in [(1, "v1"), (2, "v2")] {
        relay.enter(socket, viewer, Role::Moderator).await;
        assert!(matches!(relay.told(socket).await, SocketEvent::Entered { .. }));
    }
    let renew = |socket| ChatUp::Renew { room: cinema(), socket };
    relay.carry(vec![renew(1)]).await;
    match relay.told(1).await {
        SocketEvent::Token { token: newer, .. } => assert_eq!(newer, token("v1", Role::Moderator)),
        other => panic!("{other:?}"),
    }
    relay.carry(vec![renew(2)]).await;
    match relay.told(2).await {
        SocketEvent::Refused { code, .. } => assert_eq!(code, RefusalCode::Forbidden),
        other => panic!("{other:?}"),
    }
    *house.store.is_down.lock().unwrap() = true;
    relay.carry(vec![renew(1)]).await;
    match relay.told(1).await {
        SocketEvent::Refused { code, .. } => assert_eq!(code, RefusalCode::Unavailable),
        other => panic!("{other:?}"),
    }
    // One from a join will do, too; the relay's words for another viewer will not.
    let shown = |text: &str| ChatUp::Token {
        room: cinema(),
        socket: 1,
        token: text.to_owned(),
    };
    relay.carry(vec![shown("garbage")]).await;
    assert!(matches!(relay.told(1).await, SocketEvent::Refused { .. }));
    relay
        .carry(vec![
            shown(&token("v1", Role::Moderator)),
            shown(&token("v7", Role::Host)),
        ])
        .await;
    assert!(matches!(relay.told(1).await, SocketEvent::Kicked { .. }));
}

#[tokio::test]
async fn what_the_api_does_reaches_the_chat() {
    let house = House::open();
    let mut relay = house.relay("r1");
    relay.follow().await;
    relay.enter(1, "v1", Role::Viewer).await;
    assert!(matches!(relay.told(1).await, SocketEvent::Entered { .. }));
    let state = |item: &ChatDown| match item {
        ChatDown::All(ChatEvent::State(state)) => Some(state.clone()),
        _ => None,
    };
    let settings = Settings {
        name: "Kino".into(),
        ..Settings::default()
    };
    house.chats.settings_changed(&cinema(), settings);
    assert_eq!(relay.find(state).await.name, "Kino");
    let on_air = OnAir {
        is_live: true,
        ..OnAir::default()
    };
    house.chats.set_on_air(&cinema(), on_air);
    assert!(relay.find(state).await.is_live);
    let lock = ChatAct::Lock { locked: true };
    house
        .chats
        .moderate(&cinema(), &operator(), lock.clone())
        .await
        .unwrap();
    assert!(relay.find(state).await.locked);
    house
        .until(|store| {
            let kept = store.kept.lock().unwrap();
            kept.iter().any(|kept| kept.record == Record::Locked { locked: true })
        })
        .await;
    let nowhere = "nowhere".parse().unwrap();
    let refused = house.chats.moderate(&nowhere, &operator(), lock).await;
    assert_eq!(refused, Err(NotDone::NotAllowed));
    house.chats.revoked(&Revocation {
        subject: RevokedSubject::Invite("i1".into()),
        until: common::time::UnixMillis(i64::MAX),
    });
    let reason = KickReason::Revoked;
    assert_eq!(relay.told(1).await, SocketEvent::Kicked { reason });
}

#[tokio::test]
async fn a_moderators_lock_is_in_force_while_the_database_is_away() {
    let store = MemoryStore::default();
    let house = House::open_with(store);
    assert_eq!(house.chats.is_locked(&cinema()), Some(false));
    let mut relay = house.relay("r1");
    relay.follow().await;
    relay.enter(1, "v1", Role::Moderator).await;
    *house.store.is_down.lock().unwrap() = true;
    relay.act(1, ChatAct::Lock { locked: true }).await;
    assert_eq!(house.chats.is_locked(&cinema()), Some(true));
    assert_eq!(house.chats.is_locked(&"nowhere".parse().unwrap()), None);
}

#[tokio::test]
async fn names_are_given_once_also_before_the_chat_is_open() {
    let store = MemoryStore::default();
    *store.is_silent.lock().unwrap() = true;
    let house = House::open_with(store);
    let claim = |viewer: &str| house.chats.claim_name(&cinema(), viewer, Role::Viewer, "Ann");
    let (first, second) = (claim("v1"), claim("v2"));
    assert_eq!(first, "Ann");
    assert_ne!(second, "Ann");
    assert_eq!(claim("v1"), "Ann");
    let mut relay = house.relay("r1");
    relay.follow().await;
    relay.snapshot().await;
    assert_ne!(claim("v3"), "Ann");
}

#[tokio::test]
async fn a_room_that_is_gone_takes_its_chat_with_it_and_one_of_the_same_name_starts_anew() {
    let house = House::open();
    let mut relay = house.relay("r1");
    relay.follow().await;
    relay.enter(1, "v1", Role::Viewer).await;
    relay.say(1, "hi").await;
    relay.message().await;
    house.chats.remove(&cinema());
    relay.say(1, "to nobody").await;
    house.chats.created(&cinema(), Settings::default());
    relay.follow().await;
    assert_eq!(relay.snapshot().await, []);
    relay.enter(2, "v1", Role::Viewer).await;
    relay.say(2, "first").await;
    assert_eq!(relay.message().await.text, "first");
}

#[tokio::test]
async fn what_was_said_is_kept_before_the_origin_stops() {
    let house = House::open();
    let mut relay = house.relay("r1");
    relay.follow().await;
    relay.enter(1, "v1", Role::Viewer).await;
    house.shutdown.trigger();
    // The journal sees it first, and has nothing to write.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    relay.say(1, "last words").await;
    let id = relay.message().await.id;
    drop(relay);
    assert_eq!(house.shutdown.drain(std::time::Duration::from_secs(10)).await, 0);
    assert_eq!(house.kept_ids(), [id]);
}
