//! The callers of the matrix, and their permissions by the oracle.

use symbolon::{Id, Permission, ResourceType, Role, Target};
use symbolon_oracle as oracle;

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

/// Returns the reply to a caller whose credential is refused, with its message.
pub(crate) fn refusal_of(denied: oracle::Denied) -> (Refusal, &'static str) {
    use oracle::Denied::{
        Expired, Forbidden, Inactive, Malformed, OwnerInactive, Revoked, Unknown,
    };
    match denied {
        Malformed | Unknown | Revoked | Expired => (UNAUTHORIZED, "unauthorized access"),
        Inactive => (UNAUTHORIZED, "token is inactive"),
        OwnerInactive => (FORBIDDEN, "User is inactive"),
        Forbidden => panic!("depends on the request"),
    }
}

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

/// Returns a permission as the oracle represents it.
pub(crate) fn to_oracle(one: &Permission) -> oracle::Permission<'_> {
    oracle::Permission {
        action: one.action.as_str(),
        kind: one.resource.kind.as_str(),
        organization: one.resource.organization.map(Id::number),
        target: match &one.resource.target {
            Target::Any => oracle::Target::Any,
            Target::Id(id) => oracle::Target::Id(id.number()),
            Target::Name(name) => oracle::Target::Name(name),
        },
    }
}

pub(crate) fn to_oracle_role(role: Role) -> oracle::Role {
    match role {
        Role::Owner => oracle::Role::Owner,
        Role::Member => oracle::Role::Member,
    }
}

/// Returns whether one of the permissions allows a request.
pub(crate) fn allows(
    held: &[Permission],
    action: &str,
    kind: ResourceType,
    org: Option<Id>,
    id: Option<Id>,
) -> bool {
    let request = oracle::Request {
        action,
        kind: kind.as_str(),
        organization: org.map(Id::number),
        target: id.map_or(oracle::Target::Any, |id| oracle::Target::Id(id.number())),
    };
    held.iter().any(|one| to_oracle(one).covers_record(&request))
}

/// Returns whether one of the permissions includes `wanted`, so that its holder may grant it.
pub(crate) fn may_grant(
    held: &[Permission],
    wanted: &oracle::Permission<'_>,
    buckets: &[oracle::Bucket<'_>],
) -> bool {
    held.iter().any(|one| to_oracle(one).includes(wanted, buckets))
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

    /// Returns whether the caller may grant a permission. The matrix grants no database that has
    /// the name of a bucket.
    pub(crate) fn may_grant(&self, wanted: &oracle::Permission<'_>) -> bool {
        self.holds.as_ref().is_none_or(|held| may_grant(held, wanted, &[]))
    }

    /// Returns whether the caller holds all permissions of a role in an organization, except those
    /// on users.
    pub(crate) fn has_role(&self, org: Id, of: Role) -> bool {
        let mut wanted = oracle::roles::role(org.number(), to_oracle_role(of)).into_iter();
        wanted.all(|one| one.kind == "users" || self.may_grant(&one))
    }

    pub(crate) fn may_user(&self, action: &str, id: Id) -> bool {
        self.may(action, ResourceType::USERS, None, Some(id))
    }

    /// Returns whether the caller may grant reading the buckets of `org`.
    pub(crate) fn may_grant_reading_buckets(&self, org: Id) -> bool {
        self.may_grant(&oracle::Permission::new(READ, "buckets").organization(org.number()))
    }

    /// Returns whether the caller may grant reading a database of `org`.
    pub(crate) fn may_grant_reading_database(&self, org: Id, name: &str) -> bool {
        let database = oracle::Permission::new(READ, "databases").organization(org.number());
        self.may_grant(&database.name(name))
    }

    pub(crate) fn is_inside(&self, org: Id) -> bool {
        self.holds.is_none() || self.inside.contains(&org)
    }
}
