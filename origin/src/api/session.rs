//! Signing the operator's browser in and out: a one-time link's token, or the admin token, for a cookie.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use common::time::UnixMillis;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

use super::{
    ApiState,
    address::Caller,
    body::JsonBody,
    cookies::{SESSION_COOKIE, cookie, set_cookie},
    error::{ApiError, ApiResult, Problem},
    shown::Operator,
};
use crate::{control::SESSION_LIFE, secrets::sha256};

#[derive(Deserialize, ToSchema)]
pub(super) struct SignInRequest {
    /// Of a sign-in link, which serves once for 15 minutes, or the admin token.
    token: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionShape {
    /// `null` when the admin token itself was shown.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Signs in.
#[utoipa::path(post, path = "/api/session", tag = "session", request_body = SignInRequest,
    responses((status = 200, body = SessionShape), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn sign_in(
    State(state): State<ApiState>,
    caller: Caller,
    JsonBody(request): JsonBody<SignInRequest>,
) -> ApiResult<Response> {
    // Only failures count: who has the token may sign in as often as they like.
    let started = node::clock::monotonic();
    let too_many = |retry_after| ApiError::TooMany { retry_after };
    state.sign_ins.check(caller.rate_key, started).map_err(too_many)?;
    let Some((session, expires_at)) = state.control.sign_in(request.token.trim(), state.now()).await? else {
        state.sign_ins.take(caller.rate_key, started).map_err(too_many)?;
        return Err(ApiError::Unauthorized(
            "the link was used or is too old, or the token is wrong",
        ));
    };
    let cookie = set_cookie(SESSION_COOKIE, session.expose(), SESSION_LIFE, caller.is_secure);
    let shape = SessionShape {
        expires_at: Some(expires_at.to_rfc3339()),
    };
    Ok(([(header::SET_COOKIE, cookie)], Json(shape)).into_response())
}

/// Whether one is signed in.
#[utoipa::path(get, path = "/api/session", tag = "session", security(("admin" = [])),
    responses((status = 200, body = SessionShape), (status = 401, body = Problem)))]
pub(super) async fn get(
    State(state): State<ApiState>,
    _: Operator,
    headers: HeaderMap,
) -> ApiResult<Json<SessionShape>> {
    let expires_at = match cookie(&headers, SESSION_COOKIE) {
        Some(session) => state.control.db().session(&sha256(session), state.now()).await?,
        None => None,
    };
    Ok(Json(SessionShape {
        expires_at: expires_at.map(UnixMillis::to_rfc3339),
    }))
}

/// Signs out.
#[utoipa::path(delete, path = "/api/session", tag = "session", responses((status = 204)))]
pub(super) async fn sign_out(State(state): State<ApiState>, caller: Caller, headers: HeaderMap) -> ApiResult<Response> {
    if let Some(session) = cookie(&headers, SESSION_COOKIE) {
        state.control.db().end_session(&sha256(session)).await?;
    }
    let gone = set_cookie(SESSION_COOKIE, "", Duration::ZERO, caller.is_secure);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}
