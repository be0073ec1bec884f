//! The picture that stands in for a room's lost publisher: uploaded by hosts, shown to them again.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use common::chat::record::{AuditAction, AuditEntry, Doer};
use common::id::RoomSlug;
use http::{StatusCode, header};

use super::{
    ApiState,
    address::Caller,
    body::{Slug, read},
    error::{ApiError, ApiResult, Problem},
    rooms::find,
    shown::Shown,
    stream_settings,
};
use crate::{
    emotes::{NotMade, RETRY_AFTER},
    slate::picture,
};

/// Sets the picture: the body is a PNG, JPEG or WebP of at most 2 MiB. It is scaled into 1920 by 1080 pixels and encoded anew; the rest of
/// the frame stays black.
#[utoipa::path(put, path = "/api/rooms/{slug}/slate", tag = "rooms", params(("slug" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), security(("admin" = []), ("viewer" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn put(
    State(state): State<ApiState>,
    caller: Caller,
    shown: Shown,
    Slug(slug): Slug,
    request: Request,
) -> ApiResult<StatusCode> {
    let by = shown.require_host(&slug, &state)?;
    find(&state, &slug).await?;
    let rate = state.uploads.take(caller.rate_key, node::clock::monotonic());
    rate.map_err(|retry_after| ApiError::TooMany { retry_after })?;
    let made = state.workshop.run(read(request, &state).await?, picture::make).await;
    let image = made.map_err(|why| match why {
        NotMade::Unfit(why) => ApiError::field("image", &why),
        NotMade::Busy => ApiError::TooMany {
            retry_after: RETRY_AFTER,
        },
    })?;
    let _in_order = state.stream_changes.lock().await;
    if !state.control.db().put_slate_picture(&slug, &image).await? {
        return Err(ApiError::Unknown("room"));
    }
    changed(&state, &slug, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The picture as it was made ready.
#[utoipa::path(get, path = "/api/rooms/{slug}/slate", tag = "rooms", params(("slug" = String, Path)), security(("admin" = []), ("viewer" = [])),
    responses((status = 200, body = Vec<u8>, content_type = "image/png"), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn get(State(state): State<ApiState>, shown: Shown, Slug(slug): Slug) -> ApiResult<Response> {
    shown.require_host(&slug, &state)?;
    let image = state.control.db().slate_picture(&slug).await?;
    let image = image.ok_or(ApiError::Unknown("picture"))?;
    let headers = [
        (header::CONTENT_TYPE, "image/png"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, image).into_response())
}

/// Removes the picture.
#[utoipa::path(delete, path = "/api/rooms/{slug}/slate", tag = "rooms", params(("slug" = String, Path)), security(("admin" = []), ("viewer" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn remove(State(state): State<ApiState>, shown: Shown, Slug(slug): Slug) -> ApiResult<StatusCode> {
    let by = shown.require_host(&slug, &state)?;
    let _in_order = state.stream_changes.lock().await;
    if !state.control.db().delete_slate_picture(&slug).await? {
        return Err(ApiError::Unknown("picture"));
    }
    changed(&state, &slug, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn changed(state: &ApiState, room: &RoomSlug, by: Doer) -> ApiResult<()> {
    let stored = stream_settings::find(state, room).await?;
    stream_settings::tell(state, room, stored).await?;
    let entry = AuditEntry {
        at: state.now(),
        by,
        action: AuditAction::SettingsChanged,
        target: None,
        detail: Some("slatePicture".to_owned()),
        reason: None,
    };
    state.plane.audit(room, entry);
    Ok(())
}
