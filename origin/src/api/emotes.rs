//! Emotes of a room: uploaded and removed by hosts, listed for viewers, and their pictures for relays.

use axum::{
    Json,
    extract::{Path, Request, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use common::{
    chat::record::{AuditAction, AuditEntry, Doer},
    id::RoomSlug,
    wire::chat::EmoteRef,
};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ApiState,
    address::Caller,
    body::{QueryOf, Slug, read},
    error::{ApiError, ApiResult, Problem},
    rooms::find,
    shown::Shown,
};
use crate::{
    db::{Emote, NewEmote},
    emotes::{MAX_EMOTES, NotMade, RETRY_AFTER, is_hash, is_name},
};

#[derive(Deserialize)]
pub(super) struct Named {
    name: Option<String>,
}

/// An emote of a room.
#[derive(Serialize, ToSchema)]
#[schema(as = Emote)]
pub(super) struct EmoteShape {
    /// Without colons.
    name: String,
    /// On every relay; what is there never changes.
    url: String,
    width: u32,
    height: u32,
}

impl EmoteShape {
    fn new(room: &RoomSlug, emote: Emote) -> Self {
        Self {
            url: format!("/emotes/{room}/{}", emote.file),
            name: emote.name,
            width: emote.width,
            height: emote.height,
        }
    }
}

/// The room's emotes, by name.
#[utoipa::path(get, path = "/api/rooms/{slug}/emotes", tag = "chat", params(("slug" = String, Path)), security(("admin" = []), ("viewer" = [])),
    responses((status = 200, body = [EmoteShape]), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<ApiState>,
    shown: Shown,
    Slug(slug): Slug,
) -> ApiResult<Json<Vec<EmoteShape>>> {
    let allowed = shown.require_viewer(&slug, &state);
    let room = find(&state, &slug).await?;
    if allowed.is_err() && !shown.knows(&room, &state) {
        return Err(ApiError::Unknown("room"));
    }
    allowed?;
    let emotes = state.control.db().emotes(&slug).await?.into_iter();
    Ok(Json(emotes.map(|emote| EmoteShape::new(&slug, emote)).collect()))
}

/// Adds an emote: the body is a PNG, WebP or GIF of at most 512 KiB. Viewers get it scaled into 128 by 128 pixels and encoded anew.
#[utoipa::path(post, path = "/api/rooms/{slug}/emotes", tag = "chat",
    params(("slug" = String, Path), ("name" = String, Query, description = "2 to 32 of `A-Z a-z 0-9 _`.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), security(("admin" = []), ("viewer" = [])),
    responses((status = 201, body = EmoteShape), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
pub(super) async fn add(
    State(state): State<ApiState>,
    caller: Caller,
    shown: Shown,
    Slug(slug): Slug,
    QueryOf(named): QueryOf<Named>,
    request: Request,
) -> ApiResult<(StatusCode, Json<EmoteShape>)> {
    let by = shown.require_host(&slug, &state)?;
    find(&state, &slug).await?;
    let rate = state.uploads.take(caller.rate_key, node::clock::monotonic());
    rate.map_err(|retry_after| ApiError::TooMany { retry_after })?;
    let name = named.name.unwrap_or_default();
    if !is_name(&name) {
        return Err(ApiError::field(
            "name",
            &"has to be 2 to 32 letters A to Z, digits or underscores",
        ));
    }
    let there = state.control.db().emotes(&slug).await?;
    check_place(&there, &name)?;
    let made = state.workshop.make(read(request, &state).await?).await;
    let picture = made.map_err(|why| match why {
        NotMade::Unfit(why) => ApiError::field("image", &why),
        NotMade::Busy => ApiError::TooMany {
            retry_after: RETRY_AFTER,
        },
    })?;
    let new = NewEmote {
        name,
        file: picture.file,
        image: picture.bytes,
        width: picture.width,
        height: picture.height,
    };
    let _in_order = state.emote_changes.lock().await;
    let added = state
        .control
        .db()
        .add_emote(&slug, &new, MAX_EMOTES, state.now())
        .await?;
    let emote = added.ok_or(ApiError::Taken(FULL))?;
    changed(&state, &slug, by, AuditAction::EmoteAdded, &emote.name).await;
    Ok((StatusCode::CREATED, Json(EmoteShape::new(&slug, emote))))
}

const FULL: &str = "the room has as many emotes as it may: remove one first";

/// Before the picture is worked on for nothing.
fn check_place(there: &[Emote], name: &str) -> ApiResult<()> {
    if there.iter().any(|emote| emote.name == name) {
        return Err(ApiError::Taken("this name is taken"));
    }
    if there.len() >= MAX_EMOTES as usize {
        return Err(ApiError::Taken(FULL));
    }
    Ok(())
}

/// Removes an emote.
#[utoipa::path(delete, path = "/api/rooms/{slug}/emotes/{name}", tag = "chat", params(("slug" = String, Path), ("name" = String, Path)),
    security(("admin" = []), ("viewer" = [])), responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(state): State<ApiState>,
    shown: Shown,
    path: Result<Path<(RoomSlug, String)>, PathRejection>,
) -> ApiResult<StatusCode> {
    let Path((slug, name)) = path.map_err(|_| ApiError::Unknown("room"))?;
    let by = shown.require_host(&slug, &state)?;
    if !is_name(&name) {
        return Err(ApiError::Unknown("emote"));
    }
    let _in_order = state.emote_changes.lock().await;
    if !state.control.db().delete_emote(&slug, &name).await? {
        return Err(ApiError::Unknown("emote"));
    }
    changed(&state, &slug, by, AuditAction::EmoteRemoved, &name).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The change is kept: whatever happens here, it is done.
async fn changed(state: &ApiState, room: &RoomSlug, by: Doer, action: AuditAction, name: &str) {
    let entry = AuditEntry {
        at: state.now(),
        by,
        action,
        target: None,
        detail: Some(name.to_owned()),
        reason: None,
    };
    state.plane.audit(room, entry);
    match state.control.db().emotes(room).await {
        Ok(emotes) => {
            let emotes = emotes.into_iter();
            let emotes = emotes.map(|Emote { name, file, .. }| EmoteRef { name, file }).collect();
            state.plane.emotes_changed(room, emotes);
        }
        Err(error) => {
            tracing::warn!(%room, %error, "the running chat does not hear of its emotes before the next change")
        }
    }
}

/// The picture of an emote: what a relay asks for its cache.
#[utoipa::path(get, path = "/api/rooms/{slug}/emotes/files/{file}", tag = "chat", params(("slug" = String, Path), ("file" = String, Path)),
    security(("admin" = []), ("viewer" = [])), responses((status = 200, body = Vec<u8>, content_type = "image/*"), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn file(
    State(state): State<ApiState>,
    shown: Shown,
    path: Result<Path<(RoomSlug, String)>, PathRejection>,
) -> ApiResult<Response> {
    let Path((slug, file)) = path.map_err(|_| ApiError::Unknown("room"))?;
    shown.require_viewer(&slug, &state)?;
    let kind = match file.rsplit_once('.') {
        Some((hash, "png")) if is_hash(hash) => "image/png",
        Some((hash, "gif")) if is_hash(hash) => "image/gif",
        _ => return Err(ApiError::Unknown("emote")),
    };
    let image = state.control.db().emote_image(&slug, &file).await?;
    let image = image.ok_or(ApiError::Unknown("emote"))?;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, image).into_response())
}
