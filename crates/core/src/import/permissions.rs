//! The permissions of a row: objects as in the API, or texts as printed by the `influx` command.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json_problem::JsonProblem;
use crate::permission::{Permission, PermissionSet};

pub(super) fn permissions(field: Option<&RawValue>) -> Result<PermissionSet, String> {
    let Some(raw) = field else {
        return Ok(PermissionSet::default());
    };
    match serde_json::from_str::<Vec<PermissionForm>>(raw.get()) {
        Ok(read) => Ok(read.into_iter().map(|either| either.0).collect()),
        Err(_) => Err(describe_first_invalid(raw)),
    }
}

/// Parses the permissions one by one and describes the first invalid one.
fn describe_first_invalid(raw: &RawValue) -> String {
    let Ok(all) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
        return "`permissions` is not an array".into();
    };
    let wrong = |(at, one): (usize, &&RawValue)| {
        let error = serde_json::from_str::<PermissionForm>(one.get()).err()?;
        let reason = match JsonProblem::of(&error) {
            JsonProblem::Field(text) => text,
            JsonProblem::Syntax(_) | JsonProblem::Value(_) => FORM.into(),
        };
        Some(format!("permissions[{at}]: {reason}"))
    };
    let found = all.iter().enumerate().find_map(wrong);
    found.unwrap_or_else(|| format!("permissions: {FORM}"))
}

const FORM: &str = "it is neither `{\"action\":…,\"resource\":{\"type\":…}}`, with ids of 16 \
                    hexadecimal digits, nor a text such as `read:orgs/ID/buckets/ID`";

struct PermissionForm(Permission);

impl<'de> Deserialize<'de> for PermissionForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PermissionVisitor)
    }
}

struct PermissionVisitor;

impl<'de> Visitor<'de> for PermissionVisitor {
    type Value = PermissionForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a permission")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PermissionForm, E> {
        text.parse().map(PermissionForm).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PermissionForm, A::Error> {
        Permission::deserialize(MapAccessDeserializer::new(map)).map(PermissionForm)
    }
}
