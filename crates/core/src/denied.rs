//! Reasons why a check is refused.

use std::error::Error as StdError;

use crate::authorization::NotInForce;
use crate::id::Id;

/// Reasons why a check is refused, in order of precedence. From `Revoked` on, they carry the id of
/// the authorization. They contain no part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Denied {
    /// The index is still being built, or has not been confirmed for longer than
    /// [`Options::max_staleness`](crate::Options::max_staleness). A server answers 503.
    Unavailable,
    /// The text does not have the form of a token.
    Malformed,
    /// No authorization has this token.
    Unknown,
    /// Revoked, or its user or organization is deleted.
    Revoked(Id),
    /// Set to inactive.
    Inactive(Id),
    /// Past its expiry.
    Expired(Id),
    /// Its user or organization is inactive or unknown.
    OwnerInactive(Id),
    /// In force, but no permission covers the request.
    Forbidden(Id),
}

impl Denied {
    pub(crate) fn not_in_force(reason: NotInForce, id: Id) -> Self {
        match reason {
            NotInForce::Revoked => Self::Revoked(id),
            NotInForce::Inactive => Self::Inactive(id),
            NotInForce::Expired => Self::Expired(id),
            NotInForce::OwnerInactive => Self::OwnerInactive(id),
        }
    }

    /// Returns the reason as one word, for logs and metrics: `unavailable`, `malformed`, `unknown`,
    /// `revoked`, `inactive`, `expired`, `owner_inactive` or `forbidden`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked(_) => "revoked",
            Self::Inactive(_) => "inactive",
            Self::Expired(_) => "expired",
            Self::OwnerInactive(_) => "owner_inactive",
            Self::Forbidden(_) => "forbidden",
        }
    }

    /// Returns the id of the refused authorization, if the token belongs to one.
    pub fn id(self) -> Option<Id> {
        match self {
            Self::Unavailable | Self::Malformed | Self::Unknown => None,
            Self::Revoked(id)
            | Self::Inactive(id)
            | Self::Expired(id)
            | Self::OwnerInactive(id)
            | Self::Forbidden(id) => Some(id),
        }
    }
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.reason())
    }
}

impl StdError for Denied {}
