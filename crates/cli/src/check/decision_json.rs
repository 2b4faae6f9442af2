//! JSON form of a decision.

use serde::{Serialize, Serializer};
use symbolon::{Allowed, Denied, Id, Permission};

/// A decision, or the error in the request, as a line of JSON.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer<'a> {
    Allow {
        allow: bool,
        id: Id,
        #[serde(serialize_with = "as_text")]
        permission: &'a Permission,
    },
    Deny {
        allow: bool,
        reason: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Id>,
    },
    Wrong {
        error: &'a str,
        line: usize,
    },
}

impl<'a> Answer<'a> {
    pub(super) fn of(decision: &'a Result<Allowed, Denied>) -> Self {
        match decision {
            Ok(allowed) => {
                Self::Allow { allow: true, id: allowed.id, permission: &allowed.permission }
            }
            Err(denied) => Self::Deny { allow: false, reason: denied.reason(), id: denied.id() },
        }
    }
}

fn as_text<S: Serializer>(permission: &Permission, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(permission)
}
