//! Viewers' API calls that come over the link, answered by the same router as those that come by HTTP.
//!
//! Which calls are open to viewers is the router's business. Here stands what of a call and of its answer crosses the link.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header},
};
use bytes::Bytes;
use common::wire::request::{CallReply, CallRequest};
use tower::ServiceExt;

use super::{ViaRelay, ViewerPeer};

/// What a viewer may send to the API, and what it may get back, besides body and status.
const REQUEST_HEADERS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::CONTENT_TYPE,
    header::ACCEPT_LANGUAGE,
];
const REPLY_HEADERS: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CONTENT_DISPOSITION,
    header::SET_COOKIE,
    header::RETRY_AFTER,
    header::CACHE_CONTROL,
];
/// Everything that viewers may call is under here.
const PATH_PREFIX: &str = "/api/";
/// Longest answer, in bytes; below what the wire takes, with its headers.
pub(crate) const MAX_REPLY_LEN: usize = 3 << 20;
/// Less than a relay waits.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Answers a call. Whatever is wrong with it, there is an answer.
pub(super) async fn answer(router: Router, call: CallRequest, via: ViaRelay) -> CallReply {
    let request = match request(call, via) {
        Ok(request) => request,
        Err(status) => return bare(status),
    };
    let answered = tokio::time::timeout(TIMEOUT, async {
        let Ok(response) = router.oneshot(request).await;
        reply(response).await
    });
    match answered.await {
        Ok(reply) => reply,
        Err(_) => bare(StatusCode::GATEWAY_TIMEOUT),
    }
}

fn request(call: CallRequest, via: ViaRelay) -> Result<Request<Body>, StatusCode> {
    let method = match call.method.as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return Err(StatusCode::METHOD_NOT_ALLOWED),
    };
    let uri: Uri = call.path.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
    // A path alone: no authority by which something could tell itself to be elsewhere.
    if uri.authority().is_some() || !uri.path().starts_with(PATH_PREFIX) {
        return Err(StatusCode::NOT_FOUND);
    }
    let mut request = Request::new(Body::from(call.body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    for (name, value) in call.headers {
        let name = HeaderName::try_from(name).map_err(|_| StatusCode::BAD_REQUEST)?;
        if REQUEST_HEADERS.contains(&name) {
            let value = HeaderValue::try_from(value).map_err(|_| StatusCode::BAD_REQUEST)?;
            request.headers_mut().append(name, value);
        }
    }
    request.extensions_mut().insert(ViewerPeer(call.peer));
    request.extensions_mut().insert(via);
    Ok(request)
}

async fn reply(response: Response<Body>) -> CallReply {
    let (head, body) = response.into_parts();
    match axum::body::to_bytes(body, MAX_REPLY_LEN).await {
        Ok(body) => CallReply {
            status: head.status.as_u16(),
            headers: reply_headers(&head.headers),
            body,
        },
        Err(_) => bare(StatusCode::BAD_GATEWAY),
    }
}

fn reply_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| REPLY_HEADERS.contains(name))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

fn bare(status: StatusCode) -> CallReply {
    CallReply {
        status: status.as_u16(),
        headers: Vec::new(),
        body: Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use axum::{Extension, routing::get};

    use super::*;

    fn call(method: &str, path: &str, headers: &[(&str, &str)]) -> CallRequest {
        CallRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            peer: "192.0.2.1:9".to_owned(),
            body: Bytes::new(),
        }
    }

    async fn echo(
        headers: HeaderMap,
        Extension(ViewerPeer(peer)): Extension<ViewerPeer>,
        Extension(via): Extension<ViaRelay>,
    ) -> ([(HeaderName, &'static str); 3], String) {
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        let answer = [
            (header::CONTENT_TYPE, "text/plain"),
            (header::SET_COOKIE, "a=b"),
            (header::SERVER, "secret"),
        ];
        (answer, format!("{peer} {} {} {}", via.id, via.name, names.join(",")))
    }

    async fn answer_by_echo(call: CallRequest) -> CallReply {
        let via = ViaRelay {
            id: "r1".to_owned(),
            name: "paris".to_owned(),
        };
        answer(Router::new().route("/api/echo", get(echo)), call, via).await
    }

    #[tokio::test]
    async fn a_call_brings_who_it_is_from_and_only_allowed_headers_cross() {
        let headers = [("cookie", "sc=1"), ("x-admin-token", "guess"), ("host", "evil")];
        let reply = answer_by_echo(call("GET", "/api/echo?x=1", &headers)).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body, "192.0.2.1:9 r1 paris cookie");
        let mut names: Vec<_> = reply.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "set-cookie"]);
    }

    #[tokio::test]
    async fn a_call_that_makes_no_sense_gets_an_answer() {
        for (method, path, status) in [
            ("PUT", "/api/echo", 405),
            ("GET", "/metrics", 404),
            ("GET", "http://elsewhere/api/echo", 404),
            ("GET", "no path", 400),
            ("GET", "", 400),
        ] {
            assert_eq!(
                answer_by_echo(call(method, path, &[])).await.status,
                status,
                "{method} {path}"
            );
        }
        let broken = call("GET", "/api/echo", &[("cookie", "a\r\nb")]);
        assert_eq!(answer_by_echo(broken).await.status, 400);
    }
}
