//! The request path: may this token do this to that?

mod batch;
mod grant;
mod memo;

use std::fmt;
use std::sync::Arc;

use crate::engine_state::{Adoption, EngineState};
use crate::error::Denied;
use crate::freshness::Now;
use crate::id::Id;
use crate::index::{BucketHash, Found, LookupResult, ShortDigest, View};
use crate::permission::{Permission, Request};
use crate::token::{ForeignHash, Native, TokenShape, UncheckedToken};

pub use grant::Grant;

/// Answers checks. Cheap to clone; every clone sees the same.
///
/// # Performance
///
/// A check takes no lock, allocates nothing and does no I/O: it hashes the token once, and reads two neighbouring cache
/// lines of a table in memory, which are fetched while the hash is computed, for a token of this store's own form
/// carries its place. Only while the store holds imported hashes whose tokens were not seen yet, a check that finds
/// nothing computes their SHA-256 and SHA-512 too. [`Verifier::check_many`] hashes up to 16 tokens at once, and a
/// [`Grant`] none.
///
/// # Consistency
///
/// A change that the [`Issuer`](crate::Issuer) of the same engine reported as done is seen by every check that
/// starts afterwards. A change made elsewhere is seen when the engine has followed it; if it cannot follow for
/// longer than [`Options::max_staleness`](crate::Options), every check is [`Denied::Unavailable`].
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<EngineState>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

/// What a check allowed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The authorization of the token.
    pub id: Id,
    /// Its first permission that covers the request.
    pub permission: Permission,
}

/// An authorization that a token has shown.
#[derive(Clone, Copy)]
struct AuthenticatedToken<'v> {
    id: Id,
    found: Found<'v>,
    start: BucketHash,
    short_digest: ShortDigest,
    now: Now<'v>,
}

impl Verifier {
    pub(crate) fn new(shared: Arc<EngineState>) -> Self {
        Self { shared }
    }

    /// Whether the bearer of `token` may do what `request` says; if so, the id of the authorization.
    ///
    /// # Errors
    ///
    /// The first reason in the precedence of [`Denied`].
    pub fn check(&self, token: impl AsRef<[u8]>, request: &Request<'_>) -> Result<Id, Denied> {
        let shared = &*self.shared;
        let token = token.as_ref();
        let now = shared.fresh()?;
        let draft = UncheckedToken::of(shared.prefix, token).map_err(|_| Denied::Malformed)?;
        let UncheckedToken::Native(native) = draft else {
            return self.check_other_lookups(token, request);
        };
        let summed = shared
            .flood_guard
            .is_active()
            .then(|| native.has_checksum());
        if summed == Some(false) {
            return Err(Denied::Malformed);
        }
        // What every token of our own goes through: written out, for a closure that is handed on costs as much as the
        // decision.
        shared.index.read(|view| {
            let slot_ref = view.slot_ref(view.start(native.id_number));
            slot_ref.prefetch();
            let short_digest = shared.sealer.key().current().hash.short_digest(token);
            match (view.find(slot_ref, short_digest), Id::new(native.id_number)) {
                (LookupResult::Found(found), Some(id)) => decide(shared, id, &found, now, request),
                (LookupResult::Stale, _) => self.check_other_lookups(token, request),
                _ => self.check_slow_path((&native, summed), token, request),
            }
        })
    }

