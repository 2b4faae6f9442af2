//! The fields of a row. What is wrong is told without repeating what stands there: it may be a token that was put
//! into the wrong place.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json_object::JsonObject;
use crate::status::Status;
use crate::time::Timestamp;

/// Every field of every kind of row, as it stands in the file. Other keys are passed over.
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
    // What follows only our own exports have.
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
        read.map(|JsonObject(fields)| fields)
            .map_err(|error| match known_message(&error) {
                Some(text) => text,
                None => "it is no object".into(),
            })
    }
}

/// What `serde` says of keys that are missing or stand twice, which are our own words. Everything else that it says may
/// repeat the input.
pub(super) fn known_message(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let text = text.split(" at line ").next()?;
    let own = text.starts_with("missing field ") || text.starts_with("duplicate field ");
    own.then(|| text.to_owned())
}

/// The text of a field; none if it is missing or null.
pub(super) fn text<'r>(
    key: &str,
    field: Option<&'r RawValue>,
) -> Result<Option<Cow<'r, str>>, String> {
    field
        .map(|raw| unquote(raw).ok_or_else(|| format!("`{key}` is no text")))
        .transpose()
}

/// The same, but what is empty is missing.
pub(super) fn name<'r>(
    key: &str,
    field: Option<&'r RawValue>,
) -> Result<Option<Cow<'r, str>>, String> {
    Ok(text(key, field)?.filter(|name| !name.is_empty()))
}

/// A field that is read from its text.
pub(super) fn parsed<T: FromStr<Err: Display>>(
    key: &str,
    field: Option<&RawValue>,
) -> Result<Option<T>, String> {
    let read = |text: Cow<'_, str>| text.parse().map_err(|error| format!("`{key}`: {error}"));
    text(key, field)?.map(read).transpose()
}

/// A field of another form, or its default.
pub(super) fn form<'r, T: Deserialize<'r> + Default>(
    key: &str,
    field: Option<&'r RawValue>,
    is: &str,
) -> Result<T, String> {
    let read = field.map(|raw| serde_json::from_str(raw.get()));
    let read = read
        .transpose()
        .map_err(|_| format!("`{key}` is not {is}"))?;
    Ok(read.unwrap_or_default())
}

/// How Go writes that a time is not set, which InfluxDB does for what it made before it noted times.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// A time that is only noted; what decides, such as an expiry, is never taken as not set.
pub(super) fn noted_time(key: &str, field: Option<&RawValue>) -> Result<Option<Timestamp>, String> {
    let is_set = field.filter(|raw| unquote(raw).as_deref() != Some(NO_TIME));
    parsed(key, is_set)
}

pub(super) fn status(field: Option<&RawValue>) -> Result<Status, String> {
    match name("status", field)?.as_deref() {
        None | Some("active") => Ok(Status::Active),
        Some("inactive") => Ok(Status::Inactive),
        Some("revoked") => Ok(Status::Revoked),
        Some(other) => {
            let quoted = quoted(other);
            Err(format!(
                "unknown status {quoted}; known are `active`, `inactive` and `revoked`"
            ))
        }
    }
}

/// A word in backticks, unless it is as long as a token.
fn quoted(word: &str) -> String {
    if word.len() < 32 {
        format!("`{}`", word.escape_debug())
    } else {
        format!("of {} bytes", word.len())
    }
}

/// The text of a JSON string; none if it is something else, or holds half of a surrogate pair.
fn unquote(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(raw.get()).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}
