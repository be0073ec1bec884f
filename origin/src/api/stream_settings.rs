//! What hosts set of a room's stream, as the API writes and checks it.

use std::str::FromStr;

use common::{
    auth::nickname::visible_text,
    id::{RoomSlug, Rung},
    live::description::{MAX_NAME_CHARS, is_language, is_name},
    media::access_unit::{AudioTrackLabel, MAX_AUDIO_TRACKS},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ApiState,
    error::{ApiError, ApiResult},
};
use crate::db::{SlateChoice, StreamChange, StreamRow, stream_settings::AUDIO_ONLY};

/// What viewers choose a sound by. What is left out is as the publisher calls it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct AudioTrack {
    #[schema(max_length = 64)]
    name: Option<String>,
    /// BCP 47.
    #[schema(example = "fr")]
    language: Option<String>,
}

/// The stream's part of a room, for its hosts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomStream {
    /// Qualities made of the source while somebody watches them, the largest first; `audio` is the sound alone.
    #[schema(example = json!(["720p", "480p", "audio"]))]
    ladder: Vec<&'static str>,
    /// By number of the publisher's track.
    audio_tracks: Vec<AudioTrack>,
    /// What stands in for a publisher that was lost.
    slate: SlateChoice,
    /// There is a picture at `/api/rooms/{slug}/slate`.
    has_slate_picture: bool,
}

impl From<&StreamRow> for RoomStream {
    fn from(stream: &StreamRow) -> Self {
        let rungs = stream.ladder.iter().map(|rung| rung.as_str());
        let track = |label: &AudioTrackLabel| AudioTrack {
            name: label.name.clone(),
            language: label.language.clone(),
        };
        Self {
            ladder: rungs.chain(stream.audio_only.then_some(AUDIO_ONLY)).collect(),
            audio_tracks: stream.audio_tracks.iter().map(track).collect(),
            slate: stream.slate,
            has_slate_picture: stream.has_picture,
        }
    }
}

/// What to change of it, as it was sent.
pub(super) fn checked(
    ladder: Option<&[String]>,
    audio_tracks: Option<&[AudioTrack]>,
    slate: Option<SlateChoice>,
) -> ApiResult<StreamChange> {
    Ok(StreamChange {
        ladder: ladder.map(rungs).transpose()?,
        audio_tracks: audio_tracks.map(labels).transpose()?,
        slate,
    })
}

/// Each once, the largest first, and whether the sound alone is among them.
fn rungs(names: &[String]) -> ApiResult<(Vec<Rung>, bool)> {
    if names.len() > Rung::ALL.len() + 1 {
        return Err(ApiError::field("ladder", &"names more than there is"));
    }
    let mut rungs = Vec::new();
    for (index, name) in names.iter().enumerate().filter(|(_, name)| *name != AUDIO_ONLY) {
        let rung = Rung::from_str(name).map_err(|error| {
            let why = format!("{error}, or {AUDIO_ONLY}");
            ApiError::field(&format!("ladder[{index}]"), &why)
        })?;
        rungs.push(rung);
    }
    rungs.sort_unstable();
    rungs.dedup();
    Ok((rungs, names.iter().any(|name| name == AUDIO_ONLY)))
}

fn labels(tracks: &[AudioTrack]) -> ApiResult<Vec<AudioTrackLabel>> {
    if tracks.len() > usize::from(MAX_AUDIO_TRACKS) {
        let why = format!("has to be at most {MAX_AUDIO_TRACKS} tracks");
        return Err(ApiError::field("audioTracks", &why));
    }
    let mut labels: Vec<AudioTrackLabel> = Vec::with_capacity(tracks.len());
    for (index, track) in (0..).zip(tracks) {
        let wrong = |field: &str, why: &str| ApiError::field(&format!("audioTracks[{index}].{field}"), &why);
        // An emptied field of a form is a name left out.
        let name = match track.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            None => None,
            Some(text) => {
                let name = visible_text(text, MAX_NAME_CHARS).map_err(|error| wrong("name", &error.to_string()))?;
                if !is_name(&name) {
                    return Err(wrong("name", "has to be without quotation marks"));
                }
                if labels.iter().any(|label| label.name.as_ref() == Some(&name)) {
                    return Err(wrong("name", "is another track's name"));
                }
                Some(name)
            }
        };
        let language = track.language.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if language.is_some_and(|language| !is_language(language)) {
            return Err(wrong("language", "has to be a language tag, as fr or pt-BR"));
        }
        labels.push(AudioTrackLabel {
            index,
            name,
            language: language.map(str::to_owned),
        });
    }
    Ok(labels)
}

/// The room's stream as stored, or 404.
pub(super) async fn find(state: &ApiState, room: &RoomSlug) -> ApiResult<StreamRow> {
    let found = state.control.db().stream_settings(room).await?;
    found.ok_or(ApiError::Unknown("room"))
}

/// Tells the running room what is stored.
pub(super) async fn tell(state: &ApiState, room: &RoomSlug, stored: StreamRow) -> ApiResult<()> {
    let settings = state.control.stream_settings(room, stored).await?;
    state.plane.stream_settings_changed(room, settings);
    Ok(())
}