    /// A token that is not found by its id and the current key, and whether its checksum is right, if that is known.
    #[inline(never)]
    fn check_slow_path(
        &self,
        (native, summed): (&Native<'_>, Option<bool>),
        token: &[u8],
        request: &Request<'_>,
    ) -> Result<Id, Denied> {
        let shared = &*self.shared;
        shared.flood_guard.activate();
        let summed = summed.unwrap_or_else(|| native.has_checksum());
        if !summed || !native.is_canonical() {
            return Err(Denied::Malformed);
        }
        if !shared.has_other_lookups() {
            return Err(Denied::Unknown);
        }
        self.check_other_lookups(token, request)
    }

    #[inline(never)]
    fn check_other_lookups(&self, token: &[u8], request: &Request<'_>) -> Result<Id, Denied> {
        let shared = &*self.shared;
        self.find(token, |authenticated| {
            decide(
                shared,
                authenticated.id,
                &authenticated.found,
                authenticated.now,
                request,
            )
        })
    }

    /// Like [`Verifier::check`], but tells which permission allowed it. It allocates.
    ///
    /// # Errors
    ///
    /// As [`Verifier::check`].
    pub fn explain(
        &self,
        token: impl AsRef<[u8]>,
        request: &Request<'_>,
    ) -> Result<Allowed, Denied> {
        self.find(
            token.as_ref(),
            |AuthenticatedToken { id, found, now, .. }| {
                live(id, &found, now)?;
                let permissions = found.permissions();
                let permission = permissions.covering(request).cloned();
                let permission = permission.ok_or(Denied::Forbidden(id))?;
                Ok(Allowed { id, permission })
            },
        )
    }

    /// Authenticates a connection once: what it may do is then asked of the [`Grant`].
    ///
    /// # Errors
    ///
    /// As [`Verifier::check`], but never [`Denied::Forbidden`].
    pub fn authenticate(&self, token: impl AsRef<[u8]>) -> Result<Grant, Denied> {
        self.find(token.as_ref(), |authenticated| {
            live(authenticated.id, &authenticated.found, authenticated.now)?;
            authenticated.found.note_use(self.shared.uses.minute());
            Ok(Grant::new(Arc::clone(&self.shared), &authenticated))
        })
    }

    fn find<T>(
        &self,
        token: &[u8],
        decide: impl FnOnce(AuthenticatedToken<'_>) -> Result<T, Denied>,
    ) -> Result<T, Denied> {
        let shared = &*self.shared;
        let now = shared.fresh()?;
        let draft = UncheckedToken::of(shared.prefix, token).map_err(|_| Denied::Malformed)?;
        shared.index.read(|view| match draft {
            UncheckedToken::Native(native) => self.find_native(view, (token, now), &native, decide),
            UncheckedToken::Other => {
                self.find_by_digest(view, (token, now), TokenShape::Other, decide)
            }
        })
    }

    /// By the id that the token carries.
    fn find_native<T>(
        &self,
        view: &View,
        (token, now): (&[u8], Now<'_>),
        native: &Native<'_>,
        decide: impl FnOnce(AuthenticatedToken<'_>) -> Result<T, Denied>,
    ) -> Result<T, Denied> {
        let shared = &*self.shared;
        let start = view.start(native.id_number);
        let id = native.id().ok_or(Denied::Malformed)?;
        let mut decide = Some(decide);
        for secret in shared.sealer.key().newest_first() {
            let short_digest = secret.hash.short_digest(token);
            let answer = shared.index.find(view, (start, short_digest), |found| {
                let authenticated = AuthenticatedToken {
                    id,
                    found,
                    start,
                    short_digest,
                    now,
                };
                decide.take().map(|decide| decide(authenticated))
            });
            if let Some(answer) = answer.flatten() {
                return answer;
            }
        }
        match decide.filter(|_| shared.has_by_digest()) {
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
        let shared = &*self.shared;
        let mut decide = Some(decide);
        let mut attempt = |short_digest: ShortDigest| {
            let start = BucketHash::of_digest(short_digest);
            let answer = shared.index.find(view, (start, short_digest), |found| {
                let id = found.id()?;
                let authenticated = AuthenticatedToken {
                    id,
                    found,
                    start,
                    short_digest,
                    now,
                };
                decide.take().map(|decide| (id, decide(authenticated)))
            });
            answer.flatten()
        };
        for secret in shared.sealer.key().newest_first() {
            if let Some((_, answer)) = attempt(secret.hash.short_digest(token)) {
                return answer;
            }
        }
        if shape == TokenShape::Other && shared.has_foreign_hashes() {
            return self.find_by_foreign_hash(token, attempt);
        }
        Err(Denied::Unknown)
    }

    /// By the hashes under which other programs stored it. What is found so is handed on for a keyed hash.
    fn find_by_foreign_hash<T>(
        &self,
        token: &[u8],
        mut attempt: impl FnMut(ShortDigest) -> Option<(Id, Result<T, Denied>)>,
    ) -> Result<T, Denied> {
        for foreign_hash in [ForeignHash::sha256(token), ForeignHash::sha512(token)] {
            let Some((id, answer)) = attempt(self.shared.foreign_short_digest(&foreign_hash))
            else {
                continue;
            };
            let secret = self.shared.sealer.key().current();
            let (key, hash) = (secret.id, secret.hash.hash(token));
            // A full queue loses nothing: the next check of the token hands it on again.
            let _ = self.shared.adoptions.push(Adoption { id, key, hash });
            return answer;
        }
        Err(Denied::Unknown)
    }
}

/// Whether what was found is in force.
fn live(id: Id, found: &Found<'_>, now: Now<'_>) -> Result<(), Denied> {
    found
        .live(|| now.get())
        .map_err(|not_in_force| Denied::not_in_force(not_in_force, id))
}

/// The whole decision about what was found.
#[inline(always)]
fn decide(
    shared: &EngineState,
    id: Id,
    found: &Found<'_>,
    now: Now<'_>,
    request: &Request<'_>,
) -> Result<Id, Denied> {
    if !found.is_unconditionally_in_force() {
        live(id, found, now)?;
    }
    found.note_use(shared.uses.minute());
    match found.covers(request) {
        true => Ok(id),
        false => Err(Denied::Forbidden(id)),
    }
}
