//! State machine of authorizations, users, organizations and buckets.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Status of an authorization, user, organization or bucket. Expiry is not a status: it follows
/// from the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In force.
    Active,
    /// Not in force, but can be activated again.
    Inactive,
    /// Final: a revoked authorization, or a deleted user, organization or bucket.
    Revoked,
}

/// A requested change of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transition {
    /// Set to [`Status::Active`].
    Activate,
    /// Set to [`Status::Inactive`].
    Deactivate,
    /// Set to [`Status::Revoked`], which is final.
    Revoke,
}

/// Error of a change to a revoked or deleted record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a revoked or deleted record cannot be changed; create a new one")]
pub struct AlreadyRevoked;

/// Error for a text that is not a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `active`, `inactive` or `revoked`")]
pub struct InvalidStatus;

impl FromStr for Status {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<Self, InvalidStatus> {
        let all = [Self::Active, Self::Inactive, Self::Revoked];
        all.into_iter().find(|status| status.as_str() == text).ok_or(InvalidStatus)
    }
}

impl Status {
    /// Returns the status after `transition`. This is the only place where a status changes. A
    /// transition to the current status succeeds and changes nothing.
    ///
    /// # Errors
    ///
    /// [`AlreadyRevoked`] if the status is [`Status::Revoked`] and the transition is another one
    /// than [`Transition::Revoke`].
    pub fn after(self, transition: Transition) -> Result<Self, AlreadyRevoked> {
        match (self, transition) {
            (_, Transition::Revoke) => Ok(Self::Revoked),
            (Self::Revoked, _) => Err(AlreadyRevoked),
            (_, Transition::Activate) => Ok(Self::Active),
            (_, Transition::Deactivate) => Ok(Self::Inactive),
        }
    }

    /// Returns the lower-case word: `active`, `inactive` or `revoked`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Revoked => "revoked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn transition() -> impl Strategy<Value = Transition> {
        prop_oneof![
            Just(Transition::Activate),
            Just(Transition::Deactivate),
            Just(Transition::Revoke)
        ]
    }

    proptest! {
        #[test]
        fn the_last_transition_wins_unless_revoked(
            steps in proptest::collection::vec(transition(), 0..20)
        ) {
            let mut status = Status::Active;
            for (at, step) in steps.iter().enumerate() {
                let ended = steps[..at].contains(&Transition::Revoke);
                match status.after(*step) {
                    Ok(next) => {
                        let wanted = match step {
                            Transition::Activate => Status::Active,
                            Transition::Deactivate => Status::Inactive,
                            Transition::Revoke => Status::Revoked,
                        };
                        prop_assert_eq!(next, wanted);
                        prop_assert!(!ended || next == Status::Revoked);
                        prop_assert_eq!(next.after(*step), Ok(next));
                        status = next;
                    }
                    Err(AlreadyRevoked) => prop_assert!(ended && *step != Transition::Revoke),
                }
            }
        }
    }
}
