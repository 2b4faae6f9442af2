//! What an authorization allows, and the two rules by which permissions match.

mod compiled;
mod json;
mod matching;
mod mismatch;
mod text;
pub(crate) mod words;

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::name::{InvalidName, Name};

pub(crate) use compiled::CompiledSet;
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

            /// The one with this name: 1 to 31 ASCII letters, digits, `_`, `-` or `.`.
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

            /// The name.
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
    /// What is done to a resource: `read`, `write`, or the embedder's own word.
    Action {
        /// `read`.
        READ = "read",
        /// `write`, which does not imply `read`.
        WRITE = "write",
    }
}

name_type! {
    /// What kind of thing it is done to: `buckets`, `tasks`, or the embedder's own word.
    ResourceType {
        /// `authorizations`: what the issuer asks for before it shows or changes one.
        AUTHORIZATIONS = "authorizations",
        /// `users`: what the issuer asks for before it shows or changes one.
        USERS = "users",
        /// `orgs`: what the issuer asks for before it shows or changes an organization.
        ORGANIZATIONS = "orgs",
        /// `buckets`.
        BUCKETS = "buckets",
        /// `databases`: matched by name, see [`Target::Name`].
        DATABASES = "databases",
        /// `instance`: a word of InfluxDB that can be read but never granted.
        INSTANCE = "instance",
    }
}

/// Which resources of a type a permission is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// All of them.
    Any,
    /// The one with this id.
    Id(Id),
    /// The one with this name, within its organization; 1 to 255 bytes.
    Name(Box<str>),
}

impl Target {
    /// The resource with this name; `*` stands for any.
    pub fn named(name: &str) -> Self {
        match name {
            "*" => Self::Any,
            name => Self::Name(name.into()),
        }
    }
}

/// The resources that a permission is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// Their type.
    pub kind: ResourceType,
    /// Their organization; none means all organizations.
    pub organization: Option<Id>,
    /// Which ones of the type.
    pub target: Target,
}

/// One thing that an authorization allows.
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
    /// What may be done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
}

impl Permission {
    /// `action` on every resource of the type `kind` in all organizations.
    pub const fn new(action: Action, kind: ResourceType) -> Self {
        let resource = Resource {
            kind,
            organization: None,
            target: Target::Any,
        };
        Self { action, resource }
    }

    /// The same within one organization.
    #[must_use]
    pub fn organization(mut self, organization: Id) -> Self {
        self.resource.organization = Some(organization);
        self
    }

    /// The same for the resource with this id.
    #[must_use]
    pub fn id(mut self, id: Id) -> Self {
        self.resource.target = Target::Id(id);
        self
    }

    /// The same for the resource with this name; `*` stands for any.
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
    /// The first permission of the set that covers `request`.
    pub fn covering(&self, request: &Request<'_>) -> Option<&Permission> {
        self.iter().find(|permission| permission.covers(request))
    }

    /// Whether a holder of this set may grant `wanted`: whether one permission includes it.
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

/// What a caller wants to do, as a check asks it. Copied, never allocated.
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
    /// `action` on resources of the type `kind`, no particular one.
    pub const fn new(action: Action, kind: ResourceType) -> Self {
        Self {
            action,
            kind,
            organization: None,
            wanted: RequestTarget::Any,
        }
    }

    /// Names the organization that the resource belongs to.
    ///
    /// Always name it when the resource has one: permissions for all resources of an organization match only
    /// then, and a permission for one id would match that id in every organization.
    #[must_use]
    pub const fn organization(mut self, organization: Id) -> Self {
        self.organization = Some(organization);
        self
    }

    /// Names the resource by its id.
    #[must_use]
    pub const fn id(mut self, id: Id) -> Self {
        self.wanted = RequestTarget::Id(id);
        self
    }

    /// Names the resource by its name, for types such as [`ResourceType::DATABASES`].
    #[must_use]
    pub const fn name(mut self, name: &'a str) -> Self {
        self.wanted = RequestTarget::Name(name);
        self
    }
}

impl Request<'_> {
    /// The request as numbers, which are equal for equal requests alone. None if it has words that have no number, or
    /// a name.
    #[inline]
    pub(crate) fn numbers(&self) -> Option<[u64; 3]> {
        let (wanted, id) = match self.wanted {
            RequestTarget::Any => (0, 0),
            RequestTarget::Id(id) => (1, id.number()),
            RequestTarget::Name(_) => return None,
        };
        let code = words::code(self.action, self.kind);
        let organization = self.organization.map_or(0, Id::number);
        let head = u64::from(code) | wanted << 8;
        (code < words::CODES).then_some([head, organization, id])
    }
}

impl fmt::Display for Request<'_> {
    /// As the permission that would just cover it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = match self.wanted {
            RequestTarget::Any => Target::Any,
            RequestTarget::Id(id) => Target::Id(id),
            RequestTarget::Name(name) => Target::Name(name.into()),
        };
        let resource = Resource {
            kind: self.kind,
            organization: self.organization,
            target,
        };
        let action = self.action;
        Permission { action, resource }.fmt(f)
    }
}
