//! The OpenAPI document without its operations.

use utoipa::PartialSchema;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi};

use crate::failure::{Code, FailureBody};
use crate::principal::COOKIE;
use crate::schemas::{FlagOrEmpty, HexIdOrEmpty, LimitOrEmpty, OffsetOrEmpty};
use crate::v0::RefusedForm;

/// Creates the document without operations: title, security schemes and shared schemas.
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
