//! Chat history, a page at a time.

use axum::{Json, extract::State};

use super::{
    ApiState,
    body::{Page, QueryOf, Slug},
    error::{ApiError, ApiResult, Problem},
    rooms::find,
    shapes::MessageShape,
    shown::Shown,
};

/// The last messages before `before`, oldest first.
#[utoipa::path(get, path = "/api/rooms/{slug}/messages", tag = "chat",
    params(("slug" = String, Path), ("limit" = Option<u32>, Query, description = "At most 200; 50 when left out."),
        ("before" = Option<i64>, Query, description = "Id of the oldest message that is known.")),
    security(("admin" = []), ("viewer" = [])), responses((status = 200, body = [MessageShape]), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<ApiState>,
    shown: Shown,
    Slug(slug): Slug,
    QueryOf(page): QueryOf<Page>,
) -> ApiResult<Json<Vec<MessageShape>>> {
    let allowed = shown.require_viewer(&slug, &state);
    let room = find(&state, &slug).await?;
    if allowed.is_err() && !shown.knows(&room, &state) {
        return Err(ApiError::Unknown("room"));
    }
    allowed?;
    let limit = page.limit();
    let messages = state.control.db().messages(&slug, page.before, limit).await?;
    Ok(Json(messages.into_iter().map(MessageShape::from).collect()))
}
