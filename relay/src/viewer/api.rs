//! The few API calls that viewers' pages make: carried to the origin over the link and answered in its words.
//!
//! What the origin opens to viewers is its matter; here stand the routes, the caps, and who may read the answers across sites.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use common::wire::request::{CallReply, CallRequest};
use node::{
    http_server::{Peer, Secure},
    public_url::PublicUrl,
};

use super::{error::Problem, headers::api_preflight, state::Viewers};

/// Largest body of a call.
const MAX_BODY_LEN: usize = 64 * 1024;
/// The same of one that brings a picture.
const MAX_PICTURE_LEN: usize = 512 * 1024;
/// The same of the one that stands in for a lost publisher.
const MAX_SLATE_LEN: usize = 2 * 1024 * 1024;
/// For the whole body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Headers of a request that the origin gets to see; cookies are carried as far as they are ours.
const CARRIED_UP: [HeaderName; 3] = [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT_LANGUAGE];
/// Headers of its answer that a viewer gets to see.
const CARRIED_DOWN: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CONTENT_DISPOSITION,
    header::SET_COOKIE,
    header::RETRY_AFTER,
    header::CACHE_CONTROL,
];
/// All cookies of StreamCircle start with it.
const COOKIE_PREFIX: &str = "sc_";

/// The routes under `/api`.
pub(super) fn router(viewers: Arc<Viewers>) -> Router {
    Router::new()
        .route("/api/rooms", get(carry))
        .route("/api/rooms/{slug}", get(carry).patch(carry))
        .route("/api/rooms/{slug}/messages", get(carry))
        .route("/api/rooms/{slug}/messages/export", get(carry))
        .route("/api/rooms/{slug}/join", post(carry))
        .route("/api/rooms/{slug}/emotes", get(carry).post(carry_picture))
        .route("/api/rooms/{slug}/emotes/{name}", delete(carry))
        .route("/api/rooms/{slug}/slate", get(carry).put(carry_slate).delete(carry))
        .route("/api/rooms/{slug}/health", get(carry))
        .route("/api/rooms/{slug}/audit", get(carry))
        .route("/api/rooms/{slug}/bans", get(carry))
        .route("/api/rooms/{slug}/bans/{viewer}", delete(carry))
        .route("/api/rooms/{slug}/invites", get(carry).post(carry))
        .route("/api/invites/{id}", delete(carry))
        .route("/api/time", get(time))
        .layer(middleware::from_fn_with_state(viewers.clone(), allow_our_sites))
        .with_state(viewers)
}

#[derive(serde::Serialize)]
struct Time {
    now: String,
}

async fn time(State(viewers): State<Arc<Viewers>>) -> impl IntoResponse {
    let now = viewers.rooms.origin_now().to_rfc3339();
    ([(header::CACHE_CONTROL, "no-store")], Json(Time { now }))
}

async fn carry(State(viewers): State<Arc<Viewers>>, request: Request) -> Response {
    carry_up_to(MAX_BODY_LEN, &viewers, request).await
}

async fn carry_picture(State(viewers): State<Arc<Viewers>>, request: Request) -> Response {
    carry_up_to(MAX_PICTURE_LEN, &viewers, request).await
}

async fn carry_slate(State(viewers): State<Arc<Viewers>>, request: Request) -> Response {
    carry_up_to(MAX_SLATE_LEN, &viewers, request).await
}

async fn carry_up_to(max_body: usize, viewers: &Viewers, request: Request) -> Response {
    let secure = request.extensions().get() == Some(&Secure(true));
    let carried = async {
        let request = call_request(request, max_body).await?;
        let reply = viewers.rooms.call(request).await.map_err(|_| Problem::NoOrigin)?;
        answer(reply, secure)
    };
    carried.await.unwrap_or_else(IntoResponse::into_response)
}

