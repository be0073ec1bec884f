//! The HTTP API of the origin: what operators, scripts, hosts and viewers call.
//!
//! Handlers check who asks and what was sent, and leave the doing to [`crate::control`] and the live side
//! ([`LivePlane`]). The listener, the dashboard's files and the viewers' media are not here.

mod address;
mod body;
mod cookies;
mod cross_origin;
mod emotes;
mod error;
mod export;
mod hooks;
mod invites;
mod join;
mod messages;
mod moderation;
mod openapi;
pub mod plane;
mod public;
mod rate_limit;
mod relays;
mod room_settings;
mod rooms;
mod same_site;
mod seats;
mod session;
mod shapes;
mod shown;
mod slate;
mod stream_settings;

use std::{ops::Deref, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, delete, get, patch, post, put},
};
use common::{
    auth::join_token::{JoinSecret, JoinToken, JoinTokenError},
    time::UnixMillis,
};
use http::{HeaderValue, header};
use tower_http::set_header::SetResponseHeaderLayer;

pub use self::plane::{ChatStorage, LivePlane, RoomLive};
use self::{
    body::MAX_BODY_LEN,
    error::ApiError,
    rate_limit::{Rate, RateLimiter},
    room_settings::MAX_PATCH_LEN,
    seats::Seats,
};
use crate::{
    control::Control,
    emotes::{MAX_UPLOAD_LEN, Workshop},
    slate::picture,
};

/// Joins of one address: a household or a lecture hall may come at once, and then renew every ten minutes.
const JOIN_RATE: Rate = Rate {
    burst: 100,
    refill: Duration::from_millis(200),
};

/// Failed sign-ins of one address.
const SIGN_IN_RATE: Rate = Rate {
    burst: 10,
    refill: Duration::from_secs(6),
};

/// Pictures uploaded from one address: a host adds a set of emotes at once.
const UPLOAD_RATE: Rate = Rate {
    burst: 30,
    refill: Duration::from_secs(5),
};

/// A call takes no longer, whatever it waits for: the caller's body, or a database that hangs. Calls over the link have a limit
/// of their own.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the wall clock.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// What join tokens of relays carry: where the link listens (`host:port`), and the SHA-256 of its authority's key.
#[derive(Clone, Debug)]
pub struct LinkAddress {
    pub addresses: Vec<String>,
    pub key_sha256: [u8; 32],
}

/// The API; clones share it.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

struct Shared {
    control: Arc<Control>,
    plane: Arc<dyn LivePlane>,
    link: LinkAddress,
    clock: Clock,
    joins: RateLimiter,
    sign_ins: RateLimiter,
    uploads: RateLimiter,
    workshop: Workshop,
    /// One change of emotes at a time: the running chats hear of them in the order in which they are kept.
    emote_changes: tokio::sync::Mutex<()>,
    /// The same for what is made of streams: no running room is left with the older of two settings.
    stream_changes: tokio::sync::Mutex<()>,
    seats: Seats,
}

/// Which door a request came through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Surface {
    /// The API listener.
    Operators,
    /// A relay's link.
    Viewers,
}

/// What handlers work with.
#[derive(Clone)]
struct ApiState {
    shared: Arc<Shared>,
    surface: Surface,
}

impl Deref for ApiState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Shared {
    fn now(&self) -> UnixMillis {
        (self.clock)()
    }
}

impl Api {
    /// Puts the API together.
    ///
    /// # Errors
    /// When `link` makes no join token: no address, too many, or one that is not `host:port`.
    pub fn new(
        control: Arc<Control>,
        plane: Arc<dyn LivePlane>,
        link: LinkAddress,
        clock: Clock,
    ) -> Result<Self, JoinTokenError> {
        JoinToken::new(link.addresses.clone(), link.key_sha256, JoinSecret::new([0; 32]))?;
        Ok(Self(Arc::new(Shared {
            control,
            plane,
            link,
            clock,
            joins: RateLimiter::new(JOIN_RATE),
            sign_ins: RateLimiter::new(SIGN_IN_RATE),
            uploads: RateLimiter::new(UPLOAD_RATE),
            workshop: Workshop::default(),
            emote_changes: tokio::sync::Mutex::default(),
            stream_changes: tokio::sync::Mutex::default(),
            seats: Seats::default(),
        })))
    }

