//! Authorizations, and the rule that decides whether one is in force.

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::PermissionSet;
use crate::status::Status;
use crate::time::{Minute, Timestamp};

/// The stored object behind a token. It contains nothing of the token itself, so nothing in it must
/// be redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Its public id.
    pub id: Id,
    /// The organization that it belongs to.
    pub organization: Id,
    /// The user that it belongs to, if any; it is refused while that user is not active.
    pub user: Option<Id>,
    /// The creator, for information; none if the embedding program created it.
    pub created_by: Option<Creator>,
    /// The interface through which it was created; each interface lists only its own.
    pub origin: Origin,
    /// The authorization that it replaced, if it was created by a rotation.
    pub rotated_from: Option<Id>,
    /// Free text.
    pub description: String,
    /// The permissions of its token.
    pub permissions: PermissionSet,
    /// The status; [`Status::Revoked`] is final.
    pub status: Status,
    /// Time from which it is refused; none means never.
    pub expires_at: Option<Timestamp>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Time of the revocation.
    pub revoked_at: Option<Timestamp>,
    /// Minute of the last recorded use of its token. Only set on values that an
    /// [`Admin`](crate::Admin) returns; not part of the record, so a value given here is not
    /// stored.
    pub last_used: Option<Minute>,
}

/// The creator of an authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Creator {
    /// The bearer of the token of this authorization.
    Authorization(Id),
    /// This user, with a session.
    User(Id),
}

/// An interface through which authorizations are created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// InfluxDB's `/api/v2/authorizations`.
    V2,
    /// InfluxDB Clustered's `/api/v0/tokens`.
    V0,
    /// The program that embeds the engine.
    Embedder,
}

/// Reasons why an authorization is not in force, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotInForce {
    /// Revoked, or its user or organization is deleted. This is final.
    Revoked,
    /// Set to inactive.
    Inactive,
    /// Past its expiry.
    Expired,
    /// Its user or organization is inactive or unknown.
    OwnerInactive,
}

impl Authorization {
    /// Checks that the authorization is in force at `now`, given the states of its user and
    /// organization. `user` is ignored if it has no user.
    ///
    /// # Errors
    ///
    /// The first reason why it is not in force.
    pub fn live(
        &self,
        now: Timestamp,
        user: OwnerState,
        organization: OwnerState,
    ) -> Result<(), NotInForce> {
        let user = self.user.map_or(OwnerState::Active, |_| user);
        let expired = || self.expires_at.is_some_and(|end| end <= now);
        check_in_force(self.status, expired, [user, organization])
    }
}

/// Decides whether an authorization is in force; the only place with this rule. `expired` is called
/// only if the result depends on the time.
pub(crate) fn check_in_force(
    status: Status,
    expired: impl FnOnce() -> bool,
    owners: [OwnerState; 2],
) -> Result<(), NotInForce> {
    if status == Status::Revoked || owners.contains(&OwnerState::Deleted) {
        return Err(NotInForce::Revoked);
    }
    if status == Status::Inactive {
        return Err(NotInForce::Inactive);
    }
    if expired() {
        return Err(NotInForce::Expired);
    }
    if owners != [OwnerState::Active; 2] {
        return Err(NotInForce::OwnerInactive);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [OwnerState; 4] =
        [OwnerState::Unknown, OwnerState::Active, OwnerState::Inactive, OwnerState::Deleted];

    #[test]
    fn refusal_reasons_follow_their_precedence() {
        for status in [Status::Active, Status::Inactive, Status::Revoked] {
            for expired in [false, true] {
                for user in STATES {
                    for organization in STATES {
                        let deleted = [user, organization].contains(&OwnerState::Deleted);
                        let off = [user, organization] != [OwnerState::Active; 2];
                        let reasons = [
                            (status == Status::Revoked || deleted, NotInForce::Revoked),
                            (status == Status::Inactive, NotInForce::Inactive),
                            (expired, NotInForce::Expired),
                            (off, NotInForce::OwnerInactive),
                        ];
                        let first = reasons.iter().find(|(holds, _)| *holds);
                        let wanted = first.map_or(Ok(()), |(_, reason)| Err(*reason));
                        assert_eq!(
                            check_in_force(status, || expired, [user, organization]),
                            wanted
                        );
                    }
                }
            }
        }
    }
}
