//! The caller of an operation.

use crate::id::Id;
use crate::owner::PasswordFingerprint;

/// The caller on whose behalf records are changed or read.
///
/// Only [`Caller::Root`] can be named freely. The bearer of a token becomes a caller through
/// [`Grant::caller`](crate::Grant::caller), after its token was checked; a user through
/// [`SignIn::verify_password`](crate::SignIn::verify_password); and both through
/// [`SignIn::session`](crate::SignIn::session) with the text of a session.
///
/// A caller remembers how it was authenticated, and every operation verifies in the store that this
/// still holds: the authorization has the same token, the user has the same password, the session
/// is neither signed out nor expired. It also verifies that the authorization or user is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caller {
    /// The program that embeds the engine, or a holder of the key. It may do everything.
    Root,
    /// The bearer of a token that was checked. It may do what its permissions allow.
    Authorization(TokenBearer),
    /// An authenticated user. It may change itself, and has in each of its organizations the
    /// permissions of [`Schema::influxdb_owner`](crate::Schema::influxdb_owner) or
    /// [`Schema::influxdb_member`](crate::Schema::influxdb_member). An operator may do everything.
    User(AuthenticatedUser),
}

/// The bearer of a token that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBearer {
    id: Id,
    pub(crate) proof: BearerProof,
}

/// Proof of a [`TokenBearer`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BearerProof {
    /// First 128 bits of the keyed digest under which the token was found.
    Token([u64; 2]),
    /// The session with this id.
    Session(Id),
}

/// A user who has given its password, or the text of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthenticatedUser {
    id: Id,
    pub(crate) proof: UserProof,
}

/// Proof of an [`AuthenticatedUser`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserProof {
    /// Fingerprint of the password that the user has given, under the current secret of the key.
    Password(PasswordFingerprint),
    /// The session with this id.
    Session(Id),
}

impl Caller {
    /// Returns the bearer of a token, authenticated by a session.
    pub(crate) fn bearer_with_session(authorization: Id, session: Id) -> Self {
        Self::Authorization(TokenBearer::new(authorization, BearerProof::Session(session)))
    }

    /// Returns true if the caller was authenticated by a session.
    pub(crate) fn has_session(&self) -> bool {
        match self {
            Self::Root => false,
            Self::Authorization(bearer) => matches!(bearer.proof, BearerProof::Session(_)),
            Self::User(user) => matches!(user.proof, UserProof::Session(_)),
        }
    }

    /// Returns a user, authenticated by a session.
    pub(crate) fn user_with_session(user: Id, session: Id) -> Self {
        Self::User(AuthenticatedUser::new(user, UserProof::Session(session)))
    }
}

impl std::fmt::Debug for BearerProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token(redacted)"),
            Self::Session(id) => f.debug_tuple("Session").field(id).finish(),
        }
    }
}

impl TokenBearer {
    /// Only for code that has checked the token, or that reads the record of a session.
    pub(crate) fn new(authorization: Id, proof: BearerProof) -> Self {
        Self { id: authorization, proof }
    }

    /// Returns the id of the authorization of the token.
    pub fn id(self) -> Id {
        self.id
    }
}

impl AuthenticatedUser {
    /// Only for code that has verified the password, or that reads the record of a session.
    pub(crate) fn new(user: Id, proof: UserProof) -> Self {
        Self { id: user, proof }
    }

    /// Returns the id of the user.
    pub fn id(self) -> Id {
        self.id
    }
}

impl From<AuthenticatedUser> for Caller {
    fn from(user: AuthenticatedUser) -> Self {
        Self::User(user)
    }
}
