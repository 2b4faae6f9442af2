//! Users, organizations and buckets.

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::status::Status;
use crate::time::Timestamp;

/// A person or program that authorizations belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: Id,
    /// Unique among users that are not deleted.
    pub name: String,
    /// [`Status::Revoked`] once it is deleted.
    pub status: Status,
    /// Whether a signed-in session of this user administers all organizations.
    pub operator: bool,
    /// The organizations that it belongs to, in the order in which it joined them.
    pub memberships: Vec<Membership>,
    /// The hash of its password as a PHC string, if it may sign in with one.
    pub password_hash: Option<PasswordHash>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// What it is in an organization, if it belongs to it.
    pub fn role_in(&self, organization: Id) -> Option<Role> {
        let mut memberships = self.memberships.iter();
        let held = memberships.find(|one| one.organization == organization);
        held.map(|one| one.role)
    }
}

/// That a user belongs to an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Membership {
    /// The organization.
    pub organization: Id,
    /// In which role.
    pub role: Role,
}

/// What a user is in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May read and write everything of the organization.
    Owner,
    /// May read it.
    Member,
}

/// A password's hash as a PHC string; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub(crate) String);

impl PasswordHash {
    /// From the PHC string that a password-hashing function made.
    pub fn from_phc(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The PHC string.
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(redacted)")
    }
}

/// What authorizations, buckets and members belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: Id,
    /// Unique among organizations that are not deleted.
    pub name: String,
    /// Free text.
    pub description: String,
    /// [`Status::Revoked`] once it is deleted.
    pub status: Status,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The registered name of a bucket; the bucket itself belongs to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its id.
    pub id: Id,
    /// The organization that it belongs to.
    pub organization: Id,
    /// Unique within its organization, among buckets that are not deleted.
    pub name: String,
    /// [`Status::Revoked`] once it is deleted.
    pub status: Status,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What is known of a user or organization where an authorization's liveness is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OwnerState {
    /// No genuine record of it is known.
    Unknown = 0,
    /// It is active.
    Active = 1,
    /// It is switched off.
    Inactive = 2,
    /// It is deleted for good.
    Deleted = 3,
}

impl From<Status> for OwnerState {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Inactive => Self::Inactive,
            Status::Revoked => Self::Deleted,
        }
    }
}
