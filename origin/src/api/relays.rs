//! Relays: taken in, watched and removed by operators.

use axum::{
    Json,
    extract::{Path, State},
};
use common::auth::{join_token::JoinToken, nickname::visible_text};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ApiState,
    body::{JsonBody, may_be_id},
    error::{ApiError, ApiResult, Problem},
    shapes::RelayShape,
    shown::Operator,
};

/// Longest name and region of a relay, in characters.
const MAX_NAME_CHARS: usize = 64;

#[derive(Deserialize, ToSchema)]
pub(super) struct RelayRequest {
    /// What invites refer to it by; one relay has it.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    #[schema(max_length = 64)]
    region: Option<String>,
}

/// A relay that may join once, within 24 hours.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewRelayShape {
    id: String,
    name: String,
    /// Shown this once.
    join_token: String,
    /// What to run on the relay's machine.
    command: String,
}

/// Makes a relay and the token it joins with.
#[utoipa::path(post, path = "/api/relays", tag = "relays", request_body = RelayRequest, security(("admin" = [])),
    responses((status = 201, body = NewRelayShape), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create(
    State(state): State<ApiState>,
    _: Operator,
    JsonBody(request): JsonBody<RelayRequest>,
) -> ApiResult<(StatusCode, Json<NewRelayShape>)> {
    let name = visible_text(&request.name, MAX_NAME_CHARS).map_err(|error| ApiError::field("name", &error))?;
    let region = request.region.filter(|region| !region.trim().is_empty());
    let region = region.map(|region| visible_text(&region, MAX_NAME_CHARS)).transpose();
    let region = region.map_err(|error| ApiError::field("region", &error))?;
    let (relay, secret) = state.control.create_relay(name, region, state.now()).await?;
    let link = &state.link;
    let join_token = JoinToken::new(link.addresses.clone(), link.key_sha256, secret)
        .expect("the addresses were checked when the API was made")
        .encode();
    let shape = NewRelayShape {
        id: relay.id,
        name: relay.name,
        command: format!("streamcircle-relay --join {join_token}"),
        join_token,
    };
    Ok((StatusCode::CREATED, Json(shape)))
}

/// All relays and how they do.
#[utoipa::path(get, path = "/api/relays", tag = "relays", security(("admin" = [])),
    responses((status = 200, body = [RelayShape]), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn list(State(state): State<ApiState>, _: Operator) -> ApiResult<Json<Vec<RelayShape>>> {
    let statuses = state.plane.relays();
    let relays = state.control.db().relays().await?.into_iter();
    let shapes = relays.map(|relay| {
        let status = statuses.iter().find(|status| status.id == relay.id);
        RelayShape::new(relay, status)
    });
    Ok(Json(shapes.collect()))
}

/// Removes a relay and cuts it off at once.
#[utoipa::path(delete, path = "/api/relays/{id}", tag = "relays", params(("id" = String, Path)), security(("admin" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn delete(
    State(state): State<ApiState>,
    _: Operator,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    if !may_be_id(&id) || !state.control.db().delete_relay(&id).await? {
        return Err(ApiError::Unknown("relay"));
    }
    state.plane.cut_relay(&id);
    Ok(StatusCode::NO_CONTENT)
}
