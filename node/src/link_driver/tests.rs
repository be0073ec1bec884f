use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use bytes::Bytes;
use common::{
    id::{ChannelId, Epoch, Msn, PartId, RenditionId},
    live::PartFlags,
    time::UnixMillis,
    wire::{
        codec::{HEAD_VERSION, MAX_FRAME, MAX_PART, WireError},
        control::{DownstreamFrame, UpstreamFrame},
        media::PartHeader,
        request::{CallReply, CallRequest, FetchReply, FetchRequest},
    },
};

use super::*;
use crate::pki::{Authority, Identity, RelayKey};

fn identity(authority: &Authority, upstream: SocketAddr) -> Identity {
    let key = RelayKey::generate().unwrap();
    Identity {
        relay_id: "r1".to_owned(),
        name: "paris".to_owned(),
        upstreams: vec![upstream.to_string()],
        authority_sha256: *authority.key_sha256(),
        chain: authority.sign_relay("r1", key.public_key()).unwrap(),
        key: key.into_private(),
    }
}

struct Upstream {
    authority: Authority,
    endpoint: quinn::Endpoint,
}

impl Upstream {
    fn start() -> Self {
        let authority = Authority::generate().unwrap();
        let endpoint = quic::listen(&authority, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self { authority, endpoint }
    }

    fn address(&self) -> SocketAddr {
        self.endpoint.local_addr().unwrap()
    }

    async fn accept(&self) -> quinn::Connection {
        let incoming = self.endpoint.accept().await.unwrap();
        quic::take_up(incoming, 0).unwrap().await.unwrap()
    }

    /// Both ends of a link: the upstream's and the relay's.
    async fn link(&self) -> (LinkConnection, LinkConnection) {
        let connector = Connector::new(Arc::new(identity(&self.authority, self.address())));
        let dial = async {
            let relay = connector.connect().await.unwrap();
            relay.write_frame(&DownstreamFrame::Ping { t0: 0 }).await.unwrap();
            relay
        };
        let accept = async {
            let connection = self.accept().await;
            assert_eq!(quic::protocol(&connection), quic::Protocol::Link);
            let upstream = LinkConnection::accept(connection).await.unwrap();
            assert_eq!(
                upstream.read_frame().await.unwrap(),
                Some(DownstreamFrame::Ping { t0: 0 })
            );
            upstream
        };
        let (relay, upstream) = tokio::join!(dial, accept);
        (upstream, relay)
    }

    /// Takes up one connection so that its handshake can end.
    fn accept_in_background(self) -> tokio::task::JoinHandle<Option<quinn::Connection>> {
        tokio::spawn(async move {
            let incoming = self.endpoint.accept().await?;
            quic::take_up(incoming, 0)?.await.ok()
        })
    }
}

fn header(part: u32, body: &Bytes) -> PartHeader {
    PartHeader {
        channel: ChannelId::source("cinema".parse().unwrap()),
        epoch: Epoch(1),
        id: PartId {
            rendition: RenditionId(0),
            msn: Msn(7),
            part,
        },
        init_id: 0,
        dts: 90_000,
        duration: 30_000,
        program_date_time: UnixMillis(1),
        flags: PartFlags::default(),
        body_len: u32::try_from(body.len()).unwrap(),
    }
}

fn noise(len: usize) -> Bytes {
    (0..len).map(|i| (i * i / 251) as u8).collect()
}

fn keys(len: usize) -> UpstreamFrame {
    UpstreamFrame::Keys { keys: "k".repeat(len) }
}

#[tokio::test]
async fn frames_go_both_ways_and_the_relay_is_known_by_its_certificate() {
    let (upstream, relay) = Upstream::start().link().await;
    assert_eq!(upstream.peer_relay_id().map(|id| &**id), Some("r1"));
    assert_eq!(relay.peer_relay_id(), None);
    let pong = UpstreamFrame::Pong { t0: 1, t1: 2, t2: 3 };
    upstream.write_frame(&pong).await.unwrap();
    upstream.write_frame(&keys(MAX_FRAME / 2)).await.unwrap();
    assert_eq!(relay.read_frame().await.unwrap(), Some(pong));
    assert_eq!(relay.read_frame().await.unwrap(), Some(keys(MAX_FRAME / 2)));
}

#[tokio::test]
async fn reading_and_writing_frames_may_be_dropped_half_way() {
    let (upstream, relay) = Upstream::start().link().await;
    let frames: Vec<_> = (0..40).map(|i| keys(20_000 * i)).collect();
    let sent = frames.clone();
    let write = tokio::spawn(async move {
        for frame in &sent {
            // The first poll takes the frame over; whatever is left of it goes out with the next one.
            let write = upstream.write_frame(frame);
            tokio::select! { biased; written = write => written.unwrap(), () = tokio::task::yield_now() => {} }
        }
        upstream.write_frame(&keys(1)).await.unwrap();
        upstream
    });
    let mut read = Vec::new();
    while read.last() != Some(&keys(1)) {
        tokio::select! {
            biased;
            frame = relay.read_frame::<UpstreamFrame>() => read.push(frame.unwrap().unwrap()),
            () = tokio::task::yield_now() => {}
        }
    }
    write.await.unwrap();
    // A frame that was dropped while an older one was still going out is not sent; none is damaged or out of order.
    assert!(read.len() > 1);
    let mut left = frames
        .iter()
        .chain([const { &UpstreamFrame::Keys { keys: String::new() } }]);
    for frame in &read[..read.len() - 1] {
        assert!(left.any(|sent| sent == frame));
    }
}

#[tokio::test]
async fn parts_of_five_megabytes_arrive_exact() {
    let (upstream, relay) = Upstream::start().link().await;
    let body = noise(5_000_000);
    let send = async {
        let (large, small) = (header(0, &body), header(1, &Bytes::new()));
        let sent = tokio::join!(
            upstream.send_part(&large, body.clone(), 1),
            upstream.send_part(&small, Bytes::new(), 2)
        );
        sent.0.unwrap();
        sent.1.unwrap();
    };
    let receive = async {
        let mut parts = [relay.accept_part().await.unwrap(), relay.accept_part().await.unwrap()];
        parts.sort_by_key(|(header, _)| header.id.part);
        parts
    };
    let ((), parts) = tokio::join!(send, receive);
    assert_eq!(parts[0], (header(0, &body), body));
    assert_eq!(parts[1], (header(1, &Bytes::new()), Bytes::new()));
}

#[tokio::test]
async fn a_part_that_is_taken_back_never_looks_whole() {
    let (upstream, relay) = Upstream::start().link().await;
    let stale = noise(6_000_000);
    {
        let stale_header = header(0, &stale);
        let send = upstream.send_part(&stale_header, stale, 1);
        // More than the stream's window, and nobody reads: it cannot end.
        assert!(tokio::time::timeout(Duration::from_millis(50), send).await.is_err());
    }
    let fresh = noise(1000);
    let fresh_header = header(1, &fresh);
    let send = upstream.send_part(&fresh_header, fresh.clone(), 1);
    let (sent, received) = tokio::join!(send, relay.accept_part());
    sent.unwrap();
    assert_eq!(received.unwrap(), (header(1, &fresh), fresh));
}

#[tokio::test]
async fn a_header_that_does_not_fit_its_body_is_refused_before_it_is_sent() {
    let (upstream, _relay) = Upstream::start().link().await;
    let sent = upstream.send_part(&header(0, &noise(3)), noise(4), 0).await;
    assert_eq!(sent, Err(SendError::Length { announced: 3, len: 4 }));
    let too_long = Bytes::from(vec![0; MAX_PART + 1]);
    let sent = upstream.send_part(&header(0, &too_long), too_long, 0).await;
    assert!(matches!(sent, Err(SendError::Wire(WireError::TooLong { .. }))));
    let sent = upstream.write_frame(&keys(MAX_FRAME)).await;
    assert!(matches!(sent, Err(FrameError::Wire(WireError::TooLong { .. }))));
}

#[tokio::test]
async fn an_oversized_frame_ends_the_connection_and_says_why() {
    let (upstream, relay) = Upstream::start().link().await;
    let mut writer = relay.shared.control.writer_for_tests().await;
    writer.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
    let read = upstream.read_frame::<DownstreamFrame>().await;
    assert!(matches!(read, Err(FrameError::Wire(WireError::TooLong { .. }))));
    let closed = relay.closed().await;
    assert_eq!((closed.code, closed.by_peer), (Some(CloseCode::Protocol), true));
    assert!(closed.reason.contains("frame of 4294967295 bytes"), "{closed}");
}

#[tokio::test]
async fn a_part_of_a_broken_header_ends_the_connection() {
    for head in [&[HEAD_VERSION, 0xff, 0, 0, 0][..], &[9, 0, 0, 0, 1, 0][..]] {
        let (upstream, relay) = Upstream::start().link().await;
        let mut stream = upstream.shared.connection.open_uni().await.unwrap();
        stream.write_all(head).await.unwrap();
        let accepted = relay.accept_part().await;
        assert!(matches!(accepted, Err(PartError::Malformed(HeadError::Wire(_)))));
        assert_eq!(upstream.closed().await.code, Some(CloseCode::Protocol));
    }
}

#[tokio::test]
async fn questions_are_answered_each_on_its_own() {
    let (upstream, relay) = Upstream::start().link().await;
    let fetch = |msn| FetchRequest {
        channel: ChannelId::source("cinema".parse().unwrap()),
        epoch: Epoch(1),
        rendition: RenditionId(0),
        msn: Msn(msn),
        part: None,
    };
    let call = CallRequest {
        method: "GET".to_owned(),
        path: "/api/rooms".to_owned(),
        headers: vec![],
        peer: "192.0.2.1:5".to_owned(),
        body: Bytes::new(),
    };
    let reply = CallReply {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Bytes::from_static(b"[]"),
    };
    let found = FetchReply::Found {
        body_len: 3_000_009,
        part: None,
    };
    let answer = async {
        for _ in 0..4 {
            match upstream.accept_request().await.unwrap() {
                IncomingRequest::Fetch(FetchRequest { msn: Msn(1), .. }, responder) => {
                    let rope = vec![noise(9), noise(3_000_000)];
                    responder.answer(&found, rope).await.unwrap();
                }
                IncomingRequest::Fetch(FetchRequest { msn: Msn(2), .. }, responder) => {
                    responder.answer(&FetchReply::Gone, vec![]).await.unwrap();
                }
                IncomingRequest::Fetch(_, responder) => drop(responder),
                IncomingRequest::Call(request, responder) => {
                    assert_eq!(request.path, "/api/rooms");
                    responder.reply(&reply).await.unwrap();
                }
            }
        }
    };
    let ask = async {
        tokio::join!(
            relay.fetch(fetch(1)),
            relay.fetch(fetch(2)),
            relay.fetch(fetch(3)),
            relay.call(call)
        )
    };
    let ((), (fetched, gone, dropped, called)) = tokio::join!(answer, ask);
    let rope = [noise(9), noise(3_000_000)].concat();
    assert_eq!(fetched, Ok((found, rope.into())));
    assert_eq!(gone, Ok((FetchReply::Gone, Bytes::new())));
    assert_eq!(dropped, Err(AskError::Failed(HeadError::GivenUp)));
    assert!(called.unwrap() == reply);
}

#[tokio::test]
async fn a_question_taken_back_does_not_disturb_the_next() {
    let (upstream, relay) = Upstream::start().link().await;
    let list = || CallRequest {
        method: "GET".to_owned(),
        path: "/api/rooms".to_owned(),
        headers: vec![],
        peer: String::new(),
        body: Bytes::from(vec![1; 100_000]),
    };
    {
        let ask = relay.call(list());
        tokio::select! { biased; _ = ask => unreachable!("nobody answers"), () = tokio::task::yield_now() => {} }
    }
    let answer = async {
        loop {
            // The first question may still have come whole.
            let Ok(IncomingRequest::Call(_, responder)) = upstream.accept_request().await else {
                panic!("a call is expected");
            };
            let reply = CallReply {
                status: 204,
                headers: vec![],
                body: Bytes::new(),
            };
            let _ = responder.reply(&reply).await;
        }
    };
    let reply = tokio::select! { reply = relay.call(list()) => reply, () = answer => unreachable!() };
    assert_eq!(reply.map(|reply| reply.status), Ok(204));
}

#[tokio::test]
async fn an_upstream_with_another_key_is_refused() {
    let upstream = Upstream::start();
    let mut identity = identity(&upstream.authority, upstream.address());
    identity.authority_sha256[0] ^= 1;
    let accepting = upstream.accept_in_background();
    let error = Connector::new(Arc::new(identity)).connect().await.unwrap_err();
    assert!(error.to_string().contains("not the one that was pinned"), "{error}");
    assert!(accepting.await.unwrap().is_none());
}

#[tokio::test]
async fn a_relay_certificate_does_not_pass_for_an_upstream() {
    let authority = Authority::generate().unwrap();
    let relay = identity(&authority, (Ipv4Addr::LOCALHOST, 1).into());
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(relay.chain.clone(), relay.key.clone_key())
        .unwrap();
    tls.alpn_protocols = vec![common::wire::ALPN_LINK.to_vec()];
    let crypto = quinn::crypto::rustls::QuicServerConfig::try_from(tls).unwrap();
    let config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    let endpoint = quinn::Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = endpoint.local_addr().unwrap();
    tokio::spawn(async move {
        let incoming = endpoint.accept().await.unwrap();
        let _ = incoming.await;
    });
    let error = Connector::new(Arc::new(identity(&authority, address)))
        .connect()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("server authentication"), "{error}");
}

