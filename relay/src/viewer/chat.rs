//! `/ws/rooms/{slug}`: who may open a viewer's socket. All is decided before the upgrade, in the words of HTTP.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::any,
};
use common::{chat::relay::Opened, id::RoomSlug};
use node::http_server::Peer;

use super::{api::is_ours, auth::presented, error::Problem, state::Viewers};
use crate::{chat::Full, websocket::Handshake};

const PREFIX: &str = "/ws/rooms/";

pub(super) fn router(viewers: Arc<Viewers>) -> Router {
    Router::new().route("/ws/rooms/{slug}", any(enter)).with_state(viewers)
}

async fn enter(State(viewers): State<Arc<Viewers>>, request: Request) -> Response {
    open(viewers, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn open(viewers: Arc<Viewers>, mut request: Request) -> Result<Response, Problem> {
    if viewers.stop.is_cancelled() {
        return Err(Problem::Stopping);
    }
    let headers = request.headers();
    if headers
        .get(header::ORIGIN)
        .is_some_and(|site| !may_open(&viewers, headers, site))
    {
        return Err(Problem::ForeignSite);
    }
    let slug = request
        .uri()
        .path()
        .strip_prefix(PREFIX)
        .and_then(|slug| slug.parse().ok());
    let room: RoomSlug = slug.ok_or(Problem::NoSuchRoom)?;
    let query = request.uri().query();
    let after = after(query)?;
    let token = presented(&room, headers, query, None);
    let claims = viewers.gate.admit(&room, token).await?;
    let token = token.ok_or(Problem::NoToken)?.to_owned();
    let peer = request.extensions().get::<Peer>().ok_or(Problem::Malformed)?;
    let address = peer.0.ip().to_canonical();
    let handshake = Handshake::of(&mut request)?;
    let place = viewers.chat.place(address).map_err(|full| match full {
        Full::Address => Problem::TooManySockets,
        Full::Relay => Problem::RelayFull,
    })?;
    let opened = Opened {
        claims: (*claims).clone(),
        token,
        address: address.to_string(),
        after,
    };
    let (response, upgraded) = handshake.accept();
    viewers.chat.serve(upgraded, opened, viewers.clone(), place);
    Ok(response)
}

/// Cookies go with a handshake from any site, so the site is looked at: this host, whatever it is called, or one of ours.
fn may_open(viewers: &Viewers, headers: &HeaderMap, site: &HeaderValue) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = site.to_str().ok().and_then(|site| site.split_once("://"));
    let is_here =
        matches!((host, authority), (Some(host), Some((_, authority))) if host.eq_ignore_ascii_case(authority));
    is_here || is_ours(viewers, site)
}

/// The newest message that the browser has, by `after=` in the query.
fn after(query: Option<&str>) -> Result<Option<i64>, Problem> {
    let value = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("after=")));
    value.map(|id| id.parse().map_err(|_| Problem::Malformed)).transpose()
}
