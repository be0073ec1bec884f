//! Errors as the API answers them: `application/problem+json` (RFC 9457).

use std::{collections::BTreeMap, fmt::Display, time::Duration};

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use common::auth::TokenError;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{control::ControlError, db::DbError, secrets::SecretsError};

pub(super) type ApiResult<T> = Result<T, ApiError>;

/// Why a call is refused. The texts are for people and never repeat what was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("{0}")]
    Malformed(&'static str),
    #[error("{0}")]
    Unauthorized(&'static str),
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("there is no such {0}")]
    Unknown(&'static str),
    #[error("{0}")]
    Taken(&'static str),
    #[error("{0}")]
    TooLarge(&'static str),
    /// Field (JSON path) and what is wrong with it.
    #[error("some fields are not as they have to be")]
    Fields(BTreeMap<String, String>),
    #[error("too many requests from this address")]
    TooMany { retry_after: Duration },
    #[error("this path does not take this method")]
    Method,
    #[error("the call could not be answered in time")]
    TooSlow,
    #[error("the database cannot answer now")]
    Database(#[source] DbError),
    #[error("the server has a fault")]
    Secrets(#[source] SecretsError),
}

/// The body of every error.
#[derive(Serialize, ToSchema)]
pub(super) struct Problem {
    /// `about:blank`: the status says it all.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    /// What happened, for people.
    detail: String,
    /// On 422: each field that is wrong, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<BTreeMap<String, String>>,
}

impl ApiError {
    /// One field is wrong.
    pub(super) fn field(name: &str, why: &dyn Display) -> Self {
        Self::Fields(BTreeMap::from([(name.to_owned(), why.to_string())]))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Taken(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Fields(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow | Self::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Secrets(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn log_fault(&self) {
        match self {
            Self::Database(cause) => tracing::error!(?cause, "a call failed for want of the database"),
            Self::Secrets(cause) => tracing::error!(?cause, "a call failed for want of a secret"),
            Self::TooSlow => tracing::error!("a call was not answered in time"),
            _ => {}
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log_fault();
        let status = self.status();
        let detail = self.to_string();
        let retry_after = match &self {
            Self::TooMany { retry_after } => Some(retry_after.as_secs_f64().ceil().max(1.0) as u64),
            _ => None,
        };
        let errors = match self {
            Self::Fields(errors) => Some(errors),
            _ => None,
        };
        let problem = Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            errors,
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Taken => Self::Taken("this name is taken"),
            error => Self::Database(error),
        }
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Db(error) => error.into(),
            ControlError::Secrets(error) => error.into(),
        }
    }
}

impl From<SecretsError> for ApiError {
    fn from(error: SecretsError) -> Self {
        Self::Secrets(error)
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        Self::Unauthorized(match error {
            TokenError::Expired => "the token is expired",
            TokenError::NotYetValid => "the token is not yet valid",
            _ => "the token is not one of this server's",
        })
    }
}
