//! The database: rooms, invites, relays, chat and its moderation, sign-ins. All SQL of the origin stands in this module.
//!
//! One SQL text serves SQLite and PostgreSQL: `$N`, `RETURNING`, `ON CONFLICT`, times as milliseconds in 64-bit
//! integers. The tests run the same cases on both. On SQLite one connection writes, with `BEGIN IMMEDIATE`: a
//! transaction that starts by reading and writes later would fail at once when another writer came between,
//! whatever the busy time-out.
//!
//! Live rooms do without the database: losing it stops administration and joins alone.

pub mod archive;
pub mod audit;
pub mod bans;
pub mod chat;
pub mod chat_settings;
pub mod emotes;
pub mod invites;
pub mod messages;
mod open_until;
pub mod operators;
mod publisher_memory;
pub mod relays;
pub mod revocations;
pub mod rooms;
mod settings;
pub mod stream_settings;
pub mod visits;

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection, PgConnection, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::{
    audit::Audited,
    bans::{Ban, BanOutcome, BannedLink},
    chat::Kept,
    chat_settings::ChatRow,
    emotes::{Emote, NewEmote},
    invites::{Invite, NewInvite},
    messages::Message,
    relays::{NewRelay, Relay},
    rooms::{Access, NewRoom, Room, RoomChange},
    stream_settings::{SlateChoice, StreamChange, StreamRow},
    visits::Visit,
};

/// How long a statement waits for SQLite's other writer, and anyone for a free connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Reading connections of SQLite.
const SQLITE_READERS: u32 = 4;

/// Connections to PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 8;

/// An open database; clones share its connections.
#[derive(Clone, Debug)]
pub struct Database {
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// What the database cannot do. No variant holds a secret: URLs with passwords stay out.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("a database URL starts with sqlite:// or postgres://")]
    UnknownEngine,
    #[error("a database in memory forgets its rooms; name a file")]
    InMemory,
    #[error("cannot open the database")]
    Open(#[source] sqlx::Error),
    #[error("the database does not answer")]
    Silent,
    #[error("cannot bring the database up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Something else has this name already.
    #[error("taken already")]
    Taken,
    /// A row that this program would not have written.
    #[error("the database holds a {0} that cannot be read")]
    Corrupt(&'static str),
    #[error("the database cannot answer")]
    Query(#[source] sqlx::Error),
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(cause) if cause.is_unique_violation() => Self::Taken,
            _ => Self::Query(error),
        }
    }
}

/// Runs an expression with `$connection`, a connection of either engine that only reads.
macro_rules! reading {
    ($db:expr, |$connection:ident| $body:expr) => {
        match &$db.engine {
            $crate::db::Engine::Sqlite { readers, .. } => {
                let mut held = readers.acquire().await?;
                let $connection = &mut *held;
                $body
            }
            $crate::db::Engine::Postgres(pool) => {
                let mut held = pool.acquire().await?;
                let $connection = &mut *held;
                $body
            }
        }
    };
}

/// Runs an expression with `$connection` in a transaction of either engine that may write, and commits it. Leaving the
/// expression early rolls back.
macro_rules! writing {
    ($db:expr, |$connection:ident| $body:expr) => {
        match &$db.engine {
            $crate::db::Engine::Sqlite { writer, .. } => {
                let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
                let $connection = &mut *transaction;
                let outcome = $body;
                transaction.commit().await?;
                outcome
            }
            $crate::db::Engine::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                let $connection = &mut *transaction;
                let outcome = $body;
                transaction.commit().await?;
                outcome
            }
        }
    };
}

use {reading, writing};

impl Database {
    /// Opens the database of a `sqlite://FILE` or `postgres://…` URL, makes the file if it is missing, and brings the
    /// tables up to date. Several origins may do so at once on PostgreSQL.
    ///
    /// # Errors
    /// When the URL names no known engine, the database cannot be reached, or a migration fails.
    pub async fn open(url: &str) -> Result<Self, DbError> {
        if url.starts_with("sqlite:") {
            Self::open_sqlite(url).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url).await
        } else {
            Err(DbError::UnknownEngine)
        }
    }

    async fn open_sqlite(url: &str) -> Result<Self, DbError> {
        if url.contains(":memory:") || url.contains("mode=memory") {
            return Err(DbError::InMemory);
        }
        let options = SqliteConnectOptions::from_str(url)
            .map_err(DbError::Open)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .optimize_on_close(true, None);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options.clone())
            .await
            .map_err(DbError::Open)?;
        sqlx::migrate!("../migrations/sqlite").run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options.optimize_on_close(false, None).pragma("query_only", "ON"))
            .await
            .map_err(DbError::Open)?;
        Ok(Self {
            engine: Engine::Sqlite { writer, readers },
        })
    }

    async fn open_postgres(url: &str) -> Result<Self, DbError> {
        let options = PgConnectOptions::from_str(url).map_err(DbError::Open)?;
        // A pool tries until its time is up, and then says just that; a connection by hand tells what is wrong.
        let first = async { PgConnection::connect_with(&options).await?.close().await };
        let tried = tokio::time::timeout(BUSY_TIMEOUT, first).await;
        tried.map_err(|_| DbError::Silent)?.map_err(DbError::Open)?;
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options)
            .await
            .map_err(DbError::Open)?;
        sqlx::migrate!("../migrations/postgres").run(&pool).await?;
        Ok(Self {
            engine: Engine::Postgres(pool),
        })
    }

    /// Waits for running statements and closes all connections.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
