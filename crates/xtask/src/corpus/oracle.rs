//! Decides requests by the documented rules.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::hex;
use super::permission::Permission;
use super::records::{Authorization, NOW};
use super::text::is_malformed;

/// Authorizations by the texts of their tokens.
pub(super) type Index<'c> = HashMap<&'c str, &'c Authorization<'c>>;

/// Returns a line of `expected.jsonl`, with the first reason that applies.
pub(super) fn decide(index: &Index<'_>, text: &str, request: &Permission) -> Value {
    if is_malformed(text) {
        return json!({"allow": false, "reason": "malformed"});
    }
    let Some(found) = index.get(text) else {
        return json!({"allow": false, "reason": "unknown"});
    };
    let id = hex(found.id);
    if let Some(reason) = refusal(found) {
        return json!({"allow": false, "reason": reason, "id": id});
    }
    match found.permissions.iter().find(|grant| grant.covers(request)) {
        None => json!({"allow": false, "reason": "forbidden", "id": id}),
        Some(grant) => json!({"allow": true, "id": id, "permission": grant.text()}),
    }
}

/// Returns why `authorization` is refused whatever it asks for, or `None` while it is valid.
fn refusal(authorization: &Authorization<'_>) -> Option<&'static str> {
    let is_expired = authorization.expires.is_some_and(|expires| expires <= NOW);
    let user_active = authorization.user.is_none_or(|user| user.active);
    match authorization.status {
        "active" if is_expired => Some("expired"),
        "active" if !user_active || !authorization.org.active => Some("owner_inactive"),
        "active" => None,
        revoked_or_inactive => Some(revoked_or_inactive),
    }
}
