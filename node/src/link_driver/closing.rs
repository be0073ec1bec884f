//! How a connection ends, and what the one who is left makes of it.

use common::link::code;
use quinn::{ConnectionError, VarInt};

/// Longest reason that is sent, in bytes.
const MAX_REASON_LEN: usize = 255;

/// TLS alerts inside QUIC's own codes (RFC 9001 section 4.8): `unknown_ca` and `no_application_protocol` (RFC 8446, RFC 7301).
const UNKNOWN_CA: u8 = 48;
const NO_APPLICATION_PROTOCOL: u8 = 120;

/// Application error codes of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum CloseCode {
    /// Ended as wanted.
    Done = code::OK,
    /// The peer broke the protocol.
    Protocol = code::PROTOCOL,
    /// No client certificate, or the relay was removed.
    NotAllowed = code::AUTH,
    /// The protocol or its version is not spoken here.
    Version = code::VERSION,
    /// This end is going to stop; come back.
    GoingAway = code::GO_AWAY,
    /// The same relay connected anew.
    Replaced = code::DUPLICATE,
    /// More than the peer may have.
    Limit = code::LIMIT,
    /// Cannot serve now; come back later.
    Unavailable = code::UNAVAILABLE,
}

impl CloseCode {
    /// The code with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        const ALL: [CloseCode; 8] = [
            CloseCode::Done,
            CloseCode::Protocol,
            CloseCode::NotAllowed,
            CloseCode::Version,
            CloseCode::GoingAway,
            CloseCode::Replaced,
            CloseCode::Limit,
            CloseCode::Unavailable,
        ];
        ALL.into_iter().find(|known| *known as u32 == number)
    }
}

impl From<CloseCode> for VarInt {
    fn from(code: CloseCode) -> Self {
        Self::from_u32(code as u32)
    }
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the link was closed{}: {reason}", if *.by_peer { " by the peer" } else { "" })]
pub struct Closed {
    /// `None`: no code of the link came (silence, reset, an error of the transport, or this end closed it).
    pub code: Option<CloseCode>,
    pub by_peer: bool,
    pub reason: String,
}

impl Closed {
    pub(super) fn here(code: CloseCode, reason: &str) -> Self {
        Self {
            code: Some(code),
            by_peer: false,
            reason: reason.to_owned(),
        }
    }

    /// Whether dialling again can help. Not after the peer said that this relay, or what it speaks, is not wanted.
    pub fn may_return(&self) -> bool {
        let unwanted = matches!(
            self.code,
            Some(CloseCode::NotAllowed | CloseCode::Version | CloseCode::Replaced)
        );
        !(self.by_peer && unwanted)
    }
}

impl From<ConnectionError> for Closed {
    fn from(error: ConnectionError) -> Self {
        let (code, by_peer, reason) = match error {
            ConnectionError::ApplicationClosed(close) => {
                let reason = printable(&close.reason);
                {
                    let number = u32::try_from(close.error_code.into_inner());
                    (number.ok().and_then(CloseCode::from_number), true, reason)
                }
            }
            ConnectionError::ConnectionClosed(close) if is_alert(close.error_code, NO_APPLICATION_PROTOCOL) => {
                (Some(CloseCode::Version), true, printable(&close.reason))
            }
            ConnectionError::ConnectionClosed(close) if is_alert(close.error_code, UNKNOWN_CA) => {
                let reason = "the client certificate is not of this upstream's authority".to_owned();
                (Some(CloseCode::NotAllowed), true, reason)
            }
            ConnectionError::TransportError(error) if is_alert(error.code, UNKNOWN_CA) => {
                let reason = "the upstream's key is not the one that was pinned".to_owned();
                (Some(CloseCode::NotAllowed), false, reason)
            }
            other => (None, false, other.to_string()),
        };
        Self { code, by_peer, reason }
    }
}

pub(super) fn close(connection: &quinn::Connection, code: CloseCode, reason: &str) {
    let end = reason.floor_char_boundary(MAX_REASON_LEN);
    connection.close(code.into(), &reason.as_bytes()[..end]);
}

fn is_alert(code: quinn::TransportErrorCode, alert: u8) -> bool {
    code == quinn::TransportErrorCode::crypto(alert)
}

/// A peer's words, fit for a log line.
fn printable(reason: &[u8]) -> String {
    String::from_utf8_lossy(&reason[..reason.len().min(MAX_REASON_LEN)])
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
