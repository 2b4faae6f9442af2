//! What the answer must be, from the written rules alone.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::{Serialize, Serializer};

use super::native;
use super::permission::{Permission, Request};
use super::world::{Authorization, NOW, Status, World};
use crate::Failure;

/// Why a request is refused. The first that holds, in this order, is the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Malformed,
    Unknown,
    Revoked,
    Inactive,
    Expired,
    OwnerInactive,
    Forbidden,
}

impl Reason {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Inactive => "inactive",
            Self::Expired => "expired",
            Self::OwnerInactive => "owner_inactive",
            Self::Forbidden => "forbidden",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Allow { id: u64, permission: Permission },
    Deny { reason: Reason, id: Option<u64> },
}

impl Decision {
    pub(super) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Allow { .. } => None,
            Self::Deny { reason, .. } => Some(*reason),
        }
    }
}

/// The line of `expected.jsonl`.
impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line {
            allow: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            permission: Option<String>,
        }
        let (id, permission) = match *self {
            Self::Allow { id, permission } => (Some(id), Some(permission)),
            Self::Deny { id, .. } => (id, None),
        };
        let line = Line {
            allow: self.reason().is_none(),
            reason: self.reason().map(Reason::name),
            id: id.map(|id| format!("{id:016x}")),
            permission: permission.map(|permission| permission.to_string()),
        };
        line.serialize(serializer)
    }
}

/// Decides every request by looking its text up among all authorizations.
#[derive(Debug)]
pub(super) struct Oracle<'w> {
    world: &'w World,
    /// Half a digest of each text, and the number of its authorization, whose text is compared in full.
    numbers: HashMap<u64, u32>,
}

impl<'w> Oracle<'w> {
    /// # Errors
    ///
    /// Two texts of this seed cannot be told apart.
    pub(super) fn new(world: &'w World) -> Result<Self, Failure> {
        let mut numbers = HashMap::with_capacity(world.authorizations as usize);
        for number in 0..world.authorizations {
            match numbers.entry(digest(&world.authorization(number).text)) {
                Entry::Vacant(free) => free.insert(number),
                Entry::Occupied(_) => {
                    return Err("two token texts collide: choose another seed".into());
                }
            };
        }
        Ok(Self { world, numbers })
    }

    pub(super) fn decide(&self, text: &str, request: &Request) -> Decision {
        if is_malformed(text) {
            return Decision::Deny {
                reason: Reason::Malformed,
                id: None,
            };
        }
        match self.find(text) {
            None => Decision::Deny {
                reason: Reason::Unknown,
                id: None,
            },
            Some(authorization) => judge(&authorization, request),
        }
    }

    fn find(&self, text: &str) -> Option<Authorization<'w>> {
        let number = *self.numbers.get(&digest(text))?;
        let authorization = self.world.authorization(number);
        (authorization.text == text).then_some(authorization)
    }
}

/// Why `authorization` is refused whatever is asked; `None` while it lives.
pub(super) fn standing(authorization: &Authorization<'_>) -> Option<Reason> {
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

fn judge(authorization: &Authorization<'_>, request: &Request) -> Decision {
    let id = authorization.id;
    if let Some(reason) = standing(authorization) {
        return Decision::Deny {
            reason,
            id: Some(id),
        };
    }
    let mut grants = authorization.permissions.iter();
    match grants.find(|grant| grant.covers(request)) {
        Some(&permission) => Decision::Allow { id, permission },
        None => Decision::Deny {
            reason: Reason::Forbidden,
            id: Some(id),
        },
    }
}

fn is_malformed(text: &str) -> bool {
    if native::is_native_shaped(text) {
        return !native::is_well_formed(text);
    }
    !(32..=255).contains(&text.len()) || !text.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
}

fn digest(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let half = hash.as_bytes().first_chunk().copied().unwrap_or_default();
    u64::from_le_bytes(half)
}
