//! The state machine of an authorization, a user or an organization.

use serde::{Deserialize, Serialize};

/// Whether an authorization, user or organization is in force. Expiry is no status: it follows from the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In force.
    Active,
    /// Switched off, and may be switched on again.
    Inactive,
    /// Ended for good: revoked, or for users and organizations deleted.
    Revoked,
}

/// What may be asked of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transition {
    /// Switch on.
    Activate,
    /// Switch off, reversibly.
    Deactivate,
    /// End for good.
    Revoke,
}

/// The status is final: what was revoked never comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was revoked cannot be changed any more; create a new one")]
pub struct AlreadyRevoked;

impl Status {
    /// The status after `transition`: the only place where one status becomes another. Asking for what
    /// already holds changes nothing.
    ///
    /// # Errors
    ///
    /// [`AlreadyRevoked`] for every transition but [`Transition::Revoke`] of what was revoked.
    pub fn after(self, transition: Transition) -> Result<Self, AlreadyRevoked> {
        match (self, transition) {
            (_, Transition::Revoke) => Ok(Self::Revoked),
            (Self::Revoked, _) => Err(AlreadyRevoked),
            (_, Transition::Activate) => Ok(Self::Active),
            (_, Transition::Deactivate) => Ok(Self::Inactive),
        }
    }

    /// The lower-case word: `active`, `inactive` or `revoked`.
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
