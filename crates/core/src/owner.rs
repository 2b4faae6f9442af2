//! Users, organizations and buckets.

use std::fmt;

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
    /// True if sessions of this user administer all organizations. Only set-up makes an operator.
    pub operator: bool,
    /// The organizations that it belongs to, in the order in which it joined.
    pub memberships: Vec<Membership>,
    /// Hash of its password as a PHC string; without one it cannot sign in with a password.
    pub password_hash: Option<PasswordHash>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl User {
    /// Returns the role of the user in an organization, if it is a member.
    pub fn role_in(&self, organization: Id) -> Option<Role> {
        let mut memberships = self.memberships.iter();
        let held = memberships.find(|one| one.organization == organization);
        held.map(|one| one.role)
    }
}

/// Membership of a user in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Membership {
    /// The organization.
    pub organization: Id,
    /// The role in it.
    pub role: Role,
}

/// Role of a user in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May read and write everything in the organization.
    Owner,
    /// May read the organization.
    Member,
}

/// Hash of a password as a PHC string; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub(crate) String);

impl PasswordHash {
    /// Wraps the PHC string that a password-hashing function returned. It is not validated.
    pub fn from_phc(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the PHC string.
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(redacted)")
    }
}

/// Owner of authorizations and buckets, with users as its members.
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
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
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
    /// Time of the registration.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// State of a user or organization, as far as it decides whether an authorization is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OwnerState {
    /// No record exists, or it is tampered.
    Unknown = 0,
    /// It is active.
    Active = 1,
    /// It is inactive.
    Inactive = 2,
    /// It is deleted. This is final.
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

/// Keyed digest of the password hash of a user, or of the absence of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct PasswordFingerprint(pub(crate) [u8; 16]);

impl fmt::Debug for PasswordFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordFingerprint(redacted)")
    }
}
