//! The built web app (`frontend/dist`), embedded in the binary and served with its pages' security headers.
//!
//! [`router`] is a fallback: whatever a daemon routes itself comes first. A path that is no file gets the entry page, whose own
//! router reads the address; paths of machines (`/api`, `/live`, …) get a plain 404 instead.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

use crate::representation::Representation;

/// Which page a path gets that is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The viewers' pages, on a relay.
    Viewer,
    /// The dashboard, on the origin's API listener.
    Dashboard,
}

impl Entry {
    fn file(self) -> &'static str {
        match self {
            Self::Viewer => "index.html",
            Self::Dashboard => "dashboard.html",
        }
    }
}

/// First segments of paths that belong to programs, never to a page.
const MACHINE_PATHS: &[&str] = &["api", "live", "t", "ws", "hooks", "assets", ".well-known"];

/// `media-src` and `connect-src` are open because a player may be sent to any relay of its StreamCircle; hls.js plays from blobs and
/// works in a blob worker.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; worker-src 'self' blob:; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; media-src * blob:; \
    connect-src * ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Names with a content hash never change their bytes.
const CACHE_HASHED: &str = "public, max-age=31536000, immutable";
/// Pages name the hashed files and must be asked for each time; an ETag makes that cheap.
const CACHE_PAGE: &str = "no-cache";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>StreamCircle</title>\
    <p>The web app is not part of this build. Run <code>make build</code> and start again.</p></html>\n";

#[derive(RustEmbed)]
#[folder = "../frontend/dist"]
#[allow_missing = true]
struct Dist;

/// All files, by path without the leading slash.
static FILES: LazyLock<Files> = LazyLock::new(|| {
    Files::new(Dist::iter().filter_map(|path| {
        let body = match Dist::get(&path)?.data {
            std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Some((path.into_owned(), body))
    }))
});

/// Answers every path that is not routed elsewhere; merge it last, or use it as a fallback service.
pub fn router(entry: Entry) -> Router {
    Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap| async move {
        FILES.answer(entry, &method, uri.path(), &headers)
    })
}

struct Files(HashMap<String, Representation>);

impl Files {
    fn new(files: impl Iterator<Item = (String, Bytes)>) -> Self {
        Self(
            files
                .map(|(path, body)| {
                    let file = Representation::new(content_type(&path), body);
                    (path, file)
                })
                .collect(),
        )
    }

    fn answer(&self, entry: Entry, method: &Method, path: &str, headers: &HeaderMap) -> Response {
        let path = path.trim_start_matches('/');
        let may_read = matches!(*method, Method::GET | Method::HEAD);
        // Each entry page is for its own listener alone.
        let is_page = path.ends_with(".html");
        if let Some(file) = self.0.get(path).filter(|_| may_read && !is_page) {
            let is_hashed = path.starts_with("assets/");
            let cache_control = HeaderValue::from_static(if is_hashed { CACHE_HASHED } else { CACHE_PAGE });
            return file.answer(headers, cache_control, Body::from);
        }
        let first = path.split('/').next().unwrap_or_default();
        if MACHINE_PATHS.contains(&first) {
            return not_found();
        }
        if !may_read {
            return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
        }
        match self.0.get(entry.file()) {
            Some(page) => with_page_headers(page.answer(headers, HeaderValue::from_static(CACHE_PAGE), Body::from)),
            None => {
                let content_type = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
                with_page_headers((StatusCode::SERVICE_UNAVAILABLE, content_type, NOT_BUILT).into_response())
            }
        }
    }
}

fn with_page_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    // The page's address may hold the name of a closed room.
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CACHE_CONTROL, CACHE_PAGE);
    response
}

fn not_found() -> Response {
    const BODY: &str =
        r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"There is nothing at this address."}"#;
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::NOT_FOUND, headers, BODY).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
