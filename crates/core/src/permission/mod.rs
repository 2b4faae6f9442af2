//! Permissions of authorizations, and the two rules for matching them.

mod compiled;
mod json;
mod matching;
mod mismatch;
pub(crate) mod name_codes;
#[cfg(test)]
mod oracle;
mod text;

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::name::{InvalidName, Name};

pub(crate) use compiled::CompiledSet;
pub(crate) use json::ID_AND_NAME;
pub use matching::BucketNames;
pub use mismatch::Mismatch;
pub use text::InvalidPermission;

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident { $($(#[$const_doc:meta])* $const:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Name);

        impl $name {
            $($(#[$const_doc])* pub const $const: Self = Self(Name::literal($text));)*

            /// Creates it from its name: 1 to 31 ASCII letters, digits, `_`, `-` or `.`.
            ///
            /// # Errors
            ///
            /// [`InvalidName`] for every other text.
            pub const fn new(name: &str) -> Result<Self, InvalidName> {
                match Name::new(name) {
                    Ok(name) => Ok(Self(name)),
                    Err(error) => Err(error),
                }
            }

            /// Returns the name.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(name: &str) -> Result<Self, InvalidName> {
                Self::new(name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name_type! {
    /// An action on a resource: `read`, `write`, or one defined by the embedder.
    Action {
        /// `read`.
        READ = "read",
        /// `write`, which does not imply `read`.
        WRITE = "write",
    }
}

name_type! {
    /// A type of resources: `buckets`, `tasks`, or one defined by the embedder.
    ResourceType {
        /// `authorizations`, required to read or change authorizations.
        AUTHORIZATIONS = "authorizations",
        /// `users`, required to read or change users.
        USERS = "users",
        /// `orgs`, required to read or change organizations.
        ORGANIZATIONS = "orgs",
        /// `buckets`.
        BUCKETS = "buckets",
        /// `databases`, which are identified by name; see [`Target::Name`].
        DATABASES = "databases",
        /// `instance`, a type of InfluxDB that exists but can never be granted.
        INSTANCE = "instance",
    }
}

/// The resources of a type that a permission applies to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// All resources of the type.
    Any,
    /// The resource with this id.
    Id(Id),
    /// The resource with this name in its organization, 1 to 255 bytes.
    Name(Box<str>),
}

impl Target {
    /// Returns the target for a resource name; `*` means any.
    pub fn named(name: &str) -> Self {
        match name {
            "*" => Self::Any,
            name => Self::Name(name.into()),
        }
    }
}

/// The resources that a permission applies to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// Type of the resources.
    pub kind: ResourceType,
    /// Organization of the resources; `None` for all organizations.
    pub organization: Option<Id>,
    /// Selected resources of the type.
    pub target: Target,
}

/// An action that is allowed on some resources.
///
/// ```
/// use symbolon::{Action, Permission, Request, ResourceType};
///
/// let granted: Permission = "read:orgs/0804f74142bbf000/buckets".parse()?;
/// let org = "0804f74142bbf000".parse()?;
/// let request = Request::new(Action::READ, ResourceType::BUCKETS);
/// assert!(granted.covers(&request.organization(org)));
/// assert!(!granted.covers(&request));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission {
    /// Allowed action.
    pub action: Action,
    /// Resources that the action is allowed on.
    pub resource: Resource,
}

impl Permission {
    /// Creates a permission for `action` on every resource of type `kind` in all organizations.
    pub const fn new(action: Action, kind: ResourceType) -> Self {
        let resource = Resource { kind, organization: None, target: Target::Any };
        Self { action, resource }
    }

    /// Restricts the permission to one organization.
    #[must_use]
    pub fn organization(mut self, organization: Id) -> Self {
        self.resource.organization = Some(organization);
        self
    }

    /// Restricts the permission to the resource with this id.
    #[must_use]
    pub fn id(mut self, id: Id) -> Self {
        self.resource.target = Target::Id(id);
        self
    }

    /// Restricts the permission to the resource with this name; `*` means any.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.resource.target = Target::named(name);
        self
    }
}

/// The permissions of an authorization, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PermissionSet(Vec<Permission>);

impl PermissionSet {
    /// Returns the first permission of the set that covers `request`.
    pub fn covering(&self, request: &Request<'_>) -> Option<&Permission> {
        self.iter().find(|permission| permission.covers(request))
    }

    /// Returns `true` if a holder of this set may grant `wanted`, that is, if one permission
    /// includes it.
    pub fn includes(&self, wanted: &Permission, buckets: &dyn BucketNames) -> bool {
        self.iter().any(|held| held.includes(wanted, buckets))
    }
}

impl Deref for PermissionSet {
    type Target = [Permission];

    fn deref(&self) -> &[Permission] {
        &self.0
    }
}

impl From<Vec<Permission>> for PermissionSet {
    fn from(permissions: Vec<Permission>) -> Self {
        Self(permissions)
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}

/// An action on a resource, to be checked against permissions. It is `Copy` and allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request<'a> {
    action: Action,
    kind: ResourceType,
    organization: Option<Id>,
    wanted: RequestTarget<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum RequestTarget<'a> {
    Any,
    Id(Id),
    Name(&'a str),
}

impl<'a> Request<'a> {
    /// Creates a request for `action` on resources of type `kind`, without a particular resource.
    pub const fn new(action: Action, kind: ResourceType) -> Self {
        Self { action, kind, organization: None, wanted: RequestTarget::Any }
    }

    /// Sets the organization of the resource.
    ///
    /// Always set it if the resource belongs to an organization. Without it, permissions for all
    /// resources of an organization do not match, and a permission for an id matches this id in
    /// every organization.
    #[must_use]
    pub const fn organization(mut self, organization: Id) -> Self {
        self.organization = Some(organization);
        self
    }

    /// Sets the id of the resource.
    #[must_use]
    pub const fn id(mut self, id: Id) -> Self {
        self.wanted = RequestTarget::Id(id);
        self
    }

    /// Sets the name of the resource, for types such as [`ResourceType::DATABASES`].
    #[must_use]
    pub const fn name(mut self, name: &'a str) -> Self {
        self.wanted = RequestTarget::Name(name);
        self
    }
}

impl Request<'_> {
    /// Encodes the request as numbers; only equal requests have equal numbers. Returns `None` if
    /// the action or type has no code, or the request has a name.
    #[inline]
    pub(crate) fn numbers(&self) -> Option<[u64; 3]> {
        let (wanted, id) = match self.wanted {
            RequestTarget::Any => (0, 0),
            RequestTarget::Id(id) => (1, id.number()),
            RequestTarget::Name(_) => return None,
        };
        let code = name_codes::code(self.action, self.kind);
        let organization = self.organization.map_or(0, Id::number);
        let head = u64::from(code) | wanted << 8;
        (code < name_codes::CODES).then_some([head, organization, id])
    }
}

impl Request<'_> {
    /// Returns the narrowest permission that covers the request.
    pub fn permission(&self) -> Permission {
        let target = match self.wanted {
            RequestTarget::Any => Target::Any,
            RequestTarget::Id(id) => Target::Id(id),
            RequestTarget::Name(name) => Target::Name(name.into()),
        };
        let resource = Resource { kind: self.kind, organization: self.organization, target };
        let action = self.action;
        Permission { action, resource }
    }
}

impl fmt::Display for Request<'_> {
    /// Writes the narrowest permission that covers the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.permission().fmt(f)
    }
}
