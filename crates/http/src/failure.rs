//! What is answered when a request is not done: InfluxDB's error bodies.

use std::borrow::Cow;
use std::error::Error as StdError;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use symbolon::{Denied, Error, Field, SchemaError, StoreError};
use utoipa::ToSchema;

/// InfluxDB's error codes, and the status of each (`influxdb/http/errors.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum Code {
    #[serde(rename = "invalid")]
    Invalid,
    #[serde(rename = "unprocessable entity")]
    Unprocessable,
    #[serde(rename = "conflict")]
    Conflict,
    #[serde(rename = "not found")]
    NotFound,
    #[serde(rename = "unavailable")]
    Unavailable,
    #[serde(rename = "internal error")]
    Internal,
    #[serde(rename = "unauthorized")]
    Unauthorized,
    #[serde(rename = "forbidden")]
    Forbidden,
    #[serde(rename = "method not allowed")]
    MethodNotAllowed,
    #[serde(rename = "request too large")]
    TooLarge,
    #[serde(rename = "too many requests")]
    TooMany,
}

impl Code {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Unprocessable | Self::Conflict => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unprocessable => "unprocessable entity",
            Self::Conflict => "conflict",
            Self::NotFound => "not found",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal error",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::MethodNotAllowed => "method not allowed",
            Self::TooLarge => "request too large",
            Self::TooMany => "too many requests",
        }
    }
}

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: Cow<'static, str>,
    /// When to try again, in seconds.
    retry_after: Option<u64>,
}

/// The body of a failure under `/api/v2`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct FailureBody {
    code: Code,
    message: String,
}

/// Where InfluxDB's clients look for the code first.
pub(crate) const PLATFORM_ERROR_CODE: HeaderName = HeaderName::from_static("x-platform-error-code");

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// The same, which says to try again after so many seconds.
    pub(crate) fn after(self, seconds: u64) -> Self {
        let retry_after = Some(seconds);
        Self {
            retry_after,
            ..self
        }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Invalid, message)
    }

    pub(crate) fn not_found(field: Field) -> Self {
        Error::NotFound(field).into()
    }

    /// No credential, or one that is not in force.
    pub(crate) fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "unauthorized access")
    }

    pub(crate) fn starting() -> Self {
        Self::new(
            Code::Unavailable,
            "the server is starting; try again in a moment",
        )
    }

    /// What the caller can do nothing about: told to the log alone.
    pub(crate) fn internal(error: &(dyn StdError + 'static)) -> Self {
        tracing::error!(error = %chain(error), "a request failed");
        Self::panicked()
    }

    /// The same, of which the log has been told.
    pub(crate) fn panicked() -> Self {
        let message = "An internal error has occurred - check server logs";
        Self::new(Code::Internal, message)
    }
}

/// An error and what it comes from, as one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

impl From<Denied> for Failure {
    /// InfluxDB's answers: a dead token is told nothing, but for one that is switched off.
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unavailable => Self::new(
                Code::Unavailable,
                "tokens cannot be checked now; try again later",
            ),
            Denied::Malformed | Denied::Unknown | Denied::Revoked(_) | Denied::Expired(_) => {
                Self::unauthorized()
            }
            Denied::Inactive(_) => Self::new(Code::Unauthorized, "token is inactive"),
            Denied::OwnerInactive(_) => Self::new(Code::Forbidden, "User is inactive"),
            Denied::Forbidden(_) => Self::new(Code::Forbidden, "insufficient permissions"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Invalid(Field::Password, _) => Code::Invalid,
            Error::Schema(schema) => return schema.into(),
            Error::Caller(denied) => return (*denied).into(),
            Error::Invalid(..) | Error::Fixed => Code::Invalid,
            Error::NotFound(_) => Code::NotFound,
            Error::Exists(_) | Error::PreviouslyRevoked(_) => Code::Conflict,
            Error::AlreadySetUp | Error::SetUpClosed => {
                return Self::new(Code::Conflict, "onboarding has already been completed");
            }
            Error::Forbidden(_) => Code::Unauthorized,
            Error::Exceeds(_) => Code::Forbidden,
            // What has ended is gone for whoever asks over HTTP; the routes look before they change.
            Error::AlreadyRevoked(_) => {
                return Self::new(Code::NotFound, "not found: it has ended");
            }
            Error::TooLarge => Code::TooLarge,
            Error::Contended => Code::Unavailable,
            Error::Store(store) if matches!(**store, StoreError::Full) => {
                tracing::error!(error = %chain(&error), "a change was not made");
                Code::Unavailable
            }
            _ => return Self::internal(&error),
        };
        let text = match &error {
            Error::Store(store) => store.to_string(),
            // InfluxDB's text, which names the permission itself.
            Error::Invalid(Field::Permissions, reason) => reason.clone(),
            error => error.to_string(),
        };
        Self::new(code, text)
    }
}

impl From<&SchemaError> for Failure {
    fn from(error: &SchemaError) -> Self {
        let known = match error {
            SchemaError::UnknownType { .. } => {
                "invalid resource type for permission: unknown resource type for permission"
            }
            SchemaError::UnknownAction { .. } => {
                "invalid action type for permission: unknown action for permission"
            }
            SchemaError::Empty => "authorization must include permissions",
            other => return Self::invalid(other.to_string()),
        };
        Self::invalid(known)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let known = self.clone();
        let Self {
            code,
            message,
            retry_after,
        } = self;
        let header = HeaderValue::from_static(code.as_str());
        let message = message.into_owned();
        let body = Json(FailureBody { code, message });
        let mut response = (code.status(), [(PLATFORM_ERROR_CODE, header)], body).into_response();
        if code == Code::Unauthorized {
            let challenge = HeaderValue::from_static("Token");
            let name = axum::http::header::WWW_AUTHENTICATE;
            response.headers_mut().insert(name, challenge);
        }
        if let Some(seconds) = retry_after {
            let name = axum::http::header::RETRY_AFTER;
            response.headers_mut().insert(name, seconds.into());
        }
        // What answers in another form reads it there.
        response.extensions_mut().insert(known);
        response
    }
}
