//! How long a caller waits at most.

use axum::{Router, body::Body, middleware, routing::get};
use http::{Request, StatusCode, header};
use tower::ServiceExt;

use crate::api::{CALL_TIMEOUT, in_time};

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_answered_in_time() {
    let hangs = get(std::future::pending::<StatusCode>);
    let app = Router::new()
        .route("/api/hangs", hangs)
        .layer(middleware::from_fn(in_time));
    let before = tokio::time::Instant::now();
    let request = Request::get("/api/hangs").body(Body::empty()).unwrap();
    let answer = app.oneshot(request).await.unwrap();
    assert_eq!(before.elapsed().as_secs(), CALL_TIMEOUT.as_secs());
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
}
