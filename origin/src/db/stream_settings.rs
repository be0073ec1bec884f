//! What hosts set of a room's stream: the ladder, names of its sounds, the slate.

use std::str::FromStr;

use common::{
    id::{RoomSlug, Rung},
    media::access_unit::AudioTrackLabel,
};
use serde::{Deserialize, Serialize};

use super::{Database, DbError, reading, writing};

/// How the ladder names the variant of sound alone.
pub const AUDIO_ONLY: &str = "audio";

/// What stands in for a publisher that was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SlateChoice {
    /// Nothing: the picture stops.
    #[default]
    Off,
    /// A card that says that the stream will be back.
    Card,
    /// The picture that the host uploaded; the card as long as there is none.
    Picture,
}

impl SlateChoice {
    fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Card => "card",
            Self::Picture => "picture",
        }
    }
}

/// The stream's part of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamRow {
    /// The largest first.
    pub ladder: Vec<Rung>,
    /// There is a variant of sound alone.
    pub audio_only: bool,
    /// By number of the track.
    pub audio_tracks: Vec<AudioTrackLabel>,
    pub slate: SlateChoice,
    /// The host uploaded a picture.
    pub has_picture: bool,
}

/// What to change of a room's stream; `None` leaves as it is.
#[derive(Clone, Debug, Default)]
pub struct StreamChange {
    /// With whether there is a variant of sound alone.
    pub ladder: Option<(Vec<Rung>, bool)>,
    pub audio_tracks: Option<Vec<AudioTrackLabel>>,
    pub slate: Option<SlateChoice>,
}

impl StreamChange {
    pub fn is_empty(&self) -> bool {
        self.ladder.is_none() && self.audio_tracks.is_none() && self.slate.is_none()
    }
}

/// A label as it is kept: its number is its place.
#[derive(Serialize, Deserialize)]
struct StoredLabel {
    name: Option<String>,
    language: Option<String>,
}

#[derive(sqlx::FromRow)]
struct StreamColumns {
    slug: String,
    ladder: String,
    audio_tracks: String,
    slate: String,
    has_picture: bool,
}

impl TryFrom<StreamColumns> for (RoomSlug, StreamRow) {
    type Error = DbError;

    fn try_from(row: StreamColumns) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt("room");
        let slug = row.slug.parse().map_err(|_| corrupt())?;
        let names: Vec<String> = serde_json::from_str(&row.ladder).map_err(|_| corrupt())?;
        let rungs = names.iter().filter(|name| *name != AUDIO_ONLY);
        let labels: Vec<StoredLabel> = serde_json::from_str(&row.audio_tracks).map_err(|_| corrupt())?;
        let labels = (0..)
            .zip(labels)
            .map(|(index, StoredLabel { name, language })| AudioTrackLabel { index, name, language });
        let choices = [SlateChoice::Off, SlateChoice::Card, SlateChoice::Picture];
        let slate = choices.into_iter().find(|choice| choice.as_str() == row.slate);
        let stream = StreamRow {
            ladder: rungs
                .map(|name| Rung::from_str(name))
                .collect::<Result<_, _>>()
                .map_err(|_| corrupt())?,
            audio_only: names.iter().any(|name| name == AUDIO_ONLY),
            audio_tracks: labels.collect(),
            slate: slate.ok_or_else(corrupt)?,
            has_picture: row.has_picture,
        };
        Ok((slug, stream))
    }
}

macro_rules! stream_columns {
    () => {
        "slug, ladder, audio_tracks, slate, EXISTS (SELECT 1 FROM slates WHERE slates.room = rooms.slug) AS has_picture"
    };
}

const SELECT_ONE: &str = concat!("SELECT ", stream_columns!(), " FROM rooms WHERE slug = $1");
const SELECT_ALL: &str = concat!("SELECT ", stream_columns!(), " FROM rooms");
const UPDATE: &str = "UPDATE rooms SET ladder = COALESCE($2, ladder), audio_tracks = COALESCE($3, audio_tracks), \
                      slate = COALESCE($4, slate) WHERE slug = $1";
const SELECT_PICTURE: &str = "SELECT image FROM slates WHERE room = $1";
const PUT_PICTURE: &str = "INSERT INTO slates (room, image) SELECT slug, $2 FROM rooms WHERE slug = $1 \
                           ON CONFLICT (room) DO UPDATE SET image = excluded.image";
const DELETE_PICTURE: &str = "DELETE FROM slates WHERE room = $1";

impl Database {
    /// What is set of a room's stream; `None` when there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn stream_settings(&self, room: &RoomSlug) -> Result<Option<StreamRow>, DbError> {
        let row: Option<StreamColumns> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ONE)
                .bind(room.as_str())
                .fetch_optional(connection)
                .await?
        });
        let row = row.map(<(RoomSlug, StreamRow)>::try_from).transpose()?;
        Ok(row.map(|(_, stream)| stream))
    }

    /// What is set of all rooms' streams.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_stream_settings(&self) -> Result<Vec<(RoomSlug, StreamRow)>, DbError> {
        let rows: Vec<StreamColumns> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ALL).fetch_all(connection).await?
        });
        rows.into_iter().map(StreamColumns::try_into).collect()
    }

    /// Changes what is set of a room's stream and gives it back as it is then; `None` when there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn change_stream(&self, room: &RoomSlug, change: &StreamChange) -> Result<Option<StreamRow>, DbError> {
        let ladder = change.ladder.as_ref().map(|(rungs, audio_only)| {
            let names = rungs.iter().map(|rung| rung.as_str());
            let names: Vec<&str> = names.chain(audio_only.then_some(AUDIO_ONLY)).collect();
            serde_json::to_string(&names).expect("a list of texts")
        });
        let labels = change.audio_tracks.as_ref().map(|labels| {
            let stored = |label: &AudioTrackLabel| StoredLabel {
                name: label.name.clone(),
                language: label.language.clone(),
            };
            let labels: Vec<StoredLabel> = labels.iter().map(stored).collect();
            serde_json::to_string(&labels).expect("a list of texts")
        });
        writing!(self, |connection| {
            sqlx::query(UPDATE)
                .bind(room.as_str())
                .bind(ladder.as_deref())
                .bind(labels.as_deref())
                .bind(change.slate.map(SlateChoice::as_str))
                .execute(connection)
                .await?;
        });
        self.stream_settings(room).await
    }

    /// The picture that a room's host uploaded.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn slate_picture(&self, room: &RoomSlug) -> Result<Option<Vec<u8>>, DbError> {
        let row: Option<(Vec<u8>,)> = reading!(self, |connection| {
            sqlx::query_as(SELECT_PICTURE)
                .bind(room.as_str())
                .fetch_optional(connection)
                .await?
        });
        Ok(row.map(|(image,)| image))
    }

    /// Keeps a room's picture in place of the one before; false when there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_slate_picture(&self, room: &RoomSlug, image: &[u8]) -> Result<bool, DbError> {
        let put = writing!(self, |connection| {
            sqlx::query(PUT_PICTURE)
                .bind(room.as_str())
                .bind(image)
                .execute(connection)
                .await?
                .rows_affected()
        });
        Ok(put > 0)
    }

    /// Removes a room's picture; false when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_slate_picture(&self, room: &RoomSlug) -> Result<bool, DbError> {
        let deleted = writing!(self, |connection| {
            sqlx::query(DELETE_PICTURE)
                .bind(room.as_str())
                .execute(connection)
                .await?
                .rows_affected()
        });
        Ok(deleted > 0)
    }
}
