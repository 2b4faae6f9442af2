//! The authorization: what a token stands for.

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::PermissionSet;
use crate::status::Status;
use crate::time::{Minute, Timestamp};

/// What a token stands for. It holds nothing of the token itself, so that there is nothing to redact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Its public id.
    pub id: Id,
    /// The organization that it belongs to.
    pub organization: Id,
    /// The user that it belongs to, if any: it is dead while that user is not active.
    pub user: Option<Id>,
    /// Who made it, for the record; none if the embedding program did.
    pub created_by: Option<Creator>,
    /// Through which interface it was made; each interface lists its own.
    pub origin: Origin,
    /// The authorization that it replaced, if it came of a rotation.
    pub rotated_from: Option<Id>,
    /// Free text.
    pub description: String,
    /// What it allows.
    pub permissions: PermissionSet,
    /// Whether it is in force; [`Status::Revoked`] is final.
    pub status: Status,
    /// From when on it is refused; none means never.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When its token was last used, as far as is known; set only on what an [`Issuer`](crate::Issuer) returns. It is no part
    /// of the record: what is given here is not kept.
    pub last_used: Option<Minute>,
}

/// Who made an authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Creator {
    /// The bearer of the token of this authorization.
    Authorization(Id),
    /// This user, signed in.
    User(Id),
}

/// An interface through which authorizations are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// InfluxDB's `/api/v2/authorizations`.
    V2,
    /// InfluxDB Clustered's `/api/v0/tokens`.
    V0,
    /// The program that links the engine.
    Embedder,
}

/// Why an authorization is dead, in the precedence in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotInForce {
    /// Revoked, or its user or organization is deleted: for good.
    Revoked,
    /// Switched off.
    Inactive,
    /// Its time is over.
    Expired,
    /// Its user or organization is switched off or unknown.
    OwnerInactive,
}

impl Authorization {
    /// Whether it is in force at `now`, its user and organization being in the given states. Without a user,
    /// that of the user does not count.
    ///
    /// # Errors
    ///
    /// Why it is not.
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

/// The one rule of liveness. The time is asked for only when it matters.
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

    const STATES: [OwnerState; 4] = [
        OwnerState::Unknown,
        OwnerState::Active,
        OwnerState::Inactive,
        OwnerState::Deleted,
    ];

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
