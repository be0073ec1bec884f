//! What a request shows for itself: the admin token, the operator's session, a viewer token, an invite.
//!
//! Only the API listener knows operators. On calls that come through a relay neither admin token nor session count, so
//! that a relay never gets an answer with a stream key in it.

use axum::extract::FromRequestParts;
use common::{
    auth::{InviteClaims, Role, ViewerClaims},
    chat::record::Doer,
    id::RoomSlug,
};
use http::{HeaderMap, header, request::Parts};
use serde::Deserialize;

use super::{
    ApiState, Surface,
    body::QueryOf,
    cookies::{SESSION_COOKIE, cookie, room_cookie},
    cross_origin::is_ours,
    error::{ApiError, ApiResult},
    same_site::{changes_something, is_foreign},
};
use crate::{db::Room, secrets::sha256};

/// What the operator is called in the audit log.
const OPERATOR: &str = "operator";

/// The credentials of a request. A header beats the query, which beats cookies.
pub(super) struct Shown {
    /// `Err`: something was shown by header or query, and it does not count.
    outright: ApiResult<Option<Proof>>,
    headers: HeaderMap,
    /// No page of an origin that is not ours makes the call, so the cookies of viewers count.
    trusts_cookies: bool,
}

pub(super) enum Proof {
    Operator,
    Viewer(ViewerClaims),
    Invite(InviteClaims),
}

/// The request comes from an operator.
pub(super) struct Operator;

#[derive(Deserialize)]
struct TokenQuery {
    token: Option<String>,
}

impl FromRequestParts<ApiState> for Shown {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> ApiResult<Self> {
        let is_foreign = is_foreign(parts);
        let mut outright = shown_outright(parts, state);
        if matches!(outright, Ok(None)) && has_session(parts, state).await? {
            // The session is for the dashboard's own pages: no other page may act with it, nor read what it opens.
            outright = match (is_foreign, changes_something(parts)) {
                (false, _) => Ok(Some(Proof::Operator)),
                (true, true) => Err(ApiError::Forbidden("the call comes from a page of another site")),
                (true, false) => Ok(None),
            };
        }
        let origin = parts.headers.get(header::ORIGIN);
        Ok(Self {
            outright,
            trusts_cookies: !is_foreign || origin.is_some_and(|origin| is_ours(origin, state)),
            headers: parts.headers.clone(),
        })
    }
}

impl FromRequestParts<ApiState> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> ApiResult<Self> {
        let shown = Shown::from_request_parts(parts, state).await?;
        match shown.outright? {
            Some(Proof::Operator) => Ok(Self),
            Some(_) => Err(ApiError::Forbidden("this call is the operator's")),
            None => Err(ApiError::Unauthorized("this call needs the admin token")),
        }
    }
}

fn shown_outright(parts: &Parts, state: &ApiState) -> ApiResult<Option<Proof>> {
    let text = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(token) = text("x-admin-token").filter(|_| state.surface == Surface::Operators) {
        let is_right = state.control.secrets().admin_token().matches(token);
        return if is_right {
            Ok(Some(Proof::Operator))
        } else {
            Err(ApiError::Unauthorized("this is not the admin token"))
        };
    }
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(bearer_token);
    if let Some(token) = bearer {
        return read_token(token, state).map(Some);
    }
    let QueryOf(query) = QueryOf::<TokenQuery>::read(parts)?;
    query.token.map(|token| read_viewer(&token, state)).transpose()
}

fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn read_token(token: &str, state: &ApiState) -> ApiResult<Proof> {
    let secrets = state.control.secrets();
    if state.surface == Surface::Operators && secrets.admin_token().matches(token) {
        return Ok(Proof::Operator);
    }
    match secrets.signing().verifier().verify_invite(token, state.now()) {
        Ok(claims) => Ok(Proof::Invite(claims)),
        Err(_) => read_viewer(token, state),
    }
}

fn read_viewer(token: &str, state: &ApiState) -> ApiResult<Proof> {
    let verifier = state.control.secrets().signing().verifier();
    Ok(Proof::Viewer(verifier.verify_viewer(token, state.now())?))
}

