//! What was signed and no longer counts, kept over a restart.

use common::{
    auth::{Revocations, VIEWER_TOKEN_LEEWAY},
    time::UnixMillis,
    wire::control::{Revocation, RevokedSubject},
};

use super::{Database, DbError, writing};

/// Binds kind, subject, end. A subject that is revoked again stays so until the later end.
pub(super) const INSERT_REVOCATION: &str = "INSERT INTO revocations (kind, subject, until) VALUES ($1, $2, $3) \
     ON CONFLICT (kind, subject) DO UPDATE SET until = excluded.until WHERE excluded.until > revocations.until";
const SELECT: &str = "SELECT kind, subject, until FROM revocations WHERE until >= $1";
const DELETE_OVER: &str = "DELETE FROM revocations WHERE until < $1";

impl Database {
    /// The revocations in force at `now`; those that are over are deleted.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn revocations(&self, now: UnixMillis) -> Result<Revocations, DbError> {
        let oldest = now.0.saturating_sub(VIEWER_TOKEN_LEEWAY.as_millis() as i64);
        let rows: Vec<(String, String, i64)> = writing!(self, |connection| {
            sqlx::query(DELETE_OVER).bind(oldest).execute(&mut *connection).await?;
            sqlx::query_as(SELECT).bind(oldest).fetch_all(&mut *connection).await?
        });
        let entries: Result<Vec<_>, _> = rows.into_iter().map(revocation).collect();
        Ok(Revocations::new(entries?, now))
    }
}

fn revocation((kind, subject, until): (String, String, i64)) -> Result<Revocation, DbError> {
    let subject = match kind.as_str() {
        "invite" => RevokedSubject::Invite(subject),
        "viewer" => RevokedSubject::Viewer(subject),
        "room" => RevokedSubject::Room(subject.parse().map_err(|_| DbError::Corrupt("revocation"))?),
        _ => return Err(DbError::Corrupt("revocation")),
    };
    let until = UnixMillis(until);
    Ok(Revocation { subject, until })
}
