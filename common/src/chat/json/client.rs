//! What browsers send.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::rfc3339;
use crate::{
    chat::repeats::{MAX_CLIENT_ID_LEN, is_client_id},
    time::UnixMillis,
    wire::chat::{ChatAct, RefusalCode},
};

/// Longest `viewerId`, emoji or emote name that is looked at, in bytes.
pub const MAX_NAME_LEN: usize = 128;
/// Longest `reason`, in bytes.
pub const MAX_REASON_LEN: usize = 1000;
/// Longest `detail` of an error, in bytes.
const MAX_DETAIL_LEN: usize = 160;

/// From a browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ClientMessage {
    Say {
        text: String,
        client_id: String,
        #[serde(with = "rfc3339::option", default, skip_serializing_if = "Option::is_none")]
        media_time: Option<UnixMillis>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<i64>,
    },
    React {
        emoji: String,
        #[serde(with = "rfc3339::option", default, skip_serializing_if = "Option::is_none")]
        media_time: Option<UnixMillis>,
    },
    Delete {
        message_id: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Timeout {
        viewer_id: String,
        seconds: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Ban {
        viewer_id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Unban {
        viewer_id: String,
    },
    /// `null` takes the pin away; a pin without it says nothing.
    Pin {
        #[serde(deserialize_with = "Option::deserialize")]
        message_id: Option<i64>,
    },
    SlowMode {
        seconds: u32,
    },
    Lock {
        locked: bool,
    },
    /// With a token: one that `join` gave. Without: the origin signs one.
    Renew {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    /// `t0` is the browser's own and comes back as it is.
    Ping {
        t0: Number,
    },
}

/// Why a frame of a browser says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Unreadable {
    /// [`RefusalCode::Malformed`] or [`RefusalCode::UnknownType`].
    pub code: RefusalCode,
    pub detail: String,
    /// Of the message that was refused, where it could be read.
    pub client_id: Option<String>,
}

impl ClientMessage {
    const TYPES: [&str; 11] = [
        "say", "react", "delete", "timeout", "ban", "unban", "pin", "slowMode", "lock", "renew", "ping",
    ];

    /// Reads the text of one frame.
    ///
    /// # Errors
    /// [`Unreadable`], with what to answer.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head<'a> {
            #[serde(rename = "type", borrow)]
            kind: Cow<'a, str>,
            #[serde(default)]
            client_id: Option<serde_json::Value>,
        }
        let head: Head<'_> = serde_json::from_str(text).map_err(|error| malformed(&error.to_string(), None))?;
        let client_id = head.client_id.and_then(|id| match id {
            serde_json::Value::String(id) if id.len() <= MAX_CLIENT_ID_LEN => Some(id),
            _ => None,
        });
        if !Self::TYPES.contains(&&*head.kind) {
            return Err(Unreadable {
                code: RefusalCode::UnknownType,
                detail: format!("the types are {}", Self::TYPES.join(", ")),
                client_id,
            });
        }
        let read = serde_json::from_str(text).map_err(|error| error.to_string());
        let checked = read.and_then(|message: Self| message.checked().map_err(str::to_owned));
        checked.map_err(|detail| malformed(&detail, client_id))
    }

    fn checked(self) -> Result<Self, &'static str> {
        match &self {
            Self::Say { client_id, .. } if !is_client_id(client_id) => {
                Err("clientId has 1 to 64 bytes of printable text")
            }
            Self::React { emoji: name, .. }
            | Self::Timeout { viewer_id: name, .. }
            | Self::Ban { viewer_id: name, .. }
            | Self::Unban { viewer_id: name }
                if name.len() > MAX_NAME_LEN =>
            {
                Err("a viewerId or emoji has at most 128 bytes")
            }
            Self::Delete {
                reason: Some(reason), ..
            }
            | Self::Timeout {
                reason: Some(reason), ..
            }
            | Self::Ban {
                reason: Some(reason), ..
            } if reason.len() > MAX_REASON_LEN => Err("a reason has at most 1000 bytes"),
            _ => Ok(self),
        }
    }

    /// The act that it asks of the origin; `Err`: it is no act, but a ping or about the token.
    ///
    /// # Errors
    /// The message itself.
    pub fn into_act(self) -> Result<ChatAct, Self> {
        Ok(match self {
            Self::Say {
                text,
                client_id,
                media_time,
                reply_to,
            } => ChatAct::Say {
                text,
                client_id,
                media_time,
                reply_to,
            },
            Self::React { emoji, media_time } => ChatAct::React { emoji, media_time },
            Self::Delete { message_id, reason } => ChatAct::Delete { message_id, reason },
            Self::Timeout {
                viewer_id,
                seconds,
                reason,
            } => ChatAct::Timeout {
                viewer_id,
                seconds,
                reason,
            },
            Self::Ban { viewer_id, reason } => ChatAct::Ban { viewer_id, reason },
            Self::Unban { viewer_id } => ChatAct::Unban { viewer_id },
            Self::Pin { message_id } => ChatAct::Pin { message_id },
            Self::SlowMode { seconds } => ChatAct::SlowMode { seconds },
            Self::Lock { locked } => ChatAct::Lock { locked },
            Self::Renew { .. } | Self::Ping { .. } => return Err(self),
        })
    }
}

fn malformed(detail: &str, client_id: Option<String>) -> Unreadable {
    Unreadable {
        code: RefusalCode::Malformed,
        detail: detail[..detail.floor_char_boundary(MAX_DETAIL_LEN)].to_owned(),
        client_id,
    }
}
