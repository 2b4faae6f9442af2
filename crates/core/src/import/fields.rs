//! Parses the fields of a row. Messages never repeat the input, because it may be a token in the
//! wrong field.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json_object::JsonObject;
use crate::json_problem::JsonProblem;
use crate::status::{InvalidStatus, Status};
use crate::time::Timestamp;

/// All fields of all kinds of rows. Unknown keys are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fields<'r> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) name: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) description: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) status: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) token: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) hashed_token: Option<&'r RawValue>,
    #[serde(borrow, default, rename = "orgID")]
    pub(super) org_id: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) org: Option<&'r RawValue>,
    #[serde(borrow, default, rename = "userID")]
    pub(super) user_id: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) user: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) user_name: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) permissions: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) created_at: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) updated_at: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) expires_at: Option<&'r RawValue>,
    // The following fields only occur in exports of symbolon.
    #[serde(borrow, default)]
    pub(super) keyed_hash: Option<&'r RawValue>,
    #[serde(borrow, default, rename = "face")]
    pub(super) origin: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) created_by: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) rotated_from: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) revoked_at: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) operator: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) memberships: Option<&'r RawValue>,
    #[serde(borrow, default)]
    pub(super) password_hash: Option<&'r RawValue>,
}

impl<'r> Fields<'r> {
    pub(super) fn of(row: &'r RawValue) -> Result<Self, String> {
        let read = serde_json::from_str(row.get());
        read.map(|JsonObject(fields)| fields).map_err(|error| match JsonProblem::of(&error) {
            JsonProblem::Field(text) => text,
            JsonProblem::Syntax(_) | JsonProblem::Value(_) => "it is not an object".into(),
        })
    }
}

/// Parses a string field; `None` if it is missing or null.
pub(super) fn text<'r>(
    key: &str,
    field: Option<&'r RawValue>,
) -> Result<Option<Cow<'r, str>>, String> {
    field.map(|raw| unquote(raw).ok_or_else(|| format!("`{key}` is not a string"))).transpose()
}

/// Parses a string field; `None` if it is missing, null or empty.
pub(super) fn name<'r>(
    key: &str,
    field: Option<&'r RawValue>,
) -> Result<Option<Cow<'r, str>>, String> {
    Ok(text(key, field)?.filter(|name| !name.is_empty()))
}

/// Parses a field from its string.
pub(super) fn parsed<T: FromStr<Err: Display>>(
    key: &str,
    field: Option<&RawValue>,
) -> Result<Option<T>, String> {
    let read = |text: Cow<'_, str>| text.parse().map_err(|error| format!("`{key}`: {error}"));
    text(key, field)?.map(read).transpose()
}

/// Deserializes a field of another form; its default if it is missing.
pub(super) fn form<'r, T: Deserialize<'r> + Default>(
    key: &str,
    field: Option<&'r RawValue>,
    is: &str,
) -> Result<T, String> {
    let read = field.map(|raw| serde_json::from_str(raw.get()));
    let read = read.transpose().map_err(|_| format!("`{key}` is not {is}"))?;
    Ok(read.unwrap_or_default())
}

/// Go's zero time. InfluxDB writes it for objects that are older than the field.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// Parses a time that has no effect on checks. Only such times may be Go's zero time; an expiry may
/// not.
pub(super) fn noted_time(key: &str, field: Option<&RawValue>) -> Result<Option<Timestamp>, String> {
    let is_set = field.filter(|raw| unquote(raw).as_deref() != Some(NO_TIME));
    parsed(key, is_set)
}

pub(super) fn status(field: Option<&RawValue>) -> Result<Status, String> {
    let Some(word) = name("status", field)? else {
        return Ok(Status::Active);
    };
    word.parse()
        .map_err(|error: InvalidStatus| format!("unknown status {}; {error}", quoted(&word)))
}

/// Quotes a word with backticks, or describes it by length if it could be a token.
fn quoted(word: &str) -> String {
    if word.len() < 32 {
        format!("`{}`", word.escape_debug())
    } else {
        format!("of {} bytes", word.len())
    }
}

/// Decodes a JSON string; `None` if it is not a string or contains an unpaired surrogate.
fn unquote(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(raw.get()).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}
