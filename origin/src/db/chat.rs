//! What the rooms' chats leave behind, written in batches; and what a chat opens with.
//!
//! A batch is written again when its writer did not learn that it was committed, so writing twice is writing once.

use common::{chat::record::Record, id::RoomSlug, time::UnixMillis};

use super::{Database, DbError, Message, reading, writing};

/// How many message ids beyond those that a chat asked for are set aside. A chat goes on without the database, and must not use
/// an id again after it was cut off: so many may be used before the database has to hear of it.
const ID_HEADROOM: i64 = 100_000;

/// What is to be kept of a room, and when it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub room: RoomSlug,
    pub at: UnixMillis,
    pub record: Record,
}

// A room may be deleted while something of it waits to be written: then nothing is.
const INSERT_MESSAGE: &str = "INSERT INTO messages (room, id, viewer_id, nickname, role, text, sent_at, media_time, reply_to) \
     SELECT slug, $2, $3, $4, $5, $6, $7, $8, $9 FROM rooms WHERE slug = $1 ON CONFLICT (room, id) DO NOTHING";
const DELETE_MESSAGE: &str = "UPDATE messages SET deleted_at = $3 WHERE room = $1 AND id = $2 AND deleted_at IS NULL";
const PIN: &str = "UPDATE rooms SET pinned_message_id = $2 WHERE slug = $1";
const SLOW_MODE: &str = "UPDATE rooms SET slow_mode_seconds = $2 WHERE slug = $1";
const LOCK: &str = "UPDATE rooms SET locked = $2 WHERE slug = $1";
const RESERVE: &str = "UPDATE rooms SET reserved_message_id = $2 WHERE slug = $1 AND reserved_message_id < $2";
/// An act is known by who did what to whom in which millisecond.
const INSERT_AUDIT: &str = "INSERT INTO audit \
     (room, at, by_viewer_id, by_nickname, by_role, action, target_viewer_id, target_nickname, detail, reason) \
     SELECT slug, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM rooms WHERE slug = $1 AND NOT EXISTS \
     (SELECT 1 FROM audit WHERE room = $1 AND at = $2 AND by_nickname = $4 AND action = $6 \
      AND COALESCE(by_viewer_id, '') = COALESCE($3, '') AND COALESCE(target_viewer_id, '') = COALESCE($7, '') \
      AND COALESCE(detail, '') = COALESCE($9, ''))";

/// At the start, before anything is said: what was set aside before may have been used.
const RESERVE_ALL: &str =
    "UPDATE rooms SET reserved_message_id = reserved_message_id + $1 RETURNING slug, reserved_message_id";
const NEWEST: &str = "SELECT COALESCE(MAX(id), 0) FROM messages WHERE room = $1";
const SELECT_ONE: &str = "SELECT id, viewer_id, nickname, role, text, sent_at, media_time, reply_to \
     FROM messages WHERE room = $1 AND id = $2 AND deleted_at IS NULL";

/// Executes a statement with its values.
macro_rules! run {
    ($connection:ident, $sql:expr $(, $value:expr)+) => {{
        sqlx::query($sql)$(.bind($value))+.execute(&mut *$connection).await?;
    }};
}

impl Database {
    /// Keeps all of a batch or nothing, in order. What of it is there already stays as it is.
    ///
    /// # Errors
    /// When the database cannot answer, or does not take one of the records ([`DbError::is_about_data`]).
    pub async fn keep(&self, batch: &[Kept]) -> Result<(), DbError> {
        writing!(self, |connection| {
            for Kept { room, at, record } in batch {
                let room = room.as_str();
                match record {
                    Record::Message(message) => run!(
                        connection,
                        INSERT_MESSAGE,
                        room,
                        message.id,
                        &message.viewer_id,
                        &message.nickname,
                        message.role.as_str(),
                        &message.text,
                        message.sent_at.0,
                        message.media_time.map(|at| at.0),
                        message.reply_to
                    ),
                    Record::Audit(entry) => run!(
                        connection,
                        INSERT_AUDIT,
                        room,
                        entry.at.0,
                        &entry.by.viewer_id,
                        &entry.by.nickname,
                        entry.by.role.as_str(),
                        entry.action.as_str(),
                        entry.target.as_ref().map(|target| &target.viewer_id),
                        entry.target.as_ref().map(|target| &target.nickname),
                        &entry.detail,
                        &entry.reason
                    ),
                    Record::Deleted { message_id } => run!(connection, DELETE_MESSAGE, room, message_id, at.0),
                    Record::Pinned { message_id } => run!(connection, PIN, room, message_id),
                    Record::SlowMode { seconds } => run!(connection, SLOW_MODE, room, i64::from(*seconds)),
                    Record::Locked { locked } => run!(connection, LOCK, room, locked),
                    Record::IdsReserved { upto } => {
                        run!(connection, RESERVE, room, upto.saturating_add(ID_HEADROOM));
                    }
                }
            }
        });
        Ok(())
    }

    /// Sets ids of messages aside in every room, and gives for each the first that was never used.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn reserve_message_ids(&self) -> Result<Vec<(RoomSlug, i64)>, DbError> {
        let rows: Vec<(String, i64)> = writing!(self, |connection| {
            sqlx::query_as(RESERVE_ALL)
                .bind(ID_HEADROOM)
                .fetch_all(&mut *connection)
                .await?
        });
        let first = |(slug, reserved): (String, i64)| {
            let slug = slug.parse().map_err(|_| DbError::Corrupt("room"))?;
            Ok((slug, (reserved - ID_HEADROOM).max(1)))
        };
        rows.into_iter().map(first).collect()
    }

    /// The id of the room's newest message, 0 when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn newest_message_id(&self, room: &RoomSlug) -> Result<i64, DbError> {
        let (id,) = reading!(self, |connection| {
            sqlx::query_as(NEWEST)
                .bind(room.as_str())
                .fetch_one(&mut *connection)
                .await?
        });
        Ok(id)
    }

    /// A message of a room, unless it was deleted.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn message(&self, room: &RoomSlug, id: i64) -> Result<Option<Message>, DbError> {
        let row: Option<super::messages::MessageRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ONE)
                .bind(room.as_str())
                .bind(id)
                .fetch_optional(&mut *connection)
                .await?
        });
        row.map(Message::try_from).transpose()
    }
}

impl DbError {
    /// Whether the database works and does not take what was sent to it: trying again does not help.
    pub fn is_about_data(&self) -> bool {
        let cause = match self {
            Self::Taken | Self::Corrupt(_) => return true,
            Self::Query(sqlx::Error::Database(cause)) => cause,
            _ => return false,
        };
        let code = cause.code().unwrap_or_default();
        // SQLSTATE classes 22 (data) and 23 (integrity); of SQLite SQLITE_TOOBIG, SQLITE_CONSTRAINT and SQLITE_MISMATCH,
        // which extended codes carry in their low byte.
        let is_sqlite = cause.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some();
        if is_sqlite {
            code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 18..=20))
        } else {
            code.starts_with("22") || code.starts_with("23")
        }
    }
}
