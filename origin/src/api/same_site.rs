//! Whether a request that carries a cookie was meant by who holds the cookie.
//!
//! `SameSite=Lax` keeps cookies from other sites, but not from another port or host of the same site: a page there could
//! still send a request in the operator's name. Browsers say where a request comes from (Fetch Metadata, `Origin`).

use http::{Method, Uri, header, request::Parts};

/// Whether the call may change something.
pub(super) fn changes_something(parts: &Parts) -> bool {
    !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// True when a browser says that a page of another origin makes the call. Callers without any of the headers are no
/// browsers, or a browser's own page that reads, and have no cookies that are not theirs.
pub(super) fn is_foreign(parts: &Parts) -> bool {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else {
        return parts.headers.contains_key(header::ORIGIN);
    };
    let caller = origin.parse::<Uri>().ok();
    let caller = caller.as_ref().and_then(Uri::authority).map(|it| it.as_str());
    let ours = parts.uri.authority().map(|it| it.as_str()).or_else(|| text("host"));
    // `null`, and whatever else has no host, is elsewhere.
    caller.is_none() || caller != ours
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn foreign(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().uri("/api/rooms");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_foreign(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_browser_is_believed_where_it_says_the_site() {
        for site in ["same-origin", "none"] {
            assert!(!foreign(&[
                ("sec-fetch-site", site),
                ("origin", "http://a"),
                ("host", "b")
            ]));
        }
        for site in ["same-site", "cross-site", "?"] {
            assert!(foreign(&[("sec-fetch-site", site)]));
        }
    }

    #[test]
    fn else_the_origin_has_to_be_the_host() {
        assert!(!foreign(&[("origin", "http://house:4000"), ("host", "house:4000")]));
        for origin in ["http://house:8080", "http://evil", "null", ""] {
            assert!(foreign(&[("origin", origin), ("host", "house:4000")]), "{origin}");
        }
    }

    #[test]
    fn a_program_is_let_be() {
        assert!(!foreign(&[("host", "house:4000")]));
    }
}
