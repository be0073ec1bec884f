//! `/live/{slug}/…`, and the same under `/t/{token}/…` for players that keep neither query nor cookie.
//!
//! One entrance for all of it, so that every answer, also to a wrong path or method, carries the same CORS headers, and every
//! resource is guarded in the same way.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, header, request::Parts},
    response::{IntoResponse, Response},
};
use common::{
    auth::ViewerClaims,
    hls::uri::{self, MediaPath},
    id::{Epoch, RoomSlug},
    time::UnixMillis,
};
use node::http_server::Secure;

use super::{
    auth::{cookie_name, presented, query_token},
    error::Problem,
    headers::{allow_any_site, media_preflight},
    media,
    playlist::{self, Multivariant},
    rung,
    state::Viewers,
};

/// Answers whatever comes under `/live/` and `/t/`.
pub(super) async fn enter(State(viewers): State<Arc<Viewers>>, request: Request) -> Response {
    // Whatever body there is, is not read.
    let (request, _) = request.into_parts();
    let mut response = match request.method {
        Method::OPTIONS => media_preflight(),
        Method::GET => answer(&viewers, &request).await,
        Method::HEAD => answer(&viewers, &request).await.map(|_| Body::empty()),
        _ => ([(header::ALLOW, "GET, HEAD, OPTIONS")], Problem::Method).into_response(),
    };
    allow_any_site(response.headers_mut());
    response
}

/// What a path under `/live/{slug}/` names.
enum Resource<'a> {
    Multivariant(Multivariant),
    InEpoch(Epoch, &'a str),
    Unknown,
}

/// A path taken apart; `None` when it names no room.
struct Target<'a> {
    path_token: Option<&'a str>,
    room: RoomSlug,
    resource: Resource<'a>,
}

impl<'a> Target<'a> {
    fn parse(path: &'a str) -> Option<Self> {
        let (path_token, rest) = match path.strip_prefix("/t/") {
            Some(rest) => {
                let (token, rest) = rest.split_once('/')?;
                (Some(token), rest.strip_prefix("live/")?)
            }
            None => (None, path.strip_prefix("/live/")?),
        };
        let (room, rest) = rest.split_once('/')?;
        let resource = match rest.split_once('/') {
            None if rest == uri::MULTIVARIANT => Resource::Multivariant(Multivariant::Whole),
            None if rest == uri::AUDIO_ONLY => Resource::Multivariant(Multivariant::AudioOnly),
            Some((epoch, file)) => epoch
                .parse()
                .map_or(Resource::Unknown, |epoch| Resource::InEpoch(epoch, file)),
            None => Resource::Unknown,
        };
        Some(Self {
            path_token,
            room: room.parse().ok()?,
            resource,
        })
    }
}

async fn answer(viewers: &Viewers, request: &Parts) -> Response {
    let answered = match Target::parse(request.uri.path()) {
        Some(target) => admit_and_answer(viewers, request, &target).await,
        None => Err(Problem::NoSuchRoom),
    };
    answered.unwrap_or_else(IntoResponse::into_response)
}

async fn admit_and_answer(viewers: &Viewers, request: &Parts, target: &Target<'_>) -> Result<Response, Problem> {
    let (headers, query) = (&request.headers, request.uri.query());
    let token = presented(&target.room, headers, query, target.path_token);
    let claims = viewers.gate.admit(&target.room, token).await?;
    let not_live = match target.resource {
        Resource::Multivariant(_) => Problem::Offline,
        Resource::InEpoch(_, file) if is_playlist(file) => Problem::Offline,
        _ => Problem::NoSuchMedia,
    };
    let live = viewers.rooms.watch_room(&target.room).await.ok_or(not_live)?;
    match target.resource {
        Resource::Multivariant(which) => {
            let mut response = playlist::answer_multivariant(viewers, &live, which, headers).await?;
            if let Some(token) = query_token(query).filter(|query_token| Some(*query_token) == token) {
                let secure = request.extensions.get() == Some(&Secure(true));
                remember(&mut response, token, &claims, viewers.rooms.origin_now(), secure);
            }
            Ok(response)
        }
        Resource::InEpoch(epoch, name) => {
            let file = uri::parse_media(name).ok_or(Problem::NoSuchMedia)?;
            match file {
                MediaPath::Playlist(track) => {
                    playlist::answer_media(viewers, &live, epoch, track, query, headers).await
                }
                MediaPath::RungPlaylist(rung) => {
                    rung::answer(viewers, (&*live, epoch), &target.room, rung, query, headers).await
                }
                _ => media::answer(viewers, live, &target.room, epoch, file, headers).await,
            }
        }
        Resource::Unknown => Err(Problem::NoSuchMedia),
    }
}

fn is_playlist(file: &str) -> bool {
    file.ends_with(".m3u8")
}

/// Sets the cookie that lets players follow the relative URIs of the playlist.
fn remember(response: &mut Response, token: &str, claims: &ViewerClaims, now: UnixMillis, secure: bool) {
    let max_age = (claims.expires_at.as_secs() - now.as_secs()).max(0);
    let secure = if secure { "; Secure" } else { "" };
    let name = cookie_name(&claims.room);
    let cookie = format!("{name}={token}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    // A token that was verified is base64url and dots.
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
