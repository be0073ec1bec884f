//! Relays: who may connect over the link, and the one-time secrets by which they enrol.
//!
//! A removed relay's row is gone, so its certificate opens nothing any more. What a relay does right now is not here.

use common::time::UnixMillis;

use super::{Database, DbError, reading, writing};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    pub id: String,
    /// What invites refer to it by; one relay has it.
    pub name: String,
    pub region: Option<String>,
    /// Where viewers reach it, as it said last.
    pub url: Option<String>,
    /// What it runs, as it said last.
    pub version: Option<String>,
    pub created_at: UnixMillis,
    /// When its join token was used; `None`: not yet.
    pub enrolled_at: Option<UnixMillis>,
    pub last_seen_at: Option<UnixMillis>,
}

/// A relay that may enrol once.
#[derive(Clone, Debug)]
pub struct NewRelay {
    pub id: String,
    pub name: String,
    pub region: Option<String>,
    /// SHA-256 of the one-time secret.
    pub secret_hash: [u8; 32],
    /// When the secret stops serving.
    pub secret_expires_at: UnixMillis,
}

#[derive(sqlx::FromRow)]
struct RelayRow {
    id: String,
    name: String,
    region: Option<String>,
    url: Option<String>,
    version: Option<String>,
    created_at: i64,
    enrolled_at: Option<i64>,
    last_seen_at: Option<i64>,
}

impl From<RelayRow> for Relay {
    fn from(row: RelayRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            region: row.region,
            url: row.url,
            version: row.version,
            created_at: UnixMillis(row.created_at),
            enrolled_at: row.enrolled_at.map(UnixMillis),
            last_seen_at: row.last_seen_at.map(UnixMillis),
        }
    }
}

macro_rules! relay_columns {
    () => {
        "id, name, region, url, version, created_at, enrolled_at, last_seen_at"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO relays (id, name, region, secret_hash, secret_expires_at, created_at) ",
    "VALUES ($1, $2, $3, $4, $5, $6) RETURNING ",
    relay_columns!()
);
const SELECT_ALL: &str = concat!("SELECT ", relay_columns!(), " FROM relays ORDER BY created_at, id");
const SELECT_ONE: &str = concat!("SELECT ", relay_columns!(), " FROM relays WHERE id = $1");
const REDEEM: &str = concat!(
    "UPDATE relays SET secret_hash = NULL, enrolled_at = $2 WHERE secret_hash = $1 AND secret_expires_at > $2 RETURNING ",
    relay_columns!()
);
const SEEN: &str = "UPDATE relays SET last_seen_at = $2, version = $3, url = $4 WHERE id = $1";
const DELETE: &str = "DELETE FROM relays WHERE id = $1";

impl Database {
    /// Makes a relay that may enrol with its one-time secret.
    ///
    /// # Errors
    /// [`DbError::Taken`] when the name is.
    pub async fn create_relay(&self, relay: &NewRelay, now: UnixMillis) -> Result<Relay, DbError> {
        let row: RelayRow = writing!(self, |connection| {
            sqlx::query_as(INSERT)
                .bind(&relay.id)
                .bind(&relay.name)
                .bind(relay.region.as_deref())
                .bind(&relay.secret_hash[..])
                .bind(relay.secret_expires_at.0)
                .bind(now.0)
                .fetch_one(connection)
                .await?
        });
        Ok(row.into())
    }

    /// All relays, oldest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn relays(&self) -> Result<Vec<Relay>, DbError> {
        let rows: Vec<RelayRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ALL).fetch_all(connection).await?
        });
        Ok(rows.into_iter().map(Relay::from).collect())
    }

    /// The relay if it is enrolled: who may connect.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn enrolled_relay(&self, id: &str) -> Result<Option<Relay>, DbError> {
        let row: Option<RelayRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ONE).bind(id).fetch_optional(connection).await?
        });
        Ok(row.map(Relay::from).filter(|relay| relay.enrolled_at.is_some()))
    }

    /// Uses up the one-time secret with this SHA-256 and gives its relay; of two callers at once one gets it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn redeem_relay_secret(&self, hash: &[u8; 32], now: UnixMillis) -> Result<Option<Relay>, DbError> {
        let row: Option<RelayRow> = writing!(self, |connection| {
            sqlx::query_as(REDEEM)
                .bind(&hash[..])
                .bind(now.0)
                .fetch_optional(connection)
                .await?
        });
        Ok(row.map(Relay::from))
    }

    /// Remembers what a relay said of itself when it connected.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn relay_seen(&self, id: &str, at: UnixMillis, version: &str, url: &str) -> Result<(), DbError> {
        writing!(self, |connection| {
            sqlx::query(SEEN)
                .bind(id)
                .bind(at.0)
                .bind(version)
                .bind(url)
                .execute(connection)
                .await?;
        });
        Ok(())
    }

    /// Removes a relay; false when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_relay(&self, id: &str) -> Result<bool, DbError> {
        let deleted = writing!(self, |connection| {
            sqlx::query(DELETE).bind(id).execute(connection).await?.rows_affected()
        });
        Ok(deleted > 0)
    }
}
