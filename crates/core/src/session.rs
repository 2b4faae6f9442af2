//! Sessions of signed-in callers.

use std::collections::HashMap;

use crate::caller::Caller;
use crate::id::Id;
use crate::key::{KeyId, Secret};
use crate::owner::{PasswordFingerprint, User};
use crate::time::Timestamp;
use crate::token::TokenDigest;

/// A session of a signed-in caller. It contains nothing of the text that identifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Id,
    /// The user or authorization that signed in.
    pub owner: SessionOwner,
    /// Time of the sign-in.
    pub created_at: Timestamp,
    /// Time from which it is refused, unless it is extended.
    pub expires_at: Timestamp,
    /// Time of the sign-out.
    pub ended_at: Option<Timestamp>,
    /// Fingerprint of the user's password at the sign-in: the session is refused once the password
    /// has changed.
    pub(crate) password: Option<PasswordFingerprint>,
}

impl Secret {
    /// Returns the fingerprint of the password of a user under this secret.
    pub(crate) fn password_fingerprint(&self, user: &User) -> PasswordFingerprint {
        let phc = user.password_hash.as_ref().map_or("", |hash| hash.as_phc());
        // The zero byte cannot occur in a token.
        let mut text = b"password\0".to_vec();
        text.extend_from_slice(&user.id.number().to_be_bytes());
        text.extend_from_slice(phc.as_bytes());
        let TokenDigest(hash) = TokenDigest::keyed(&self.hash, &text);
        PasswordFingerprint(hash.first_chunk().copied().unwrap_or_default())
    }
}

/// The owner of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionOwner {
    /// A user.
    User(Id),
    /// The bearer of the token of this authorization.
    Authorization(Id),
}

/// Keyed digest of the text of a session, stored in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionDigest {
    pub(crate) key: KeyId,
    pub(crate) hash: TokenDigest,
}

impl Session {
    /// Returns the owner as a caller. Only for code that has verified the text of the session, or
    /// that compares callers.
    pub(crate) fn caller(&self) -> Caller {
        match self.owner {
            SessionOwner::User(id) => Caller::user_with_session(id, self.id),
            SessionOwner::Authorization(id) => Caller::bearer_with_session(id, self.id),
        }
    }

    /// Returns the time of the sign-out or the expiry, whichever is earlier.
    pub(crate) fn over_at(&self) -> Timestamp {
        let end = self.ended_at.unwrap_or(self.expires_at);
        end.min(self.expires_at)
    }
}

/// Newest sequences of the sessions that this process has read or written. Older versions that are
/// written back to the store are refused. Expired sessions are dropped, because their earlier
/// versions expire no later.
#[derive(Debug, Default)]
pub(crate) struct KnownSessions {
    known: HashMap<Id, (u64, Timestamp)>,
    /// Number of sessions above which expired ones are dropped.
    full: usize,
}

const MIN_TRACKED: usize = 1000;

impl KnownSessions {
    pub(crate) fn note(&mut self, id: Id, (sequence, expires): (u64, Timestamp), now: Timestamp) {
        if expires <= now {
            return;
        }
        let known = self.known.entry(id).or_insert((sequence, expires));
        *known = (known.0.max(sequence), known.1.max(expires));
        if self.known.len() > self.full {
            self.known.retain(|_, (_, expires)| *expires > now);
            self.full = MIN_TRACKED.max(2 * self.known.len());
        }
    }

    pub(crate) fn sequence(&self, id: Id) -> u64 {
        self.known.get(&id).map_or(0, |(sequence, _)| *sequence)
    }
}
