//! What a [`super::ChatRoom`] is told, and what it tells.

use crate::{
    auth::Role,
    chat::{
        policy::LinkPolicy,
        record::{BanOrder, Record},
    },
    id::RoomSlug,
    time::{Monotonic, UnixMillis},
    wire::chat::{ChatDown, ChatMessage, EmoteRef, SocketId},
};

/// One connection of a relay; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelayKey(pub u64);

/// A socket of a relay's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketKey {
    pub relay: RelayKey,
    pub socket: SocketId,
}

/// Now, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub monotonic: Monotonic,
    pub wall: UnixMillis,
}

/// Who a socket's viewer is, by its token, which was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrant {
    pub viewer_id: String,
    pub nickname: String,
    pub role: Role,
    /// None in an open room.
    pub invite_id: Option<String>,
    /// As the relay sees it.
    pub address: String,
    /// When the token ends; the viewer may not act after it.
    pub expires_at: UnixMillis,
}

/// What a room's chat starts with.
#[derive(Clone, Debug)]
pub struct Opening {
    pub room: RoomSlug,
    /// Oldest first, without deleted ones.
    pub history: Vec<ChatMessage>,
    /// Greater than every id that may have been used.
    pub next_id: i64,
    pub settings: Settings,
    pub pinned: Option<ChatMessage>,
    pub emotes: Vec<EmoteRef>,
    /// Ids of banned viewers, with the roles they had.
    pub banned: Vec<(String, Role)>,
    /// Viewers who may not speak yet, and until when.
    pub silenced: Vec<(String, UnixMillis)>,
    /// Names of moderators and hosts that were here before, with their viewer ids.
    pub staff_names: Vec<(String, String)>,
}

/// What the operator or a host set for the room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub name: String,
    pub is_open: bool,
    pub listed: bool,
    pub locked: bool,
    pub slow_mode_seconds: u32,
    pub links: LinkPolicy,
    /// Words that nobody but moderators may write, in any case.
    pub blocked_words: Vec<String>,
}

/// How the room stands on air.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnAir {
    pub is_live: bool,
    pub interrupted: bool,
    pub started_at: Option<UnixMillis>,
}

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Tell every relay that follows the room.
    All(ChatDown),
    /// Tell one.
    Relay(RelayKey, ChatDown),
    Keep(Record),
    /// Revoke the viewer's tokens at once, then see to its invite.
    Ban(BanOrder),
    /// Take a ban back.
    Unban {
        viewer_id: String,
    },
    /// Sign a newer token for this socket's viewer, and tell it ([`crate::wire::chat::SocketEvent::Token`]).
    Renew(SocketKey, String),
}

/// Why an act over the API was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    #[error("that is not for this role to do")]
    NotAllowed,
    #[error("there is no such message")]
    NoSuchMessage,
    #[error("there is no such viewer")]
    NoSuchViewer,
    /// A number is too large.
    #[error("at most {max} seconds")]
    TooLong { max: u32 },
}