async fn has_session(parts: &Parts, state: &ApiState) -> ApiResult<bool> {
    match cookie(&parts.headers, SESSION_COOKIE) {
        Some(session) if state.surface == Surface::Operators => {
            let found = state.control.db().session(&sha256(session), state.now()).await?;
            Ok(found.is_some())
        }
        _ => Ok(false),
    }
}

impl Shown {
    /// Whether an operator asks.
    ///
    /// # Errors
    /// When something was shown that does not count.
    pub(super) fn is_operator(&self) -> ApiResult<bool> {
        Ok(matches!(self.proof()?, Some(Proof::Operator)))
    }

    fn proof(&self) -> ApiResult<Option<&Proof>> {
        match &self.outright {
            Ok(proof) => Ok(proof.as_ref()),
            Err(ApiError::Forbidden(detail)) => Err(ApiError::Forbidden(detail)),
            Err(ApiError::Malformed(detail)) => Err(ApiError::Malformed(detail)),
            Err(ApiError::Unauthorized(detail)) => Err(ApiError::Unauthorized(detail)),
            Err(_) => Err(ApiError::Unauthorized("the token does not count")),
        }
    }

    /// Whether the room exists for who asks: listed, or an operator, or a token of the room is shown. A bad token shows
    /// nothing.
    pub(super) fn knows(&self, room: &Room, state: &ApiState) -> bool {
        let by_proof = match &self.outright {
            Ok(Some(Proof::Operator)) => true,
            Ok(Some(Proof::Viewer(claims))) => claims.room == room.slug,
            Ok(Some(Proof::Invite(claims))) => claims.room == room.slug,
            _ => false,
        };
        room.listed || by_proof || self.cookie_viewer(&room.slug, state).is_some()
    }

    /// Who the browser's cookie of the room says it is, expired or not. `None` when it says nothing that we signed.
    pub(super) fn cookie_identity(&self, room: &RoomSlug, state: &ApiState) -> Option<ViewerClaims> {
        let token = self.room_cookie(room)?;
        let claims = state.control.secrets().signing().verifier().read_viewer(token).ok()?;
        (claims.room == *room).then_some(claims)
    }

    fn cookie_viewer(&self, room: &RoomSlug, state: &ApiState) -> Option<ViewerClaims> {
        let token = self.room_cookie(room)?;
        let verifier = state.control.secrets().signing().verifier();
        let claims = verifier.verify_viewer(token, state.now()).ok()?;
        (claims.room == *room).then_some(claims)
    }

    fn room_cookie(&self, room: &RoomSlug) -> Option<&str> {
        cookie(&self.headers, &room_cookie(room)).filter(|_| self.trusts_cookies)
    }

    /// The viewer of the room who asks; `Ok(None)` when it is an operator.
    ///
    /// # Errors
    /// 401 when nobody shows a viewer token, 403 when it is of another room or revoked.
    pub(super) fn require_viewer(&self, room: &RoomSlug, state: &ApiState) -> ApiResult<Option<ViewerClaims>> {
        let claims = match self.proof()? {
            Some(Proof::Operator) => return Ok(None),
            Some(Proof::Viewer(claims)) => claims.clone(),
            Some(Proof::Invite(_)) => return Err(ApiError::Unauthorized("join first: an invite is no viewer token")),
            None => self
                .cookie_viewer(room, state)
                .ok_or(ApiError::Unauthorized("this call needs a viewer token of the room"))?,
        };
        if claims.room != *room {
            return Err(ApiError::Forbidden("the token is of another room"));
        }
        if state.control.is_revoked(&claims, state.now()) {
            return Err(ApiError::Forbidden("the token was revoked"));
        }
        Ok(Some(claims))
    }

    /// An operator, or a host of the room: who it is that acts.
    ///
    /// # Errors
    /// 401 when nobody shows a token, 403 when the token does not allow it.
    pub(super) fn require_host(&self, room: &RoomSlug, state: &ApiState) -> ApiResult<Doer> {
        match self.require_viewer(room, state)? {
            None => Ok(Doer {
                viewer_id: None,
                nickname: OPERATOR.to_owned(),
                role: Role::Host,
            }),
            Some(claims) if claims.role.may_host() => Ok(Doer {
                viewer_id: Some(claims.viewer_id),
                nickname: claims.nickname,
                role: claims.role,
            }),
            Some(_) => Err(ApiError::Forbidden("this call is the host's")),
        }
    }
}
