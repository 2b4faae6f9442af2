//! Responses of failures in the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::failure::Code;

/// Failures that every operation may answer with.
#[derive(Debug)]
pub(crate) struct Failures;

const FAILURES: [(Code, &str); 9] = [
    (Code::Invalid, "The request is invalid; the message says why"),
    (Code::Unauthorized, "No valid token or session, or insufficient permissions"),
    (
        Code::Forbidden,
        "The user is inactive, the request grants more than the caller holds, or it comes from a \
         web page of another origin",
    ),
    (Code::NotFound, "Not found, or not visible to the caller"),
    (Code::MethodNotAllowed, "Method not allowed"),
    (Code::TooLarge, "The request is too large"),
    (Code::Conflict, "Already exists; for set-up: already completed, or a field is missing"),
    (Code::Internal, "Internal error; the server log contains details"),
    (Code::Unavailable, "Service temporarily unavailable; retry later"),
];

impl IntoResponses for Failures {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let each = FAILURES.iter().map(|(code, description)| {
            let response = failure("Error", description).build();
            (code.status().as_u16().to_string(), response.into())
        });
        each.collect()
    }
}

/// Refusal by an operation that takes a password: too many wrong passwords.
#[derive(Debug)]
pub(crate) struct TooManyAttempts;

impl IntoResponses for TooManyAttempts {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer);
        let after = HeaderBuilder::new()
            .schema(Some(seconds.minimum(Some(1))))
            .description(Some("Seconds to wait before the next attempt"))
            .build();
        let response = failure("Error", "Too many wrong passwords for this user name");
        let response = response.header("Retry-After", after).build();
        let status = Code::TooMany.status().as_u16().to_string();
        BTreeMap::from([(status, response.into())])
    }
}

/// Creates a failure response whose body has this schema.
pub(crate) fn failure(schema: &str, description: &str) -> ResponseBuilder {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema)));
    ResponseBuilder::new().description(description).content("application/json", body.build())
}
