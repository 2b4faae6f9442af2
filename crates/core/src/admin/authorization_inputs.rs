//! Inputs of creating, editing and rotating authorizations.

use std::time::Duration;

use crate::authorization::Origin;
use crate::id::Id;
use crate::journal::Operation;
use crate::permission::{Permission, PermissionSet};
use crate::status::{Status, Transition};
use crate::time::Timestamp;

/// Properties of a new authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuthorization {
    /// The organization that it belongs to.
    pub organization: Id,
    /// The user that it belongs to, if any.
    pub user: Option<Id>,
    /// The interface through which it is created.
    pub origin: Origin,
    /// Free text.
    pub description: String,
    /// The permissions of its token.
    pub permissions: PermissionSet,
    /// [`Status::Active`] or [`Status::Inactive`].
    pub status: Status,
    /// Time from which it is refused, in the future; none means never.
    pub expires_at: Option<Timestamp>,
}

impl NewAuthorization {
    /// Returns an active authorization of the embedding program, without a user and an expiry.
    pub fn new(organization: Id, permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self {
            organization,
            user: None,
            origin: Origin::Embedder,
            description: String::new(),
            permissions: permissions.into_iter().collect(),
            status: Status::Active,
            expires_at: None,
        }
    }
}

/// Changes to an authorization; fields that are none stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorizationEdit {
    /// New description.
    pub description: Option<String>,
    /// Change of the status.
    pub transition: Option<Transition>,
    /// New permissions, which replace all old ones.
    pub permissions: Option<PermissionSet>,
    /// Action if nothing changes.
    pub if_unchanged: IfUnchanged,
}

/// Action of an edit that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfUnchanged {
    /// Write nothing.
    #[default]
    Leave,
    /// Update the time of the last change, as InfluxDB does. A revoked or deleted record stays as
    /// it is.
    Touch,
}

impl IfUnchanged {
    /// Returns true if a record with this status need not be written if it does not change.
    pub(super) fn leaves(self, status: Status) -> bool {
        self == Self::Leave || status == Status::Revoked
    }
}

impl AuthorizationEdit {
    /// Returns the operation for the journal.
    pub(super) fn operation(&self) -> Operation {
        match self.transition {
            Some(Transition::Revoke) => Operation::Revoke,
            Some(Transition::Deactivate) if self.permissions.is_none() => Operation::Deactivate,
            Some(Transition::Activate) if self.permissions.is_none() => Operation::Activate,
            _ => Operation::Edit,
        }
    }
}

impl From<Transition> for AuthorizationEdit {
    fn from(transition: Transition) -> Self {
        Self { transition: Some(transition), ..Self::default() }
    }
}

/// Options of a rotation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    /// Time for which the old token stays valid, unless it expires earlier.
    pub overlap: Duration,
    /// Description of the new authorization; by default that of the old one.
    pub description: Option<String>,
}
