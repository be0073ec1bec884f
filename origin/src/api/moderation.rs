//! Who is kept out of a room, and what its moderators did: for operators and hosts.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use common::{
    auth::Role,
    chat::{
        permissions::{Right, may},
        record::{AuditAction, AuditEntry, Doer, Target},
        room::NotDone,
    },
    id::RoomSlug,
    wire::chat::ChatAct,
};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState,
    body::{Page, QueryOf, Slug, may_be_id},
    error::{ApiError, ApiResult, Problem},
    rooms::find,
    shown::Shown,
};
use crate::db::{Audited, Ban};

/// Who did it. The operator has no viewer id.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DoerShape {
    viewer_id: Option<String>,
    nickname: String,
    #[schema(value_type = String, example = "moderator")]
    role: Role,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TargetShape {
    viewer_id: String,
    nickname: String,
}

/// An act of a moderator, a host or the operator.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct AuditShape {
    /// Grows with each entry.
    id: i64,
    #[schema(format = DateTime)]
    at: String,
    by: DoerShape,
    #[schema(example = "timeout")]
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<TargetShape>,
    /// Seconds, a message's text, an emote's name: whatever the action is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ban)]
pub(super) struct BanShape {
    viewer_id: String,
    nickname: String,
    #[schema(format = DateTime)]
    banned_at: String,
    /// Nickname of who did it.
    banned_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<Audited> for AuditShape {
    fn from(Audited { id, entry }: Audited) -> Self {
        Self {
            id,
            at: entry.at.to_rfc3339(),
            by: DoerShape {
                viewer_id: entry.by.viewer_id,
                nickname: entry.by.nickname,
                role: entry.by.role,
            },
            action: entry.action.as_str(),
            target: entry
                .target
                .map(|Target { viewer_id, nickname }| TargetShape { viewer_id, nickname }),
            detail: entry.detail,
            reason: entry.reason,
        }
    }
}

impl From<Ban> for BanShape {
    fn from(ban: Ban) -> Self {
        Self {
            viewer_id: ban.viewer_id,
            nickname: ban.nickname,
            banned_at: ban.banned_at.to_rfc3339(),
            banned_by: ban.banned_by,
            reason: ban.reason,
        }
    }
}

/// What moderators, hosts and the operator did in the room, newest first.
#[utoipa::path(get, path = "/api/rooms/{slug}/audit", tag = "chat",
    params(("slug" = String, Path), ("limit" = Option<u32>, Query, description = "At most 200; 50 when left out."),
        ("before" = Option<i64>, Query, description = "Id of the oldest entry that is known.")),
    security(("admin" = []), ("viewer" = [])), responses((status = 200, body = [AuditShape]), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn audit(
    State(state): State<ApiState>,
    shown: Shown,
    Slug(slug): Slug,
    QueryOf(page): QueryOf<Page>,
) -> ApiResult<Json<Vec<AuditShape>>> {
    shown.require_host(&slug, &state)?;
    find(&state, &slug).await?;
    let limit = page.limit();
    let entries = state.control.db().audit(&slug, page.before, limit).await?;
    Ok(Json(entries.into_iter().map(AuditShape::from).collect()))
}

/// The viewers banned from the room, newest first.
#[utoipa::path(get, path = "/api/rooms/{slug}/bans", tag = "chat", params(("slug" = String, Path)), security(("admin" = []), ("viewer" = [])),
    responses((status = 200, body = [BanShape]), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn bans(
    State(state): State<ApiState>,
    shown: Shown,
    Slug(slug): Slug,
) -> ApiResult<Json<Vec<BanShape>>> {
    shown.require_host(&slug, &state)?;
    find(&state, &slug).await?;
    let bans = state.control.db().bans(&slug).await?;
    Ok(Json(bans.into_iter().map(BanShape::from).collect()))
}

/// Takes a ban back. An invite that it revoked stays so: the viewer may need another.
#[utoipa::path(delete, path = "/api/rooms/{slug}/bans/{viewerId}", tag = "chat", params(("slug" = String, Path), ("viewerId" = String, Path)),
    security(("admin" = []), ("viewer" = [])), responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn unban(
    State(state): State<ApiState>,
    shown: Shown,
    path: Result<Path<(RoomSlug, String)>, PathRejection>,
) -> ApiResult<StatusCode> {
    let Path((slug, viewer_id)) = path.map_err(|_| ApiError::Unknown("room"))?;
    let by = shown.require_host(&slug, &state)?;
    if !may_be_id(&viewer_id) {
        return Err(ApiError::Unknown("viewer"));
    }
    let ban = state.control.db().ban_of(&slug, &viewer_id).await?;
    // The running chat first: it says who may. Then for good, so that the viewer may come once this is answered.
    let act = ChatAct::Unban {
        viewer_id: viewer_id.clone(),
    };
    match state.plane.moderate(&slug, by.clone(), act).await {
        Ok(()) => {
            state.control.unban(&slug, &viewer_id).await?;
            Ok(StatusCode::NO_CONTENT)
        }
        Err(why @ NotDone::NoSuchViewer) => {
            let Some(ban) = ban else { return Err(not_done(why)) };
            if by.viewer_id.is_some() && !may(by.role.into(), Right::Unban, ban.role.into()) {
                return Err(not_done(NotDone::NotAllowed));
            }
            if !state.control.unban(&slug, &viewer_id).await? {
                return Err(not_done(why));
            }
            let nickname = ban.nickname;
            let target = Target { viewer_id, nickname };
            state.plane.audit(&slug, unbanned(&state, by, target));
            Ok(StatusCode::NO_CONTENT)
        }
        Err(why) => Err(not_done(why)),
    }
}

/// The running chat had forgotten the ban.
fn unbanned(state: &ApiState, by: Doer, target: Target) -> AuditEntry {
    AuditEntry {
        at: state.now(),
        by,
        action: AuditAction::Unban,
        target: Some(target),
        detail: None,
        reason: None,
    }
}

/// Why the running chat did not do it, as an answer.
pub(super) fn not_done(why: NotDone) -> ApiError {
    match why {
        NotDone::NotAllowed => ApiError::Forbidden("that is not for this role to do"),
        NotDone::NoSuchMessage => ApiError::Unknown("message"),
        NotDone::NoSuchViewer => ApiError::Unknown("viewer"),
        NotDone::TooLong { .. } => ApiError::field("seconds", &why),
    }
}