    /// All calls, for the API listener.
    pub fn admin_router(&self) -> Router {
        let routes = viewer_routes()
            .merge(operator_routes())
            .layer(middleware::from_fn(in_time));
        // Outermost, so that errors and preflights have the headers too.
        finish(routes, self.state(Surface::Operators)).layer(cross_origin::layer(Arc::clone(&self.0)))
    }

    /// The calls that viewers may make through a relay. Operators are not known here.
    pub fn viewer_router(&self) -> Router {
        finish(viewer_routes(), self.state(Surface::Viewers))
    }

    fn state(&self, surface: Surface) -> ApiState {
        ApiState {
            shared: Arc::clone(&self.0),
            surface,
        }
    }
}

fn viewer_routes() -> Router<ApiState> {
    let change = patch(room_settings::change).layer(DefaultBodyLimit::max(MAX_PATCH_LEN));
    let add_emote = post(emotes::add).layer(DefaultBodyLimit::max(MAX_UPLOAD_LEN));
    let put_slate = put(slate::put).layer(DefaultBodyLimit::max(picture::MAX_UPLOAD_LEN));
    Router::new()
        .route("/api/rooms", get(rooms::list))
        .route("/api/rooms/{slug}", change.get(rooms::get))
        .route("/api/rooms/{slug}/join", post(join::join))
        .route("/api/rooms/{slug}/messages", get(messages::list))
        .route("/api/rooms/{slug}/messages/export", get(export::export))
        .route("/api/rooms/{slug}/audit", get(moderation::audit))
        .route("/api/rooms/{slug}/bans", get(moderation::bans))
        .route("/api/rooms/{slug}/bans/{viewer_id}", delete(moderation::unban))
        .route("/api/rooms/{slug}/emotes", add_emote.get(emotes::list))
        .route("/api/rooms/{slug}/emotes/{name}", delete(emotes::remove))
        .route("/api/rooms/{slug}/emotes/files/{file}", get(emotes::file))
        .route("/api/rooms/{slug}/health", get(rooms::health))
        .route(
            "/api/rooms/{slug}/slate",
            put_slate.get(slate::get).delete(slate::remove),
        )
        .route("/api/rooms/{slug}/invites", get(invites::list).post(invites::create))
        .route("/api/invites/{id}", delete(invites::revoke))
        .route("/api/time", get(public::time))
        .route("/api/{*rest}", any(no_such_call))
}

fn operator_routes() -> Router<ApiState> {
    Router::new()
        .route("/api/rooms", post(rooms::create))
        .route("/api/rooms/{slug}", delete(rooms::delete))
        .route("/api/rooms/{slug}/rotate", post(rooms::rotate))
        .route("/api/relays", get(relays::list).post(relays::create))
        .route("/api/relays/{id}", delete(relays::delete))
        .route(
            "/api/session",
            get(session::get).post(session::sign_in).delete(session::sign_out),
        )
        .route("/api/openapi.json", get(public::openapi))
        .route("/.well-known/jwks.json", get(public::jwks))
        .route("/hooks/rtmp/publish", post(hooks::publish))
        .route("/hooks/rtmp/done", post(hooks::done))
}

fn finish(router: Router<ApiState>, state: ApiState) -> Router {
    router
        .method_not_allowed_fallback(async || ApiError::Method)
        .layer(DefaultBodyLimit::max(MAX_BODY_LEN))
        // Answers hold tokens, and say what is true now.
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .with_state(state)
}

async fn in_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(CALL_TIMEOUT, next.run(request)).await;
    answer.unwrap_or_else(|_| ApiError::TooSlow.into_response())
}

async fn no_such_call() -> ApiError {
    ApiError::Unknown("call")
}

#[cfg(test)]
mod tests;
