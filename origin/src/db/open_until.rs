//! Which rooms are open, and until when they are waited for, should the origin be gone meanwhile.

use common::{id::RoomSlug, time::UnixMillis};

use super::{Database, DbError, reading, writing};

const SELECT: &str = "SELECT slug, open_until FROM rooms WHERE open_until > $1";
const UPDATE: &str = "UPDATE rooms SET open_until = $2 WHERE slug = $1";

impl Database {
    /// Rooms that are open after `now`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn open_rooms(&self, now: UnixMillis) -> Result<Vec<(RoomSlug, UnixMillis)>, DbError> {
        let rows: Vec<(String, i64)> = reading!(self, |connection| {
            sqlx::query_as(SELECT).bind(now.0).fetch_all(connection).await?
        });
        let open = rows.into_iter().map(|(slug, until)| {
            let slug = slug.parse().map_err(|_| DbError::Corrupt("room"))?;
            Ok((slug, UnixMillis(until)))
        });
        open.collect()
    }

    /// `None`: the room is not open. Of a room that is gone, nothing is kept.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keep_open_until(&self, room: &RoomSlug, until: Option<UnixMillis>) -> Result<(), DbError> {
        writing!(self, |connection| {
            sqlx::query(UPDATE)
                .bind(room.as_str())
                .bind(until.map(|until| until.0))
                .execute(connection)
                .await?;
        });
        Ok(())
    }
}
