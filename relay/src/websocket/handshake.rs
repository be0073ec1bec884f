//! The upgrade of a request (RFC 6455 section 4.2).

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header},
    response::IntoResponse,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use common::websocket::ACCEPT_GUID;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};

/// Bytes of a `Sec-WebSocket-Key`.
const KEY_LEN: usize = 16;

/// The request is no WebSocket handshake that can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWebSocket {
    #[error("this is a WebSocket of version 13 over HTTP/1.1")]
    UpgradeRequired,
    #[error("the WebSocket key is missing or is none")]
    BadKey,
}

impl NotWebSocket {
    pub fn status(self) -> StatusCode {
        match self {
            Self::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
            Self::BadKey => StatusCode::BAD_REQUEST,
        }
    }
}

/// A handshake that may be answered.
pub struct Handshake {
    accept: HeaderValue,
    upgrade: OnUpgrade,
}

impl Handshake {
    /// Takes what is needed out of the request.
    ///
    /// # Errors
    /// It is no handshake.
    pub fn of(request: &mut Request<Body>) -> Result<Self, NotWebSocket> {
        let headers = request.headers();
        let asks = *request.method() == Method::GET
            && request.version() == Version::HTTP_11
            && has_word(headers, &header::CONNECTION, "upgrade")
            && has_word(headers, &header::UPGRADE, "websocket")
            && headers
                .get(header::SEC_WEBSOCKET_VERSION)
                .is_some_and(|version| version == "13");
        if !asks {
            return Err(NotWebSocket::UpgradeRequired);
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(NotWebSocket::BadKey)?;
        if STANDARD.decode(key).map(|key| key.len()) != Ok(KEY_LEN) {
            return Err(NotWebSocket::BadKey);
        }
        let digest = Sha1::new_with_prefix(key).chain_update(ACCEPT_GUID).finalize();
        let accept = HeaderValue::try_from(STANDARD.encode(digest)).map_err(|_| NotWebSocket::BadKey)?;
        let upgrade = request
            .extensions_mut()
            .remove::<OnUpgrade>()
            .ok_or(NotWebSocket::UpgradeRequired)?;
        Ok(Self { accept, upgrade })
    }

    /// The answer, and the connection that is there once the answer is sent.
    pub fn accept(self) -> (Response<Body>, impl Future<Output = Option<TokioIo<Upgraded>>> + Send) {
        let headers = [
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, self.accept),
        ];
        let response = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
        let upgraded = async { self.upgrade.await.ok().map(TokioIo::new) };
        (response, upgraded)
    }
}

/// Whether one of a header's comma-separated words is `word`.
fn has_word(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|found| found.trim().eq_ignore_ascii_case(word))
}
