//! QUIC as the link uses it: who proves what in the handshake, and the transport's numbers.
//!
//! The server proves itself by a certificate of the authority whose key the relay pinned; a relay by a client certificate of
//! the same authority. Only enrolment goes without a client certificate, so the handshake does not ask for one: whoever accepts
//! a connection looks at [`protocol`] and [`peer_relay_id`] before anything else. Frames are not here.

mod pinned;
#[cfg(test)]
mod tests;
mod transport;

use std::{
    any::Any,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
};

use aws_lc_rs::hmac;
use common::wire::{ALPN_ENROL, ALPN_LINK};
use quinn::{
    TokioRuntime,
    crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig},
};
use quinn_proto::HashedConnectionIdGenerator;
use rustls::{
    RootCertStore,
    client::Resumption,
    crypto::CryptoProvider,
    pki_types::CertificateDer,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};

pub use self::transport::MAX_REQUESTS;
use crate::pki::{self, Authority, Identity};

/// Most connections that wait for their handshake to be taken up; more are dropped.
const MAX_INCOMING: usize = 256;
/// Most bytes kept for one, and for all of these, meanwhile.
const INCOMING_BUFFER: u64 = 64 << 10;
const INCOMING_BUFFER_TOTAL: u64 = 4 << 20;
/// Handshakes that run at once before a newcomer has to show that its address is its own, and before it is turned away.
pub(crate) const RETRY_ABOVE: usize = 32;
pub(crate) const REFUSE_ABOVE: usize = 256;

/// Protocols that are accepted only to be refused in words: TLS itself can but say "no common protocol". Of each, the digits
/// that a later version would have.
const LATER_PROTOCOLS: [&str; 2] = ["streamcircle-link/", "streamcircle-enrol/"];

/// The endpoint cannot be set up. None of these depends on a peer.
#[derive(Debug, thiserror::Error)]
pub enum QuicError {
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error("TLS: {0}")]
    ClientVerifier(#[from] rustls::server::VerifierBuilderError),
    #[error("TLS: {0}")]
    Cipher(#[from] quinn::crypto::rustls::NoInitialCipherSuite),
    #[error("cannot listen on {address} (udp): {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
}

/// What a connection is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    Link,
    Enrol,
    /// A version that is not spoken here; to be closed with a reason.
    Unknown(String),
}

/// Which of its two purposes a client has.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    Link(&'a Identity),
    Enrol,
}

/// A listening endpoint for links and enrolment.
///
/// # Errors
/// [`QuicError::Listen`] with the address, or a TLS error that only a broken build can cause.
pub fn listen(authority: &Authority, address: SocketAddr) -> Result<quinn::Endpoint, QuicError> {
    let config = server_config(authority)?;
    UdpSocket::bind(address)
        .and_then(|socket| {
            quinn::Endpoint::new(endpoint_config(authority), Some(config), socket, Arc::new(TokioRuntime))
        })
        .map_err(|source| QuicError::Listen { address, source })
}

/// A listener that is started again has no memory of its connections, but knows that their ids are its own, and what resets them
/// (RFC 9000 section 10.3): relays of an origin that died learn it with the first packet that they send to the next one, not by silence.
/// Both secrets follow from the authority's key, so that there is no more to keep.
fn endpoint_config(authority: &Authority) -> quinn::EndpointConfig {
    let reset_key = authority.derived_secret(b"streamcircle link stateless reset");
    let id_key = authority.derived_secret(b"streamcircle link connection ids");
    let id_key = id_key.first_chunk().map_or(0, |key| u64::from_be_bytes(*key));
    let mut config = quinn::EndpointConfig::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &reset_key)));
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(id_key)));
    config
}

fn server_config(authority: &Authority) -> Result<quinn::ServerConfig, QuicError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone())?;
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .allow_unauthenticated()
        .build()?;
    let certificate = authority
        .issue_server()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let mut tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(clients)
        .with_single_cert(certificate.chain, certificate.key)?;
    tls.alpn_protocols = vec![ALPN_LINK.to_vec(), ALPN_ENROL.to_vec()];
    tls.alpn_protocols.extend(
        LATER_PROTOCOLS
            .iter()
            .flat_map(|name| (2..=9).map(move |digit| format!("{name}{digit}").into_bytes())),
    );
    // Each connection shows its certificate anew; neither tickets nor early data.
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.send_tls13_tickets = 0;

    let mut config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config
        .transport_config(Arc::new(transport::upstream()))
        .max_incoming(MAX_INCOMING)
        .incoming_buffer_size(INCOMING_BUFFER)
        .incoming_buffer_size_total(INCOMING_BUFFER_TOTAL);
    Ok(config)
}

/// Client side, for a peer that the authority with the public key of this SHA-256 vouches for.
///
/// # Errors
/// A TLS error when the identity's certificate and key do not fit together.
pub fn client_config(authority_sha256: &[u8; 32], purpose: Purpose<'_>) -> Result<quinn::ClientConfig, QuicError> {
    let (identity, alpn) = match purpose {
        Purpose::Link(identity) => (Some(identity), ALPN_LINK),
        Purpose::Enrol => (None, ALPN_ENROL),
    };
    client_config_with(authority_sha256, identity, alpn)
}

fn client_config_with(
    authority_sha256: &[u8; 32],
    identity: Option<&Identity>,
    alpn: &[u8],
) -> Result<quinn::ClientConfig, QuicError> {
    let provider = provider();
    let verifier = pinned::PinnedAuthority::new(*authority_sha256, provider.signature_verification_algorithms);
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut tls = match identity {
        Some(identity) => builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?,
        None => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = vec![alpn.to_vec()];
    tls.resumption = Resumption::disabled();
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport::downstream()));
    Ok(config)
}

/// Takes up a connection that wants in, where `handshakes` of others are running: under load its address must be shown to be
/// its own first (RFC 9000 section 8.1.2), and beyond that it is refused.
pub fn take_up(incoming: quinn::Incoming, handshakes: usize) -> Option<quinn::Connecting> {
    if handshakes >= REFUSE_ABOVE {
        incoming.refuse();
        return None;
    }
    if handshakes >= RETRY_ABOVE && incoming.may_retry() && !incoming.remote_address_validated() {
        // Fails only when it must not be retried, which was asked just now.
        let _ = incoming.retry();
        return None;
    }
    incoming.accept().ok()
}

/// What the peer wants to speak.
pub fn protocol(connection: &quinn::Connection) -> Protocol {
    let name = connection
        .handshake_data()
        .and_then(|data: Box<dyn Any>| data.downcast::<HandshakeData>().ok())
        .and_then(|data| data.protocol)
        .unwrap_or_default();
    match name.as_slice() {
        ALPN_LINK => Protocol::Link,
        ALPN_ENROL => Protocol::Enrol,
        other => Protocol::Unknown(String::from_utf8_lossy(other).into_owned()),
    }
}

/// The relay id in the client certificate that the peer showed and the authority signed, if it showed one.
pub fn peer_relay_id(connection: &quinn::Connection) -> Option<String> {
    let chain = connection
        .peer_identity()?
        .downcast::<Vec<CertificateDer<'static>>>()
        .ok()?;
    pki::relay_id(chain.first()?)
}

/// The one crypto provider of this project, passed by hand so that no process-wide default is needed.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A client that speaks something else.
#[cfg(test)]
pub(crate) fn client_config_for_tests(authority_sha256: &[u8; 32], alpn: &[u8]) -> quinn::ClientConfig {
    client_config_with(authority_sha256, None, alpn).unwrap()
}
