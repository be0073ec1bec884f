//! What is set of rooms' streams, as the running rooms take it.

use common::{id::RoomSlug, packager::Offer};

use super::Control;
use crate::{
    db::{DbError, SlateChoice, StreamRow},
    room::{Slate, StreamSettings},
};

impl Control {
    /// What a room is to be told of what is stored.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn stream_settings(&self, room: &RoomSlug, stored: StreamRow) -> Result<StreamSettings, DbError> {
        let slate = match stored.slate {
            SlateChoice::Off => Slate::Off,
            SlateChoice::Card => Slate::Card,
            SlateChoice::Picture => {
                let picture = self.db.slate_picture(room).await?;
                picture.map_or(Slate::Card, |picture| Slate::Picture(picture.into()))
            }
        };
        Ok(StreamSettings {
            offer: Offer {
                ladder: stored.ladder,
                audio_only: stored.audio_only,
                labels: stored.audio_tracks,
            },
            slate,
        })
    }

    /// The same of all rooms that differ from a new one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_stream_settings(&self) -> Result<Vec<(RoomSlug, StreamSettings)>, DbError> {
        let mut all = Vec::new();
        for (room, stored) in self.db.all_stream_settings().await? {
            if stored != StreamRow::default() {
                let settings = self.stream_settings(&room, stored).await?;
                all.push((room, settings));
            }
        }
        Ok(all)
    }
}
