//! OpenAPI schemas of types that are defined elsewhere.

use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// An id: 16 hexadecimal digits, lower case in replies, not all zero.
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

/// An id as a filter; an empty text does not filter.
pub(crate) struct HexIdOrEmpty;

impl PartialSchema for HexIdOrEmpty {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^((?!0{16})[0-9a-fA-F]{16})?$"))
            .into()
    }
}

impl ToSchema for HexIdOrEmpty {}

/// The parameter `limit`; empty means not given.
pub(crate) struct LimitOrEmpty;

impl PartialSchema for LimitOrEmpty {
    fn schema() -> RefOr<Schema> {
        let limit =
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(100));
        or_empty(limit)
    }
}

impl ToSchema for LimitOrEmpty {}

/// The parameter `offset`; empty means not given.
pub(crate) struct OffsetOrEmpty;

impl PartialSchema for OffsetOrEmpty {
    fn schema() -> RefOr<Schema> {
        let offset = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .maximum(Some(u32::MAX));
        or_empty(offset)
    }
}

impl ToSchema for OffsetOrEmpty {}

/// `true` or `false`; empty means not given.
pub(crate) struct FlagOrEmpty;

impl PartialSchema for FlagOrEmpty {
    fn schema() -> RefOr<Schema> {
        or_empty(ObjectBuilder::new().schema_type(Type::Boolean))
    }
}

impl ToSchema for FlagOrEmpty {}

fn or_empty(schema: ObjectBuilder) -> RefOr<Schema> {
    let empty = ObjectBuilder::new().schema_type(Type::String).max_length(Some(0));
    OneOfBuilder::new().item(schema).item(empty).into()
}

/// A name: 1 to 255 bytes without control characters.
pub(crate) struct Label;

impl PartialSchema for Label {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("1 to 255 bytes without control characters"))
            .pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]+$"))
            .into()
    }
}

impl ToSchema for Label {}

/// A description: at most 4096 bytes without control characters.
pub(crate) struct Description;

impl PartialSchema for Description {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("At most 4096 bytes without control characters"))
            .pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]*$"))
            .into()
    }
}

impl ToSchema for Description {}

/// A requested status; empty means active.
pub(crate) struct WantedStatus;

impl PartialSchema for WantedStatus {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["active", "inactive", ""]))
            .into()
    }
}

impl ToSchema for WantedStatus {}

/// The name of a resource type.
pub(crate) struct TypeName;

impl PartialSchema for TypeName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Listed by `GET /api/v2/resources`"))
            .pattern(Some("^[A-Za-z0-9_.-]{1,31}$"))
            .into()
    }
}

impl ToSchema for TypeName {}

/// A time in the format of RFC 3339.
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

/// An id in the form of a UUID.
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

/// Binary data.
pub(crate) struct Octets;

impl PartialSchema for Octets {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .into()
    }
}

impl ToSchema for Octets {}
