//! Deserialization that accepts only JSON objects.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A `T` that is deserialized from a JSON object and from nothing else.
///
/// The `Deserialize` that serde derives for a struct also accepts an array, whose elements become
/// the fields in order. Such input is nearly always a mistake, so parsers of external input should
/// refuse it.
///
/// ```
/// use symbolon::JsonObject;
///
/// #[derive(serde::Deserialize)]
/// struct Form {
///     name: String,
/// }
///
/// let JsonObject(form) = serde_json::from_str::<JsonObject<Form>>(r#"{"name":"a"}"#)?;
/// assert_eq!(form.name, "a");
/// assert!(serde_json::from_str::<Form>(r#"["a"]"#).is_ok());
/// assert!(serde_json::from_str::<JsonObject<Form>>(r#"["a"]"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JsonObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer).map(Self)
    }
}

/// The same as a function, for `#[serde(deserialize_with)]`.
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}
