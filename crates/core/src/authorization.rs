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
    use symbolon_oracle as oracle;

    const STATES: [OwnerState; 4] =
        [OwnerState::Unknown, OwnerState::Active, OwnerState::Inactive, OwnerState::Deleted];

    fn owner(state: OwnerState) -> oracle::Owner {
        let state = match state {
            OwnerState::Unknown => oracle::OwnerState::Unknown,
            OwnerState::Active => oracle::OwnerState::Active,
            OwnerState::Inactive => oracle::OwnerState::Inactive,
            OwnerState::Deleted => oracle::OwnerState::Deleted,
        };
        oracle::Owner { id: 1, state }
    }

    /// Returns the reason of the oracle for an authorization that expires in its first second.
    fn expected(
        status: oracle::Status,
        now: i64,
        [user, organization]: [OwnerState; 2],
    ) -> Result<(), NotInForce> {
        let authorization = oracle::Authorization {
            id: 1,
            status,
            expires: Some(1),
            organization: owner(organization),
            user: Some(owner(user)),
            permissions: Vec::new(),
        };
        authorization.in_force(now).map_err(|denied| match denied {
            oracle::Denied::Revoked => NotInForce::Revoked,
            oracle::Denied::Inactive => NotInForce::Inactive,
            oracle::Denied::Expired => NotInForce::Expired,
            oracle::Denied::OwnerInactive => NotInForce::OwnerInactive,
            other => unreachable!("{other:?}"),
        })
    }

    #[test]
    fn refusal_reasons_follow_their_precedence() {
        for (status, same) in [
            (Status::Active, oracle::Status::Active),
            (Status::Inactive, oracle::Status::Inactive),
            (Status::Revoked, oracle::Status::Revoked),
        ] {
            for (expired, now) in [(false, 0), (true, 1)] {
                for owners in STATES.iter().flat_map(|user| STATES.map(|other| [*user, other])) {
                    let decided = check_in_force(status, || expired, owners);
                    assert_eq!(decided, expected(same, now, owners), "{status:?} {owners:?}");
                }
            }
        }
    }
}
