//! State of one engine that checks read. Its changes and its follower keep it up to date.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_queue::ArrayQueue;

use crate::clock::Clock;
use crate::denied::Denied;
use crate::flood_guard::FloodGuard;
use crate::freshness::{Freshness, Now};
use crate::id::Id;
use crate::index::{Index, ShortDigest, TokenLookup};
use crate::key::{HashSecrets, KeyId};
use crate::last_used::UsageTracker;
use crate::token::{Credential, ForeignHash, Prefix, TokenDigest};

/// State that checks read.
pub(crate) struct CheckState {
    pub(crate) index: Index,
    pub(crate) keys: HashSecrets,
    pub(crate) prefix: Prefix,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) freshness: Freshness,
    pub(crate) uses: UsageTracker,
    pub(crate) flood_guard: FloodGuard,
    /// Tokens found by their foreign hash, to be given a keyed digest. Lossy.
    pub(crate) adoptions: ArrayQueue<Adoption>,
    /// True once any record has a foreign hash; until then, no check computes one.
    has_foreign: AtomicBool,
    /// True once any record is found by a digest alone.
    by_digest: AtomicBool,
}

/// Keyed digest of a token whose record has only a foreign hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adoption {
    pub(crate) id: Id,
    pub(crate) key: KeyId,
    pub(crate) hash: TokenDigest,
}

const ADOPTION_QUEUE: usize = 1024;

impl CheckState {
    pub(crate) fn new(
        keys: HashSecrets,
        prefix: Prefix,
        clock: Arc<dyn Clock>,
        freshness: Freshness,
    ) -> Self {
        Self {
            index: Index::new(),
            keys,
            prefix,
            clock,
            freshness,
            uses: UsageTracker::default(),
            flood_guard: FloodGuard::default(),
            adoptions: ArrayQueue::new(ADOPTION_QUEUE),
            has_foreign: AtomicBool::new(false),
            by_digest: AtomicBool::new(false),
        }
    }

    /// Returns the time, if the index is fresh.
    #[inline]
    pub(crate) fn fresh(&self) -> Result<Now<'_>, Denied> {
        self.freshness.fresh(&*self.clock).ok_or(Denied::Unavailable)
    }

    /// Returns true if a token that carries an id can also be found other than by its id under the
    /// current secret.
    #[inline]
    pub(crate) fn has_other_lookups(&self) -> bool {
        self.has_by_digest() || self.keys.has_former()
    }

    /// Returns true if a token that carries an id must also be looked up by its digest, because its
    /// record does not state the token's format.
    pub(crate) fn has_by_digest(&self) -> bool {
        self.by_digest.load(Ordering::Relaxed)
    }

    /// Returns true if a check that finds nothing must also look for a foreign hash.
    pub(crate) fn has_foreign_hashes(&self) -> bool {
        self.has_foreign.load(Ordering::Relaxed)
    }

    /// Returns how the index finds a credential.
    pub(crate) fn handle(&self, credential: &Credential) -> TokenLookup {
        let foreign_hash = credential.foreign_hash();
        if foreign_hash.is_some() {
            self.has_foreign.store(true, Ordering::Relaxed);
        }
        match credential {
            Credential::Native(_, hash) => TokenLookup::ById(hash.short_digest()),
            _ => {
                self.by_digest.store(true, Ordering::Relaxed);
                let keyed = credential.keyed().map(|(_, hash)| hash.short_digest());
                let foreign = foreign_hash.map(|hash| self.foreign_short_digest(&hash));
                TokenLookup::ByDigest([keyed, foreign])
            }
        }
    }

    /// Hashes a foreign hash again under the key, so that clients cannot influence the digests that
    /// the index compares.
    pub(crate) fn foreign_short_digest(&self, foreign_hash: &ForeignHash) -> ShortDigest {
        // The oldest secret never changes, whichever one is current.
        let oldest = self.keys.newest_first().last();
        let secret = oldest.unwrap_or(self.keys.current());
        secret.hash.foreign_short_digest(foreign_hash)
    }
}
