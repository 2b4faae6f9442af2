//! Failures under `/api/v0`: the body has the status as an integer `code`, and a message.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use symbolon::{AdminError, SchemaError};
use utoipa::IntoResponses;
use utoipa::openapi::RefOr;

use super::json::RefusedForm;
use crate::failure::{Code, Failure};
use crate::responses::failure;

/// Returns true if failures under this path have this form.
pub(crate) fn is_path(path: &str) -> bool {
    path.starts_with("/api/v0/")
}

/// Converts a failure to the form of `/api/v0`, and returns every other response unchanged. All
/// responses under that path pass through here, so that no route can omit it.
pub(crate) fn in_form(response: Response) -> Response {
    let Some(failure) = response.extensions().get::<Failure>().cloned() else {
        return response;
    };
    let status = status(failure.code);
    let body = RefusedForm { code: status.as_u16(), message: failure.message.into_owned() };
    let mut answer = (status, Json(body)).into_response();
    let headers = answer.headers_mut();
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            headers.insert(name, value.clone());
        }
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

/// Returns the status of a code. Unlike under `/api/v2`, a conflict is 409.
fn status(code: Code) -> StatusCode {
    match code {
        Code::Conflict => StatusCode::CONFLICT,
        code => code.status(),
    }
}

/// Converts an error of the engine. Unlike under `/api/v2`, a missing permission is 403, and a
/// revoked token is still found.
pub(super) fn refused(error: AdminError) -> Failure {
    match error {
        AdminError::Forbidden(lacking) => {
            let message = format!("insufficient permissions: {lacking} is needed");
            Failure::new(Code::Forbidden, message)
        }
        AdminError::AlreadyRevoked(_) => revoked(),
        AdminError::Schema(SchemaError::Name) => Failure::invalid(super::json::RESOURCE),
        AdminError::Schema(schema) => Failure::invalid(schema.to_string()),
        error => error.into(),
    }
}

/// Creates the refusal of a change to a revoked token.
pub(super) fn revoked() -> Failure {
    let message = "the token is revoked and cannot be changed; create a new one";
    Failure::new(Code::Conflict, message)
}

/// Failures that every operation may answer with.
#[derive(Debug)]
pub(super) struct Failures;

const FAILURES: [(Code, &str); 9] = [
    (Code::Invalid, "The request is invalid; the message says why"),
    (Code::Unauthorized, "No valid token"),
    (
        Code::Forbidden,
        "Insufficient permissions, also to grant the requested ones, or the user is inactive",
    ),
    (Code::NotFound, "No such token in the caller's organization"),
    (Code::MethodNotAllowed, "Method not allowed"),
    (Code::Conflict, "The token is revoked"),
    (Code::TooLarge, "The request is too large"),
    (Code::Internal, "Internal error; the server log contains details"),
    (Code::Unavailable, "Service temporarily unavailable; retry later"),
];

impl IntoResponses for Failures {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let described = FAILURES.iter().map(|(code, description)| {
            let response = failure(RefusedForm::NAME, description).build();
            (status(*code).as_u16().to_string(), response.into())
        });
        described.collect()
    }
}
