//! The viewer token: what a relay checks at each request, without asking anyone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{numeric_date, scope::Role};
use crate::{id::RoomSlug, time::UnixMillis};

/// Longest token that is looked at, in bytes; a longer one is malformed.
pub const MAX_TOKEN_LEN: usize = 2048;

/// Longest life of a viewer token.
pub const VIEWER_TOKEN_LIFE: Duration = Duration::from_secs(600);

/// How long after its `exp` a viewer token is still taken. Short, as a token must not outlive its invite: relays go by the origin's
/// clock, measured over the link, and what is left is the error of that measurement.
pub const VIEWER_TOKEN_LEEWAY: Duration = Duration::from_secs(1);

/// `aud` of a viewer token.
pub(super) const VIEWER_AUDIENCE: &str = "viewer";

/// Who the bearer is, where it may watch, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ViewerClaims {
    #[serde(rename = "sub")]
    pub viewer_id: String,
    /// `jti` of the invite it came with; none in an open room.
    #[serde(rename = "inv", default, skip_serializing_if = "Option::is_none")]
    pub invite_id: Option<String>,
    pub room: RoomSlug,
    pub role: Role,
    /// As it stands in chat and roster.
    pub nickname: String,
    /// Ids of the only relays that may serve the bearer; `None`: all may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relays: Option<Vec<String>>,
    /// To the millisecond, so that a room made anew in the second it was deleted does not inherit the deletion.
    #[serde(rename = "iat", with = "numeric_date")]
    pub issued_at: UnixMillis,
    /// Whole seconds.
    #[serde(rename = "exp", with = "numeric_date")]
    pub expires_at: UnixMillis,
}

impl ViewerClaims {
    /// Whether the relay `relay_id` may serve the bearer.
    pub fn allows_relay(&self, relay_id: &str) -> bool {
        self.relays
            .as_ref()
            .is_none_or(|relays| relays.iter().any(|id| id == relay_id))
    }
}

/// When a viewer token made `now` ends: after its life, or with its invite if that comes first. Whole seconds.
pub fn viewer_expiry(now: UnixMillis, invite_expires_at: Option<UnixMillis>) -> UnixMillis {
    let life_ends = now.0.saturating_add(VIEWER_TOKEN_LIFE.as_millis() as i64);
    let ends = invite_expires_at.map_or(life_ends, |invite| invite.0.min(life_ends));
    UnixMillis(UnixMillis(ends).as_secs() * 1000)
}

/// Why a token does not count. Never holds any of the token's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No JWT of ours: not three parts of base64url and JSON, a claim missing or of the wrong type, or too long.
    #[error("the token cannot be read")]
    Malformed,
    /// Signed by another algorithm than EdDSA, or by none.
    #[error("the token is not signed with EdDSA")]
    WrongAlgorithm,
    /// Names no key, or one that is not in the set.
    #[error("the token's key is not known")]
    UnknownKey,
    #[error("the token's signature is wrong")]
    BadSignature,
    /// A token of ours, made for something else.
    #[error("the token is for something else")]
    WrongAudience,
    #[error("the token is expired")]
    Expired,
    #[error("the token is not yet valid")]
    NotYetValid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_token_ends_after_ten_minutes() {
        assert_eq!(viewer_expiry(UnixMillis(1_000_700), None), UnixMillis(1_600_000));
        assert_eq!(
            viewer_expiry(UnixMillis(1_000_700), Some(UnixMillis(99_000_000))),
            UnixMillis(1_600_000)
        );
    }

    #[test]
    fn a_viewer_token_never_outlives_its_invite() {
        assert_eq!(
            viewer_expiry(UnixMillis(1_000_700), Some(UnixMillis(1_004_999))),
            UnixMillis(1_004_000)
        );
    }
}
