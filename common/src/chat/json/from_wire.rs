//! Shapes of the link as browsers see them.

use super::server::{Access, Emote, Message, Notice, OnAir, Person, Room};
use crate::{
    id::RoomSlug,
    wire::chat::{self, ChatMessage, ChatState, EmoteRef, RosterEntry},
};

/// Where the picture of an emote is, on any relay.
pub fn emote_url(room: &RoomSlug, file: &str) -> String {
    format!("/emotes/{room}/{file}")
}

impl Message {
    /// Without the client id, as all but its sender see it.
    pub fn for_others(message: &ChatMessage) -> Self {
        Self {
            id: message.id,
            viewer_id: message.viewer_id.clone(),
            nickname: message.nickname.clone(),
            role: message.role,
            text: message.text.clone(),
            sent_at: message.sent_at,
            media_time: message.media_time,
            reply_to: message.reply_to,
            mentions: message.mentions.clone(),
            client_id: None,
        }
    }

    /// As `viewer_id` sees it: its own with their client ids, as far as those are known.
    pub fn for_viewer(message: &ChatMessage, viewer_id: &str) -> Self {
        let is_own = message.viewer_id == viewer_id && !message.client_id.is_empty();
        Self {
            client_id: is_own.then(|| message.client_id.clone()),
            ..Self::for_others(message)
        }
    }
}

impl From<&RosterEntry> for Person {
    fn from(entry: &RosterEntry) -> Self {
        Self {
            viewer_id: entry.viewer_id.clone(),
            nickname: entry.nickname.clone(),
            role: entry.role,
        }
    }
}

impl Emote {
    /// An emote of `room`.
    pub fn of(room: &RoomSlug, emote: &EmoteRef) -> Self {
        Self {
            name: emote.name.clone(),
            url: emote_url(room, &emote.file),
        }
    }

    /// All emotes of `room`.
    pub fn all_of(room: &RoomSlug, state: &ChatState) -> Vec<Self> {
        state.emotes.iter().map(|emote| Self::of(room, emote)).collect()
    }
}

impl OnAir {
    /// What is on air by `state`.
    pub fn of(state: &ChatState) -> Self {
        Self {
            is_live: state.is_live,
            interrupted: state.interrupted,
            started_at: state.started_at,
        }
    }
}

impl Access {
    /// Who may come by `state`.
    pub fn of(state: &ChatState) -> Self {
        if state.is_open { Self::Open } else { Self::Invite }
    }
}

impl Room {
    /// The room `slug` as it stands by `state`.
    pub fn of(slug: &RoomSlug, state: &ChatState) -> Self {
        Self {
            slug: slug.clone(),
            name: state.name.clone(),
            access: Access::of(state),
            listed: state.listed,
            locked: state.locked,
            on_air: OnAir::of(state),
            viewer_count: state.viewer_count,
            slow_mode_seconds: state.slow_mode_seconds,
        }
    }
}

impl From<chat::Notice> for Notice {
    fn from(notice: chat::Notice) -> Self {
        match notice {
            chat::Notice::StorageDown { waiting, dropped } => Self::StorageDown { waiting, dropped },
            chat::Notice::StorageBack { kept, dropped } => Self::StorageBack { kept, dropped },
            chat::Notice::LinkShared {
                viewer_id,
                nickname,
                others,
            } => Self::LinkShared {
                viewer_id,
                nickname,
                others,
            },
            chat::Notice::LinkRevoked { viewer_id, nickname } => Self::LinkRevoked { viewer_id, nickname },
            chat::Notice::TimedOut {
                viewer_id,
                nickname,
                seconds,
                by,
            } => Self::TimedOut {
                viewer_id,
                nickname,
                seconds,
                by,
            },
        }
    }
}
