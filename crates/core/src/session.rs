//! Sessions: somebody who has signed in, and shows a cookie from then on.

use std::collections::HashMap;
use std::fmt;

use crate::id::Id;
use crate::issuer::Caller;
use crate::key::{KeyId, Secret};
use crate::owner::User;
use crate::time::Timestamp;
use crate::token::TokenDigest;

/// Somebody who has signed in. It holds nothing of the text that the session is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Id,
    /// Who has signed in: a user, or the bearer of a token.
    pub caller: Caller,
    /// When that was.
    pub created_at: Timestamp,
    /// From when on it is refused, unless it is extended.
    pub expires_at: Timestamp,
    /// When it was ended by signing out.
    pub ended_at: Option<Timestamp>,
    /// Tells whether the password of its user is still the one that it was.
    pub(crate) password: Option<PasswordFingerprint>,
}

/// A keyed digest of the password hash of a user; of no password hash, too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct PasswordFingerprint(pub(crate) [u8; 16]);

impl PasswordFingerprint {
    pub(crate) fn of(secret: &Secret, user: &User) -> Self {
        let phc = user.password_hash.as_ref().map_or("", |hash| hash.as_phc());
        // No token holds a zero.
        let mut text = b"password\0".to_vec();
        text.extend_from_slice(&user.id.number().to_be_bytes());
        text.extend_from_slice(phc.as_bytes());
        let TokenDigest(hash) = TokenDigest::keyed(&secret.hash, &text);
        Self(hash.first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Debug for PasswordFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordMark(redacted)")
    }
}

/// What a record of a session holds beside it: the keyed hash of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionDigest {
    pub(crate) key: KeyId,
    pub(crate) hash: TokenDigest,
}

impl Session {
    /// When it was or will be over, as far as is known.
    pub(crate) fn over_at(&self) -> Timestamp {
        let end = self.ended_at.unwrap_or(self.expires_at);
        end.min(self.expires_at)
    }
}

/// How many times each session was written, as far as it was read or written here, so that an older version that somebody
/// puts back is refused. No session that has expired is kept: its earlier versions expire before it.
#[derive(Debug, Default)]
pub(crate) struct KnownSessions {
    known: HashMap<Id, (u64, Timestamp)>,
    /// At this many those that have expired are dropped.
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
