//! Chat history. The room decides order and numbers; here they are only kept.

use common::{auth::Role, id::RoomSlug, time::UnixMillis};

use super::{Database, DbError, reading, writing};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Grows with each message of the room.
    pub id: i64,
    pub viewer_id: String,
    pub nickname: String,
    pub role: Role,
    pub text: String,
    pub sent_at: UnixMillis,
    /// PROGRAM-DATE-TIME of what the sender saw.
    pub media_time: Option<UnixMillis>,
    pub reply_to: Option<i64>,
}

#[derive(sqlx::FromRow)]
pub(super) struct MessageRow {
    id: i64,
    viewer_id: String,
    nickname: String,
    role: String,
    text: String,
    sent_at: i64,
    media_time: Option<i64>,
    reply_to: Option<i64>,
}

impl TryFrom<MessageRow> for Message {
    type Error = DbError;

    fn try_from(row: MessageRow) -> Result<Self, DbError> {
        Ok(Self {
            id: row.id,
            viewer_id: row.viewer_id,
            nickname: row.nickname,
            role: row.role.parse().map_err(|_| DbError::Corrupt("message"))?,
            text: row.text,
            sent_at: UnixMillis(row.sent_at),
            media_time: row.media_time.map(UnixMillis),
            reply_to: row.reply_to,
        })
    }
}

const INSERT: &str = "INSERT INTO messages (room, id, viewer_id, nickname, role, text, sent_at, media_time, reply_to) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const SELECT_BEFORE: &str = "SELECT id, viewer_id, nickname, role, text, sent_at, media_time, reply_to \
     FROM messages WHERE room = $1 AND id < $2 AND deleted_at IS NULL ORDER BY id DESC LIMIT $3";

impl Database {
    /// Keeps messages of a room, all or none.
    ///
    /// # Errors
    /// [`DbError::Taken`] when one of the numbers is.
    pub async fn add_messages(&self, room: &RoomSlug, messages: &[Message]) -> Result<(), DbError> {
        writing!(self, |connection| {
            for message in messages {
                sqlx::query(INSERT)
                    .bind(room.as_str())
                    .bind(message.id)
                    .bind(&message.viewer_id)
                    .bind(&message.nickname)
                    .bind(message.role.as_str())
                    .bind(&message.text)
                    .bind(message.sent_at.0)
                    .bind(message.media_time.map(|at| at.0))
                    .bind(message.reply_to)
                    .execute(&mut *connection)
                    .await?;
            }
        });
        Ok(())
    }

    /// The last `limit` messages of a room with a smaller number than `before`, oldest first, deleted ones left out.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn messages(&self, room: &RoomSlug, before: Option<i64>, limit: u32) -> Result<Vec<Message>, DbError> {
        let rows: Vec<MessageRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_BEFORE)
                .bind(room.as_str())
                .bind(before.unwrap_or(i64::MAX))
                .bind(i64::from(limit))
                .fetch_all(connection)
                .await?
        });
        rows.into_iter().rev().map(Message::try_from).collect()
    }
}
