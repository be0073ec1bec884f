//! Who gets in, who does not, and what the one who does not is told.

use std::{net::Ipv4Addr, sync::Arc};

use common::{
    auth::join_token::JoinToken,
    wire::{
        ALPN_LINK,
        control::{DownstreamFrame, UpstreamFrame},
    },
};
use node::{
    enrol::EnrolError,
    link_driver::{CloseCode, Closed},
    pki::SERVER_NAME,
};

use super::harness::{Origin, closed, enrol_as, greet, hello, read};

/// A connection with no client certificate that says to speak `alpn`.
async fn stranger(origin: &Origin, alpn: &[u8]) -> Result<quinn::Connection, Closed> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(origin.authority.certificate().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.to_vec()];
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls).unwrap();
    let config = quinn::ClientConfig::new(Arc::new(crypto));
    let endpoint = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let connecting = endpoint.connect_with(config, origin.address, SERVER_NAME).unwrap();
    connecting.await.map_err(Closed::from)
}

#[tokio::test]
async fn a_join_token_serves_once() {
    let origin = Origin::start();
    let token = origin.invite_relay("r1");
    let identity = enrol_as(&token, "anything").await.unwrap();
    assert_eq!((&*identity.relay_id, &*identity.name), ("r1", "name of r1"));
    match enrol_as(&token, "anything").await {
        Err(EnrolError::Refused(reason)) => assert!(reason.contains("used before"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_of_another_key_sends_its_secret_to_nobody() {
    let origin = Origin::start();
    let token = origin.invite_relay("r1");
    let other = JoinToken::new(token.addresses().to_vec(), [0; 32], token.secret().clone()).unwrap();
    let error = enrol_as(&other, "r").await.unwrap_err();
    assert!(error.to_string().contains("pinned"), "{error}");
    enrol_as(&token, "r").await.unwrap();
}

#[tokio::test]
async fn an_origin_without_its_database_says_to_come_back_and_keeps_the_secret() {
    let origin = Origin::start();
    let token = origin.invite_relay("r1");
    *origin.store.is_down.lock().unwrap() = true;
    let error = enrol_as(&token, "r").await.unwrap_err();
    assert!(matches!(error, EnrolError::NoAnswer(_)), "{error}");
    *origin.store.is_down.lock().unwrap() = false;
    enrol_as(&token, "r").await.unwrap();
}

#[tokio::test]
async fn the_link_is_refused_without_a_client_certificate() {
    let origin = Origin::start();
    let connection = stranger(&origin, ALPN_LINK).await.unwrap();
    let closed = Closed::from(connection.closed().await);
    assert_eq!((closed.code, closed.by_peer), (Some(CloseCode::NotAllowed), true));
    assert!(closed.reason.contains("client certificate"), "{closed}");
}

#[tokio::test]
async fn a_protocol_that_is_not_spoken_is_refused_in_words() {
    let origin = Origin::start();
    let connection = stranger(&origin, b"streamcircle-link/2").await.unwrap();
    let closed = Closed::from(connection.closed().await);
    assert_eq!(closed.code, Some(CloseCode::Version));
    assert!(
        closed.reason.contains("streamcircle-link/2") && closed.reason.contains("streamcircle-link/1"),
        "{closed}"
    );
    // What the handshake itself refuses has TLS's words.
    let closed = stranger(&origin, b"h3").await.unwrap_err();
    assert_eq!((closed.code, closed.by_peer), (Some(CloseCode::Version), true));
}

#[tokio::test]
async fn another_link_version_is_refused_in_words() {
    let origin = Origin::start();
    let link = origin.enrol("r1").await.connect().await.unwrap();
    let DownstreamFrame::Hello {
        name,
        public_url,
        software,
        ..
    } = hello()
    else {
        unreachable!("it is a hello")
    };
    let hello = DownstreamFrame::Hello {
        version: 99,
        name,
        public_url,
        software,
    };
    link.write_frame(&hello).await.unwrap();
    let closed = closed(&link).await;
    assert_eq!(closed.code, Some(CloseCode::Version));
    assert!(closed.reason.contains("version") && !closed.may_return(), "{closed}");
}

#[tokio::test]
async fn a_removed_relay_is_cut_off_and_does_not_come_back() {
    let origin = Origin::start();
    let connector = origin.enrol("r1").await;
    let link = greet(&connector).await.unwrap();
    assert!(origin.relays.statuses()[0].online);
    // Still in the store: the cut alone has to do.
    origin.relays.cut("r1");
    let reason = "this relay was removed".to_owned();
    assert_eq!(read(&link).await, UpstreamFrame::GoAway { reason: reason.clone() });
    let cut = closed(&link).await;
    assert_eq!((cut.code, &cut.reason), (Some(CloseCode::NotAllowed), &reason));
    assert!(origin.relays.statuses().is_empty());
    let again = greet(&connector).await.unwrap_err();
    assert_eq!((again.code, again.may_return()), (Some(CloseCode::NotAllowed), false));
}

#[tokio::test]
async fn a_relay_that_is_not_in_the_store_is_refused() {
    let origin = Origin::start();
    let connector = origin.enrol("r1").await;
    origin.store.relays.lock().unwrap().clear();
    assert_eq!(greet(&connector).await.unwrap_err().code, Some(CloseCode::NotAllowed));
}

#[tokio::test]
async fn without_the_database_only_relays_that_were_here_may_come_back() {
    let origin = Origin::start();
    let (known, unknown) = (origin.enrol("r1").await, origin.enrol("r2").await);
    greet(&known).await.unwrap();
    *origin.store.is_down.lock().unwrap() = true;
    greet(&known).await.unwrap();
    let refused = greet(&unknown).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.may_return()),
        (Some(CloseCode::Unavailable), true)
    );
}

#[tokio::test]
async fn the_newer_connection_of_a_relay_replaces_the_older() {
    let origin = Origin::start();
    let connector = origin.enrol("r1").await;
    let older = greet(&connector).await.unwrap();
    let newer = greet(&connector).await.unwrap();
    assert_eq!(closed(&older).await.code, Some(CloseCode::Replaced));
    newer.write_frame(&DownstreamFrame::Ping { t0: 4 }).await.unwrap();
    assert!(matches!(read(&newer).await, UpstreamFrame::Pong { t0: 4, .. }));
    let statuses = origin.relays.statuses();
    assert_eq!((statuses.len(), statuses[0].online), (1, true));
}

#[tokio::test]
async fn what_a_relay_does_wrong_ends_its_own_connection_only() {
    let origin = Origin::start();
    let good = origin.join("good").await;
    let connector = origin.enrol("early").await;
    let early = connector.connect().await.unwrap();
    early.write_frame(&DownstreamFrame::Ping { t0: 1 }).await.unwrap();
    assert_eq!(closed(&early).await.code, Some(CloseCode::Protocol));
    let flooding = origin.join("flood").await;
    while flooding.write_frame(&DownstreamFrame::Ping { t0: 1 }).await.is_ok() {}
    assert_eq!(closed(&flooding).await.code, Some(CloseCode::Limit));
    good.write_frame(&DownstreamFrame::Ping { t0: 2 }).await.unwrap();
    assert!(matches!(read(&good).await, UpstreamFrame::Pong { t0: 2, .. }));
}

#[tokio::test]
async fn an_origin_that_stops_asks_its_relays_to_come_back() {
    let origin = Origin::start();
    let link = origin.join("r1").await;
    origin.shutdown.trigger();
    let closed = closed(&link).await;
    assert_eq!((closed.code, closed.may_return()), (Some(CloseCode::GoingAway), true));
    assert_eq!(origin.shutdown.drain(std::time::Duration::from_secs(5)).await, 0);
}
