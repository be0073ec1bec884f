//! A room's messages as a whole: reading them all, a page at a time, and forgetting those that are too old.

use common::{id::RoomSlug, time::UnixMillis};

use super::{Database, DbError, Message, messages::MessageRow, reading, writing};

const SELECT_AFTER: &str = "SELECT id, viewer_id, nickname, role, text, sent_at, media_time, reply_to \
     FROM messages WHERE room = $1 AND id > $2 AND deleted_at IS NULL ORDER BY id LIMIT $3";
const DELETE_OLDEST: &str = "DELETE FROM messages WHERE room = $1 AND id IN \
     (SELECT id FROM messages WHERE room = $1 AND sent_at < $2 ORDER BY sent_at LIMIT $3)";

impl Database {
    /// The first `limit` messages of a room with a larger number than `after`, oldest first, deleted ones left out.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn messages_after(&self, room: &RoomSlug, after: i64, limit: u32) -> Result<Vec<Message>, DbError> {
        let rows: Vec<MessageRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_AFTER)
                .bind(room.as_str())
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(connection)
                .await?
        });
        rows.into_iter().map(Message::try_from).collect()
    }

    /// Deletes up to `limit` messages of a room sent before `before`, the oldest first. Gives how many there were; one that is
    /// called until it gives less than `limit` holds no other writer up for long.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_messages_before(
        &self,
        room: &RoomSlug,
        before: UnixMillis,
        limit: u32,
    ) -> Result<u64, DbError> {
        let deleted = writing!(self, |connection| {
            sqlx::query(DELETE_OLDEST)
                .bind(room.as_str())
                .bind(before.0)
                .bind(i64::from(limit))
                .execute(connection)
                .await?
                .rows_affected()
        });
        Ok(deleted)
    }
}
