//! The invite: a signed permission to join one room, carried in a link's fragment.

use serde::{Deserialize, Serialize};

use super::{numeric_date, scope::Role};
use crate::{id::RoomSlug, time::UnixMillis};

/// `aud` of an invite.
pub(super) const INVITE_AUDIENCE: &str = "invite";

/// What an invite allows. Whether it is revoked, and how many seats are taken, only the origin knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteClaims {
    #[serde(rename = "jti")]
    pub id: String,
    pub room: RoomSlug,
    pub role: Role,
    /// Most viewers at once; `None`: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<u32>,
    /// Ids of the only relays that may serve viewers of this invite; `None`: all may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relays: Option<Vec<String>>,
    /// Whole seconds.
    #[serde(rename = "nbf", with = "numeric_date")]
    pub not_before: UnixMillis,
    /// Whole seconds.
    #[serde(rename = "exp", with = "numeric_date")]
    pub expires_at: UnixMillis,
}
