//! The callers of the matrix, and a plain reference implementation of their permissions.

use symbolon::{Id, Permission, ResourceType, Role, Target};

use crate::sets::role;

/// Status and code of a refusal, and its subject if an operation names several records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) about: &'static str,
}

const fn refusal(status: u16, code: &'static str) -> Refusal {
    Refusal { status, code, about: "" }
}

impl Refusal {
    pub(crate) const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }
}

pub(crate) const INVALID: Refusal = refusal(400, "invalid");
pub(crate) const UNAUTHORIZED: Refusal = refusal(401, "unauthorized");
pub(crate) const FORBIDDEN: Refusal = refusal(403, "forbidden");
pub(crate) const NOT_FOUND: Refusal = refusal(404, "not found");
pub(crate) const REVOKED: Refusal = refusal(409, "conflict");
pub(crate) const CONFLICT: Refusal = refusal(422, "conflict");

/// The credential of a request.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    Nothing,
    Token(String),
    DatabaseToken(String),
    Session(String),
}

/// A caller.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) name: &'static str,
    pub(crate) credential: Credential,
    /// The refusal and message if the credential is invalid.
    pub(crate) invalid: Option<(Refusal, &'static str)>,
    /// The permissions; `None` for a session that may do everything.
    pub(crate) holds: Option<Vec<Permission>>,
    /// The organizations that it belongs to: one for a token.
    pub(crate) inside: Vec<Id>,
    pub(crate) user: Option<Id>,
}

pub(crate) const READ: &str = "read";
pub(crate) const WRITE: &str = "write";

/// Returns whether one of the permissions allows a request, by a second implementation of the rule.
///
/// Action and type must be equal. A permission without organization and id allows every request,
/// one with an organization those that name it, and one with an id those for this id, unless both
/// name different organizations. Users belong to no organization: a permission that names one
/// allows nothing on them.
pub(crate) fn allows(
    held: &[Permission],
    action: &str,
    kind: ResourceType,
    org: Option<Id>,
    id: Option<Id>,
) -> bool {
    held.iter().any(|one| {
        let scope = one.resource.organization;
        let fits = match (&one.resource.target, scope) {
            (Target::Any, None) => true,
            (Target::Any, Some(_)) => org == scope,
            (Target::Id(held), _) => {
                id == Some(*held) && (scope.is_none() || org.is_none() || org == scope)
            }
            (Target::Name(_), _) => false,
        };
        let is_same = one.action.as_str() == action && one.resource.kind == kind;
        is_same && fits && (kind != ResourceType::USERS || scope.is_none())
    })
}

impl Who {
    pub(crate) fn header(&self) -> Option<(&'static str, String)> {
        Some(match &self.credential {
            Credential::Nothing => return None,
            Credential::Token(text) | Credential::DatabaseToken(text) => {
                ("authorization", format!("Token {text}"))
            }
            Credential::Session(text) => ("cookie", format!("influxdb-oss-session={text}")),
        })
    }

    pub(crate) fn is_session(&self) -> bool {
        matches!(self.credential, Credential::Session(_))
    }

    pub(crate) fn may(
        &self,
        action: &str,
        kind: ResourceType,
        org: Option<Id>,
        id: Option<Id>,
    ) -> bool {
        let held = self.holds.as_ref();
        held.is_none_or(|held| allows(held, action, kind, org, id))
    }

    /// Returns whether the caller holds all permissions of a role in an organization, except those
    /// on users.
    pub(crate) fn has_role(&self, org: Id, of: Role) -> bool {
        let mut wanted = role(org, of).filter(|one| one.resource.kind != ResourceType::USERS);
        wanted.all(|one| {
            let kind = one.resource.kind;
            let id = (kind == ResourceType::ORGANIZATIONS).then_some(org);
            self.may(one.action.as_str(), kind, Some(org), id)
        })
    }

    pub(crate) fn may_user(&self, action: &str, id: Id) -> bool {
        self.may(action, ResourceType::USERS, None, Some(id))
    }

    /// Returns whether the caller may grant reading the buckets, and so databases, of `org`.
    pub(crate) fn may_grant_reading_buckets(&self, org: Id) -> bool {
        self.may(READ, ResourceType::BUCKETS, Some(org), None)
    }

    pub(crate) fn is_inside(&self, org: Id) -> bool {
        self.holds.is_none() || self.inside.contains(&org)
    }
}
