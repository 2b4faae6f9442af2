//! Failed requests, and their bodies in InfluxDB's form.

use std::borrow::Cow;
use std::error::Error as StdError;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use symbolon::{AdminError, Denied, ErrorChain, Field, InvalidValue, SchemaError, StoreError};
use utoipa::ToSchema;

/// InfluxDB's error codes, each with an HTTP status (`influxdb/http/errors.go`).
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

/// Reason why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: Cow<'static, str>,
    /// Seconds to wait before the next attempt.
    retry_after: Option<u64>,
}

/// The body of a failure under `/api/v2`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminError)]
pub(crate) struct FailureBody {
    code: Code,
    message: String,
}

/// Header in which InfluxDB's clients look for the code first.
pub(crate) const PLATFORM_ERROR_CODE: HeaderName = HeaderName::from_static("x-platform-error-code");

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// Sets the header `Retry-After`, in seconds.
    pub(crate) fn after(self, seconds: u64) -> Self {
        let retry_after = Some(seconds);
        Self { retry_after, ..self }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Invalid, message)
    }

    pub(crate) fn not_found(field: Field) -> Self {
        AdminError::NotFound(field).into()
    }

    /// Creates the 401 for a missing or invalid credential.
    pub(crate) fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "unauthorized access")
    }

    pub(crate) fn starting() -> Self {
        Self::new(Code::Unavailable, "the server is starting; try again in a moment")
    }

    /// Logs an error that the caller cannot correct, and creates a 500 without details.
    pub(crate) fn internal(error: &(dyn StdError + 'static)) -> Self {
        tracing::error!(error = %ErrorChain(error), "request failed");
        Self::panicked()
    }

    /// Creates a 500 for an error that is already logged.
    pub(crate) fn panicked() -> Self {
        let message = "An internal error has occurred - check server logs";
        Self::new(Code::Internal, message)
    }
}

impl From<Denied> for Failure {
    /// Converts to InfluxDB's replies: only an inactive token or owner is named as the reason.
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unavailable => {
                Self::new(Code::Unavailable, "tokens cannot be checked now; try again later")
            }
            Denied::Malformed | Denied::Unknown | Denied::Revoked(_) | Denied::Expired(_) => {
                Self::unauthorized()
            }
            Denied::Inactive(_) => Self::new(Code::Unauthorized, "token is inactive"),
            Denied::OwnerInactive(_) => Self::new(Code::Forbidden, "User is inactive"),
            Denied::Forbidden(_) => Self::new(Code::Forbidden, "insufficient permissions"),
        }
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        let code = match &error {
            AdminError::Caller(denied) => return (*denied).into(),
            AdminError::Schema(schema) => return schema.into(),
            // InfluxDB's text, which already names the permission.
            AdminError::Invalid(
                Field::Permissions,
                InvalidValue::OtherOrganization { permission, organization },
            ) => {
                let text = format!("permission {permission} is not for org id {organization}");
                return Self::invalid(text);
            }
            AdminError::AlreadySetUp | AdminError::SetUpClosed => {
                return Self::new(Code::Conflict, "onboarding has already been completed");
            }
            // Revoked and deleted records do not exist under `/api/v2`; an `Admin` does not find
            // them.
            AdminError::AlreadyRevoked(_) => {
                return Self::new(Code::NotFound, "not found: it was revoked or deleted");
            }
            AdminError::Store(store) if matches!(**store, StoreError::Full) => {
                tracing::error!(error = %ErrorChain(&error), "change not written");
                return Self::new(Code::Unavailable, store.to_string());
            }
            AdminError::Random(_)
            | AdminError::CannotSignIn
            | AdminError::Settings
            | AdminError::Tampered(_)
            | AdminError::Journal(_)
            | AdminError::Store(_) => return Self::internal(&error),
            AdminError::Invalid(..) | AdminError::Fixed => Code::Invalid,
            AdminError::NotFound(_) => Code::NotFound,
            AdminError::Exists(_) | AdminError::PreviouslyRevoked(_) => Code::Conflict,
            AdminError::Forbidden(_) => Code::Unauthorized,
            AdminError::Exceeds(_) => Code::Forbidden,
            AdminError::TooLarge => Code::TooLarge,
            AdminError::Contended => Code::Unavailable,
        };
        Self::new(code, error.to_string())
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
            SchemaError::NotGranted(_) | SchemaError::WrongTarget { .. } | SchemaError::Name => {
                return Self::invalid(error.to_string());
            }
        };
        Self::invalid(known)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let known = self.clone();
        let Self { code, message, retry_after } = self;
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
        // Routes with another error format read the failure from here.
        response.extensions_mut().insert(known);
        response
    }
}

/// Converts [`AdminError::NotFound`] to `None`.
pub(crate) fn absent_is_none<T>(found: Result<T, AdminError>) -> Result<Option<T>, AdminError> {
    match found {
        Ok(one) => Ok(Some(one)),
        Err(AdminError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
