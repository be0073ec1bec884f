//! Rooms: the list everyone sees, and what operators do with them.

use std::collections::HashMap;

use axum::{Json, extract::State};
use common::{auth::nickname::visible_text, id::RoomSlug};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    ApiState,
    body::{JsonBody, Slug},
    error::{ApiError, ApiResult, Problem},
    shapes::RoomShape,
    shown::{Operator, Shown},
    stream_settings,
};
use crate::{
    control::RoomOrder,
    db::{Access, ChatRow, Room, StreamRow},
};

/// Longest name of a room, in characters.
const MAX_NAME_CHARS: usize = 80;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomRequest {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// Made from the name when left out.
    #[schema(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length = 64)]
    slug: Option<String>,
    /// `invite` when left out.
    access: Option<Access>,
    /// Whether everyone sees it in the list; true when left out.
    listed: Option<bool>,
}

/// The rooms: for operators all of them with their keys, for others the listed ones.
#[utoipa::path(get, path = "/api/rooms", tag = "rooms", responses((status = 200, body = [RoomShape]), (status = 401, body = Problem)))]
pub(super) async fn list(State(state): State<ApiState>, shown: Shown) -> ApiResult<Json<Vec<RoomShape>>> {
    if shown.is_operator()? {
        let rooms = state.control.db().rooms_with_chat().await?;
        let streams: HashMap<_, _> = state.control.db().all_stream_settings().await?.into_iter().collect();
        // A room that was made in between has nothing set.
        let unset = StreamRow::default();
        let shapes = rooms.iter().map(|(room, chat)| {
            let stream = streams.get(&room.slug).unwrap_or(&unset);
            RoomShape::for_operators(room, chat, stream, &state)
        });
        return Ok(Json(shapes.collect()));
    }
    let rooms = state.control.db().rooms().await?;
    let listed = rooms.iter().filter(|room| room.listed);
    Ok(Json(listed.map(|room| RoomShape::public(room, &state)).collect()))
}

/// One room. An unlisted one exists only for operators and holders of an invite or viewer token for it.
#[utoipa::path(get, path = "/api/rooms/{slug}", tag = "rooms", params(("slug" = String, Path)),
    responses((status = 200, body = RoomShape), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn get(State(state): State<ApiState>, shown: Shown, Slug(slug): Slug) -> ApiResult<Json<RoomShape>> {
    let is_operator = shown.is_operator()?;
    let (room, chat, stream) = find_whole(&state, &slug).await?;
    if !shown.knows(&room, &state) {
        return Err(ApiError::Unknown("room"));
    }
    Ok(Json(if is_operator {
        RoomShape::for_operators(&room, &chat, &stream, &state)
    } else if shown.require_host(&slug, &state).is_ok() {
        RoomShape::for_hosts(&room, &chat, &stream, &state)
    } else {
        RoomShape::public(&room, &state)
    }))
}

/// Makes a room with a stream key of its own.
#[utoipa::path(post, path = "/api/rooms", tag = "rooms", request_body = RoomRequest, security(("admin" = [])),
    responses((status = 201, body = RoomShape), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create(
    State(state): State<ApiState>,
    _: Operator,
    JsonBody(request): JsonBody<RoomRequest>,
) -> ApiResult<(StatusCode, Json<RoomShape>)> {
    let slug = request.slug.map(|text| text.parse::<RoomSlug>()).transpose();
    let order = RoomOrder {
        name: room_name(&request.name)?,
        slug: slug.map_err(|error| ApiError::field("slug", &error))?,
        access: request.access.unwrap_or_default(),
        listed: request.listed.unwrap_or(true),
    };
    let room = state.control.create_room(order, state.now()).await?;
    state.plane.room_created(&room);
    let shape = RoomShape::for_operators(&room, &ChatRow::default(), &StreamRow::default(), &state);
    Ok((StatusCode::CREATED, Json(shape)))
}

/// Deletes a room with its invites and messages, and ends its stream.
#[utoipa::path(delete, path = "/api/rooms/{slug}", tag = "rooms", params(("slug" = String, Path)), security(("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn delete(State(state): State<ApiState>, _: Operator, Slug(slug): Slug) -> ApiResult<StatusCode> {
    let revocation = state.control.delete_room(&slug, state.now()).await?;
    state.plane.revoke(revocation.ok_or(ApiError::Unknown("room"))?);
    state.plane.room_deleted(&slug);
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a room a new stream key and cuts the publisher on the old one.
#[utoipa::path(post, path = "/api/rooms/{slug}/rotate", tag = "rooms", params(("slug" = String, Path)), security(("admin" = [])),
    responses((status = 200, body = RoomShape), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn rotate(State(state): State<ApiState>, _: Operator, Slug(slug): Slug) -> ApiResult<Json<RoomShape>> {
    let rotated = state.control.rotate_stream_key(&slug).await?;
    rotated.ok_or(ApiError::Unknown("room"))?;
    state.plane.cut_publisher(&slug);
    let (room, chat, stream) = find_whole(&state, &slug).await?;
    Ok(Json(RoomShape::for_operators(&room, &chat, &stream, &state)))
}

/// How the publisher's stream does: codec, size, frame rate, bit rate, key frame interval, drift, warnings; and, as `chat`, how the
/// keeping of what is said does.
#[utoipa::path(get, path = "/api/rooms/{slug}/health", tag = "rooms", params(("slug" = String, Path)), security(("admin" = []), ("viewer" = [])),
    responses((status = 200, body = Value), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn health(State(state): State<ApiState>, shown: Shown, Slug(slug): Slug) -> ApiResult<Json<Value>> {
    shown.require_host(&slug, &state)?;
    let room = find(&state, &slug).await?;
    let mut health = state.plane.health(&room.slug);
    health["chat"] = serde_json::to_value(state.plane.chat_storage()).expect("numbers and a truth value");
    Ok(Json(health))
}

/// The room, or 404.
pub(super) async fn find(state: &ApiState, slug: &RoomSlug) -> ApiResult<Room> {
    let room = state.control.db().room(slug).await?;
    room.ok_or(ApiError::Unknown("room"))
}

async fn find_whole(state: &ApiState, slug: &RoomSlug) -> ApiResult<(Room, ChatRow, StreamRow)> {
    let found = state.control.db().chat_settings(slug).await?;
    let (room, chat) = found.ok_or(ApiError::Unknown("room"))?;
    Ok((room, chat, stream_settings::find(state, slug).await?))
}

pub(super) fn room_name(text: &str) -> ApiResult<String> {
    visible_text(text, MAX_NAME_CHARS).map_err(|error| ApiError::field("name", &error))
}
