//! Chat over the link: what viewers' sockets do, carried up; what the room says, carried down.
//!
//! A relay decides nothing. It hands over each socket's viewer token, so that the origin knows by itself who speaks and what
//! that viewer may do; it follows a room's chat while it has sockets there, and after each new connection follows all anew.
//! Frames of the control stream carry both ways, in order: what an answer refers to came before it.

use serde::{Deserialize, Serialize};

use crate::{auth::Role, id::RoomSlug, time::UnixMillis};

/// Names a viewer's socket among those of one relay, for as long as the relay runs.
pub type SocketId = u64;

/// From a relay to the origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatUp {
    /// Say what goes on in the room's chat: answered by [`ChatDown::Snapshot`] pieces, then by all that happens. `after`: id
    /// of the newest message that is here already.
    Follow {
        room: RoomSlug,
        after: Option<i64>,
    },
    Unfollow {
        room: RoomSlug,
    },
    /// A socket was opened with this viewer token. `address`: the viewer's, as the relay sees it. Answered by
    /// [`SocketEvent::Entered`] or [`SocketEvent::Kicked`].
    Enter {
        room: RoomSlug,
        socket: SocketId,
        token: String,
        address: String,
    },
    Leave {
        room: RoomSlug,
        socket: SocketId,
    },
    /// The viewer of a socket that entered shows a newer token.
    Token {
        room: RoomSlug,
        socket: SocketId,
        token: String,
    },
    /// The viewer of a socket that entered wants a newer token: answered by [`SocketEvent::Token`].
    Renew {
        room: RoomSlug,
        socket: SocketId,
    },
    Act {
        room: RoomSlug,
        socket: SocketId,
        act: ChatAct,
    },
}

/// What a viewer does in a room. Text is as the viewer wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatAct {
    Say {
        text: String,
        /// The same when the viewer says the same message again for want of an answer.
        client_id: String,
        /// PROGRAM-DATE-TIME of what the viewer saw.
        media_time: Option<UnixMillis>,
        reply_to: Option<i64>,
    },
    React {
        /// One emoji, or `:name:` of an emote of the room.
        emoji: String,
        media_time: Option<UnixMillis>,
    },
    Delete {
        message_id: i64,
        reason: Option<String>,
    },
    /// The viewer may not speak for so long; 0 takes it back.
    Timeout {
        viewer_id: String,
        seconds: u32,
        reason: Option<String>,
    },
    Ban {
        viewer_id: String,
        reason: Option<String>,
    },
    Unban {
        viewer_id: String,
    },
    /// `None`: nothing is pinned any more.
    Pin {
        message_id: Option<i64>,
    },
    /// Least seconds between two messages of one viewer; 0: none.
    SlowMode {
        seconds: u32,
    },
    Lock {
        locked: bool,
    },
}

/// From the origin to a relay that follows the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatDown {
    /// A piece of how the room's chat stands. It counts when the last piece is here; until then nothing else of the room comes.
    Snapshot(SnapshotPiece),
    /// For all sockets of the room.
    All(ChatEvent),
    /// For one socket.
    Socket { socket: SocketId, event: SocketEvent },
    /// For all sockets of viewers with at least this role.
    Staff { least: Role, notice: Notice },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPiece {
    /// Oldest first, and after those of earlier pieces. Deleted ones are not among them.
    pub messages: Vec<ChatMessage>,
    /// Ids of messages deleted lately, also of those that the relay never had: a browser that comes to it may hold them.
    pub deleted: Vec<i64>,
    pub roster: Vec<RosterEntry>,
    /// In the last piece, and only there.
    pub state: Option<ChatState>,
    /// In the last piece: messages up to this id may be missing here, since the room no longer holds them. A relay whose newest is
    /// older has a hole.
    pub floor: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatEvent {
    Message(ChatMessage),
    Deleted {
        message_id: i64,
        /// Viewer id of who did it.
        by: String,
    },
    Reaction {
        viewer_id: String,
        emoji: String,
        media_time: Option<UnixMillis>,
    },
    /// All reactions of the last second, also those that were too many to be told one by one.
    Reactions {
        counts: Vec<(String, u32)>,
    },
    Presence {
        joined: Vec<RosterEntry>,
        /// Viewer ids.
        left: Vec<String>,
        /// Viewers that are there now.
        count: u32,
    },
    /// The room's state as it is now, whole.
    State(ChatState),
}

/// What one socket is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SocketEvent {
    /// The socket's viewer is in the room.
    Entered {
        nickname: String,
        role: Role,
    },
    /// Close the socket, for it is not let in, or not any more.
    Kicked {
        reason: KickReason,
    },
    Refused {
        code: RefusalCode,
        detail: String,
        client_id: Option<String>,
    },
    /// What was said with this client id is this message; it was told to all before.
    Again(ChatMessage),
    Token {
        token: String,
        expires_at: UnixMillis,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Grows with each message of the room.
    pub id: i64,
    pub viewer_id: String,
    pub nickname: String,
    pub role: Role,
    pub text: String,
    pub sent_at: UnixMillis,
    pub media_time: Option<UnixMillis>,
    pub reply_to: Option<i64>,
    /// Ids of viewers that the text names with `@`.
    pub mentions: Vec<String>,
    /// Empty when it is not known any more.
    pub client_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    pub viewer_id: String,
    pub nickname: String,
    pub role: Role,
}

/// What all in a room see of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatState {
    pub name: String,
    pub is_open: bool,
    pub listed: bool,
    /// Nobody new gets in, and only moderators speak.
    pub locked: bool,
    pub slow_mode_seconds: u32,
    pub is_live: bool,
    pub interrupted: bool,
    pub started_at: Option<UnixMillis>,
    /// Viewers that are there.
    pub viewer_count: u32,
    pub pinned: Option<ChatMessage>,
    pub emotes: Vec<EmoteRef>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmoteRef {
    /// Without colons.
    pub name: String,
    /// `HASH.png` or `HASH.gif`: its URL is `/emotes/{slug}/{file}` on every relay.
    pub file: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KickReason {
    Banned,
    /// The viewer's invite was revoked.
    Revoked,
    /// The token ended, or does not count.
    Expired,
    RoomGone,
    /// The socket did not take what it was sent.
    TooSlow,
    /// It sent what no client sends, or too much of it.
    Misbehaved,
    /// The viewer opened too many sockets: this was the oldest.
    Replaced,
    /// The relay stops: come back, here or elsewhere.
    GoingAway,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RefusalCode {
    Malformed,
    UnknownType,
    Empty,
    TooLong,
    RateLimited,
    SlowMode,
    TimedOut,
    Locked,
    Forbidden,
    Unavailable,
}

/// What moderators or hosts are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The database does not take what is said: so much waits, so much was dropped since it failed.
    StorageDown { waiting: u64, dropped: u64 },
    /// It takes it again, and has all but what was dropped.
    StorageBack { kept: u64, dropped: u64 },
    /// A banned viewer's invite is used by others, so it still stands: the viewer is kept out by browser and address.
    LinkShared {
        viewer_id: String,
        nickname: String,
        others: u32,
    },
    /// A banned viewer's invite was used by nobody else, and is revoked.
    LinkRevoked { viewer_id: String, nickname: String },
    /// A viewer was silenced, or may speak again (0).
    TimedOut {
        viewer_id: String,
        nickname: String,
        seconds: u32,
        by: String,
    },
}
