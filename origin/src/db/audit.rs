//! The audit log of a room, as hosts read it. It is written with what else a chat leaves behind ([`Database::keep`]).

use std::collections::HashSet;

use common::{
    chat::{
        record::{AuditAction, AuditEntry, Doer, Target},
        room::MAX_TIMEOUT_SECONDS,
    },
    id::RoomSlug,
    time::UnixMillis,
};

use super::{Database, DbError, reading, writing};

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

const SELECT_TIMEOUTS: &str = "SELECT at, target_viewer_id, detail FROM audit WHERE room = $1 AND at > $2 AND action = 'timeout' \
     AND target_viewer_id IS NOT NULL ORDER BY at DESC LIMIT $3";
/// The acts whose detail is what somebody said.
const FORGET_TEXTS: &str = "UPDATE audit SET detail = NULL WHERE room = $1 AND at < $2 AND action IN ('delete', 'pin', 'unpin') \
     AND detail IS NOT NULL";

/// Most timeouts that are looked through; the newest.
const MAX_TIMEOUTS: i64 = 10_000;

impl Database {
    /// Viewers that moderators silenced, and until when, where that is after `now`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn silenced_viewers(
        &self,
        room: &RoomSlug,
        now: UnixMillis,
    ) -> Result<Vec<(String, UnixMillis)>, DbError> {
        let longest = i64::from(MAX_TIMEOUT_SECONDS) * 1000;
        let rows: Vec<(i64, String, Option<String>)> = reading!(self, |connection| {
            sqlx::query_as(SELECT_TIMEOUTS)
                .bind(room.as_str())
                .bind(now.0.saturating_sub(longest))
                .bind(MAX_TIMEOUTS)
                .fetch_all(connection)
                .await?
        });
        // The last one counts: it may have lifted the one before.
        let mut seen = HashSet::new();
        let mut silenced = Vec::new();
        for (at, viewer_id, seconds) in rows {
            let seconds: i64 = seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
            let until = UnixMillis(at.saturating_add(seconds.saturating_mul(1000)));
            if seen.insert(viewer_id.clone()) && until > now {
                silenced.push((viewer_id, until));
            }
        }
        Ok(silenced)
    }

    /// What was said stands no longer in entries from before `before`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn forget_audited_texts(&self, room: &RoomSlug, before: UnixMillis) -> Result<(), DbError> {
        writing!(self, |connection| {
            sqlx::query(FORGET_TEXTS)
                .bind(room.as_str())
                .bind(before.0)
                .execute(connection)
                .await?;
        });
        Ok(())
    }

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
