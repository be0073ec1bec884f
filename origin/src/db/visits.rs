//! Who came into a room, with which invite, from where: what bans go by, and whose names are taken.

use std::time::Duration;

use common::{auth::Role, id::RoomSlug, time::UnixMillis};

use super::{Database, DbError, reading, writing};

/// Most names of staff that are kept free in a room; those seen last.
const MAX_STAFF_NAMES: i64 = 1000;

/// A viewer let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub room: RoomSlug,
    pub viewer_id: String,
    /// `None`: by the open door.
    pub invite_id: Option<String>,
    /// Of the viewer's network.
    pub address: String,
    pub nickname: String,
    pub role: Role,
}

const UPSERT: &str = "INSERT INTO visits (room, viewer_id, invite_id, address, nickname, role, first_at, last_at) \
     SELECT slug, $2, $3, $4, $5, $6, $7, $7 FROM rooms WHERE slug = $1 \
     ON CONFLICT (room, viewer_id) DO UPDATE SET invite_id = excluded.invite_id, address = excluded.address, \
     nickname = excluded.nickname, role = excluded.role, last_at = excluded.last_at";
const SELECT_STAFF: &str = "SELECT nickname, viewer_id FROM visits WHERE room = $1 AND role IN ('moderator', 'host') \
     AND NOT EXISTS (SELECT 1 FROM bans WHERE bans.room = visits.room AND bans.viewer_id = visits.viewer_id) \
     AND NOT EXISTS (SELECT 1 FROM invites WHERE invites.id = visits.invite_id AND invites.revoked_at IS NOT NULL) \
     ORDER BY last_at DESC, viewer_id LIMIT $2";
const DELETE_OLD: &str = "DELETE FROM visits WHERE last_at < $1 AND role = 'viewer'";

/// Who came with an invite in this time still uses it. Visits of viewers are not kept for longer.
pub(crate) const IN_USE: Duration = Duration::from_secs(30 * 24 * 3600);

impl Database {
    /// Remembers that a viewer was let in; of one that came before, the last time counts.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keep_visit(&self, visit: &Visit, now: UnixMillis) -> Result<(), DbError> {
        writing!(self, |connection| {
            sqlx::query(UPSERT)
                .bind(visit.room.as_str())
                .bind(&visit.viewer_id)
                .bind(visit.invite_id.as_deref())
                .bind(&visit.address)
                .bind(&visit.nickname)
                .bind(visit.role.as_str())
                .bind(now.0)
                .execute(connection)
                .await?;
        });
        Ok(())
    }

    /// Nicknames and viewer ids of moderators and hosts who came into the room and may come again.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn staff_names(&self, room: &RoomSlug) -> Result<Vec<(String, String)>, DbError> {
        Ok(reading!(self, |connection| {
            sqlx::query_as(SELECT_STAFF)
                .bind(room.as_str())
                .bind(MAX_STAFF_NAMES)
                .fetch_all(connection)
                .await?
        }))
    }

    /// Forgets visits of viewers, not of staff, that were last seen before `before`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn forget_visits(&self, before: UnixMillis) -> Result<u64, DbError> {
        let deleted = writing!(self, |connection| {
            sqlx::query(DELETE_OLD)
                .bind(before.0)
                .execute(connection)
                .await?
                .rows_affected()
        });
        Ok(deleted)
    }
}
