//! The audit log of a room, as hosts read it. It is written with what else a chat leaves behind ([`Database::keep`]).

use common::{
    chat::record::{AuditAction, AuditEntry, Doer, Target},
    id::RoomSlug,
    time::UnixMillis,
};

use super::{Database, DbError, reading};

/// An entry that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Grows with each entry.
    pub id: i64,
    pub entry: AuditEntry,
}

#[derive(sqlx::FromRow)]
struct AuditRow {
    id: i64,
    at: i64,
    by_viewer_id: Option<String>,
    by_nickname: String,
    by_role: String,
    action: String,
    target_viewer_id: Option<String>,
    target_nickname: Option<String>,
    detail: Option<String>,
    reason: Option<String>,
}

impl TryFrom<AuditRow> for Audited {
    type Error = DbError;

    fn try_from(row: AuditRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt("audit entry");
        let target = row.target_viewer_id.map(|viewer_id| Target {
            viewer_id,
            nickname: row.target_nickname.unwrap_or_default(),
        });
        Ok(Self {
            id: row.id,
            entry: AuditEntry {
                at: UnixMillis(row.at),
                by: Doer {
                    viewer_id: row.by_viewer_id,
                    nickname: row.by_nickname,
                    role: row.by_role.parse().map_err(|_| corrupt())?,
                },
                action: AuditAction::from_text(&row.action).ok_or_else(corrupt)?,
                target,
                detail: row.detail,
                reason: row.reason,
            },
        })
    }
}

const SELECT_BEFORE: &str = "SELECT id, at, by_viewer_id, by_nickname, by_role, action, target_viewer_id, target_nickname, \
     detail, reason FROM audit WHERE room = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

impl Database {
    /// The last `limit` entries of a room with a smaller number than `before`, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit(&self, room: &RoomSlug, before: Option<i64>, limit: u32) -> Result<Vec<Audited>, DbError> {
        let rows: Vec<AuditRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_BEFORE)
                .bind(room.as_str())
                .bind(before.unwrap_or(i64::MAX))
                .bind(i64::from(limit))
                .fetch_all(connection)
                .await?
        });
        rows.into_iter().map(Audited::try_from).collect()
    }
}
