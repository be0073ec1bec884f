//! What browsers are sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::rfc3339;
use crate::{
    auth::Role,
    id::RoomSlug,
    time::UnixMillis,
    wire::chat::{KickReason, RefusalCode},
};

/// To a browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ServerMessage {
    /// The first that a socket hears of its room; a pong or an error may come before.
    Hello(Box<Hello>),
    Message(Message),
    Deleted {
        message_id: i64,
        by: String,
    },
    Reaction {
        viewer_id: String,
        emoji: String,
        #[serde(with = "rfc3339::option", default, skip_serializing_if = "Option::is_none")]
        media_time: Option<UnixMillis>,
    },
    Reactions {
        counts: BTreeMap<String, u32>,
    },
    Presence {
        joined: Vec<Person>,
        left: Vec<String>,
        count: u32,
    },
    Room(RoomChange),
    #[serde(rename = "stream")]
    OnAir(OnAir),
    Token {
        token: String,
        #[serde(with = "rfc3339")]
        expires_at: UnixMillis,
    },
    Notice(Notice),
    Kicked {
        reason: KickReason,
    },
    /// Times of the origin, in milliseconds since the Unix epoch: when the ping came to the relay and when this left it.
    Pong {
        t0: Number,
        t1: i64,
        t2: i64,
    },
    Error {
        code: RefusalCode,
        detail: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    pub viewer_id: String,
    pub nickname: String,
    pub role: Role,
    /// Oldest first.
    pub history: Vec<Message>,
    /// Messages between the one that the browser said it had and `history` are not among it: they are paged by the API.
    pub truncated: bool,
    /// Of the messages that the browser may hold.
    pub deleted: Vec<i64>,
    pub roster: Vec<Person>,
    pub room: Room,
    pub pinned: Option<Message>,
    pub emotes: Vec<Emote>,
    /// When the viewer's token ends.
    #[serde(with = "rfc3339")]
    pub expires_at: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub id: i64,
    pub viewer_id: String,
    pub nickname: String,
    pub role: Role,
    pub text: String,
    #[serde(with = "rfc3339")]
    pub sent_at: UnixMillis,
    #[serde(with = "rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub media_time: Option<UnixMillis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
    /// Ids of viewers that the text names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
    /// Only for sockets of the viewer who sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    pub viewer_id: String,
    pub nickname: String,
    pub role: Role,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emote {
    pub name: String,
    /// From the root of any relay.
    pub url: String,
}

/// As in the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    pub slug: RoomSlug,
    pub name: String,
    pub access: Access,
    pub listed: bool,
    pub locked: bool,
    #[serde(flatten)]
    pub on_air: OnAir,
    pub viewer_count: u32,
    pub slow_mode_seconds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    Open,
    Invite,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnAir {
    pub is_live: bool,
    pub interrupted: bool,
    #[serde(with = "rfc3339::option", default)]
    pub started_at: Option<UnixMillis>,
}

/// Only what changed. Who is there comes in `presence`, what is on air in `stream`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoomChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_mode_seconds: Option<u32>,
    /// `null`: nothing is pinned any more.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub pinned: Option<Option<Message>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emotes: Option<Vec<Emote>>,
}

/// Tells `null` from a key that is missing.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Message>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl ServerMessage {
    /// The text of its frame.
    pub fn to_text(&self) -> String {
        // Strings, numbers and maps keyed by strings always can.
        serde_json::to_string(self).expect("its types have a JSON form")
    }
}

/// For moderators or hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Notice {
    /// The database does not take what is said: so many records wait, so many were dropped since it failed.
    StorageDown { waiting: u64, dropped: u64 },
    /// It takes them again, and has all but those dropped.
    StorageBack { kept: u64, dropped: u64 },
    /// A banned viewer's invite is used by so many others, and still stands.
    LinkShared {
        viewer_id: String,
        nickname: String,
        others: u32,
    },
    /// A banned viewer's invite is revoked.
    LinkRevoked { viewer_id: String, nickname: String },
    /// A viewer was silenced, or may speak again (0).
    TimedOut {
        viewer_id: String,
        nickname: String,
        seconds: u32,
        by: String,
    },
}
