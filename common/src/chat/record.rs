//! What a room's chat leaves behind: records for the database, orders that reach beyond the room.

use crate::{auth::Role, id::RoomSlug, time::UnixMillis, wire::chat::ChatMessage};

/// Something to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    Message(ChatMessage),
    Deleted {
        message_id: i64,
    },
    Pinned {
        message_id: Option<i64>,
    },
    SlowMode {
        seconds: u32,
    },
    Locked {
        locked: bool,
    },
    Audit(AuditEntry),
    /// Message ids below `upto` may be used from now on, also before this is kept.
    IdsReserved {
        upto: i64,
    },
}

/// One act of a moderator: who did what to whom, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub at: UnixMillis,
    pub by: Doer,
    pub action: AuditAction,
    pub target: Option<Target>,
    /// Seconds, a message's text, an emote's name: whatever the action is about.
    pub detail: Option<String>,
    pub reason: Option<String>,
}

/// Who did it. The operator has no viewer id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doer {
    pub viewer_id: Option<String>,
    pub nickname: String,
    pub role: Role,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub viewer_id: String,
    pub nickname: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditAction {
    Delete,
    Timeout,
    Ban,
    Unban,
    Pin,
    Unpin,
    SlowMode,
    Lock,
    Unlock,
    EmoteAdded,
    EmoteRemoved,
    InviteRevoked,
    InviteCreated,
    SettingsChanged,
}

/// Keep a person out of a room: by viewer id, and by invite or else browser and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanOrder {
    pub room: RoomSlug,
    pub at: UnixMillis,
    pub viewer_id: String,
    pub nickname: String,
    pub invite_id: Option<String>,
    /// As the relay of the viewer's last socket saw it, if there is one.
    pub address: Option<String>,
    pub by: Doer,
    pub reason: Option<String>,
}

impl AuditAction {
    const ALL: [Self; 14] = [
        Self::Delete,
        Self::Timeout,
        Self::Ban,
        Self::Unban,
        Self::Pin,
        Self::Unpin,
        Self::SlowMode,
        Self::Lock,
        Self::Unlock,
        Self::EmoteAdded,
        Self::EmoteRemoved,
        Self::InviteRevoked,
        Self::InviteCreated,
        Self::SettingsChanged,
    ];

    /// As it stands in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Timeout => "timeout",
            Self::Ban => "ban",
            Self::Unban => "unban",
            Self::Pin => "pin",
            Self::Unpin => "unpin",
            Self::SlowMode => "slowMode",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::EmoteAdded => "emoteAdded",
            Self::EmoteRemoved => "emoteRemoved",
            Self::InviteRevoked => "inviteRevoked",
            Self::InviteCreated => "inviteCreated",
            Self::SettingsChanged => "settingsChanged",
        }
    }

    /// The action that [`AuditAction::as_str`] writes so.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}
