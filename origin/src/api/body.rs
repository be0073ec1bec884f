//! What a request carries: bodies within bounds, path and query, each with its error as a problem.

use axum::{
    Form,
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Path, Query, Request,
        rejection::{BytesRejection, FormRejection},
    },
};
use common::id::RoomSlug;
use http::{StatusCode, header, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};

use super::error::{ApiError, ApiResult};

/// Longest body of any call, in bytes: a join with the longest invite and nickname fits several times.
pub(super) const MAX_BODY_LEN: usize = 16 * 1024;

const TOO_LARGE: &str = "the request is longer than allowed";

/// A JSON body. 400 when it is no JSON, 422 with the field when a field has the wrong type or is missing.
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let says_json = has_media_type(request.headers(), "application/json");
        let bytes = read(request, state).await?;
        // A form of another site can send JSON as text/plain without asking first; it cannot send this type.
        if !says_json && !bytes.is_empty() {
            return Err(ApiError::Malformed("the content type has to be application/json"));
        }
        // An empty body asks for nothing in particular.
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        parse(text).map(Self)
    }
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> ApiResult<T> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if error.inner().is_data() {
            wrong_field(&error.path().to_string(), error.inner())
        } else {
            ApiError::Malformed("the body is no JSON")
        }
    })?;
    json.end()
        .map_err(|_| ApiError::Malformed("something follows the JSON body"))?;
    Ok(value)
}

/// Serde's own text may repeat the value that was sent, which may be a secret in the wrong place.
fn wrong_field(path: &str, error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    let missing = text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    match (path, missing) {
        (".", Some(field)) => ApiError::field(field, &"is missing"),
        (path, Some(field)) => ApiError::field(&format!("{path}.{field}"), &"is missing"),
        (path, None) => ApiError::field(path, &"is not a value that is allowed here"),
    }
}

/// An `application/x-www-form-urlencoded` body.
pub(super) struct FormBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for FormBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let outcome = Form::from_request(request, state).await;
        outcome
            .map(|Form(form)| Self(form))
            .map_err(|rejection: FormRejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(TOO_LARGE),
                _ => ApiError::Malformed("the body has to be a form with all fields"),
            })
    }
}

/// The whole body, whatever it is.
pub(super) async fn read<S: Send + Sync>(request: Request, state: &S) -> ApiResult<Bytes> {
    // The router's body limit cuts off what is longer.
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection: BytesRejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(TOO_LARGE),
            _ => ApiError::Malformed("the body broke off"),
        })
}

fn has_media_type(headers: &http::HeaderMap, expected: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(expected)
}

/// The `{slug}` of a path. What is no slug names no room.
pub(super) struct Slug(pub(super) RoomSlug);

impl<S: Send + Sync> FromRequestParts<S> for Slug {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::Unknown("room"))?;
        text.parse().map(Self).map_err(|_| ApiError::Unknown("room"))
    }
}

/// Longest id of anything, in bytes.
const MAX_ID_LEN: usize = 64;

/// Whether the text of a path may be somebody's or something's id. What may not is not asked of the database, which may not even
/// take it.
pub(super) fn may_be_id(text: &str) -> bool {
    (1..=MAX_ID_LEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// How long a page is when the caller does not say.
const DEFAULT_PAGE: u32 = 50;
/// Longest page; who asks for more gets this.
const MAX_PAGE: u32 = 200;

/// Which page of a list is asked for, counted from its newest entry.
#[derive(Deserialize)]
pub(super) struct Page {
    limit: Option<u32>,
    /// Id of the oldest entry that the caller has.
    pub(super) before: Option<i64>,
}

impl Page {
    /// How many entries to give.
    pub(super) fn limit(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE)
    }
}

/// The query of a URL.
pub(super) struct QueryOf<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        Self::read(parts)
    }
}

impl<T: DeserializeOwned> QueryOf<T> {
    /// Reads the query.
    ///
    /// # Errors
    /// 400 when it cannot be read as `T`.
    pub(super) fn read(parts: &Parts) -> ApiResult<Self> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(query)| Self(query))
            .map_err(|_| ApiError::Malformed("the query of the URL cannot be read"))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Order {
        #[serde(rename = "seats")]
        _seats: Vec<u32>,
    }

    #[test]
    fn a_wrong_field_is_named_and_its_value_is_not_repeated() {
        let error = parse::<Order>(br#"{"seats":[1,"sk_secret"]}"#).unwrap_err();
        let ApiError::Fields(fields) = error else {
            panic!("{error:?}");
        };
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["seats[1]"]);
        assert!(!fields["seats[1]"].contains("sk_secret"));
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        let deep = format!("{{\"other\":{}", "[".repeat(1000));
        for text in ["{", "{\"seats\":[]} x", "\u{0}", "", deep.as_str()] {
            assert!(
                matches!(parse::<Order>(text.as_bytes()), Err(ApiError::Malformed(_))),
                "{text:.20}"
            );
        }
    }
}
