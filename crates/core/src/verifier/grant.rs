//! A connection that was authenticated once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::memo::Memo;
use super::{AuthenticatedToken, decide};
use crate::engine_state::EngineState;
use crate::error::Denied;
use crate::freshness::Now;
use crate::id::Id;
use crate::index::{BucketHash, Found, IndexVersion, ShortDigest, SlotHint};
use crate::permission::Request;

/// A connection that has shown its token. Each check reads what is known now, so that a revoke, an expiry, a disabled
/// owner or replaced permissions are seen at once.
///
/// A request that was allowed is remembered, and allowed again as long as nothing at all has changed since, which
/// takes a few nanoseconds; a check after any change reads the token's state again. Names of resources and words of the
/// embedder's own are not remembered.
pub struct Grant {
    shared: Arc<EngineState>,
    id: Id,
    start: BucketHash,
    short_digest: ShortDigest,
    /// Where it was found last. In another table it is found again, whatever stands here.
    slot_hint: AtomicUsize,
    memo: Memo,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Grant {
    pub(super) fn new(shared: Arc<EngineState>, authenticated: &AuthenticatedToken<'_>) -> Self {
        Self {
            shared,
            id: authenticated.id,
            start: authenticated.start,
            short_digest: authenticated.short_digest,
            slot_hint: AtomicUsize::new(authenticated.found.slot_hint().0),
            memo: Memo::default(),
        }
    }

    /// The authorization that was shown.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Whether the connection may do what `request` says.
    ///
    /// # Errors
    ///
    /// As [`Verifier::check`](crate::Verifier::check), but never [`Denied::Malformed`].
    #[inline]
    pub fn check(&self, request: &Request<'_>) -> Result<Id, Denied> {
        let shared = &*self.shared;
        let now = shared.fresh()?;
        // Taken before anything is read: what changes from now on makes it another one.
        let version = shared.index.version();
        match self.memo.allows(version, now, request) {
            true => Ok(self.id),
            false => self.decide(version, now, request),
        }
    }

    #[inline(never)]
    fn decide(
        &self,
        version: IndexVersion,
        now: Now<'_>,
        request: &Request<'_>,
    ) -> Result<Id, Denied> {
        let shared = &*self.shared;
        let decide = |found: &Found<'_>| {
            let answer = decide(shared, self.id, found, now, request);
            if answer.is_ok() {
                self.memo.note(version, found.expires(), request);
            }
            answer
        };
        shared.index.read(|view| {
            let slot_hint = SlotHint(self.slot_hint.load(Ordering::Relaxed));
            if let Some(found) = view.at(slot_hint, self.short_digest) {
                return decide(&found);
            }
            let found = shared
                .index
                .find(view, (self.start, self.short_digest), |found| {
                    self.slot_hint.store(found.slot_hint().0, Ordering::Relaxed);
                    decide(&found)
                });
            found.unwrap_or(Err(Denied::Unknown))
        })
    }
}
