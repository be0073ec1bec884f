//! What rooms learnt of their publishers, as text that nothing here reads.

use common::id::RoomSlug;

use super::{Database, DbError, reading, writing};

const SELECT: &str = "SELECT publisher_memory FROM rooms WHERE slug = $1";
const UPDATE: &str = "UPDATE rooms SET publisher_memory = $2 WHERE slug = $1";

impl Database {
    /// As it was kept last; `None` when nothing was, or there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn publisher_memory(&self, room: &RoomSlug) -> Result<Option<String>, DbError> {
        let kept: Option<(Option<String>,)> = reading!(self, |connection| {
            sqlx::query_as(SELECT)
                .bind(room.as_str())
                .fetch_optional(connection)
                .await?
        });
        Ok(kept.and_then(|(memory,)| memory))
    }

    /// Keeps it; of a room that is gone, nothing is kept.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keep_publisher_memory(&self, room: &RoomSlug, memory: &str) -> Result<(), DbError> {
        writing!(self, |connection| {
            sqlx::query(UPDATE)
                .bind(room.as_str())
                .bind(memory)
                .execute(connection)
                .await?;
        });
        Ok(())
    }
}
