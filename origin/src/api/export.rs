//! A room's whole chat as one JSON file.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use common::{id::RoomSlug, time::UnixMillis};
use futures::{Stream, TryStreamExt, stream};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState, Surface,
    body::Slug,
    error::{ApiError, ApiResult, Problem},
    rooms::find,
    shapes::MessageShape,
    shown::Shown,
};
use crate::{
    db::{Database, DbError},
    relays::MAX_REPLY_LEN,
};

/// Messages held at once.
const PAGE: u32 = 500;

/// What the file holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChatExport)]
pub(super) struct ExportShape {
    room: String,
    #[schema(format = DateTime)]
    exported_at: String,
    /// Oldest first; deleted ones are not among them.
    messages: Vec<MessageShape>,
}

/// All messages of the room, as a file.
#[utoipa::path(get, path = "/api/rooms/{slug}/messages/export", tag = "chat", params(("slug" = String, Path)),
    security(("admin" = []), ("viewer" = [])), responses((status = 200, body = ExportShape), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 413, body = Problem)))]
pub(super) async fn export(State(state): State<ApiState>, shown: Shown, Slug(slug): Slug) -> ApiResult<Response> {
    shown.require_host(&slug, &state)?;
    find(&state, &slug).await?;
    let disposition = format!("attachment; filename=\"{slug}-chat.json\"");
    let pieces = pieces(state.control.db().clone(), slug, state.now());
    let body = match state.surface {
        Surface::Operators => Body::from_stream(pieces),
        Surface::Viewers => Body::from(whole(pieces).await?),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, body).into_response())
}

/// The file, as far as it fits over a relay's link.
async fn whole(pieces: impl Stream<Item = Result<Bytes, DbError>>) -> ApiResult<Vec<u8>> {
    let mut pieces = std::pin::pin!(pieces);
    let mut whole = Vec::new();
    while let Some(piece) = pieces.try_next().await? {
        whole.extend_from_slice(&piece);
        if whole.len() > MAX_REPLY_LEN {
            return Err(ApiError::TooLarge(
                "this chat is longer than a relay carries: export it at the origin's own API address",
            ));
        }
    }
    Ok(whole)
}

/// What is still to be written.
enum Left {
    Start,
    /// All messages with a larger id; `is_first`: nothing stands before them.
    After {
        id: i64,
        is_first: bool,
    },
    Nothing,
}

fn pieces(db: Database, room: RoomSlug, now: UnixMillis) -> impl Stream<Item = Result<Bytes, DbError>> {
    stream::try_unfold((db, room, Left::Start), move |(db, room, left)| async move {
        let (text, left) = match left {
            Left::Start => {
                let head = format!(r#"{{"room":"{room}","exportedAt":"{}","messages":["#, now.to_rfc3339());
                let left = Left::After { id: 0, is_first: true };
                (head.into_bytes(), left)
            }
            Left::After { id, is_first } => page(&db, &room, id, is_first).await?,
            Left::Nothing => return Ok(None),
        };
        Ok(Some((Bytes::from(text), (db, room, left))))
    })
}

async fn page(db: &Database, room: &RoomSlug, after: i64, is_first: bool) -> Result<(Vec<u8>, Left), DbError> {
    let messages = db.messages_after(room, after, PAGE).await?;
    let Some(last) = messages.last().map(|message| message.id) else {
        return Ok((b"]}\n".to_vec(), Left::Nothing));
    };
    let mut text = Vec::new();
    for (index, message) in messages.into_iter().enumerate() {
        if index > 0 || !is_first {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &MessageShape::from(message)).expect("texts and numbers into memory");
    }
    let left = Left::After {
        id: last,
        is_first: false,
    };
    Ok((text, left))
}
