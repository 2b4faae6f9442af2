//! Checks of a connection that was authenticated once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::memo::Memo;
use super::{AuthenticatedToken, decide};
use crate::caller::{BearerProof, Caller, TokenBearer};
use crate::check_state::CheckState;
use crate::denied::Denied;
use crate::freshness::Now;
use crate::id::Id;
use crate::index::{BucketHash, Found, IndexVersion, ShortDigest, SlotHint};
use crate::permission::Request;

/// An authenticated connection. Each check reads the current state of the token, so that a
/// revocation, an expiry, a disabled owner or changed permissions take effect immediately.
///
/// The last allowed request is cached. Repeating it takes a few nanoseconds while the index has not
/// changed; after any change, the next check reads the token's state again. Requests with a
/// resource name or a custom action or resource type are not cached.
///
/// ```
/// # use std::sync::Arc;
/// # use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey};
/// # let options = Options::new(Schema::influxdb_v2());
/// # let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
/// use symbolon::{Action, Caller, Denied, NewAuthorization, NewOrganization, Permission};
/// use symbolon::{Request, ResourceType};
///
/// let root = engine.admin(Caller::Root);
/// let organization = root.organizations().create(NewOrganization::named("my-org"))?.id;
/// let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(organization);
/// let new = NewAuthorization::new(organization, [read]);
/// let (token, authorization) = root.authorizations().create(new)?;
/// let request = |action| Request::new(action, ResourceType::BUCKETS).organization(organization);
///
/// let grant = engine.verifier().authenticate(token.reveal()).unwrap();
/// assert!(grant.check(&request(Action::READ)).is_ok());
/// root.authorizations().revoke(grant.id())?;
/// assert_eq!(grant.check(&request(Action::READ)), Err(Denied::Revoked(authorization.id)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Grant {
    state: Arc<CheckState>,
    id: Id,
    start: BucketHash,
    short_digest: ShortDigest,
    /// Slot where the digest was found last. If it is stale, the digest is looked up again.
    slot_hint: AtomicUsize,
    memo: Memo,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Grant {
    pub(super) fn new(state: Arc<CheckState>, authenticated: &AuthenticatedToken<'_>) -> Self {
        Self {
            state,
            id: authenticated.id,
            start: authenticated.start,
            short_digest: authenticated.short_digest,
            slot_hint: AtomicUsize::new(authenticated.found.slot_hint().0),
            memo: Memo::default(),
        }
    }

    /// Returns the id of the authorization.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Returns the bearer of the token as a caller of [`Engine::admin`](crate::Engine::admin).
    /// Whether the token is still in force is checked by each of its operations.
    pub fn caller(&self) -> Caller {
        Caller::Authorization(TokenBearer::new(self.id, BearerProof::Token(self.short_digest)))
    }

    /// Checks whether the connection may perform `request`, and returns the id of its
    /// authorization.
    ///
    /// # Errors
    ///
    /// As [`Verifier::check`](crate::Verifier::check), but never [`Denied::Malformed`].
    #[inline]
    pub fn check(&self, request: &Request<'_>) -> Result<Id, Denied> {
        let state = &*self.state;
        let now = state.fresh()?;
        // Read before anything else: every later change increments it.
        let version = state.index.version();
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
        let state = &*self.state;
        let decide = |found: &Found<'_>| {
            let answer = decide(state, self.id, found, now, request);
            if answer.is_ok() {
                self.memo.note(version, found.expires(), request);
            }
            answer
        };
        state.index.read(|view| {
            let slot_hint = SlotHint(self.slot_hint.load(Ordering::Relaxed));
            if let Some(found) = view.at(slot_hint, self.short_digest) {
                return decide(&found);
            }
            let found = state.index.find(view, (self.start, self.short_digest), |found| {
                self.slot_hint.store(found.slot_hint().0, Ordering::Relaxed);
                decide(&found)
            });
            found.unwrap_or(Err(Denied::Unknown))
        })
    }
}