#[tokio::test]
async fn a_client_of_another_authority_is_refused_in_the_handshake() {
    let upstream = Upstream::start();
    let stranger = identity(&Authority::generate().unwrap(), upstream.address());
    let identity = Identity {
        authority_sha256: *upstream.authority.key_sha256(),
        ..stranger
    };
    let accepting = upstream.accept_in_background();
    let closed = match Connector::new(Arc::new(identity)).connect().await {
        Ok(link) => link.closed().await,
        Err(ConnectError::Refused { closed, .. }) => closed,
        Err(other) => panic!("{other}"),
    };
    assert!(closed.by_peer || closed.code.is_none(), "{closed}");
    assert!(accepting.await.unwrap().is_none());
}

#[tokio::test]
async fn a_protocol_that_is_not_spoken_is_refused_with_a_reason() {
    let upstream = Upstream::start();
    let address = upstream.address();
    let config = quic::client_config_for_tests(upstream.authority.key_sha256(), b"h3");
    let accepting = upstream.accept_in_background();
    let endpoint = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let error = endpoint
        .connect_with(config, address, "x.invalid")
        .unwrap()
        .await
        .unwrap_err();
    let closed = Closed::from(error);
    assert_eq!((closed.code, closed.by_peer), (Some(CloseCode::Version), true));
    assert!(closed.reason.contains("protocol"), "{closed}");
    assert!(!closed.may_return());
    assert!(accepting.await.unwrap().is_none());
}

