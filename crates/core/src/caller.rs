//! The caller of an operation.

use crate::id::Id;

/// The caller on whose behalf records are changed or read.
///
/// Only [`Caller::Root`] can be named freely. The bearer of a token becomes a caller through
/// [`Grant::caller`](crate::Grant::caller), after its token was checked, and a user through
/// [`Session::caller`](crate::Session), after it has signed in.
///
/// Every operation checks that the authorization or user is still in force, but not the session.
/// Take a caller from [`Sessions::get`](crate::Sessions::get) for each request of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caller {
    /// The program that embeds the engine, or a holder of the key. It may do everything.
    Root,
    /// The bearer of a token that was checked. It may do what its permissions allow.
    Authorization(TokenBearer),
    /// A user with a session. It may change itself, and has in each of its organizations the
    /// permissions of [`Schema::influxdb_owner`](crate::Schema::influxdb_owner) or
    /// [`Schema::influxdb_member`](crate::Schema::influxdb_member). An operator may do everything.
    User(SignedInUser),
}

/// The bearer of a token that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBearer(Id);

impl TokenBearer {
    /// Only for code that has checked the token, or the session that was made with it.
    pub(crate) fn new(authorization: Id) -> Self {
        Self(authorization)
    }

    /// Returns the id of the authorization of the token.
    pub fn id(self) -> Id {
        self.0
    }
}

/// A user who has signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedInUser(Id);

impl SignedInUser {
    /// Only for code that has checked the session, or the password that makes one.
    pub(crate) fn new(user: Id) -> Self {
        Self(user)
    }

    /// Returns the id of the user.
    pub fn id(self) -> Id {
        self.0
    }
}
