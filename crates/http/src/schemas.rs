//! What the OpenAPI document says of types that others own.

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// An id: 16 hexadecimal digits, lower case in replies, not all 0.
pub(crate) struct HexId;

impl PartialSchema for HexId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^(?!0{16})[0-9a-fA-F]{16}$"))
            .into()
    }
}

impl ToSchema for HexId {}

/// A time, as RFC 3339 writes it.
pub(crate) struct Time;

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Time {}

/// The UUID spelling of an id.
pub(crate) struct TokenUuid;

impl PartialSchema for TokenUuid {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uuid".into())))
            .into()
    }
}

impl ToSchema for TokenUuid {}
