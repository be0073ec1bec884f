//! Texts and files that many ask for (RFC 9110 section 3.2): packed once, and not sent again to who has them.

use std::{io::Write, sync::OnceLock};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use data_encoding::HEXLOWER;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// Bytes of the digest that an ETag shows.
const ETAG_BYTES: usize = 12;

/// A body in its plain and its gzip form, under one ETag.
pub struct Representation {
    content_type: &'static str,
    plain: Bytes,
    gzip: OnceLock<Option<Bytes>>,
    etag: HeaderValue,
}

impl Representation {
    pub fn new(content_type: &'static str, plain: Bytes) -> Self {
        let digest = HEXLOWER.encode(&Sha256::digest(&plain)[..ETAG_BYTES]);
        Self {
            content_type,
            plain,
            gzip: OnceLock::new(),
            // Weak: the same tag stands for the plain and the gzip form.
            etag: HeaderValue::try_from(format!("W/\"{digest}\"")).expect("hex digits in quotes are a header value"),
        }
    }

    /// The answer to a GET with these headers; `into_body` makes a body of the bytes that are sent. 304 for who has them.
    pub fn answer(
        &self,
        request: &HeaderMap,
        cache_control: HeaderValue,
        into_body: impl FnOnce(Bytes) -> Body,
    ) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, cache_control);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if is_known(request, &self.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        let packed = if accepts_gzip(request) { self.gzip() } else { None };
        if packed.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let bytes = packed.unwrap_or(&self.plain).clone();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        (headers, into_body(bytes)).into_response()
    }

    /// Made when first asked for; `None` where it would save nothing (pictures, fonts).
    fn gzip(&self) -> Option<&Bytes> {
        let made = self.gzip.get_or_init(|| {
            let mut encoder = GzEncoder::new(Vec::with_capacity(self.plain.len() / 4), Compression::default());
            encoder.write_all(&self.plain).expect("writing to memory does not fail");
            let packed = encoder.finish().expect("writing to memory does not fail");
            (packed.len() < self.plain.len()).then(|| packed.into())
        });
        made.as_ref()
    }
}

/// Whether a request's `Accept-Encoding` takes gzip (RFC 9110 section 12.5.3).
fn accepts_gzip(request: &HeaderMap) -> bool {
    let values = request
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
        matches!(name.trim().to_ascii_lowercase().as_str(), "gzip" | "*") && !refused
    })
}

/// Whether a request's `If-None-Match` names `etag` by weak comparison (RFC 9110 section 13.1.2).
pub fn is_known(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let Ok(etag) = etag.to_str() else { return false };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let values = request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}
