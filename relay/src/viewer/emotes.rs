//! `/emotes/{slug}/{file}`: pictures of emotes, asked of the origin once and kept. A file is named by what is in it, so it never
//! changes.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{Method, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use common::{id::RoomSlug, wire::request::CallRequest};
use moka::{future::Cache, policy::EvictionPolicy};

use super::{auth::presented, error::Problem, state::Viewers};

const PREFIX: &str = "/emotes/";
/// Memory for pictures of all rooms.
const MAX_BYTES: u64 = 32 << 20;
/// What an entry costs besides its picture.
const ENTRY_BYTES: u32 = 256;
/// Pictures are smaller; an origin that sends more is not believed.
const MAX_PICTURE: usize = 512 << 10;
/// How long the relay remembers that there is no such picture.
const MISSING_FOR: Duration = Duration::from_secs(1);
const MAX_MISSING: u64 = 10_000;
/// Hexadecimal digits in the name of a file.
const DIGITS: usize = 32;
const CACHE_CONTROL: &str = "private, max-age=31536000, immutable";

type Name = (RoomSlug, String);

/// The pictures that are here.
pub(super) struct Emotes {
    pictures: Cache<Name, Bytes>,
    missing: Cache<Name, ()>,
}

impl Default for Emotes {
    fn default() -> Self {
        let weigh = |(_, file): &Name, picture: &Bytes| {
            let bytes = u32::try_from(file.len() + picture.len()).unwrap_or(u32::MAX);
            bytes.saturating_add(ENTRY_BYTES)
        };
        Self {
            pictures: Cache::builder()
                .max_capacity(MAX_BYTES)
                .weigher(weigh)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            missing: Cache::builder()
                .max_capacity(MAX_MISSING)
                .time_to_live(MISSING_FOR)
                .build(),
        }
    }
}

pub(super) fn router(viewers: Arc<Viewers>) -> Router {
    Router::new()
        .route("/emotes/{slug}/{file}", get(enter))
        .with_state(viewers)
}

async fn enter(State(viewers): State<Arc<Viewers>>, request: Request) -> Response {
    let is_head = *request.method() == Method::HEAD;
    let (request, _) = request.into_parts();
    let path = request.uri.path().strip_prefix(PREFIX);
    let Some((room, file)) = path.and_then(|path| path.split_once('/')) else {
        return Problem::NoSuchEmote.into_response();
    };
    let Ok(room) = room.parse::<RoomSlug>() else {
        return Problem::NoSuchRoom.into_response();
    };
    let token = presented(&room, &request.headers, request.uri.query(), None);
    if let Err(problem) = viewers.gate.admit(&room, token).await {
        return problem.into_response();
    }
    let Some(content_type) = content_type(file) else {
        return Problem::NoSuchEmote.into_response();
    };
    match picture(&viewers, (room, file.to_owned()), token.unwrap_or_default()).await {
        Ok(picture) => {
            viewers.rooms.egress(if is_head { 0 } else { picture.len() as u64 });
            let headers = [
                (header::CONTENT_TYPE, content_type),
                (header::CACHE_CONTROL, CACHE_CONTROL),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
            ];
            (headers, picture).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// `None`: no emote's file is called so.
fn content_type(file: &str) -> Option<&'static str> {
    let (digits, kind) = file.split_once('.')?;
    let is_hash = digits.len() == DIGITS && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match kind {
        "png" if is_hash => Some("image/png"),
        "gif" if is_hash => Some("image/gif"),
        _ => None,
    }
}

/// Many who ask cause one call, which goes on when the first of them leaves.
async fn picture(viewers: &Arc<Viewers>, name: Name, token: &str) -> Result<Bytes, Problem> {
    let emotes = &viewers.emotes;
    if emotes.missing.get(&name).await.is_some() {
        return Err(Problem::NoSuchEmote);
    }
    let (rooms, (room, file)) = (viewers.rooms.clone(), name.clone());
    let call = CallRequest {
        method: "GET".to_owned(),
        path: format!("/api/rooms/{room}/emotes/files/{file}"),
        headers: vec![(header::AUTHORIZATION.as_str().to_owned(), format!("Bearer {token}"))],
        peer: String::new(),
        body: Bytes::new(),
    };
    let ask = async {
        let asked = tokio::spawn(async move { rooms.call(call).await });
        let reply = asked
            .await
            .map_err(|_| Problem::NoOrigin)?
            .map_err(|_| Problem::NoOrigin)?;
        match reply.status {
            200 if reply.body.len() <= MAX_PICTURE => Ok(Bytes::copy_from_slice(&reply.body)),
            404 => Err(Problem::NoSuchEmote),
            _ => Err(Problem::NoOrigin),
        }
    };
    let found = emotes.pictures.try_get_with(name.clone(), ask).await;
    if found.as_ref().is_err_and(|problem| **problem == Problem::NoSuchEmote) {
        emotes.missing.insert(name, ()).await;
    }
    found.map_err(|problem| *problem)
}
