//! Joining a room: an invite (or an open door) and a nickname are traded for a viewer token of ten minutes.
//!
//! The same call renews: the cookie says who the browser is and with which invite it came. The invite is looked up each
//! time, so what was revoked ends with the token at the latest. A ban keeps out the browser by its cookie; and who shows none, by
//! the address it comes from with the invite of somebody banned, where that invite still stands because others use it.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use common::{
    auth::{InviteClaims, Nickname, Role, TokenError, ViewerClaims, token::viewer_expiry},
    id::RoomSlug,
    time::UnixMillis,
};
use http::header;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ApiState,
    address::Caller,
    body::{JsonBody, Slug},
    cookies::{room_cookie, set_cookie},
    error::{ApiError, ApiResult, Problem},
    rooms::find,
    shapes::RoomShape,
    shown::Shown,
};
use crate::{
    control::after,
    db::{Access, Invite, Room, Visit},
};

/// How long after its token's end a browser is still known by its cookie, and need not show its invite again.
const SESSION_LIFE: Duration = Duration::from_secs(24 * 3600);

#[derive(Deserialize, ToSchema)]
pub(super) struct JoinRequest {
    /// 1 to 32 characters; may be left out to keep the one of the cookie.
    #[schema(min_length = 1, max_length = 32)]
    nickname: Option<String>,
    /// The token of an invite link; may be left out in open rooms, and to renew with the cookie.
    invite: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JoinReply {
    /// Opens the room's media and chat.
    token: String,
    viewer_id: String,
    nickname: String,
    #[schema(value_type = String, example = "viewer")]
    role: Role,
    room: RoomShape,
    /// When the token ends; join again before.
    #[schema(format = DateTime)]
    expires_at: String,
    /// The relays that may serve this viewer and are online.
    relays: Vec<JoinRelay>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct JoinRelay {
    id: String,
    name: String,
    url: String,
}

/// Lets a viewer in, or renews its token. Sets the cookie `sc_{slug}`.
#[utoipa::path(post, path = "/api/rooms/{slug}/join", tag = "viewers", params(("slug" = String, Path)), request_body = JoinRequest,
    responses((status = 200, body = JoinReply), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn join(
    State(state): State<ApiState>,
    caller: Caller,
    shown: Shown,
    Slug(slug): Slug,
    JsonBody(request): JsonBody<JoinRequest>,
) -> ApiResult<Response> {
    let rate = state.joins.take(caller.rate_key, node::clock::monotonic());
    rate.map_err(|retry_after| ApiError::TooMany { retry_after })?;

    let now = state.now();
    let room = find(&state, &slug).await?;
    let browser = shown.cookie_identity(&slug, &state);
    // Looked up before the ban: one that falls meanwhile must not look like one that was taken back.
    let was_revoked = browser
        .as_ref()
        .is_some_and(|claims| state.control.is_viewer_revoked(&claims.viewer_id, now));
    if let Some(claims) = &browser {
        refuse_who_is_banned(&state, &slug, &claims.viewer_id).await?;
    }
    let known = browser
        .clone()
        .filter(|claims| now < after(claims.expires_at, SESSION_LIFE));
    let invite = admitting_invite(&state, &room, &request, known.as_ref(), &shown, now).await?;
    if known.is_none() {
        refuse_who_may_be_banned(&state, &room, invite.as_ref(), &caller).await?;
    }
    // After a ban that was taken back, relays still refuse the id that the browser had.
    let kept = known.as_ref().filter(|_| !was_revoked);
    // A lock keeps out who comes; who is in may stay and renew.
    let is_locked = state.plane.is_locked(&slug).unwrap_or(room.locked);
    if is_locked && kept.is_none_or(|claims| now >= claims.expires_at) {
        return Err(ApiError::Forbidden("the room is locked"));
    }
    let mut claims = ViewerClaims {
        viewer_id: kept.map_or_else(|| Uuid::now_v7().to_string(), |claims| claims.viewer_id.clone()),
        invite_id: invite.as_ref().map(|invite| invite.id.clone()),
        room: room.slug.clone(),
        role: invite.as_ref().map_or(Role::Viewer, |invite| invite.role),
        nickname: nickname(&request, known.as_ref())?,
        relays: invite.as_ref().and_then(|invite| invite.relays.clone()),
        issued_at: now,
        expires_at: viewer_expiry(now, invite.as_ref().map(|invite| invite.expires_at)),
    };
    if state.control.is_revoked(&claims, now) {
        return Err(ApiError::Forbidden("you were shut out of this room"));
    }
    take_seat(&state, invite.as_ref(), &claims.viewer_id)?;
    claims.nickname = state
        .plane
        .claim_name(&slug, &claims.viewer_id, claims.role, &claims.nickname);
    let visit = Visit {
        room: slug.clone(),
        viewer_id: claims.viewer_id.clone(),
        invite_id: claims.invite_id.clone(),
        address: caller.rate_key.to_string(),
        nickname: claims.nickname.clone(),
        role: claims.role,
    };
    state.control.db().keep_visit(&visit, now).await?;
    // A ban that fell meanwhile.
    if let Some(claims) = &browser {
        refuse_who_is_banned(&state, &slug, &claims.viewer_id).await?;
    }
    reply(&state, &room, claims, &caller).await
}

/// The invite by which the viewer gets in; `None` when the door is open.
async fn admitting_invite(
    state: &ApiState,
    room: &Room,
    request: &JoinRequest,
    known: Option<&ViewerClaims>,
    shown: &Shown,
    now: UnixMillis,
) -> ApiResult<Option<Invite>> {
    let hidden = || ApiError::Unknown("room");
    let is_known = known.is_some() || shown.knows(room, state);
    if let Some(token) = request.invite.as_deref().filter(|token| !token.is_empty()) {
        let claims = read_invite(state, token);
        let is_for_room = claims.as_ref().is_ok_and(|claims| claims.room == room.slug);
        if !is_for_room && !is_known {
            return Err(hidden());
        }
        let claims = claims?;
        if !is_for_room {
            return Err(ApiError::Forbidden("the invite is for another room"));
        }
        return invite_in_force(state, &claims.id, &room.slug, now).await.map(Some);
    }
    if let Some(id) = known.and_then(|claims| claims.invite_id.as_deref()) {
        match invite_in_force(state, id, &room.slug, now).await {
            Err(_) if room.access == Access::Open => {}
            outcome => return outcome.map(Some),
        }
    }
    match room.access {
        _ if !is_known => Err(hidden()),
        Access::Open => Ok(None),
        Access::Invite => Err(ApiError::Unauthorized("this room needs an invite")),
    }
}

fn read_invite(state: &ApiState, token: &str) -> Result<InviteClaims, TokenError> {
    state.control.secrets().signing().verifier().read_invite(token)
}

/// The invite as the database has it, which decides: what a token says may have been overtaken.
async fn invite_in_force(state: &ApiState, id: &str, room: &RoomSlug, now: UnixMillis) -> ApiResult<Invite> {
    let invite = state
        .control
        .db()
        .invite(id)
        .await?
        .filter(|invite| invite.room == *room);
    let invite = invite.ok_or(ApiError::Unauthorized("the invite is not known any more"))?;
    if invite.revoked_at.is_some() {
        return Err(ApiError::Forbidden("the invite was revoked"));
    }
    if invite.not_before.is_some_and(|start| now < start) {
        return Err(ApiError::Unauthorized("the invite is not yet valid"));
    }
    if now >= invite.expires_at {
        return Err(ApiError::Unauthorized("the invite is expired"));
    }
    Ok(invite)
}

async fn refuse_who_is_banned(state: &ApiState, room: &RoomSlug, viewer_id: &str) -> ApiResult<()> {
    if state.control.is_banned(room, viewer_id).await? {
        return Err(ApiError::Forbidden("you are banned from this room"));
    }
    Ok(())
}

/// A browser that is not known here may be that of somebody banned, without its cookie.
async fn refuse_who_may_be_banned(
    state: &ApiState,
    room: &Room,
    invite: Option<&Invite>,
    caller: &Caller,
) -> ApiResult<()> {
    let invite = invite.map(|invite| invite.id.as_str());
    let address = caller.rate_key.to_string();
    if state.control.db().may_be_banned(&room.slug, invite, &address).await? {
        return Err(ApiError::Forbidden(
            "somebody at your address is banned from this room: ask its host for an invite of your own",
        ));
    }
    Ok(())
}

fn nickname(request: &JoinRequest, known: Option<&ViewerClaims>) -> ApiResult<String> {
    match (&request.nickname, known) {
        (Some(text), _) => Nickname::parse(text)
            .map(Nickname::into_string)
            .map_err(|error| ApiError::field("nickname", &error)),
        (None, Some(claims)) => Ok(claims.nickname.clone()),
        (None, None) => Err(ApiError::field("nickname", &"is missing")),
    }
}

fn take_seat(state: &ApiState, invite: Option<&Invite>, viewer_id: &str) -> ApiResult<()> {
    let Some((invite, max)) = invite.and_then(|invite| Some((invite, invite.max_seats?))) else {
        return Ok(());
    };
    let seen = state.plane.viewers_of_invite(&invite.id);
    if state
        .seats
        .take(&invite.id, viewer_id, max, &seen, node::clock::monotonic())
    {
        Ok(())
    } else {
        Err(ApiError::Taken("all seats of this invite are taken"))
    }
}

async fn reply(state: &ApiState, room: &Room, claims: ViewerClaims, caller: &Caller) -> ApiResult<Response> {
    let token = state.control.secrets().signing().signer().sign_viewer(&claims);
    let cookie = set_cookie(&room_cookie(&room.slug), &token, SESSION_LIFE, caller.is_secure);
    let reply = JoinReply {
        token,
        room: RoomShape::public(room, state),
        expires_at: claims.expires_at.to_rfc3339(),
        relays: relays_for(state, &claims).await?,
        viewer_id: claims.viewer_id,
        nickname: claims.nickname,
        role: claims.role,
    };
    Ok(([(header::SET_COOKIE, cookie)], Json(reply)).into_response())
}

/// The relays that are online, have a public URL and may serve the viewer.
async fn relays_for(state: &ApiState, claims: &ViewerClaims) -> ApiResult<Vec<JoinRelay>> {
    let statuses = state.plane.relays();
    let relays = state.control.db().relays().await?.into_iter();
    let serving = relays
        .filter(|relay| claims.allows_relay(&relay.id))
        .filter_map(|relay| {
            let status = statuses.iter().find(|status| status.id == relay.id && status.online)?;
            let url = status.url.trim_end_matches('/').to_owned();
            (!url.is_empty()).then_some(JoinRelay {
                id: relay.id,
                name: relay.name,
                url,
            })
        });
    Ok(serving.collect())
}
