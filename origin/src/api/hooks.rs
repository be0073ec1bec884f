//! Hooks of an nginx-rtmp in front: may this key publish, and is it done? nginx looks at the first digit of the status only.

use axum::extract::State;
use common::id::RoomSlug;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ApiState,
    address::Caller,
    body::{FormBody, QueryOf},
    error::{ApiError, ApiResult, Problem},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HookQuery {
    hook_secret: Option<String>,
}

/// The fields that are looked at; nginx sends more.
#[derive(Deserialize, ToSchema)]
pub(super) struct HookForm {
    /// The stream key.
    name: String,
}

/// 204 when the key opens a room, else 403.
#[utoipa::path(post, path = "/hooks/rtmp/publish", tag = "hooks", params(("hookSecret" = Option<String>, Query)),
    request_body(content = HookForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn publish(
    State(state): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    QueryOf(query): QueryOf<HookQuery>,
    FormBody(form): FormBody<HookForm>,
) -> ApiResult<StatusCode> {
    room_of(&state, &caller, &headers, &query, &form).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The publisher stopped: its stream ends within 10 s.
#[utoipa::path(post, path = "/hooks/rtmp/done", tag = "hooks", params(("hookSecret" = Option<String>, Query)),
    request_body(content = HookForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn done(
    State(state): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    QueryOf(query): QueryOf<HookQuery>,
    FormBody(form): FormBody<HookForm>,
) -> ApiResult<StatusCode> {
    let room = room_of(&state, &caller, &headers, &query, &form).await?;
    state.plane.publisher_done(&room);
    Ok(StatusCode::NO_CONTENT)
}

async fn room_of(
    state: &ApiState,
    caller: &Caller,
    headers: &HeaderMap,
    query: &HookQuery,
    form: &HookForm,
) -> ApiResult<RoomSlug> {
    let by_header = ["x-hook-secret", "hooksecret"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok());
    let is_ours = match by_header.or(query.hook_secret.as_deref()) {
        Some(shown) => state.control.secrets().hook_secret().matches(shown),
        None => caller.is_local,
    };
    if !is_ours {
        return Err(ApiError::Forbidden("the hook's secret is wrong or missing"));
    }
    let room = state.control.room_by_stream_key(&form.name).await?;
    room.ok_or(ApiError::Forbidden("the stream key is wrong"))
}
