//! The OpenAPI document, made from the routes themselves.

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

/// The OpenAPI 3.1 document of every route.
pub fn openapi() -> OpenApi {
    crate::routes::described().1
}

/// What every operation may answer instead.
#[derive(Debug)]
pub(crate) struct Failures;

const FAILURES: [(Code, &str); 9] = [
    (
        Code::Invalid,
        "The request is not understood; the message says why",
    ),
    (
        Code::Unauthorized,
        "No token that is in force, or one that may not do this",
    ),
    (
        Code::Forbidden,
        "The user is inactive, or more would be granted than is held",
    ),
    (
        Code::NotFound,
        "It is not there, or the caller may not know of it",
    ),
    (Code::MethodNotAllowed, "Another method is needed"),
    (Code::TooLarge, "The request is too large"),
    (Code::Conflict, "It exists already"),
    (Code::Internal, "The server failed; its log says why"),
    (Code::Unavailable, "Nothing can be said now; try again"),
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

/// What an operation may answer besides that takes passwords.
#[derive(Debug)]
pub(crate) struct TooManyAttempts;

impl IntoResponses for TooManyAttempts {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer);
        let after = HeaderBuilder::new()
            .schema(Some(seconds.minimum(Some(1))))
            .description(Some("When to try again, in seconds"))
            .build();
        let response = failure(
            "Error",
            "Too many wrong passwords were given under this name",
        );
        let response = response.header("Retry-After", after).build();
        let status = Code::TooMany.status().as_u16().to_string();
        BTreeMap::from([(status, response.into())])
    }
}

/// A refusal whose body has this schema.
pub(crate) fn failure(schema: &str, description: &str) -> ResponseBuilder {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema)));
    ResponseBuilder::new()
        .description(description)
        .content("application/json", body.build())
}

/// What stands above the routes.
pub(crate) fn head() -> OpenApi {
    let info = InfoBuilder::new()
        .title("symbolon")
        .description(Some(
            "API tokens: InfluxDB v2 authorizations, users and organizations, and the database tokens of InfluxDB \
             Clustered.",
        ))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(utoipa::openapi::License::new("MIT OR Apache-2.0")))
        .build();
    let mut components = Components::new();
    let value = ApiKeyValue::with_description("Authorization", "`Token TOKEN` or `Bearer TOKEN`");
    components.add_security_scheme("token", SecurityScheme::ApiKey(ApiKey::Header(value)));
    let value = ApiKeyValue::with_description(COOKIE, "What signing in gave");
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
        // Of queries alone, whose types are not collected.
        ("HexIdOrEmpty", HexIdOrEmpty::schema()),
        ("LimitOrEmpty", LimitOrEmpty::schema()),
        ("OffsetOrEmpty", OffsetOrEmpty::schema()),
        ("FlagOrEmpty", FlagOrEmpty::schema()),
    ];
    components.schemas = schemas
        .map(|(name, schema)| (name.to_owned(), schema))
        .into();
    let mut head = OpenApi::new(info, utoipa::openapi::Paths::new());
    head.components = Some(components);
    head
}
