//! Emotes of a room: names and pictures, as they were made ready for viewers.

use common::{id::RoomSlug, time::UnixMillis};

use super::{Database, DbError, reading, writing};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emote {
    /// Without colons.
    pub name: String,
    /// `HASH.png` or `HASH.gif`.
    pub file: String,
    pub width: u32,
    pub height: u32,
    pub created_at: UnixMillis,
}

/// An emote to be added.
#[derive(Clone, Debug)]
pub struct NewEmote {
    pub name: String,
    pub file: String,
    pub image: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

#[derive(sqlx::FromRow)]
struct EmoteRow {
    name: String,
    file: String,
    width: i64,
    height: i64,
    created_at: i64,
}

impl TryFrom<EmoteRow> for Emote {
    type Error = DbError;

    fn try_from(row: EmoteRow) -> Result<Self, DbError> {
        let side = |pixels: i64| u32::try_from(pixels).map_err(|_| DbError::Corrupt("emote"));
        Ok(Self {
            name: row.name,
            file: row.file,
            width: side(row.width)?,
            height: side(row.height)?,
            created_at: UnixMillis(row.created_at),
        })
    }
}

const INSERT: &str = "INSERT INTO emotes (room, name, file, image, width, height, created_at) \
     SELECT slug, $2, $3, $4, $5, $6, $7 FROM rooms \
     WHERE slug = $1 AND (SELECT COUNT(*) FROM emotes WHERE room = $1) < $8 \
     RETURNING name, file, width, height, created_at";
const SELECT_ALL: &str = "SELECT name, file, width, height, created_at FROM emotes WHERE room = $1 ORDER BY name";
const SELECT_IMAGE: &str = "SELECT image FROM emotes WHERE room = $1 AND file = $2 LIMIT 1";
const DELETE: &str = "DELETE FROM emotes WHERE room = $1 AND name = $2";

impl Database {
    /// Adds an emote to a room; `None` when there is no such room, or `most` are in it already.
    ///
    /// # Errors
    /// [`DbError::Taken`] when the name is.
    pub async fn add_emote(
        &self,
        room: &RoomSlug,
        emote: &NewEmote,
        most: u32,
        now: UnixMillis,
    ) -> Result<Option<Emote>, DbError> {
        let row: Option<EmoteRow> = writing!(self, |connection| {
            sqlx::query_as(INSERT)
                .bind(room.as_str())
                .bind(&emote.name)
                .bind(&emote.file)
                .bind(&emote.image)
                .bind(i64::from(emote.width))
                .bind(i64::from(emote.height))
                .bind(now.0)
                .bind(i64::from(most))
                .fetch_optional(connection)
                .await?
        });
        row.map(Emote::try_from).transpose()
    }

    /// The room's emotes by name.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn emotes(&self, room: &RoomSlug) -> Result<Vec<Emote>, DbError> {
        let rows: Vec<EmoteRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ALL)
                .bind(room.as_str())
                .fetch_all(connection)
                .await?
        });
        rows.into_iter().map(Emote::try_from).collect()
    }

    /// The picture of the room's emote that has this file name.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn emote_image(&self, room: &RoomSlug, file: &str) -> Result<Option<Vec<u8>>, DbError> {
        let row: Option<(Vec<u8>,)> = reading!(self, |connection| {
            sqlx::query_as(SELECT_IMAGE)
                .bind(room.as_str())
                .bind(file)
                .fetch_optional(connection)
                .await?
        });
        Ok(row.map(|(image,)| image))
    }

    /// Removes an emote; false when there is none of this name.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_emote(&self, room: &RoomSlug, name: &str) -> Result<bool, DbError> {
        let deleted = writing!(self, |connection| {
            sqlx::query(DELETE)
                .bind(room.as_str())
                .bind(name)
                .execute(connection)
                .await?
                .rows_affected()
        });
        Ok(deleted > 0)
    }
}
