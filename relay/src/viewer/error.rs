//! Errors as viewers' players and pages see them: `application/problem+json` (RFC 9457), in fixed words that echo nothing of the
//! request, since a request may hold a token.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use common::hls::directives::{DirectiveError, RefuseReason};

use crate::websocket::NotWebSocket;

/// Seconds after which a client may ask again for what is not there just now.
const RETRY_SOON_S: u64 = 1;
/// The same for a room that is offline, or a relay that is full: nobody knows when that is over.
const RETRY_OFFLINE_S: u64 = 5;

/// Why a viewer does not get what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("A viewer token is needed.")]
    NoToken,
    #[error("The viewer token is not valid or not valid any more.")]
    BadToken,
    #[error("The viewer token is for another room.")]
    OtherRoom,
    #[error("The viewer token is for other relays.")]
    OtherRelay,
    #[error("The viewer's access was taken back.")]
    Revoked,
    #[error("There is no such room.")]
    NoSuchRoom,
    #[error("The room is offline.")]
    Offline,
    #[error("The playlist is not here, or not here any more.")]
    NoSuchPlaylist,
    #[error("The media is not here, or not here any more.")]
    NoSuchMedia,
    #[error("The delivery directives cannot be read: {0}.")]
    BadDirectives(#[from] DirectiveError),
    #[error("The delivery directives cannot be followed: {0}.")]
    RefusedDirectives(#[from] RefuseReason),
    #[error("Nothing new came in time.")]
    HeldTooLong,
    #[error("The relay is stopping.")]
    Stopping,
    #[error("The origin cannot be reached at the moment.")]
    NoOrigin,
    #[error("The request is too large.")]
    TooLarge,
    #[error("The request did not come in time.")]
    TooSlow,
    #[error("The request cannot be read.")]
    Malformed,
    #[error("The range is beyond the end.")]
    BadRange,
    #[error("Only GET and HEAD are answered here.")]
    Method,
    #[error("A page of another site may not open this.")]
    ForeignSite,
    #[error("{0}")]
    NotWebSocket(#[from] NotWebSocket),
    #[error("Too many sockets are open from this address.")]
    TooManySockets,
    #[error("This relay bears no more sockets.")]
    RelayFull,
    #[error("There is no such emote.")]
    NoSuchEmote,
}

impl Problem {
    pub fn status(self) -> StatusCode {
        match self {
            Self::BadDirectives(_) | Self::RefusedDirectives(_) | Self::Malformed => StatusCode::BAD_REQUEST,
            Self::NoToken | Self::BadToken => StatusCode::UNAUTHORIZED,
            Self::OtherRoom | Self::OtherRelay | Self::Revoked | Self::ForeignSite => StatusCode::FORBIDDEN,
            Self::NoSuchRoom | Self::Offline | Self::NoSuchPlaylist | Self::NoSuchMedia | Self::NoSuchEmote => {
                StatusCode::NOT_FOUND
            }
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadRange => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::NotWebSocket(reason) => reason.status(),
            Self::TooManySockets => StatusCode::TOO_MANY_REQUESTS,
            Self::HeldTooLong | Self::Stopping | Self::NoOrigin | Self::RelayFull => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn retry_after(self) -> Option<u64> {
        match self {
            Self::HeldTooLong | Self::Stopping | Self::NoOrigin => Some(RETRY_SOON_S),
            Self::Offline | Self::TooManySockets | Self::RelayFull => Some(RETRY_OFFLINE_S),
            _ => None,
        }
    }

    /// What is not here now may be here in a moment: a hinted part will.
    fn cache_control(self) -> &'static str {
        match self {
            Self::NoSuchMedia | Self::NoSuchPlaylist => "max-age=1",
            _ => "no-store",
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": self.to_string(),
        });
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache_control()));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UPGRADE_REQUIRED {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 section 15.5.2 asks for it; "Bearer" makes no browser open a dialogue.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_come_back_says_when_to_ask_again() {
        for (problem, status, retry) in [
            (Problem::HeldTooLong, 503, true),
            (Problem::Offline, 404, true),
            (Problem::NoSuchMedia, 404, false),
            (Problem::NoToken, 401, false),
        ] {
            let response = problem.into_response();
            assert_eq!(response.status(), status);
            assert_eq!(
                response.headers().contains_key(header::RETRY_AFTER),
                retry,
                "{problem:?}"
            );
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        }
    }
}
