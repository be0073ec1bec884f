//! Invites: made, listed and revoked by operators and hosts.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
};
use common::{
    auth::{Role, nickname::visible_text},
    chat::record::{AuditAction, AuditEntry},
    time::UnixMillis,
};
use http::StatusCode;
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::ToSchema;

use super::{
    ApiState,
    body::{JsonBody, Slug, may_be_id},
    error::{ApiError, ApiResult, Problem},
    rooms::find,
    shapes::InviteShape,
    shown::Shown,
};
use crate::{
    control::{DEFAULT_INVITE_LIFE, InviteOrder, after},
    db::Relay,
};

/// Longest life of an invite.
const MAX_LIFE: Duration = Duration::from_secs(366 * 24 * 3600);

/// Longest label, in characters.
const MAX_LABEL_CHARS: usize = 80;

/// Most seats that can be asked for; who wants more leaves the bound away.
const MAX_SEATS: u32 = 10_000;

/// Most relays an invite names: its token has to fit into a request.
const MAX_RELAYS: usize = 16;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct InviteRequest {
    /// For whom it is; only operators and hosts see it.
    #[schema(max_length = 80)]
    label: Option<String>,
    /// `viewer` when left out.
    #[schema(value_type = Option<String>, example = "viewer")]
    role: Option<Role>,
    /// Thirty days when left out.
    #[schema(minimum = 1, maximum = 31_622_400)]
    expires_in_seconds: Option<u64>,
    /// RFC 3339; at once when left out.
    #[schema(format = DateTime)]
    not_before: Option<String>,
    /// Most viewers at once; no bound when left out.
    #[schema(minimum = 1, maximum = 10_000)]
    max_seats: Option<u32>,
    /// Names of the only relays that may serve its viewers; all when left out.
    relays: Option<Vec<String>>,
}

/// Makes an invite. Its token and link are shown this once.
#[utoipa::path(post, path = "/api/rooms/{slug}/invites", tag = "invites", params(("slug" = String, Path)), request_body = InviteRequest,
    security(("admin" = []), ("viewer" = [])), responses((status = 201, body = InviteShape), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create(
    State(state): State<ApiState>,
    shown: Shown,
    Slug(slug): Slug,
    JsonBody(request): JsonBody<InviteRequest>,
) -> ApiResult<(StatusCode, Json<InviteShape>)> {
    let by = shown.require_host(&slug, &state)?;
    let relays = state.control.db().relays().await?;
    let order = order(request, &relays, state.now())?;
    let made = state.control.create_invite(&slug, order, state.now()).await?;
    let (invite, token) = made.ok_or(ApiError::Unknown("room"))?;
    let label = invite
        .label
        .as_deref()
        .map_or_else(String::new, |label| format!(" {label}"));
    let entry = AuditEntry {
        at: state.now(),
        by,
        action: AuditAction::InviteCreated,
        target: None,
        detail: Some(format!("{}{label}", invite.role)),
        reason: None,
    };
    state.plane.audit(&slug, entry);
    let url = state.control.addresses().invite_url(&slug, token.expose());
    let shape = InviteShape::new(invite, &relays, &state).with_token(token.expose(), url);
    Ok((StatusCode::CREATED, Json(shape)))
}

/// The room's invites, those that are over too, without their tokens.
#[utoipa::path(get, path = "/api/rooms/{slug}/invites", tag = "invites", params(("slug" = String, Path)), security(("admin" = []), ("viewer" = [])),
    responses((status = 200, body = [InviteShape]), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<ApiState>,
    shown: Shown,
    Slug(slug): Slug,
) -> ApiResult<Json<Vec<InviteShape>>> {
    shown.require_host(&slug, &state)?;
    find(&state, &slug).await?;
    let relays = state.control.db().relays().await?;
    let invites = state.control.db().invites(&slug).await?.into_iter();
    Ok(Json(
        invites
            .map(|invite| InviteShape::new(invite, &relays, &state))
            .collect(),
    ))
}

/// Revokes an invite; its viewers are out on every relay within 2 s.
#[utoipa::path(delete, path = "/api/invites/{id}", tag = "invites", params(("id" = String, Path)), security(("admin" = []), ("viewer" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn revoke(
    State(state): State<ApiState>,
    shown: Shown,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let unknown = || ApiError::Unknown("invite");
    let found = if may_be_id(&id) {
        state.control.db().invite(&id).await?
    } else {
        None
    };
    let Some(invite) = found else {
        // Who may not revoke anything does not learn which invites there are.
        return Err(if shown.is_operator()? {
            unknown()
        } else {
            ApiError::Unauthorized("this call needs the admin token")
        });
    };
    let by = shown.require_host(&invite.room, &state)?;
    let revocation = state.control.revoke_invite(&id, state.now()).await?;
    state.plane.revoke(revocation.ok_or_else(unknown)?);
    if invite.revoked_at.is_none() {
        let entry = AuditEntry {
            at: state.now(),
            by,
            action: AuditAction::InviteRevoked,
            target: None,
            detail: Some(invite.label.unwrap_or(invite.id)),
            reason: None,
        };
        state.plane.audit(&invite.room, entry);
    }
    Ok(StatusCode::NO_CONTENT)
}

