//! Paths in replies.

use serde::Serialize;
use utoipa::ToSchema;

/// The path of an object or list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnLink)]
pub(super) struct OwnLink {
    #[serde(rename = "self")]
    own: String,
}

impl OwnLink {
    pub(super) fn to(path: impl Into<String>) -> Self {
        Self { own: path.into() }
    }
}

/// Encodes a text as a value of a query.
pub(super) fn query_value(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let written = text.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    written.collect()
}
