//! What anyone may ask: public keys, the time, and this API's description.

use std::sync::LazyLock;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{ApiState, openapi::Description};

const JSON: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

static DESCRIPTION: LazyLock<String> = LazyLock::new(|| {
    Description::openapi()
        .to_json()
        .expect("the description is made of texts")
});

/// The public keys that verify invites and viewer tokens: a JWK set.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "public", responses((status = 200, body = serde_json::Value)))]
pub(super) async fn jwks(State(state): State<ApiState>) -> Response {
    let keys = state.control.secrets().signing().jwk_set().to_owned();
    // A new key is published a restart before it is needed; five minutes are soon enough.
    ([JSON, (header::CACHE_CONTROL, "public, max-age=300")], keys).into_response()
}

#[derive(Serialize, ToSchema)]
pub(super) struct TimeShape {
    #[schema(format = DateTime)]
    now: String,
}

/// The origin's time, for measuring how far a clock is off.
#[utoipa::path(get, path = "/api/time", tag = "public", responses((status = 200, body = TimeShape)))]
pub(super) async fn time(State(state): State<ApiState>) -> Json<TimeShape> {
    Json(TimeShape {
        now: state.now().to_rfc3339(),
    })
}

/// This description (OpenAPI).
#[utoipa::path(get, path = "/api/openapi.json", tag = "public", responses((status = 200, body = serde_json::Value)))]
pub(super) async fn openapi() -> Response {
    ([JSON], DESCRIPTION.as_str()).into_response()
}