async fn call_request(request: Request, max_body: usize) -> Result<CallRequest, Problem> {
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, max_body));
    let body = body
        .await
        .map_err(|_| Problem::TooSlow)?
        .map_err(|_| Problem::TooLarge)?;
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let named = |name: &HeaderName| Some((name.as_str().to_owned(), text(parts.headers.get(name)?)?));
    let mut headers: Vec<(String, String)> = CARRIED_UP.iter().filter_map(named).collect();
    headers.extend(our_cookies(&parts.headers).map(|cookies| (header::COOKIE.as_str().to_owned(), cookies)));
    let peer = parts.extensions.get::<Peer>().ok_or(Problem::Malformed)?;
    let method = if parts.method == Method::HEAD {
        Method::GET
    } else {
        parts.method
    };
    Ok(CallRequest {
        method: method.as_str().to_owned(),
        path: parts
            .uri
            .path_and_query()
            .ok_or(Problem::Malformed)?
            .as_str()
            .to_owned(),
        headers,
        peer: peer.0.ip().to_canonical().to_string(),
        body,
    })
}

/// Other cookies of the host are none of the origin's business.
fn our_cookies(headers: &HeaderMap) -> Option<String> {
    let values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let ours: Vec<&str> = values
        .flat_map(|value| value.split(';'))
        .map(str::trim)
        .filter(|pair| pair.starts_with(COOKIE_PREFIX))
        .collect();
    (!ours.is_empty()).then(|| ours.join("; "))
}

fn answer(reply: CallReply, secure: bool) -> Result<Response, Problem> {
    // The origin is trusted, but a status out of range must not panic.
    let status = StatusCode::from_u16(reply.status).map_err(|_| Problem::NoOrigin)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in reply.headers {
        let Some(name) = CARRIED_DOWN
            .iter()
            .find(|carried| name.eq_ignore_ascii_case(carried.as_str()))
        else {
            continue;
        };
        let lacks_secure = *name == header::SET_COOKIE && secure && !has_attribute(&value, "secure");
        let value = if lacks_secure {
            format!("{value}; Secure")
        } else {
            value
        };
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.append(name.clone(), value);
        }
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    Ok((status, headers, Body::from(reply.body)).into_response())
}

fn has_attribute(cookie: &str, attribute: &str) -> bool {
    cookie
        .split(';')
        .skip(1)
        .any(|part| part.trim().eq_ignore_ascii_case(attribute))
}

/// Lets pages of this StreamCircle's own addresses read the answers, with their cookies; nobody else across sites.
async fn allow_our_sites(State(viewers): State<Arc<Viewers>>, request: Request, next: Next) -> Response {
    let site = request
        .headers()
        .get(header::ORIGIN)
        .filter(|site| is_ours(&viewers, site))
        .cloned();
    let mut response = match *request.method() {
        Method::OPTIONS => api_preflight(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(site) = site {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, site);
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after"),
        );
    }
    response
}

/// Whether `site`, an `Origin`, is a public URL of this StreamCircle.
pub fn is_ours(viewers: &Viewers, site: &HeaderValue) -> bool {
    let Some(site) = site.to_str().ok().and_then(|text| text.parse::<PublicUrl>().ok()) else {
        return false;
    };
    let ours = viewers.rooms.public_urls().borrow().clone();
    ours.iter().any(|url| url.parse() == Ok(site.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_cookies_go_up() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("other=1; sc_cinema=a.b.c"));
        headers.append(header::COOKIE, HeaderValue::from_static("sc_seat=x"));
        assert_eq!(our_cookies(&headers).as_deref(), Some("sc_cinema=a.b.c; sc_seat=x"));
        headers.remove(header::COOKIE);
        assert_eq!(our_cookies(&headers), None);
    }

    #[test]
    fn a_cookie_over_tls_is_for_tls_alone() {
        let reply = |cookie: &str| CallReply {
            status: 200,
            headers: vec![("set-cookie".into(), cookie.into()), ("x-inner".into(), "no".into())],
            body: "{}".into(),
        };
        let cookie = |reply, secure| answer(reply, secure).unwrap().headers()[header::SET_COOKIE].clone();
        assert_eq!(cookie(reply("sc_a=b; HttpOnly"), true), "sc_a=b; HttpOnly; Secure");
        assert_eq!(cookie(reply("sc_a=b; secure"), true), "sc_a=b; secure");
        assert_eq!(cookie(reply("sc_a=b; HttpOnly"), false), "sc_a=b; HttpOnly");
        assert!(!answer(reply(""), true).unwrap().headers().contains_key("x-inner"));
    }
}
