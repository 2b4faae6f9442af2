//! Checks tokens against requests.

mod batch;
mod grant;
mod memo;

use std::fmt;
use std::sync::Arc;

use crate::check_state::{Adoption, CheckState};
use crate::denied::Denied;
use crate::freshness::Now;
use crate::id::Id;
use crate::index::{BucketHash, Found, LookupResult, ShortDigest, View};
use crate::permission::{Permission, Request};
use crate::token::{ForeignHash, Native, TokenShape, UncheckedToken};

pub use grant::Grant;

/// Answers checks from the in-memory index. Cheap to clone; all clones share one engine.
///
/// # Performance
///
/// A check takes no lock, allocates nothing and does no I/O. It hashes the token once and reads two
/// neighbouring cache lines of the index. For a token in this store's own format these lines are
/// prefetched while the hash is computed, because the token carries its id. Once the engine has
/// read a record with an imported hash, a check of a token in another format that is not found by
/// its keyed digest also computes SHA-256 and SHA-512. [`Verifier::check_many`] hashes up to 16
/// tokens at once, and a [`Grant`] hashes none.
///
/// # Consistency
///
/// Once an [`Admin`](crate::Admin) of the same engine has reported a change, every check that
/// starts afterwards sees it. A change by another process is seen when the engine has read it from
/// the store. If the engine cannot read the store for longer than
/// [`Options::max_staleness`](crate::Options), every check returns [`Denied::Unavailable`].
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
/// let (verifier, token, id) = (engine.verifier(), token.reveal(), authorization.id);
/// assert_eq!(verifier.check(token, &request(Action::READ)), Ok(id));
/// assert_eq!(verifier.check(token, &request(Action::WRITE)), Err(Denied::Forbidden(id)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier {
    state: Arc<CheckState>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

/// Result of [`Verifier::explain`] for an allowed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Id of the token's authorization.
    pub id: Id,
    /// First permission of the authorization that covers the request.
    pub permission: Permission,
}

/// An authorization found by its token, and where the index holds it.
#[derive(Clone, Copy)]
struct AuthenticatedToken<'v> {
    id: Id,
    found: Found<'v>,
    start: BucketHash,
    short_digest: ShortDigest,
    now: Now<'v>,
}

impl Verifier {
    pub(crate) fn new(state: Arc<CheckState>) -> Self {
        Self { state }
    }

    /// Checks whether `token` may perform `request`, and returns the id of its authorization.
    ///
    /// # Errors
    ///
    /// Returns the first reason that applies, in the precedence of [`Denied`].
    pub fn check(&self, token: impl AsRef<[u8]>, request: &Request<'_>) -> Result<Id, Denied> {
        let state = &*self.state;
        let token = token.as_ref();
        let now = state.fresh()?;
        let draft = UncheckedToken::of(state.prefix, token).map_err(|_| Denied::Malformed)?;
        let UncheckedToken::Native(native) = draft else {
            return self.check_other_lookups(token, request);
        };
        let summed = state.flood_guard.is_active().then(|| native.has_checksum());
        if summed == Some(false) {
            return Err(Denied::Malformed);
        }
        // The path of every token in the store's own format. Written out, because passing a closure
        // costs as much as the decision itself.
        state.index.read(|view| {
            let slot_ref = view.slot_ref(view.start(native.id_number));
            slot_ref.prefetch();
            let short_digest = state.keys.current().hash.short_digest(token);
            match (view.find(slot_ref, short_digest), Id::new(native.id_number)) {
                (LookupResult::Found(found), Some(id)) => decide(state, id, &found, now, request),
                (LookupResult::Stale, _) => self.check_other_lookups(token, request),
                _ => self.check_slow_path((&native, summed), token, request),
            }
        })
    }

