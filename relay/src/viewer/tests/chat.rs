//! Viewers' sockets, with a real client, against an origin that follows a script.

use std::{sync::atomic::Ordering, time::Duration};

use common::{
    auth::{Role, revocations::revoke},
    time::UnixMillis,
    wire::{
        chat::{ChatAct, ChatDown, ChatEvent, ChatMessage, ChatState, ChatUp, KickReason, SnapshotPiece, SocketEvent},
        control::RevokedSubject,
    },
};
use futures::{SinkExt, StreamExt};
use reqwest::header;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        protocol::frame::{CloseFrame, coding::CloseCode},
    },
};

use super::stage::{NOW, Stage, cinema, claims, signer};
use crate::chat::link::{LinkEnd, LinkEvent};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(10);

struct Theatre {
    stage: Stage,
    base: String,
    link: LinkEnd,
    generation: u64,
}

impl Theatre {
    /// The link stands.
    async fn open() -> Self {
        let mut stage = Stage::new();
        let link = stage.link.take().unwrap();
        let base = stage.listen().await;
        let mut theatre = Self {
            stage,
            base: base.replace("http://", ""),
            link,
            generation: 0,
        };
        theatre.link_up().await;
        theatre
    }

    async fn link_up(&mut self) {
        self.generation += 1;
        self.event(LinkEvent::Up {
            generation: self.generation,
            rooms: [cinema()].into(),
        })
        .await;
    }

    async fn event(&self, event: LinkEvent) {
        self.link.events.send(event).await.unwrap();
    }

    async fn down(&self, items: Vec<ChatDown>) {
        self.event(LinkEvent::Chat { room: cinema(), items }).await;
    }

    async fn socket_event(&self, socket: u64, event: SocketEvent) {
        self.down(vec![ChatDown::Socket { socket, event }]).await;
    }

    async fn up(&mut self) -> ChatUp {
        let (generation, item) = timeout(SOON, self.link.ups.recv()).await.unwrap().unwrap();
        assert_eq!(generation, self.generation);
        item
    }

