//! Which pages of other origins may read answers of the API: those that this StreamCircle serves itself, with their cookies.

use std::sync::Arc;

use http::{HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::Shared;

/// The headers that allow it.
pub(super) fn layer(shared: Arc<Shared>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| is_ours(origin, &shared)))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION])
}

/// Whether the page of `origin` is one that this StreamCircle serves.
pub(super) fn is_ours(origin: &HeaderValue, shared: &Shared) -> bool {
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let relays = shared.plane.relays();
    let mut urls = relays.iter().map(|relay| relay.url.as_str());
    origin_of(&shared.control.addresses().public_url) == origin || urls.any(|url| origin_of(url) == origin)
}

/// Scheme, host and port of a URL.
fn origin_of(url: &str) -> &str {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "";
    };
    let host_len = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    &url[..scheme.len() + 3 + host_len]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_url_without_its_path() {
        assert_eq!(
            origin_of("https://watch.example:8443/tv/?a"),
            "https://watch.example:8443"
        );
        assert_eq!(origin_of("http://localhost:8080"), "http://localhost:8080");
        assert_eq!(origin_of("nonsense"), "");
    }
}