#[tokio::test]
async fn a_later_version_of_the_link_is_told_from_the_handshake() {
    let upstream = Upstream::start();
    let address = upstream.address();
    let config = quic::client_config_for_tests(upstream.authority.key_sha256(), b"streamcircle-link/2");
    let accepting = upstream.accept_in_background();
    let endpoint = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let _client = endpoint
        .connect_with(config, address, "x.invalid")
        .unwrap()
        .await
        .unwrap();
    let connection = accepting.await.unwrap().unwrap();
    let protocol = quic::protocol(&connection);
    assert_eq!(protocol, quic::Protocol::Unknown("streamcircle-link/2".to_owned()));
}

#[tokio::test]
async fn under_load_a_newcomer_shows_that_its_address_is_its_own() {
    let upstream = Upstream::start();
    let connector = Connector::new(Arc::new(identity(&upstream.authority, upstream.address())));
    let accept = async {
        let unproven = upstream.endpoint.accept().await.unwrap();
        assert!(quic::take_up(unproven, quic::RETRY_ABOVE).is_none());
        let proven = upstream.endpoint.accept().await.unwrap();
        quic::take_up(proven, quic::RETRY_ABOVE).unwrap().await.unwrap()
    };
    let (connected, _connection) = tokio::join!(connector.connect(), accept);
    connected.unwrap();
}

#[tokio::test]
async fn beyond_the_load_a_newcomer_is_refused_and_may_come_back() {
    let upstream = Upstream::start();
    let connector = Connector::new(Arc::new(identity(&upstream.authority, upstream.address())));
    let accept = async {
        let incoming = upstream.endpoint.accept().await.unwrap();
        assert!(quic::take_up(incoming, quic::REFUSE_ABOVE).is_none());
    };
    let (connected, ()) = tokio::join!(connector.connect(), accept);
    assert!(connected.unwrap_err().may_retry());
}

#[tokio::test]
async fn each_address_is_tried_in_turn() {
    let upstream = Upstream::start();
    let mut identity = identity(&upstream.authority, upstream.address());
    identity.upstreams.insert(0, "no-such-host.invalid:4443".to_owned());
    let _accepting = upstream.accept_in_background();
    Connector::new(Arc::new(identity)).connect().await.unwrap();
}
