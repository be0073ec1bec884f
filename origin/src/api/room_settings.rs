//! Changing a room: the operator all of it, its hosts what goes on in its chat and what is made of its stream.

use axum::{Json, extract::State};
use common::{
    auth::nickname::visible_text,
    chat::{
        record::{AuditAction, AuditEntry},
        room::{LinkPolicy, NotDone},
    },
    wire::chat::ChatAct,
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{
    ApiState,
    body::{JsonBody, Slug},
    error::{ApiError, ApiResult, Problem},
    moderation::not_done,
    rooms::{find, room_name},
    shapes::RoomShape,
    shown::Shown,
    stream_settings::{self, AudioTrack},
};
use crate::db::{Access, RoomChange, SlateChoice};

/// Longest body of a change, in bytes: all blocked words there may be fit, also written as escapes.
pub(super) const MAX_PATCH_LEN: usize = 64 * 1024;

/// Longest slow mode, in seconds.
const MAX_SLOW_MODE_SECONDS: u32 = 3600;

const MAX_BLOCKED_WORDS: usize = 200;
/// In characters.
const MAX_WORD_CHARS: usize = 50;

/// A hundred years.
const MAX_RETENTION_DAYS: u32 = 36_500;

/// Who may write web addresses.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Links {
    Everyone,
    Moderators,
}

impl From<LinkPolicy> for Links {
    fn from(policy: LinkPolicy) -> Self {
        match policy {
            LinkPolicy::Everyone => Self::Everyone,
            LinkPolicy::Moderators => Self::Moderators,
        }
    }
}

impl From<Links> for LinkPolicy {
    fn from(links: Links) -> Self {
        match links {
            Links::Everyone => Self::Everyone,
            Links::Moderators => Self::Moderators,
        }
    }
}

/// What to change; what is left out stays. Name, access and listing are the operator's alone.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomPatch {
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    access: Option<Access>,
    listed: Option<bool>,
    /// Nobody new gets in, and only moderators speak.
    locked: Option<bool>,
    #[schema(maximum = 3600)]
    slow_mode_seconds: Option<u32>,
    links: Option<Links>,
    /// Words that only moderators may write, in any case.
    #[schema(max_items = 200)]
    blocked_words: Option<Vec<String>>,
    /// Messages are kept so many days; `null`: as long as the room.
    #[serde(default, deserialize_with = "there")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 36_500)]
    retention_days: Option<Option<u32>>,
    /// Of `1080p`, `720p`, `480p`, `360p`, `240p`, `144p` and `audio`.
    #[schema(max_items = 7)]
    ladder: Option<Vec<String>>,
    /// By number of the publisher's track.
    #[schema(max_items = 4)]
    audio_tracks: Option<Vec<AudioTrack>>,
    slate: Option<SlateChoice>,
}

