//! Decides requests by the documented rules.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::hex;
use super::permission::Permission;
use super::records::{Authorization, NOW};
use super::text::is_malformed;
use crate::Failure;

/// Finds authorizations by the text of their tokens.
#[derive(Debug)]
pub(super) struct Oracle<'c>(HashMap<&'c str, &'c Authorization<'c>>);

impl<'c> Oracle<'c> {
    /// # Errors
    ///
    /// Fails if two authorizations have the same token.
    pub(super) fn new(all: &'c [Authorization<'c>]) -> Result<Self, Failure> {
        let by_text: HashMap<_, _> = all.iter().map(|one| (one.text.as_str(), one)).collect();
        if by_text.len() < all.len() {
            return Err("two tokens are equal: choose another seed".into());
        }
        Ok(Self(by_text))
    }

    /// Returns a line of `expected.jsonl`, with the first reason that applies.
    pub(super) fn decide(&self, text: &str, request: &Permission) -> Value {
        if is_malformed(text) {
            return json!({"allow": false, "reason": "malformed"});
        }
        let Some(found) = self.0.get(text) else {
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
