//! Hooks of an nginx-rtmp in front: may this key publish, and is it done? nginx looks at the first digit of the status only, and at where a
//! redirect leads: a stream goes on under that name.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use common::id::RoomSlug;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ApiState,
    address::Caller,
    body::{FormBody, QueryOf},
    error::{ApiError, ApiResult, Problem},
};
use crate::{control::Control, ingest::admission::PublishEnd, room::Fronted};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HookQuery {
    hook_secret: Option<String>,
    /// `1`: the stream is to go on under a name that is not the key.
    rename: Option<String>,
    /// `1`: who calls cannot tell a publisher that stopped from one that was lost.
    may_return: Option<String>,
}

/// The fields that are looked at; nginx sends more.
#[derive(Deserialize, ToSchema)]
pub(super) struct HookForm {
    /// The stream key.
    name: String,
    /// Where the publisher is.
    addr: Option<String>,
    /// nginx's number for the publisher's connection.
    clientid: Option<String>,
}

impl HookForm {
    /// What cannot be read counts as not said.
    fn publisher(&self, caller: &Caller) -> Fronted {
        Fronted {
            caller: caller.address,
            client: self.clientid.as_deref().and_then(|text| text.parse().ok()),
            encoder: self.addr.as_deref().and_then(|text| text.parse().ok()),
        }
    }
}

/// 204 when the key opens a room, else 403. With `rename=1` 302 instead of 204: `Location` is the name under which to push the stream on, good
/// from that machine for this one publication; and 403 also while another publishes.
#[utoipa::path(post, path = "/hooks/rtmp/publish", tag = "hooks", params(("hookSecret" = Option<String>, Query), ("rename" = Option<u8>, Query)),
    request_body(content = HookForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204), (status = 302), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn publish(
    State(state): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    QueryOf(query): QueryOf<HookQuery>,
    FormBody(form): FormBody<HookForm>,
) -> ApiResult<Response> {
    check(&state, &caller, &headers, &query)?;
    let room = room_of(&state, &form).await?;
    if query.rename.as_deref() != Some("1") {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let key_hash = Control::key_hash(&form.name);
    let name = state.plane.issue_pass(&room, key_hash, form.publisher(&caller)).await;
    let name = name.ok_or(ApiError::Forbidden("another publishes in this room"))?;
    // The key may have been changed meanwhile: then nobody is told the name.
    room_of(&state, &form).await?;
    Ok((StatusCode::FOUND, [(header::LOCATION, name)]).into_response())
}

/// The publisher stopped: its stream ends within 10 s. With `mayReturn=1` it stopped or was lost: it is waited for as after a loss. `name` is the
/// key, or the name it was pushed on under. With the key, `clientid` tells which publisher: one that another took over from ends nothing.
#[utoipa::path(post, path = "/hooks/rtmp/done", tag = "hooks", params(("hookSecret" = Option<String>, Query), ("mayReturn" = Option<u8>, Query)),
    request_body(content = HookForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn done(
    State(state): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    QueryOf(query): QueryOf<HookQuery>,
    FormBody(form): FormBody<HookForm>,
) -> ApiResult<StatusCode> {
    check(&state, &caller, &headers, &query)?;
    let how = match query.may_return.as_deref() {
        Some("1") => PublishEnd::Lost,
        _ => PublishEnd::Stopped,
    };
    if !state.plane.pass_done(&form.name, how) {
        let room = room_of(&state, &form).await?;
        state.plane.publisher_done(&room, &form.publisher(&caller), how);
    }
    Ok(StatusCode::NO_CONTENT)
}

fn check(state: &ApiState, caller: &Caller, headers: &HeaderMap, query: &HookQuery) -> ApiResult<()> {
    let by_header = ["x-hook-secret", "hooksecret"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok());
    let is_ours = match by_header.or(query.hook_secret.as_deref()) {
        Some(shown) => state.control.secrets().hook_secret().matches(shown),
        None => caller.is_local,
    };
    if is_ours {
        Ok(())
    } else {
        Err(ApiError::Forbidden("the hook's secret is wrong or missing"))
    }
}

async fn room_of(state: &ApiState, form: &HookForm) -> ApiResult<RoomSlug> {
    let room = state.control.room_by_stream_key(&form.name).await?;
    room.ok_or(ApiError::Forbidden("the stream key is wrong"))
}
