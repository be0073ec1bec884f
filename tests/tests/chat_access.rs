//! Who gets a chat socket, and what becomes of those that misuse theirs: a stated answer, and no harm to others.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use e2e::{
    chatter::{Chatter, Door, is},
    party::{Friend, Party},
    process::wait_for,
    raw_socket::{CLOSE, CONTINUATION, FIN, PING, PONG, RawSocket, TEXT, client_frame, unmasked_frame},
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Frame;

#[tokio::test]
async fn the_handshake_is_answered_like_media() -> Result<()> {
    let party = Party::start(1).await?;
    let ann = party.friend(1, "Ann", "viewer").await?;
    let other = party.origin.admin.create_room("other").await?;
    for at in [0, 1] {
        let (here, elsewhere) = (party.url(at), party.url(1 - at));
        let new_room = Door::new(here, &other.slug, &ann.pass.token);
        wait_for("the relay to hear of the room", Duration::from_secs(5), async || {
            (new_room.status().await.ok()? != 404).then_some(())
        })
        .await?;
        let door = Door::new(here, party.slug(), &ann.pass.token);
        let bare = Door {
            token: None,
            ..door.clone()
        };
        let from_site = |site: &str| Door {
            origin: Some(site.to_owned()),
            ..door.clone()
        };
        for (what, door, expected) in [
            ("a good token", door.clone(), 101),
            ("no token", bare.clone(), 401),
            ("garbage", Door::new(here, party.slug(), "garbage"), 401),
            ("another room's", Door::new(here, &other.slug, &ann.pass.token), 403),
            ("no such room", Door::new(here, "nowhere", &ann.pass.token), 404),
            (
                "a cookie",
                Door {
                    cookie: Some(format!("sc_{}={}", party.slug(), ann.pass.token)),
                    ..bare.clone()
                },
                101,
            ),
            ("the relay's own page", from_site(here), 101),
            ("another public URL of ours", from_site(elsewhere), 101),
            ("a cross-site page", from_site("https://evil.example"), 403),
            ("a page without a site", from_site("null"), 403),
        ] {
            let status = door.status().await?;
            ensure!(status == expected, "relay {at}, {what}: {status}");
        }
    }
    Ok(())
}

/// A raw socket for Ann, with what it is told first read away, and Bob to see that nothing happened to him.
struct Misuse {
    party: Party,
    ann: Friend,
    bob: Chatter,
}

impl Misuse {
    async fn start() -> Result<Self> {
        let party = Party::start(0).await?;
        let ann = party.friend(0, "Ann", "viewer").await?;
        let bob = party.friend(0, "Bob", "viewer").await?.chat;
        Ok(Self { party, ann, bob })
    }

    async fn socket(&self) -> Result<RawSocket> {
        let address = self.party.url(0).trim_start_matches("http://").parse()?;
        let path = format!("/ws/rooms/{}?token={}", self.party.slug(), self.ann.pass.token);
        RawSocket::open(address, &path, Ipv4Addr::LOCALHOST).await
    }

    async fn ensure_nobody_else_was_harmed(&mut self) -> Result<()> {
        ensure!(self.bob.is_open(), "Bob's socket was closed");
        self.bob.tell("all is well").await?;
        Ok(())
    }
}

/// Reads until a frame with this opcode; gives its payload.
async fn frame(socket: &mut RawSocket, opcode: u8) -> Result<Vec<u8>> {
    let found = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            match socket.next().await? {
                Some((head, payload)) if head & 0x0f == opcode => return Ok(payload),
                Some(_) => {}
                None => bail!("the connection ended before a frame of kind {opcode:x}"),
            }
        }
    });
    found.await.with_context(|| format!("no frame of kind {opcode:x}"))?
}

/// Code of the close frame.
async fn close_code(socket: &mut RawSocket) -> Result<u16> {
    let payload = frame(socket, CLOSE).await?;
    let code = payload.get(..2).context("a close code")?;
    Ok(u16::from_be_bytes(code.try_into()?))
}

