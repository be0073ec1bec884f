//! What a room's chat is set to, and where it stands, beside the room itself.

use common::{
    chat::room::{LinkPolicy, Settings},
    id::RoomSlug,
};

use super::{
    Access, Database, DbError, Room, reading,
    rooms::{RoomRow, room_columns},
};

/// The chat's part of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatRow {
    /// Who may write web addresses.
    pub links: LinkPolicy,
    /// Words that nobody but moderators may write.
    pub blocked_words: Vec<String>,
    /// Ids of messages below it may have been used.
    pub reserved_message_id: i64,
    pub pinned_message_id: Option<i64>,
    /// Messages are kept so many days; `None`: as long as the room.
    pub retention_days: Option<u32>,
}

#[derive(sqlx::FromRow)]
pub(super) struct ChatColumns {
    links: String,
    blocked_words: String,
    reserved_message_id: i64,
    pinned_message_id: Option<i64>,
    retention_days: Option<i64>,
}

#[derive(sqlx::FromRow)]
pub(super) struct WholeRoomRow {
    #[sqlx(flatten)]
    room: RoomRow,
    #[sqlx(flatten)]
    chat: ChatColumns,
}

impl TryFrom<ChatColumns> for ChatRow {
    type Error = DbError;

    fn try_from(row: ChatColumns) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt("room");
        Ok(Self {
            links: read_links(&row.links).ok_or_else(corrupt)?,
            blocked_words: serde_json::from_str(&row.blocked_words).map_err(|_| corrupt())?,
            reserved_message_id: row.reserved_message_id,
            pinned_message_id: row.pinned_message_id,
            retention_days: row
                .retention_days
                .map(u32::try_from)
                .transpose()
                .map_err(|_| corrupt())?,
        })
    }
}

impl TryFrom<WholeRoomRow> for (Room, ChatRow) {
    type Error = DbError;

    fn try_from(row: WholeRoomRow) -> Result<Self, DbError> {
        Ok((row.room.try_into()?, row.chat.try_into()?))
    }
}

impl ChatRow {
    /// What a running chat of `room` has to know of this.
    pub fn settings(&self, room: &Room) -> Settings {
        Settings {
            name: room.name.clone(),
            is_open: room.access == Access::Open,
            listed: room.listed,
            locked: room.locked,
            slow_mode_seconds: room.slow_mode_seconds,
            links: self.links,
            blocked_words: self.blocked_words.clone(),
        }
    }
}

macro_rules! whole_room_columns {
    () => {
        concat!(
            room_columns!(),
            ", links, blocked_words, reserved_message_id, pinned_message_id, retention_days"
        )
    };
}
pub(super) use whole_room_columns;

const SELECT_ONE: &str = concat!("SELECT ", whole_room_columns!(), " FROM rooms WHERE slug = $1");
const SELECT_ALL: &str = concat!(
    "SELECT ",
    whole_room_columns!(),
    " FROM rooms ORDER BY created_at, slug"
);

impl Database {
    /// The room with what its chat is set to; `None` when there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn chat_settings(&self, room: &RoomSlug) -> Result<Option<(Room, ChatRow)>, DbError> {
        let row: Option<WholeRoomRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ONE)
                .bind(room.as_str())
                .fetch_optional(connection)
                .await?
        });
        row.map(WholeRoomRow::try_into).transpose()
    }

    /// All rooms, oldest first, with what their chats are set to.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn rooms_with_chat(&self) -> Result<Vec<(Room, ChatRow)>, DbError> {
        let rows: Vec<WholeRoomRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ALL).fetch_all(connection).await?
        });
        rows.into_iter().map(WholeRoomRow::try_into).collect()
    }
}

pub(super) fn links_text(links: LinkPolicy) -> &'static str {
    match links {
        LinkPolicy::Everyone => "everyone",
        LinkPolicy::Moderators => "moderators",
    }
}

fn read_links(text: &str) -> Option<LinkPolicy> {
    [LinkPolicy::Everyone, LinkPolicy::Moderators]
        .into_iter()
        .find(|links| links_text(*links) == text)
}
