//! How the operator's browser gets in: one-time sign-in links and the sessions they are traded for, by SHA-256 alone.

use common::time::UnixMillis;

use super::{Database, DbError, reading, writing};

const DELETE_OLD_LINKS: &str = "DELETE FROM sign_in_links WHERE expires_at <= $1";
const INSERT_LINK: &str = "INSERT INTO sign_in_links (token_hash, expires_at) VALUES ($1, $2)";
const USE_LINK: &str = "DELETE FROM sign_in_links WHERE token_hash = $1 AND expires_at > $2";
const DELETE_OLD_SESSIONS: &str = "DELETE FROM operator_sessions WHERE expires_at <= $1";
const INSERT_SESSION: &str = "INSERT INTO operator_sessions (token_hash, created_at, expires_at) VALUES ($1, $2, $3)";
const SELECT_SESSION: &str = "SELECT expires_at FROM operator_sessions WHERE token_hash = $1 AND expires_at > $2";
const DELETE_SESSION: &str = "DELETE FROM operator_sessions WHERE token_hash = $1";

impl Database {
    /// Remembers a sign-in link; links that are over are forgotten.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn add_sign_in_link(
        &self,
        token_hash: &[u8; 32],
        expires_at: UnixMillis,
        now: UnixMillis,
    ) -> Result<(), DbError> {
        writing!(self, |connection| {
            sqlx::query(DELETE_OLD_LINKS)
                .bind(now.0)
                .execute(&mut *connection)
                .await?;
            sqlx::query(INSERT_LINK)
                .bind(&token_hash[..])
                .bind(expires_at.0)
                .execute(&mut *connection)
                .await?;
        });
        Ok(())
    }

    /// Uses a sign-in link up; true for the first who shows it in time.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn use_sign_in_link(&self, token_hash: &[u8; 32], now: UnixMillis) -> Result<bool, DbError> {
        let used = writing!(self, |connection| {
            sqlx::query(USE_LINK)
                .bind(&token_hash[..])
                .bind(now.0)
                .execute(connection)
                .await?
                .rows_affected()
        });
        Ok(used > 0)
    }

    /// Remembers a session; sessions that are over are forgotten.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn add_session(
        &self,
        token_hash: &[u8; 32],
        expires_at: UnixMillis,
        now: UnixMillis,
    ) -> Result<(), DbError> {
        writing!(self, |connection| {
            sqlx::query(DELETE_OLD_SESSIONS)
                .bind(now.0)
                .execute(&mut *connection)
                .await?;
            sqlx::query(INSERT_SESSION)
                .bind(&token_hash[..])
                .bind(now.0)
                .bind(expires_at.0)
                .execute(&mut *connection)
                .await?;
        });
        Ok(())
    }

    /// When the session ends, if it still runs.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn session(&self, token_hash: &[u8; 32], now: UnixMillis) -> Result<Option<UnixMillis>, DbError> {
        let found: Option<(i64,)> = reading!(self, |connection| {
            sqlx::query_as(SELECT_SESSION)
                .bind(&token_hash[..])
                .bind(now.0)
                .fetch_optional(connection)
                .await?
        });
        Ok(found.map(|(expires_at,)| UnixMillis(expires_at)))
    }

    /// Ends a session; one that is not there is no error.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn end_session(&self, token_hash: &[u8; 32]) -> Result<(), DbError> {
        writing!(self, |connection| {
            sqlx::query(DELETE_SESSION)
                .bind(&token_hash[..])
                .execute(connection)
                .await?;
        });
        Ok(())
    }
}