#[tokio::test]
async fn frames_that_break_the_protocol_close_the_socket_with_the_code_for_it() -> Result<()> {
    let mut scene = Misuse::start().await?;
    let too_long = vec![b'x'; 9000];
    for (what, bytes, code) in [
        ("a reserved bit", client_frame(FIN | 0x40 | TEXT, b"{}"), 1002),
        ("a reserved opcode", client_frame(FIN | 0x3, b""), 1002),
        ("a reserved control opcode", client_frame(FIN | 0xB, b""), 1002),
        ("no mask", unmasked_frame(FIN | TEXT, b"{}"), 1002),
        ("a ping in pieces", client_frame(PING, b""), 1002),
        ("a ping of 126 bytes", client_frame(FIN | PING, &[0; 126]), 1002),
        (
            "a continuation of nothing",
            client_frame(FIN | CONTINUATION, b"{}"),
            1002,
        ),
        (
            "a text within a text",
            [client_frame(TEXT, b"{"), client_frame(FIN | TEXT, b"}")].concat(),
            1002,
        ),
        (
            "a text that is no UTF-8",
            client_frame(FIN | TEXT, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80"),
            1007,
        ),
        (
            "a close code nobody may send",
            client_frame(FIN | CLOSE, &1005u16.to_be_bytes()),
            1002,
        ),
        ("a close frame of one byte", client_frame(FIN | CLOSE, b"\x03"), 1002),
        (
            "a close reason that is no UTF-8",
            client_frame(FIN | CLOSE, b"\x03\xe8\xff"),
            1007,
        ),
        ("a frame over 8 KiB", client_frame(FIN | TEXT, &too_long), 1009),
        (
            "a message over 8 KiB in pieces",
            [
                client_frame(TEXT, &too_long[..5000]),
                client_frame(FIN | CONTINUATION, &too_long[..5000]),
            ]
            .concat(),
            1009,
        ),
        (
            "an orderly close",
            client_frame(FIN | CLOSE, &1000u16.to_be_bytes()),
            1000,
        ),
        ("an empty close", client_frame(FIN | CLOSE, b""), 0),
    ] {
        let mut socket = scene.socket().await?;
        socket.send(&bytes).await?;
        if code == 0 {
            let payload = frame(&mut socket, CLOSE).await.context(what)?;
            ensure!(
                payload.is_empty() || payload == 1000u16.to_be_bytes(),
                "{what}: {payload:?}"
            );
            continue;
        }
        let found = close_code(&mut socket).await.context(what)?;
        ensure!(found == code, "{what}: {found} in place of {code}");
    }
    scene.ensure_nobody_else_was_harmed().await
}

#[tokio::test]
async fn pings_are_answered_and_a_message_in_pieces_is_one_message() -> Result<()> {
    let mut scene = Misuse::start().await?;
    let mut socket = scene.socket().await?;
    socket.send(&client_frame(FIN | PING, b"are you there?")).await?;
    ensure!(frame(&mut socket, PONG).await? == b"are you there?");
    // Unasked for, and of no account.
    socket.send(&client_frame(FIN | PONG, b"yes")).await?;
    let text = json!({ "type": "say", "text": "in pieces: é", "clientId": "p1" }).to_string();
    // Cut within the é.
    let at = text.find('é').context("é")? + 1;
    socket.send(&client_frame(TEXT, &text.as_bytes()[..at])).await?;
    socket.send(&client_frame(FIN | PING, b"between")).await?;
    ensure!(frame(&mut socket, PONG).await? == b"between");
    socket
        .send(&client_frame(FIN | CONTINUATION, &text.as_bytes()[at..]))
        .await?;
    scene.bob.hear("in pieces: é").await?;
    scene.ensure_nobody_else_was_harmed().await
}

#[tokio::test]
async fn messages_that_make_no_sense_are_told_so_and_the_socket_goes_on() -> Result<()> {
    let mut scene = Misuse::start().await?;
    for (message, code) in [
        ("no JSON", "malformed"),
        ("[]", "malformed"),
        ("{}", "malformed"),
        (r#"{"type":"say"}"#, "malformed"),
        (r#"{"type":"fly"}"#, "unknownType"),
        (r#"{"type":"say","text":"   ","clientId":"a"}"#, "empty"),
        (r#"{"type":"say","text":"a\u0007b","clientId":"b"}"#, "malformed"),
        (r#"{"type":"say","text":"a\nb","clientId":"c"}"#, "malformed"),
        (r#"{"type":"react","emoji":"<script>"}"#, "malformed"),
        (r#"{"type":"timeout","viewerId":"x","seconds":-1}"#, "malformed"),
    ] {
        scene.ann.chat.forget_the_past();
        scene.ann.chat.send_frame(Frame::text(message)).await?;
        let error = scene.ann.chat.wait_for(message, |event| is(event, "error")).await?;
        ensure!(error["code"] == code, "{message}: {error}");
        ensure!(
            error["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{error}"
        );
    }
    let long = "é".repeat(501);
    ensure!(scene.ann.chat.refusal(&long).await? == "tooLong");
    // 500 characters after normalisation: e and an accent are one.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let said = scene.ann.chat.tell(&"e\u{301}".repeat(500)).await?;
    ensure!(said.text == "é".repeat(500), "{}", said.text);
    let said = scene.ann.chat.tell("<script>alert(1)</script>\u{202e}").await?;
    ensure!(said.text == "<script>alert(1)</script>", "{}", said.text);
    scene.ensure_nobody_else_was_harmed().await
}

#[tokio::test]
async fn who_talks_too_fast_is_told_and_who_floods_is_thrown_out() -> Result<()> {
    let mut scene = Misuse::start().await?;
    let mut ids = Vec::new();
    for number in 0..8 {
        ids.push(scene.ann.chat.say(&format!("quick {number}")).await?);
    }
    let mut passed = 0;
    for id in &ids {
        let answer = scene.ann.chat.answer_to(id).await?;
        passed += usize::from(is(&answer, "message"));
        ensure!(is(&answer, "message") || answer["code"] == "rateLimited", "{answer}");
    }
    ensure!((5..=6).contains(&passed), "{passed} of 8 at once");

    let mut flood = Chatter::enter(scene.party.url(0), scene.party.slug(), &scene.ann.pass).await?;
    for _ in 0..200 {
        if flood.send_frame(Frame::Ping("x".into())).await.is_err() {
            break;
        }
    }
    let (code, reason) = flood.wait_until_closed(Duration::from_secs(5)).await?;
    ensure!(
        (code, reason.as_str()) == (1008, "misbehaved"),
        "pings: {code} {reason}"
    );

    let mut binary = Chatter::enter(scene.party.url(0), scene.party.slug(), &scene.ann.pass).await?;
    for _ in 0..3 {
        binary.send_frame(Frame::binary(vec![0, 1, 2])).await?;
    }
    let (code, reason) = binary.wait_until_closed(Duration::from_secs(5)).await?;
    let told = binary.has(|event: &Value| is(event, "error") && event["code"] == "malformed");
    ensure!(
        (code, reason.as_str()) == (1008, "misbehaved") && told,
        "binary: {code} {reason}"
    );
    ensure!(scene.ann.chat.is_open(), "the viewer's other socket was closed");
    scene.ensure_nobody_else_was_harmed().await
}

#[tokio::test]
async fn the_ninth_socket_of_a_viewer_replaces_the_oldest() -> Result<()> {
    let mut scene = Misuse::start().await?;
    let mut more = Vec::new();
    for _ in 0..8 {
        more.push(Chatter::enter(scene.party.url(0), scene.party.slug(), &scene.ann.pass).await?);
    }
    let (code, reason) = scene.ann.chat.wait_until_closed(Duration::from_secs(5)).await?;
    ensure!((code, reason.as_str()) == (4409, "replaced"), "{code} {reason}");
    ensure!(more.iter().all(Chatter::is_open));
    scene.ensure_nobody_else_was_harmed().await
}
