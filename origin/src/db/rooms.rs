//! Rooms, their stream keys (hashed and sealed, never in clear), and the media sequence numbers they used up.

use std::str::FromStr;

use common::{
    auth::revocations::revoke,
    chat::room::LinkPolicy,
    id::{Msn, RoomSlug},
    time::UnixMillis,
    wire::control::{Revocation, RevokedSubject},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{
    ChatRow, Database, DbError,
    chat_settings::{WholeRoomRow, links_text, whole_room_columns},
    reading,
    revocations::INSERT_REVOCATION,
    writing,
};
use crate::secrets::KeyHash;

/// Who may join a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Whoever holds an invite.
    #[default]
    Invite,
    /// Anyone.
    Open,
}

impl Access {
    fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Open => "open",
        }
    }
}

impl FromStr for Access {
    type Err = DbError;

    fn from_str(text: &str) -> Result<Self, DbError> {
        match text {
            "invite" => Ok(Self::Invite),
            "open" => Ok(Self::Open),
            _ => Err(DbError::Corrupt("room")),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    pub slug: RoomSlug,
    pub name: String,
    pub access: Access,
    /// Shown to everyone who asks for the list of rooms.
    pub listed: bool,
    /// Nobody new gets in.
    pub locked: bool,
    /// Least time between two messages of one viewer; 0: none.
    pub slow_mode_seconds: u32,
    /// The stream key, encrypted.
    pub sealed_key: Vec<u8>,
    pub created_at: UnixMillis,
}

/// A room to be made.
#[derive(Clone, Debug)]
pub struct NewRoom {
    pub slug: RoomSlug,
    pub name: String,
    pub access: Access,
    pub listed: bool,
    pub key: StoredKey,
}

/// A stream key as the database may hold it.
#[derive(Clone, Debug)]
pub struct StoredKey {
    pub hash: KeyHash,
    pub sealed: Vec<u8>,
}

/// What to change of a room; `None` leaves as it is.
#[derive(Clone, Debug, Default)]
pub struct RoomChange {
    pub name: Option<String>,
    pub access: Option<Access>,
    pub listed: Option<bool>,
    pub locked: Option<bool>,
    pub slow_mode_seconds: Option<u32>,
    pub links: Option<LinkPolicy>,
    pub blocked_words: Option<Vec<String>>,
    /// `Some(None)`: kept as long as the room.
    pub retention_days: Option<Option<u32>>,
}

#[derive(sqlx::FromRow)]
pub(super) struct RoomRow {
    slug: String,
    name: String,
    access: String,
    listed: bool,
    locked: bool,
    slow_mode_seconds: i64,
    key_sealed: Vec<u8>,
    created_at: i64,
}

impl TryFrom<RoomRow> for Room {
    type Error = DbError;

    fn try_from(row: RoomRow) -> Result<Self, DbError> {
        Ok(Self {
            slug: row.slug.parse().map_err(|_| DbError::Corrupt("room"))?,
            name: row.name,
            access: row.access.parse()?,
            listed: row.listed,
            locked: row.locked,
            slow_mode_seconds: u32::try_from(row.slow_mode_seconds).map_err(|_| DbError::Corrupt("room"))?,
            sealed_key: row.key_sealed,
            created_at: UnixMillis(row.created_at),
        })
    }
}

macro_rules! room_columns {
    () => {
        "slug, name, access, listed, locked, slow_mode_seconds, key_sealed, created_at"
    };
}
pub(super) use room_columns;

const INSERT: &str = concat!(
    "INSERT INTO rooms (slug, name, access, listed, locked, slow_mode_seconds, key_hash, key_sealed, created_at) ",
    "VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8) RETURNING ",
    room_columns!()
);
const SELECT_ALL: &str = concat!("SELECT ", room_columns!(), " FROM rooms ORDER BY created_at, slug");
const SELECT_ONE: &str = concat!("SELECT ", room_columns!(), " FROM rooms WHERE slug = $1");
const UPDATE: &str = concat!(
    "UPDATE rooms SET name = COALESCE($2, name), access = COALESCE($3, access), listed = COALESCE($4, listed), ",
    "locked = COALESCE($5, locked), slow_mode_seconds = COALESCE($6, slow_mode_seconds), links = COALESCE($7, links), ",
    "blocked_words = COALESCE($8, blocked_words), ",
    "retention_days = CASE WHEN $9 THEN $10 ELSE retention_days END WHERE slug = $1 RETURNING ",
    whole_room_columns!()
);
const UPDATE_KEY: &str = concat!(
    "UPDATE rooms SET key_hash = $2, key_sealed = $3 WHERE slug = $1 RETURNING ",
    room_columns!()
);
const DELETE: &str = "DELETE FROM rooms WHERE slug = $1";
const SELECT_KEYS: &str = "SELECT slug, key_hash FROM rooms";
const SELECT_BY_KEY: &str = "SELECT slug, key_hash FROM rooms WHERE key_hash = $1";
const SELECT_MSN: &str = "SELECT reserved_msn FROM rooms WHERE slug = $1";
const RAISE_MSN: &str = "UPDATE rooms SET reserved_msn = CASE WHEN reserved_msn < $2 THEN $2 ELSE reserved_msn END \
                         WHERE slug = $1 RETURNING reserved_msn";

impl Database {
    /// Makes a room.
    ///
    /// # Errors
    /// [`DbError::Taken`] when the slug is.
    pub async fn create_room(&self, room: &NewRoom, now: UnixMillis) -> Result<Room, DbError> {
        let row: RoomRow = writing!(self, |connection| {
            sqlx::query_as(INSERT)
                .bind(room.slug.as_str())
                .bind(&room.name)
                .bind(room.access.as_str())
                .bind(room.listed)
                .bind(false)
                .bind(&room.key.hash[..])
                .bind(&room.key.sealed)
                .bind(now.0)
                .fetch_one(connection)
                .await?
        });
        row.try_into()
    }

    /// All rooms, oldest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn rooms(&self) -> Result<Vec<Room>, DbError> {
        let rows: Vec<RoomRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ALL).fetch_all(connection).await?
        });
        rows.into_iter().map(Room::try_from).collect()
    }

    /// The room, if there is one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn room(&self, slug: &RoomSlug) -> Result<Option<Room>, DbError> {
        let row: Option<RoomRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ONE)
                .bind(slug.as_str())
                .fetch_optional(connection)
                .await?
        });
        row.map(Room::try_from).transpose()
    }

    /// Changes a room and gives it back as it is then; `None` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn change_room(&self, slug: &RoomSlug, change: &RoomChange) -> Result<Option<(Room, ChatRow)>, DbError> {
        let blocked_words = change
            .blocked_words
            .as_ref()
            .map(|words| serde_json::to_string(words).expect("a list of texts"));
        let row: Option<WholeRoomRow> = writing!(self, |connection| {
            sqlx::query_as(UPDATE)
                .bind(slug.as_str())
                .bind(change.name.as_deref())
                .bind(change.access.map(Access::as_str))
                .bind(change.listed)
                .bind(change.locked)
                .bind(change.slow_mode_seconds.map(i64::from))
                .bind(change.links.map(links_text))
                .bind(blocked_words.as_deref())
                .bind(change.retention_days.is_some())
                .bind(change.retention_days.flatten().map(i64::from))
                .fetch_optional(connection)
                .await?
        });
        row.map(WholeRoomRow::try_into).transpose()
    }

    /// Gives a room another stream key; the one before opens nothing from then on.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn replace_stream_key(&self, slug: &RoomSlug, key: &StoredKey) -> Result<Option<Room>, DbError> {
        let row: Option<RoomRow> = writing!(self, |connection| {
            sqlx::query_as(UPDATE_KEY)
                .bind(slug.as_str())
                .bind(&key.hash[..])
                .bind(&key.sealed)
                .fetch_optional(connection)
                .await?
        });
        row.map(Room::try_from).transpose()
    }

    /// Deletes a room with its invites, messages and bans, and revokes its viewers' tokens; `None` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer; nothing is deleted then.
    pub async fn delete_room(&self, slug: &RoomSlug, now: UnixMillis) -> Result<Option<Revocation>, DbError> {
        let deleted = writing!(self, |connection| {
            let deleted = sqlx::query(DELETE)
                .bind(slug.as_str())
                .execute(&mut *connection)
                .await?;
            let until = revoke(RevokedSubject::Room(slug.clone()), now).until;
            if deleted.rows_affected() > 0 {
                sqlx::query(INSERT_REVOCATION)
                    .bind("room")
                    .bind(slug.as_str())
                    .bind(until.0)
                    .execute(&mut *connection)
                    .await?;
            }
            deleted.rows_affected() > 0
        });
        Ok(deleted.then(|| revoke(RevokedSubject::Room(slug.clone()), now)))
    }

    /// The room that a stream key with this SHA-256 opens.
    ///
    /// The index is asked for the hash, so its timing tells nothing of a key; the hash found is compared once more in
    /// constant time, so that no collation or truncation of an engine decides.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn room_by_key_hash(&self, hash: &KeyHash) -> Result<Option<RoomSlug>, DbError> {
        let found: Option<(String, Vec<u8>)> = reading!(self, |connection| {
            sqlx::query_as(SELECT_BY_KEY)
                .bind(&hash[..])
                .fetch_optional(connection)
                .await?
        });
        let room = found.filter(|(_, stored)| stored.as_slice().ct_eq(hash).into());
        room.map(|(slug, _)| slug.parse().map_err(|_| DbError::Corrupt("room")))
            .transpose()
    }

    /// Of the stream keys of all rooms.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn key_hashes(&self) -> Result<Vec<(RoomSlug, KeyHash)>, DbError> {
        let rows: Vec<(String, Vec<u8>)> = reading!(self, |connection| {
            sqlx::query_as(SELECT_KEYS).fetch_all(connection).await?
        });
        let read = |(slug, hash): (String, Vec<u8>)| Some((slug.parse().ok()?, hash.try_into().ok()?));
        let rows = rows.into_iter().map(read);
        rows.map(|row| row.ok_or(DbError::Corrupt("room"))).collect()
    }

    /// The first media sequence number of the room that was surely never used; `None` when there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn reserved_msn(&self, slug: &RoomSlug) -> Result<Option<Msn>, DbError> {
        let mark: Option<(i64,)> = reading!(self, |connection| {
            sqlx::query_as(SELECT_MSN)
                .bind(slug.as_str())
                .fetch_optional(connection)
                .await?
        });
        mark.map(|(mark,)| msn(mark)).transpose()
    }

    /// Marks all media sequence numbers below `upto` as used, before the first of them is. Gives the mark, which never
    /// goes down; `None` when there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer, or the number is beyond what it can hold.
    pub async fn reserve_msn(&self, slug: &RoomSlug, upto: Msn) -> Result<Option<Msn>, DbError> {
        let upto = i64::try_from(upto.0).map_err(|_| DbError::Corrupt("media sequence number"))?;
        let mark: Option<(i64,)> = writing!(self, |connection| {
            sqlx::query_as(RAISE_MSN)
                .bind(slug.as_str())
                .bind(upto)
                .fetch_optional(connection)
                .await?
        });
        mark.map(|(mark,)| msn(mark)).transpose()
    }
}

fn msn(mark: i64) -> Result<Msn, DbError> {
    u64::try_from(mark).map(Msn).map_err(|_| DbError::Corrupt("room"))
}
