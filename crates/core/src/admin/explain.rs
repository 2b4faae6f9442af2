//! Explaining the decision of a check.

use super::Authorizations;
use super::authorizations::require;
use crate::admin_error::AdminError;
use crate::authorization::Authorization;
use crate::denied::Denied;
use crate::id::Id;
use crate::journal::Operation;
use crate::owner::OwnerState;
use crate::permission::{Action, Mismatch, Permission, Request};
use crate::record::{Kind, RecordKey};
use crate::status::Status;
use crate::time::Timestamp;

/// The decision of a check for an authorization, and the reasons for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The authorization as stored.
    pub authorization: Authorization,
    /// The permission that allows the request, or the reason why it is refused.
    pub decision: Result<Permission, Denied>,
    /// All reasons why the authorization is not in force.
    pub reasons: Vec<NotInForceReason>,
    /// The nearest permissions with their mismatches, if no permission covers the request.
    pub nearest: Vec<(Permission, Vec<Mismatch>)>,
}

/// A reason why an authorization is not in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotInForceReason {
    /// It was revoked at this time.
    Revoked(Timestamp),
    /// It is inactive.
    Inactive,
    /// It expired at this time.
    Expired(Timestamp),
    /// Its user is inactive, deleted or unknown.
    User(OwnerState),
    /// Its organization is inactive, deleted or unknown.
    Organization(OwnerState),
}

impl Authorizations<'_> {
    /// Explains the decision of a check of `request` for the token of the authorization `id`. It
    /// reads the store, not the index.
    ///
    /// # Errors
    ///
    /// Those of [`Authorizations::get`].
    pub fn explain(&self, id: Id, request: &Request<'_>) -> Result<Explanation, AdminError> {
        self.admin.change_on(
            Operation::Read,
            RecordKey::new(Kind::AUTHORIZATION, id),
            |change, authorized| {
                let (found, credential) = change.authorization(id)?;
                self.check_present(change, &found)?;
                require(authorized, Action::READ, &found)?;
                let found = change.shown(found, &credential)?;
                let organization = change.organization_state(found.organization)?;
                let user = match found.user {
                    Some(user) => change.user_state(user)?,
                    None => OwnerState::Active,
                };
                let now = change.now();
                let covering = found.permissions.covering(request).cloned();
                let nearest = found.permissions.nearest(request).into_iter();
                Ok(Explanation {
                    decision: match found.live(now, user, organization) {
                        Err(not_in_force) => Err(Denied::not_in_force(not_in_force, id)),
                        Ok(()) => covering.ok_or(Denied::Forbidden(id)),
                    },
                    reasons: reasons(&found, now, user, organization),
                    nearest: nearest.map(|(one, why)| (one.clone(), why)).collect(),
                    authorization: found,
                })
            },
        )
    }
}

fn reasons(
    found: &Authorization,
    now: Timestamp,
    user: OwnerState,
    organization: OwnerState,
) -> Vec<NotInForceReason> {
    let status = match found.status {
        Status::Active => None,
        Status::Inactive => Some(NotInForceReason::Inactive),
        Status::Revoked => {
            Some(NotInForceReason::Revoked(found.revoked_at.unwrap_or(found.updated_at)))
        }
    };
    let expired = found.expires_at.filter(|end| *end <= now);
    let off = |state: OwnerState| (state != OwnerState::Active).then_some(state);
    status
        .into_iter()
        .chain(expired.map(NotInForceReason::Expired))
        .chain(off(user).map(NotInForceReason::User))
        .chain(off(organization).map(NotInForceReason::Organization))
        .collect()
}