/// Tells a `null` from what is left out.
fn there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Changes what the body names.
#[utoipa::path(patch, path = "/api/rooms/{slug}", tag = "rooms", params(("slug" = String, Path)), request_body = RoomPatch,
    security(("admin" = []), ("viewer" = [])), responses((status = 200, body = RoomShape), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    State(state): State<ApiState>,
    shown: Shown,
    Slug(slug): Slug,
    JsonBody(patch): JsonBody<RoomPatch>,
) -> ApiResult<Json<RoomShape>> {
    let by = shown.require_host(&slug, &state)?;
    let is_operator = by.viewer_id.is_none();
    if !is_operator && (patch.name.is_some() || patch.access.is_some() || patch.listed.is_some()) {
        return Err(ApiError::Forbidden(
            "name, access and listing of a room are the operator's",
        ));
    }
    find(&state, &slug).await?;
    let change = checked(&patch)?;
    let stream = stream_settings::checked(patch.ladder.as_deref(), patch.audio_tracks.as_deref(), patch.slate)?;
    let named = named(&patch);
    // The running chat first: it orders these acts among those of its moderators, and keeps them in the audit log.
    let acts = [
        change.locked.map(|locked| ChatAct::Lock { locked }),
        change.slow_mode_seconds.map(|seconds| ChatAct::SlowMode { seconds }),
    ];
    for act in acts.into_iter().flatten() {
        let done = state.plane.moderate(&slug, by.clone(), act).await;
        done.map_err(|why| match why {
            NotDone::TooLong { .. } => ApiError::field("slowModeSeconds", &why),
            why => not_done(why),
        })?;
    }
    let changed = state.control.db().change_room(&slug, &change).await?;
    let (room, chat) = changed.ok_or(ApiError::Unknown("room"))?;
    state.plane.room_changed(&room);
    state.plane.chat_settings_changed(&slug, chat.settings(&room));
    let stream = if stream.is_empty() {
        stream_settings::find(&state, &slug).await?
    } else {
        let _in_order = state.stream_changes.lock().await;
        let changed = state.control.db().change_stream(&slug, &stream).await?;
        let changed = changed.ok_or(ApiError::Unknown("room"))?;
        stream_settings::tell(&state, &slug, changed.clone()).await?;
        changed
    };
    if !named.is_empty() {
        let entry = AuditEntry {
            at: state.now(),
            by,
            action: AuditAction::SettingsChanged,
            target: None,
            detail: Some(named),
            reason: None,
        };
        state.plane.audit(&slug, entry);
    }
    Ok(Json(if is_operator {
        RoomShape::for_operators(&room, &chat, &stream, &state)
    } else {
        RoomShape::for_hosts(&room, &chat, &stream, &state)
    }))
}

/// The fields that are changed, but for those that the running chat puts on record.
fn named(patch: &RoomPatch) -> String {
    let fields = [
        ("name", patch.name.is_some()),
        ("access", patch.access.is_some()),
        ("listed", patch.listed.is_some()),
        ("links", patch.links.is_some()),
        ("blockedWords", patch.blocked_words.is_some()),
        ("retentionDays", patch.retention_days.is_some()),
        ("ladder", patch.ladder.is_some()),
        ("audioTracks", patch.audio_tracks.is_some()),
        ("slate", patch.slate.is_some()),
    ];
    let named = fields.into_iter().filter(|(_, is_named)| *is_named);
    named.map(|(field, _)| field).collect::<Vec<_>>().join(", ")
}

fn checked(patch: &RoomPatch) -> ApiResult<RoomChange> {
    if patch
        .slow_mode_seconds
        .is_some_and(|seconds| seconds > MAX_SLOW_MODE_SECONDS)
    {
        let why = format!("has to be at most {MAX_SLOW_MODE_SECONDS}");
        return Err(ApiError::field("slowModeSeconds", &why));
    }
    let days = patch.retention_days.flatten();
    if days.is_some_and(|days| !(1..=MAX_RETENTION_DAYS).contains(&days)) {
        let why = format!("has to be null, or 1 to {MAX_RETENTION_DAYS}");
        return Err(ApiError::field("retentionDays", &why));
    }
    Ok(RoomChange {
        name: patch.name.as_deref().map(room_name).transpose()?,
        access: patch.access,
        listed: patch.listed,
        locked: patch.locked,
        slow_mode_seconds: patch.slow_mode_seconds,
        links: patch.links.map(LinkPolicy::from),
        blocked_words: patch.blocked_words.as_deref().map(words).transpose()?,
        retention_days: patch.retention_days,
    })
}

/// Each once, in the order they came in.
fn words(texts: &[String]) -> ApiResult<Vec<String>> {
    if texts.len() > MAX_BLOCKED_WORDS {
        let why = format!("has to be at most {MAX_BLOCKED_WORDS} words");
        return Err(ApiError::field("blockedWords", &why));
    }
    let mut words = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let word = visible_text(text, MAX_WORD_CHARS);
        let word = word.map_err(|error| ApiError::field(&format!("blockedWords[{index}]"), &error))?;
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}