fn order(request: InviteRequest, relays: &[Relay], now: UnixMillis) -> ApiResult<InviteOrder> {
    let mut wrong = BTreeMap::new();
    let mut complain = |field: &str, why: String| {
        wrong.insert(field.to_owned(), why);
    };
    let label = match request.label.as_deref().filter(|label| !label.trim().is_empty()) {
        None => None,
        Some(text) => visible_text(text, MAX_LABEL_CHARS)
            .map_err(|error| complain("label", error.to_string()))
            .ok(),
    };
    let life = request.expires_in_seconds.map(Duration::from_secs);
    if life.is_some_and(|life| life.is_zero() || life > MAX_LIFE) {
        complain("expiresInSeconds", format!("has to be 1 to {}", MAX_LIFE.as_secs()));
    }
    if request.max_seats.is_some_and(|seats| !(1..=MAX_SEATS).contains(&seats)) {
        complain("maxSeats", format!("has to be 1 to {MAX_SEATS}"));
    }
    let not_before = match request.not_before.as_deref().map(parse_time) {
        Some(None) => {
            complain("notBefore", "is no RFC 3339 time".to_owned());
            None
        }
        parsed => parsed.flatten(),
    };
    let expires_at = match life {
        Some(life) => after(now, life),
        None => after(not_before.unwrap_or(now).max(now), DEFAULT_INVITE_LIFE),
    };
    if not_before.is_some_and(|start| start.as_secs() >= expires_at.as_secs() || start > after(now, MAX_LIFE)) {
        complain("notBefore", "has to be before the end, and within a year".to_owned());
    }
    let relays = request.relays.map(|names| relay_ids(&names, relays));
    let relays = relays
        .transpose()
        .map_err(|why| complain("relays", why.to_owned()))
        .ok();
    if !wrong.is_empty() {
        return Err(ApiError::Fields(wrong));
    }
    Ok(InviteOrder {
        label,
        role: request.role.unwrap_or_default(),
        not_before,
        expires_at,
        max_seats: request.max_seats,
        relays: relays.flatten(),
    })
}

fn parse_time(text: &str) -> Option<UnixMillis> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let millis = i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()?;
    (millis >= 0).then_some(UnixMillis(millis))
}

fn relay_ids(names: &[String], relays: &[Relay]) -> Result<Vec<String>, &'static str> {
    if !(1..=MAX_RELAYS).contains(&names.len()) {
        return Err("has to name 1 to 16 relays");
    }
    let id = |name: &String| {
        relays
            .iter()
            .find(|relay| relay.name == *name)
            .map(|relay| relay.id.clone())
    };
    let ids: Option<Vec<String>> = names.iter().map(id).collect();
    ids.ok_or("names a relay that there is not")
}
