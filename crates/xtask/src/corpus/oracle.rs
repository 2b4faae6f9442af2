//! Decides requests by the documented rules.

use std::collections::HashMap;

use serde::Serialize;

use super::native;
use super::permission::Request;
use super::records::{Authorization, NOW, Status};
use crate::Failure;

/// A reason to refuse a request. The first that applies, in this order, is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    Malformed,
    Unknown,
    Revoked,
    Inactive,
    Expired,
    OwnerInactive,
    Forbidden,
}

/// A line of `expected.jsonl`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Decision {
    allow: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<String>,
}

impl Decision {
    fn deny(reason: Reason, authorization: Option<&Authorization<'_>>) -> Self {
        Self {
            allow: false,
            reason: Some(reason),
            id: authorization.map(|one| format!("{:016x}", one.id)),
            permission: None,
        }
    }
}

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

    pub(super) fn decide(&self, text: &str, request: &Request) -> Decision {
        if is_malformed(text) {
            return Decision::deny(Reason::Malformed, None);
        }
        let Some(found) = self.0.get(text) else {
            return Decision::deny(Reason::Unknown, None);
        };
        if let Some(reason) = refusal(found) {
            return Decision::deny(reason, Some(found));
        }
        let mut grants = found.permissions.iter();
        match grants.find(|grant| grant.covers(request)) {
            None => Decision::deny(Reason::Forbidden, Some(found)),
            Some(grant) => Decision {
                allow: true,
                reason: None,
                id: Some(format!("{:016x}", found.id)),
                permission: Some(grant.to_string()),
            },
        }
    }
}

/// Returns why `authorization` is refused whatever it asks for, or `None` while it is valid.
fn refusal(authorization: &Authorization<'_>) -> Option<Reason> {
    match authorization.status {
        Status::Revoked => return Some(Reason::Revoked),
        Status::Inactive => return Some(Reason::Inactive),
        Status::Active => {}
    }
    if authorization.expires.is_some_and(|expires| expires <= NOW) {
        return Some(Reason::Expired);
    }
    let user_active = authorization.user.is_none_or(|user| user.active);
    (!user_active || !authorization.org.active).then_some(Reason::OwnerInactive)
}

fn is_malformed(text: &str) -> bool {
    if native::is_native_shaped(text) {
        return !native::is_well_formed(text);
    }
    !(32..=255).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic())
}
