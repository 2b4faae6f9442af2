//! How failures are answered under `/api/v0`: with the status as an integer `code`, and a message.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use symbolon::{Error, SchemaError};
use utoipa::IntoResponses;
use utoipa::openapi::RefOr;

use super::forms::RefusedForm;
use crate::failure::{Code, Failure};
use crate::openapi::failure;

/// Whether what is under this path answers in this form.
pub(crate) fn is_path(path: &str) -> bool {
    path.starts_with("/api/v0/")
}

/// The same answer; if it is a failure, in the form of `/api/v0`. Every answer to such a path passes here, so that none is
/// forgotten.
pub(crate) fn in_form(response: Response) -> Response {
    let Some(failure) = response.extensions().get::<Failure>().cloned() else {
        return response;
    };
    let status = status(failure.code);
    let body = RefusedForm {
        code: status.as_u16(),
        message: failure.message.into_owned(),
    };
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

/// Other than under `/api/v2`, a conflict is 409.
fn status(code: Code) -> StatusCode {
    match code {
        Code::Conflict => StatusCode::CONFLICT,
        code => code.status(),
    }
}

/// What the engine refuses: other than under `/api/v2`, a missing permission is 403, and what was revoked is still there.
pub(super) fn refused(error: Error) -> Failure {
    match error {
        Error::Forbidden(lacking) => {
            let message = format!("insufficient permissions: {lacking} is needed");
            Failure::new(Code::Forbidden, message)
        }
        Error::AlreadyRevoked(_) => revoked(),
        Error::Schema(SchemaError::Name) => Failure::invalid(super::forms::RESOURCE),
        Error::Schema(schema) => Failure::invalid(schema.to_string()),
        error => error.into(),
    }
}

/// What was revoked is not changed any more.
pub(super) fn revoked() -> Failure {
    let message = "the token was revoked and cannot be changed; create another one";
    Failure::new(Code::Conflict, message)
}

/// What every operation may answer instead.
#[derive(Debug)]
pub(super) struct Failures;

const FAILURES: [(Code, &str); 9] = [
    (
        Code::Invalid,
        "The request is not understood; the message says why",
    ),
    (Code::Unauthorized, "No token that is in force"),
    (
        Code::Forbidden,
        "The token may not do this, or not grant this; or its user is inactive",
    ),
    (
        Code::NotFound,
        "There is no such token in the caller's organization",
    ),
    (Code::MethodNotAllowed, "Another method is needed"),
    (Code::Conflict, "The token was revoked"),
    (Code::TooLarge, "The request is too large"),
    (Code::Internal, "The server failed; its log says why"),
    (Code::Unavailable, "Nothing can be said now; try again"),
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
