//! Headers of media answers: CORS (fetch standard), caching (PROTOCOLS 1.8) and single ranges (RFC 9110 section 14).

use std::ops::Range;

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// Playlists: Apple's type, which all players know.
pub(super) const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";
/// The multivariant playlist changes with bit rates alone.
pub(super) const CACHE_MULTIVARIANT: &str = "private, max-age=5";
/// A media playlist that was asked for as it stands.
pub(super) const CACHE_PLAYLIST: &str = "private, no-cache";
/// A name under an epoch never names other bytes.
pub(super) const CACHE_MEDIA: &str = "private, max-age=3600, immutable";

/// Seconds that a browser may remember a preflight.
const PREFLIGHT_MAX_AGE: &str = "7200";

/// Adds what lets pages of any site read an answer, without credentials.
pub(super) fn allow_any_site(headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "content-length, content-range, date, etag, retry-after",
    );
    set(HeaderName::from_static("timing-allow-origin"), "*");
    set(HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
}

/// The answer to a preflight on `/live`; [`allow_any_site`] adds the rest.
pub(super) fn media_preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, range, if-none-match, if-range",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// The answer to a preflight on the API of a page that may call it.
pub(super) fn api_preflight() -> Response {
    let headers = [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, HEAD, POST, PATCH, DELETE, OPTIONS",
        ),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// How long a playlist whose text is final at its URL (a blocking reload at the live edge) may be kept.
pub(super) fn cache_of_blocking_reload(target_duration_s: u32) -> HeaderValue {
    let seconds = 6 * u64::from(target_duration_s);
    HeaderValue::try_from(format!("private, max-age={seconds}")).expect("a number is header text")
}

/// What a request's `Range` asks of `length` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// No range, or one that need not be followed: several ranges, another unit, a broken one.
    Whole,
    Part(Range<u64>),
    /// Nothing of it is there.
    Beyond,
}

/// Reads `Range`, unless `If-Range` names other bytes than `etag`'s.
pub(super) fn wanted(request: &HeaderMap, etag: &HeaderValue, length: u64) -> Wanted {
    let Some(range) = request.get(header::RANGE) else {
        return Wanted::Whole;
    };
    // A date compares as unequal, too: nothing here has one.
    if request.get(header::IF_RANGE).is_some_and(|condition| condition != etag) {
        return Wanted::Whole;
    }
    let range = range.to_str().ok().and_then(|text| text.strip_prefix("bytes="));
    range.map_or(Wanted::Whole, |range| {
        parse_range(range.trim(), length).unwrap_or(Wanted::Whole)
    })
}

/// `None` for what is no single range.
fn parse_range(range: &str, length: u64) -> Option<Wanted> {
    let number = |text: &str| {
        let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number beyond any length is as good as the largest one.
        all_digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (first, last) = range.split_once('-')?;
    let wanted = match (first, last) {
        ("", suffix) => length.saturating_sub(number(suffix)?)..length,
        (first, "") => number(first)?..length,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(length)
        }
    };
    Some(if wanted.start < wanted.end {
        Wanted::Part(wanted)
    } else {
        Wanted::Beyond
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: &'static str) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(range));
        wanted(&headers, &HeaderValue::from_static("\"e\""), 100)
    }

    #[test]
    fn single_ranges_are_followed() {
        assert_eq!(asked("bytes=0-0"), Wanted::Part(0..1));
        assert_eq!(asked("bytes=10-"), Wanted::Part(10..100));
        assert_eq!(asked("bytes=-10"), Wanted::Part(90..100));
        assert_eq!(asked("bytes=-1000"), Wanted::Part(0..100));
        assert_eq!(asked("bytes=90-99999999999999999999999"), Wanted::Part(90..100));
    }

    #[test]
    fn a_range_beyond_the_end_is_refused() {
        for range in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(asked(range), Wanted::Beyond, "{range}");
        }
    }

    #[test]
    fn anything_else_gets_the_whole() {
        for range in [
            "bytes=0-1,5-6",
            "bytes=5-1",
            "bytes=a-b",
            "bytes=-",
            "items=0-1",
            "bytes=+1-2",
        ] {
            assert_eq!(asked(range), Wanted::Whole, "{range}");
        }
    }

    #[test]
    fn if_range_holds_for_the_same_bytes_alone() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"other\""));
        assert_eq!(wanted(&headers, &HeaderValue::from_static("\"e\""), 9), Wanted::Whole);
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"e\""));
        assert_eq!(
            wanted(&headers, &HeaderValue::from_static("\"e\""), 9),
            Wanted::Part(0..2)
        );
    }
}
