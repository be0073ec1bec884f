use std::io::Read;

use axum::body::to_bytes;

use super::*;

fn built() -> Files {
    let text = "body { color: black }\n".repeat(40);
    let files = [
        ("index.html", "<p>viewers"),
        ("dashboard.html", "<p>dashboard"),
        ("assets/app-1a2b.css", text.as_str()),
        ("favicon.svg", "<svg/>"),
    ];
    Files::new(
        files
            .into_iter()
            .map(|(path, body)| (path.to_owned(), Bytes::copy_from_slice(body.as_bytes()))),
    )
}

fn get(files: &Files, entry: Entry, path: &str, headers: &[(header::HeaderName, &'static str)]) -> Response {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
        .collect();
    files.answer(entry, &Method::GET, path, &headers)
}

fn named<'a>(response: &'a Response, name: &header::HeaderName) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn body(response: Response) -> Bytes {
    to_bytes(response.into_body(), usize::MAX).await.unwrap()
}

#[tokio::test]
async fn a_page_of_the_app_gets_its_entry_with_security_headers() {
    let files = built();
    for path in ["/", "/r/cinema", "/index.html", "/dashboard.html"] {
        let response = get(&files, Entry::Viewer, path, &[]);
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(named(&response, &header::CACHE_CONTROL), "no-cache");
        assert_eq!(named(&response, &header::REFERRER_POLICY), "no-referrer");
        assert!(named(&response, &header::CONTENT_SECURITY_POLICY).contains("frame-ancestors 'none'"));
        assert_eq!(body(response).await, "<p>viewers");
    }
    let dashboard = get(&files, Entry::Dashboard, "/rooms", &[]);
    assert_eq!(body(dashboard).await, "<p>dashboard");
}

#[test]
fn a_path_of_machines_is_no_page() {
    let files = built();
    for path in ["/api/nothing", "/assets/gone-1.js", "/live/x/index.m3u8", "/ws/rooms/x"] {
        assert_eq!(get(&files, Entry::Viewer, path, &[]).status(), 404, "{path}");
    }
    let posted = files.answer(Entry::Viewer, &Method::POST, "/", &HeaderMap::new());
    assert_eq!(posted.status(), 405);
}

#[tokio::test]
async fn a_hashed_file_is_kept_for_a_year_and_packed_on_request() {
    let files = built();
    let path = "/assets/app-1a2b.css";
    let plain = get(&files, Entry::Viewer, path, &[]);
    assert_eq!(named(&plain, &header::CACHE_CONTROL), CACHE_HASHED);
    assert_eq!(named(&plain, &header::CONTENT_TYPE), "text/css; charset=utf-8");
    let plain = body(plain).await;

    let packed = get(&files, Entry::Viewer, path, &[(header::ACCEPT_ENCODING, "br, gzip")]);
    assert_eq!(named(&packed, &header::CONTENT_ENCODING), "gzip");
    let packed = body(packed).await;
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain);

    let refused = get(&files, Entry::Viewer, path, &[(header::ACCEPT_ENCODING, "gzip;q=0")]);
    assert_eq!(named(&refused, &header::CONTENT_ENCODING), "");
}

#[test]
fn a_known_file_is_not_sent_again() {
    let files = built();
    let first = get(&files, Entry::Viewer, "/favicon.svg", &[]);
    let etag = first.headers()[header::ETAG].clone();
    let mut request = HeaderMap::new();
    request.insert(header::IF_NONE_MATCH, etag);
    let again = files.answer(Entry::Viewer, &Method::GET, "/favicon.svg", &request);
    assert_eq!(again.status(), 304);
    let other = get(
        &files,
        Entry::Viewer,
        "/favicon.svg",
        &[(header::IF_NONE_MATCH, "\"x\"")],
    );
    assert_eq!(other.status(), 200);
}

#[tokio::test]
async fn without_a_build_a_page_says_what_to_do() {
    let nothing = Files::new(std::iter::empty());
    let response = get(&nothing, Entry::Viewer, "/", &[]);
    assert_eq!(response.status(), 503);
    assert!(String::from_utf8_lossy(&body(response).await).contains("make build"));
}