    /// A socket that the origin has not let in yet, by its id.
    async fn connect(&mut self, viewer_id: &str) -> (Client, u64) {
        let token = self.stage.sign(&common::auth::ViewerClaims {
            viewer_id: viewer_id.into(),
            ..claims()
        });
        let url = format!("ws://{}/ws/rooms/cinema?token={token}", self.base);
        let (socket, _) = connect_async(url).await.unwrap();
        loop {
            match self.up().await {
                ChatUp::Follow { .. } => self.snapshot(Vec::new()).await,
                ChatUp::Enter {
                    socket: id, address, ..
                } => {
                    assert_eq!(address, "127.0.0.1");
                    return (Client(socket), id);
                }
                ChatUp::Leave { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// A socket that had its hello.
    async fn enter(&mut self, viewer_id: &str) -> (Client, u64) {
        let (mut client, id) = self.connect(viewer_id).await;
        self.let_in(id).await;
        assert_eq!(client.json().await["type"], "hello");
        (client, id)
    }

    async fn let_in(&self, socket: u64) {
        let event = SocketEvent::Entered {
            nickname: "Zoë".into(),
            role: Role::Viewer,
        };
        self.socket_event(socket, event).await;
    }

    async fn snapshot(&self, messages: Vec<ChatMessage>) {
        let state = ChatState {
            name: "Cinema".into(),
            is_open: false,
            listed: false,
            locked: false,
            slow_mode_seconds: 0,
            is_live: false,
            interrupted: false,
            started_at: None,
            viewer_count: 0,
            pinned: None,
            emotes: Vec::new(),
        };
        self.down(vec![ChatDown::Snapshot(SnapshotPiece {
            messages,
            state: Some(state),
            ..SnapshotPiece::default()
        })])
        .await;
    }
}

fn message(id: i64, viewer_id: &str, client_id: &str) -> ChatMessage {
    ChatMessage {
        id,
        viewer_id: viewer_id.into(),
        nickname: "<b>Zoë</b>".into(),
        role: Role::Viewer,
        text: format!("</script><script>alert({id})</script>"),
        sent_at: NOW,
        media_time: None,
        reply_to: None,
        mentions: Vec::new(),
        client_id: client_id.into(),
    }
}

fn said(messages: impl IntoIterator<Item = ChatMessage>) -> Vec<ChatDown> {
    let event = |message| ChatDown::All(ChatEvent::Message(message));
    messages.into_iter().map(event).collect()
}

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn next(&mut self) -> Message {
        timeout(SOON, self.0.next()).await.unwrap().unwrap().unwrap()
    }

    async fn json(&mut self) -> Value {
        loop {
            match self.next().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn send(&mut self, value: Value) {
        self.0.send(Message::text(value.to_string())).await.unwrap();
    }

    async fn send_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The code that the socket is closed with, and what was said before it.
    async fn closed(&mut self) -> (u16, Vec<Value>) {
        let mut before = Vec::new();
        loop {
            match timeout(SOON, self.0.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => before.push(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), before),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?}, after {before:?}"),
            }
        }
    }

    async fn kicked(&mut self) -> (u16, String) {
        let (code, before) = self.closed().await;
        let last = before.last().unwrap();
        assert_eq!(last["type"], "kicked");
        (code, last["reason"].as_str().unwrap().to_owned())
    }
}

/// The status that a handshake is refused with.
async fn refused(url: String, headers: &[(&'static str, &str)]) -> u16 {
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_message_goes_up_and_comes_to_all_and_its_client_id_to_the_sender_alone() {
    let mut theatre = Theatre::open().await;
    let (mut zoe, zoe_id) = theatre.enter("v1").await;
    let (mut theo, _) = theatre.enter("v2").await;
    zoe.send(json!({"type": "say", "text": "x", "clientId": "c1"})).await;
    let act = ChatAct::Say {
        text: "x".into(),
        client_id: "c1".into(),
        media_time: None,
        reply_to: None,
    };
    let up = ChatUp::Act {
        room: cinema(),
        socket: zoe_id,
        act,
    };
    assert_eq!(theatre.up().await, up);
    theatre
        .down(said([message(1, "v1", "c1"), message(2, "v2", "d1")]))
        .await;
    let own = |value: &Value| (value["id"].clone(), value.get("clientId").cloned());
    for (client, expected) in [
        (&mut zoe, [(json!(1), Some(json!("c1"))), (json!(2), None)]),
        (&mut theo, [(json!(1), None), (json!(2), Some(json!("d1")))]),
    ] {
        let told = [client.json().await, client.json().await];
        assert_eq!([own(&told[0]), own(&told[1])], expected);
        assert_eq!(told[0]["text"], "</script><script>alert(1)</script>");
    }
}

#[tokio::test]
async fn bad_frames_are_answered_and_harm_nobody_else() {
    let mut theatre = Theatre::open().await;
    let (mut client, _) = theatre.enter("v1").await;
    for (text, code) in [
        ("no json", "malformed"),
        ("{}", "malformed"),
        (r#"{"type":"dance"}"#, "unknownType"),
        (r#"{"type":"say","text":1,"clientId":"c"}"#, "malformed"),
    ] {
        client.send_text(text).await;
        let error = client.json().await;
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("error"), &json!(code)),
            "{text}"
        );
    }
    for _ in 0..2 {
        client.0.send(Message::binary(vec![1])).await.unwrap();
        assert_eq!(client.json().await["code"], "malformed");
    }
    client.0.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(client.kicked().await, (1008, "misbehaved".into()));

    let (mut other, _) = theatre.enter("v2").await;
    theatre.down(said([message(1, "v1", "c")])).await;
    assert_eq!(other.json().await["id"], 1);
}

#[tokio::test]
async fn a_frame_above_8_kib_ends_the_socket() {
    let mut theatre = Theatre::open().await;
    let (mut client, _) = theatre.enter("v1").await;
    client.send_text(&" ".repeat(8 << 10)).await;
    assert_eq!(client.json().await["code"], "malformed");
    client.send_text(&" ".repeat((8 << 10) + 1)).await;
    assert_eq!(client.closed().await, (1009, vec![]));
}

#[tokio::test]
async fn a_flood_of_pings_ends_the_socket() {
    let mut theatre = Theatre::open().await;
    let (mut client, _) = theatre.enter("v1").await;
    for _ in 0..200 {
        if client.0.feed(Message::Ping(vec![0].into())).await.is_err() {
            break;
        }
    }
    let _ = client.0.flush().await;
    assert_eq!(client.kicked().await, (1008, "misbehaved".into()));
}

#[tokio::test]
async fn a_flood_of_messages_is_refused_and_does_not_reach_the_origin() {
    let mut theatre = Theatre::open().await;
    let (mut client, _) = theatre.enter("v1").await;
    for n in 0..7 {
        client
            .send(json!({"type": "say", "text": "x", "clientId": n.to_string()}))
            .await;
    }
    for n in 5..7 {
        let error = client.json().await;
        assert_eq!(
            (&error["code"], &error["clientId"]),
            (&json!("rateLimited"), &json!(n.to_string()))
        );
    }
    for _ in 0..5 {
        assert!(matches!(theatre.up().await, ChatUp::Act { .. }));
    }
    assert!(theatre.link.ups.try_recv().is_err());
}

#[tokio::test]
async fn who_may_not_open_a_socket_is_told_before_the_upgrade() {
    let theatre = Theatre::open().await;
    let (stage, base) = (&theatre.stage, &theatre.base);
    let url = |room: &str, query: &str| format!("ws://{base}/ws/rooms/{room}{query}");
    let with = |token: &str| url("cinema", &format!("?token={token}"));
    let good = with(&stage.token());
    let signed = |change: fn(&mut common::auth::ViewerClaims)| {
        let mut claims = claims();
        change(&mut claims);
        with(&stage.sign(&claims))
    };
    assert_eq!(refused(good.clone(), &[]).await, 101);
    assert_eq!(
        refused(url("dark", &format!("?token={}", stage.token())), &[]).await,
        403
    );
    assert_eq!(refused(url("cinema", ""), &[]).await, 401);
    assert_eq!(
        refused(
            url("cinema", ""),
            &[("cookie", &format!("sc_cinema={}", stage.token()))]
        )
        .await,
        101
    );
    assert_eq!(refused(with("garbage"), &[]).await, 401);
    assert_eq!(refused(with(&signer(9).sign_viewer(&claims())), &[]).await, 401);
    assert_eq!(
        refused(signed(|claims| claims.expires_at = UnixMillis(NOW.0 - 2000)), &[]).await,
        401
    );
    assert_eq!(
        refused(signed(|claims| claims.room = "dark".parse().unwrap()), &[]).await,
        403
    );
    assert_eq!(
        refused(signed(|claims| claims.relays = Some(vec!["other".into()])), &[]).await,
        403
    );
    assert_eq!(
        refused(url("nowhere", &format!("?token={}", stage.token())), &[]).await,
        404
    );
    assert_eq!(refused(format!("{good}&after=x"), &[]).await, 400);

    for (site, status) in [
        ("https://evil.example", 403),
        ("null", 403),
        ("https://watch.example.org.evil.example", 403),
        ("https://watch.example.org", 101),
        (&format!("http://{base}"), 101),
    ] {
        assert_eq!(refused(good.clone(), &[("origin", site)]).await, status, "{site}");
    }

    stage.rooms.revocations.send_modify(|entries| {
        let subject = RevokedSubject::Viewer("viewer-1".into());
        *entries = std::sync::Arc::new(vec![revoke(subject, NOW)]);
    });
    assert_eq!(refused(good, &[]).await, 403);
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_told_what_this_is() {
    let theatre = Theatre::open().await;
    let url = format!(
        "http://{}/ws/rooms/cinema?token={}",
        theatre.base,
        theatre.stage.token()
    );
    let answer = reqwest::get(&url).await.unwrap();
    assert_eq!(answer.status(), 426);
    assert_eq!(answer.headers()[header::SEC_WEBSOCKET_VERSION], "13");
    let without_key = reqwest::Client::new()
        .get(&url)
        .header("connection", "keep-alive, Upgrade")
        .header("upgrade", "WebSocket")
        .header("sec-websocket-version", "13");
    assert_eq!(without_key.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_ping_brings_the_origins_time_and_its_own_back() {
    let mut theatre = Theatre::open().await;
    let (mut client, _) = theatre.enter("v1").await;
    client.send_text(r#"{"type":"ping","t0":1234.5}"#).await;
    let pong = json!({"type": "pong", "t0": 1234.5, "t1": NOW.0, "t2": NOW.0});
    assert_eq!(client.json().await, pong);
}

#[tokio::test]
async fn a_token_that_ends_closes_its_socket_and_a_newer_one_keeps_it() {
    let mut theatre = Theatre::open().await;
    let (mut stays, _) = theatre.enter("v1").await;
    let (mut goes, _) = theatre.enter("v2").await;
    let newer = theatre.stage.sign(&common::auth::ViewerClaims {
        viewer_id: "v1".into(),
        expires_at: UnixMillis(NOW.0 + 1_000_000),
        ..claims()
    });
    stays.send(json!({"type": "renew", "token": newer})).await;
    assert_eq!(stays.json().await["expiresAt"], "2026-11-22T10:16:40.000Z");
    assert!(matches!(theatre.up().await, ChatUp::Token { token, .. } if token == newer));
    stays.send(json!({"type": "renew", "token": "garbage"})).await;
    assert_eq!(stays.json().await["code"], "forbidden");

    theatre.stage.rooms.now.store(NOW.0 + 602_000, Ordering::Relaxed);
    assert_eq!(goes.kicked().await, (4401, "expired".into()));
    assert!(matches!(theatre.up().await, ChatUp::Leave { .. }));
    stays.send(json!({"type": "renew"})).await;
    assert!(matches!(theatre.up().await, ChatUp::Renew { .. }));
}

#[tokio::test]
async fn a_revocation_closes_sockets_within_two_seconds() {
    let mut theatre = Theatre::open().await;
    let (mut client, _) = theatre.enter("v1").await;
    let begun = std::time::Instant::now();
    theatre.stage.rooms.revocations.send_modify(|entries| {
        *entries = std::sync::Arc::new(vec![revoke(RevokedSubject::Invite("invite-1".into()), NOW)]);
    });
    assert_eq!(client.kicked().await, (4403, "revoked".into()));
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn the_origin_may_close_a_socket_for_a_reason() {
    let mut theatre = Theatre::open().await;
    for (reason, code, text) in [
        (KickReason::Banned, 4403, "banned"),
        (KickReason::Expired, 4401, "expired"),
        (KickReason::Replaced, 4409, "replaced"),
        (KickReason::RoomGone, 4404, "roomGone"),
    ] {
        let (mut client, id) = theatre.connect("v1").await;
        theatre.socket_event(id, SocketEvent::Kicked { reason }).await;
        assert_eq!(client.kicked().await, (code, text.into()));
    }
}

#[tokio::test]
async fn a_lost_link_only_delays() {
    let mut theatre = Theatre::open().await;
    let (mut client, _) = theatre.enter("v1").await;
    theatre.event(LinkEvent::Down).await;
    client.send(json!({"type": "lock", "locked": true})).await;
    assert_eq!(client.json().await["code"], "unavailable");
    client.send(json!({"type": "say", "text": "x", "clientId": "c1"})).await;
    client.send(json!({"type": "ping", "t0": 1})).await;
    assert_eq!(client.json().await["type"], "pong");

    theatre.link_up().await;
    assert!(matches!(theatre.up().await, ChatUp::Follow { .. }));
    let ChatUp::Enter { socket, .. } = theatre.up().await else {
        panic!("it enters anew");
    };
    theatre.snapshot(vec![message(1, "v2", "")]).await;
    theatre.let_in(socket).await;
    assert!(matches!(theatre.up().await, ChatUp::Act { .. }));
    theatre.down(said([message(2, "v1", "c1")])).await;
    assert_eq!(client.json().await["id"], 1);
    assert_eq!(client.json().await["clientId"], "c1");
}

#[tokio::test]
async fn who_does_not_read_is_dropped_and_slows_nobody() {
    let mut theatre = Theatre::open().await;
    let (mut reads, _) = theatre.enter("v1").await;
    let (mut sleeps, _) = theatre.enter("v2").await;
    let long = |id| ChatMessage {
        text: "x".repeat(60_000),
        ..message(id, "v9", "")
    };
    // More than the sleeper's buffers take, then more hand-overs than may wait for it.
    let mut next = 1;
    for (rounds, at_once) in [(50, 5), (300, 1)] {
        for _ in 0..rounds {
            theatre
                .down(said(
                    (next..next + at_once).map(|id| if at_once > 1 { long(id) } else { message(id, "v9", "") }),
                ))
                .await;
            for id in next..next + at_once {
                assert_eq!(reads.json().await["id"], id);
            }
            next += at_once;
        }
    }
    loop {
        match timeout(SOON, sleeps.0.next()).await.unwrap() {
            Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) => break assert_eq!(code, CloseCode::Again),
            Some(Ok(_)) => {}
            // It got only what was under way.
            Some(Err(_)) | None => break,
        }
    }
    let mut left = theatre.up().await;
    while !matches!(left, ChatUp::Leave { .. }) {
        left = theatre.up().await;
    }
}

#[tokio::test]
async fn who_is_kicked_and_does_not_read_is_dropped_soon() {
    let mut theatre = Theatre::open().await;
    let (mut sleeps, id) = theatre.enter("v1").await;
    let long = |id| ChatMessage {
        text: "x".repeat(60_000),
        ..message(id, "v9", "")
    };
    // More than its buffers take.
    for round in 0..25 {
        theatre.down(said((1..=10).map(|n| long(10 * round + n)))).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let reason = KickReason::Banned;
    theatre.socket_event(id, SocketEvent::Kicked { reason }).await;
    let begun = std::time::Instant::now();
    // It goes on to send, and never reads.
    while sleeps.0.send(Message::Ping(vec![0].into())).await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5), "the connection still stands");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(1), "it had time to read why");
}

#[tokio::test]
async fn a_relay_that_stops_says_so() {
    let mut theatre = Theatre::open().await;
    let (mut client, _) = theatre.enter("v1").await;
    theatre.stage.shutdown.trigger();
    assert_eq!(client.kicked().await, (1001, "goingAway".into()));
    // The other end has to answer, or the socket would wait for it.
    let _ = client.0.close(None).await;
    assert_eq!(theatre.stage.shutdown.drain(SOON).await, 0);
}

#[tokio::test]
async fn a_client_that_closes_is_answered_and_forgotten() {
    let mut theatre = Theatre::open().await;
    let (mut client, _) = theatre.enter("v1").await;
    let frame = CloseFrame {
        code: CloseCode::Library(4000),
        reason: "bye".into(),
    };
    client.0.close(Some(frame)).await.unwrap();
    assert_eq!(client.closed().await, (4000, vec![]));
    assert!(matches!(theatre.up().await, ChatUp::Leave { .. }));
}
