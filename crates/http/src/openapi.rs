//! The OpenAPI document, generated from the routes.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, HeaderBuilder, InfoBuilder, OpenApi, Ref, RefOr, Response,
    ResponseBuilder,
};
use utoipa::{IntoResponses, PartialSchema};

use crate::failure::{Code, FailureBody};
use crate::principal::COOKIE;
use crate::schemas::{FlagOrEmpty, HexIdOrEmpty, LimitOrEmpty, OffsetOrEmpty};
use crate::v0::RefusedForm;

/// Returns the OpenAPI 3.1 document of all routes.
pub fn openapi() -> OpenApi {
    crate::routes::described().1
}

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

/// Creates the document without routes: title, security schemes and shared schemas.
pub(crate) fn head() -> OpenApi {
    let info = InfoBuilder::new()
        .title("symbolon")
        .description(Some(
            "API tokens: InfluxDB v2 authorizations, users and organizations, and the database \
             tokens of InfluxDB Clustered.",
        ))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(utoipa::openapi::License::new("MIT OR Apache-2.0")))
        .build();
    let mut components = Components::new();
    let value = ApiKeyValue::with_description("Authorization", "`Token TOKEN` or `Bearer TOKEN`");
    components.add_security_scheme("token", SecurityScheme::ApiKey(ApiKey::Header(value)));
    let value =
        ApiKeyValue::with_description(COOKIE, "Session cookie, set by `POST /api/v2/signin`");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(value)));
    let basic = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some("User name and password"))
        .build();
    components.add_security_scheme("password", SecurityScheme::Http(basic));
    let schemas = [
        ("Error", FailureBody::schema()),
        ("Code", Code::schema()),
        (RefusedForm::NAME, RefusedForm::schema()),
        // Used only in queries, from which no schemas are collected.
        ("HexIdOrEmpty", HexIdOrEmpty::schema()),
        ("LimitOrEmpty", LimitOrEmpty::schema()),
        ("OffsetOrEmpty", OffsetOrEmpty::schema()),
        ("FlagOrEmpty", FlagOrEmpty::schema()),
    ];
    components.schemas = schemas.map(|(name, schema)| (name.to_owned(), schema)).into();
    let mut head = OpenApi::new(info, utoipa::openapi::Paths::new());
    head.components = Some(components);
    head
}