    /// Checks a token that is not found by its id under the current secret. The `bool` is the
    /// result of its checksum, if it was already computed.
    #[inline(never)]
    fn check_slow_path(
        &self,
        (native, summed): (&Native<'_>, Option<bool>),
        token: &[u8],
        request: &Request<'_>,
    ) -> Result<Id, Denied> {
        let state = &*self.state;
        state.flood_guard.activate();
        let summed = summed.unwrap_or_else(|| native.has_checksum());
        if !summed || !native.is_canonical() {
            return Err(Denied::Malformed);
        }
        if !state.has_other_lookups() {
            return Err(Denied::Unknown);
        }
        self.check_other_lookups(token, request)
    }

    #[inline(never)]
    fn check_other_lookups(&self, token: &[u8], request: &Request<'_>) -> Result<Id, Denied> {
        let state = &*self.state;
        self.find(token, |authenticated| {
            decide(state, authenticated.id, &authenticated.found, authenticated.now, request)
        })
    }

    /// Like [`Verifier::check`], but also returns the permission that allows the request.
    /// Allocates.
    ///
    /// # Errors
    ///
    /// As [`Verifier::check`].
    pub fn explain(
        &self,
        token: impl AsRef<[u8]>,
        request: &Request<'_>,
    ) -> Result<Allowed, Denied> {
        self.find(token.as_ref(), |AuthenticatedToken { id, found, now, .. }| {
            live(id, &found, now)?;
            let permissions = found.permissions();
            let permission = permissions.covering(request).cloned();
            let permission = permission.ok_or(Denied::Forbidden(id))?;
            Ok(Allowed { id, permission })
        })
    }

    /// Authenticates a connection once. The returned [`Grant`] then checks its requests.
    ///
    /// # Errors
    ///
    /// As [`Verifier::check`], but never [`Denied::Forbidden`].
    pub fn authenticate(&self, token: impl AsRef<[u8]>) -> Result<Grant, Denied> {
        self.find(token.as_ref(), |authenticated| {
            live(authenticated.id, &authenticated.found, authenticated.now)?;
            authenticated.found.note_use(self.state.uses.minute());
            Ok(Grant::new(Arc::clone(&self.state), &authenticated))
        })
    }

    fn find<T>(
        &self,
        token: &[u8],
        decide: impl FnOnce(AuthenticatedToken<'_>) -> Result<T, Denied>,
    ) -> Result<T, Denied> {
        let state = &*self.state;
        let now = state.fresh()?;
        let draft = UncheckedToken::of(state.prefix, token).map_err(|_| Denied::Malformed)?;
        state.index.read(|view| match draft {
            UncheckedToken::Native(native) => self.find_native(view, (token, now), &native, decide),
            UncheckedToken::Other => {
                self.find_by_digest(view, (token, now), TokenShape::Other, decide)
            }
        })
    }

    /// Finds a token by the id that it carries.
    fn find_native<T>(
        &self,
        view: &View,
        (token, now): (&[u8], Now<'_>),
        native: &Native<'_>,
        decide: impl FnOnce(AuthenticatedToken<'_>) -> Result<T, Denied>,
    ) -> Result<T, Denied> {
        let state = &*self.state;
        let start = view.start(native.id_number);
        let id = native.id().ok_or(Denied::Malformed)?;
        let mut decide = Some(decide);
        for secret in state.keys.newest_first() {
            let short_digest = secret.hash.short_digest(token);
            let answer = state.index.find(view, (start, short_digest), |found| {
                let authenticated = AuthenticatedToken { id, found, start, short_digest, now };
                decide.take().map(|decide| decide(authenticated))
            });
            if let Some(answer) = answer.flatten() {
                return answer;
            }
        }
        match decide.filter(|_| state.has_by_digest()) {
            Some(decide) => self.find_by_digest(view, (token, now), TokenShape::Native(id), decide),
            None => Err(Denied::Unknown),
        }
    }

    fn find_by_digest<T>(
        &self,
        view: &View,
        (token, now): (&[u8], Now<'_>),
        shape: TokenShape,
        decide: impl FnOnce(AuthenticatedToken<'_>) -> Result<T, Denied>,
    ) -> Result<T, Denied> {
        let state = &*self.state;
        let mut decide = Some(decide);
        let mut attempt = |short_digest: ShortDigest| {
            let start = BucketHash::of_digest(short_digest);
            let answer = state.index.find(view, (start, short_digest), |found| {
                let id = found.id()?;
                let authenticated = AuthenticatedToken { id, found, start, short_digest, now };
                decide.take().map(|decide| (id, decide(authenticated)))
            });
            answer.flatten()
        };
        for secret in state.keys.newest_first() {
            if let Some((_, answer)) = attempt(secret.hash.short_digest(token)) {
                return answer;
            }
        }
        if shape == TokenShape::Other && state.has_foreign_hashes() {
            return self.find_by_foreign_hash(token, attempt);
        }
        Err(Denied::Unknown)
    }

    /// Finds a token by its foreign hash, and queues its authorization to be given a keyed digest.
    fn find_by_foreign_hash<T>(
        &self,
        token: &[u8],
        mut attempt: impl FnMut(ShortDigest) -> Option<(Id, Result<T, Denied>)>,
    ) -> Result<T, Denied> {
        for foreign_hash in [ForeignHash::sha256(token), ForeignHash::sha512(token)] {
            let Some((id, answer)) = attempt(self.state.foreign_short_digest(&foreign_hash)) else {
                continue;
            };
            let secret = self.state.keys.current();
            let (key, hash) = (secret.id, secret.hash.hash(token));
            // Nothing is lost if the queue is full: the next check of the token queues it again.
            let _ = self.state.adoptions.push(Adoption { id, key, hash });
            return answer;
        }
        Err(Denied::Unknown)
    }
}

/// Returns why the authorization is not in force, if it is not.
fn live(id: Id, found: &Found<'_>, now: Now<'_>) -> Result<(), Denied> {
    found.live(|| now.get()).map_err(|not_in_force| Denied::not_in_force(not_in_force, id))
}

/// Decides a request of an authorization that was found.
#[inline(always)]
fn decide(
    state: &CheckState,
    id: Id,
    found: &Found<'_>,
    now: Now<'_>,
    request: &Request<'_>,
) -> Result<Id, Denied> {
    if !found.is_unconditionally_in_force() {
        live(id, found, now)?;
    }
    found.note_use(state.uses.minute());
    match found.covers(request) {
        true => Ok(id),
        false => Err(Denied::Forbidden(id)),
    }
}
