//! The request path: may this token do this to that?

use std::fmt;
use std::sync::Arc;

use crate::error::Denied;
use crate::id::Id;
use crate::index::{Found, Half, Place};
use crate::permission::{Permission, Request};
use crate::shared::{Adoption, Shared};
use crate::token::{Locator, Shape, TokenHash};

/// Answers checks. Cheap to clone; every clone sees the same.
///
/// # Performance
///
/// A check takes no lock, allocates nothing and does no I/O: it hashes the token once and reads a table in memory.
/// Only while the store holds imported hashes whose tokens were not seen yet, a check that finds nothing computes
/// their SHA-256 and SHA-512 too.
///
/// # Consistency
///
/// A change that the [`Issuer`](crate::Issuer) of the same engine reported as done is seen by every check that
/// starts afterwards. A change made elsewhere is seen when the engine has followed it; if it cannot follow for
/// longer than [`Options::max_staleness`](crate::Options), every check is [`Denied::Unavailable`].
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<Shared>,
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

impl Verifier {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Whether the bearer of `token` may do what `request` says; if so, the id of the authorization.
    ///
    /// # Errors
    ///
    /// The first reason in the precedence of [`Denied`].
    pub fn check(&self, token: impl AsRef<[u8]>, request: &Request<'_>) -> Result<Id, Denied> {
        self.find(token.as_ref(), |found, _, _| {
            decide(&self.shared, &found, request)
        })
    }

    /// Checks each token with its request, in order; the answers replace what `answers` held.
    pub fn check_many<T: AsRef<[u8]>>(
        &self,
        checks: &[(T, Request<'_>)],
        answers: &mut Vec<Result<Id, Denied>>,
    ) {
        answers.clear();
        answers.extend(
            checks
                .iter()
                .map(|(token, request)| self.check(token, request)),
        );
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
        self.find(token.as_ref(), |found, _, _| {
            let permission = covering(&self.shared, &found, request)?.clone();
            let id = found.id();
            Ok(Allowed { id, permission })
        })
    }

    /// Authenticates a connection once: what it may do is then asked of the [`Grant`].
    ///
    /// # Errors
    ///
    /// As [`Verifier::check`], but never [`Denied::Forbidden`].
    pub fn authenticate(&self, token: impl AsRef<[u8]>) -> Result<Grant, Denied> {
        self.find(token.as_ref(), |found, half, place| {
            live(&self.shared, &found)?;
            Ok(Grant {
                shared: Arc::clone(&self.shared),
                id: found.id(),
                half,
                place,
            })
        })
    }

    fn find<T>(
        &self,
        token: &[u8],
        decide: impl FnOnce(Found<'_>, Half, Place) -> Result<T, Denied>,
    ) -> Result<T, Denied> {
        let shared = &*self.shared;
        if !shared.freshness.is_fresh(&*shared.clock) {
            return Err(Denied::Unavailable);
        }
        let shape = Shape::of(shared.prefix, token).map_err(|_| Denied::Malformed)?;
        let mut decide = Some(decide);
        let mut attempt = |half: Half| {
            shared.index.find(half, None, |found, place| {
                let id = found.id();
                decide.take().map(|decide| (id, decide(found, half, place)))
            })?
        };
        let secrets = shared.sealer.key().newest_first();
        for secret in secrets {
            if let Some((_, answer)) = attempt(TokenHash::keyed(&secret.hash, token).half()) {
                return answer;
            }
        }
        if shape == Shape::Other && shared.has_located() {
            return self.find_located(token, attempt);
        }
        Err(Denied::Unknown)
    }

    /// By the hashes under which other programs stored it. What is found so is handed on for a keyed hash.
    fn find_located<T>(
        &self,
        token: &[u8],
        mut attempt: impl FnMut(Half) -> Option<(Id, Result<T, Denied>)>,
    ) -> Result<T, Denied> {
        for locator in [Locator::sha256(token), Locator::sha512(token)] {
            let Some((id, answer)) = attempt(self.shared.locator_half(&locator)) else {
                continue;
            };
            let secret = self.shared.sealer.key().current();
            let (key, hash) = (secret.id, TokenHash::keyed(&secret.hash, token));
            // A full queue loses nothing: the next check of the token hands it on again.
            let _ = self.shared.adoptions.push(Adoption { id, key, hash });
            return answer;
        }
        Err(Denied::Unknown)
    }
}

/// Whether what was found is in force.
fn live(shared: &Shared, found: &Found<'_>) -> Result<(), Denied> {
    let now = || shared.clock.now();
    found
        .live(now)
        .map_err(|dead| Denied::dead(dead, found.id()))
}

/// The whole decision about what was found: the permission that allows it.
fn covering<'v>(
    shared: &Shared,
    found: &Found<'v>,
    request: &Request<'_>,
) -> Result<&'v Permission, Denied> {
    live(shared, found)?;
    let covering = found.permissions.and_then(|set| set.covering(request));
    covering.ok_or(Denied::Forbidden(found.id()))
}

/// The whole decision, told as the id.
fn decide(shared: &Shared, found: &Found<'_>, request: &Request<'_>) -> Result<Id, Denied> {
    covering(shared, found, request).map(|_| found.id())
}

/// A connection that has shown its token. It holds no state of its own: each check reads what is known now, so that
/// a revoke, an expiry, a disabled owner or replaced permissions are seen at once.
pub struct Grant {
    shared: Arc<Shared>,
    id: Id,
    half: Half,
    place: Place,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Grant {
    /// The authorization that was shown.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Whether the connection may do what `request` says.
    ///
    /// # Errors
    ///
    /// As [`Verifier::check`], but never [`Denied::Malformed`].
    pub fn check(&self, request: &Request<'_>) -> Result<Id, Denied> {
        let shared = &*self.shared;
        if !shared.freshness.is_fresh(&*shared.clock) {
            return Err(Denied::Unavailable);
        }
        let found = shared.index.find(self.half, Some(self.place), |found, _| {
            decide(shared, &found, request)
        });
        found.unwrap_or(Err(Denied::Unknown))
    }
}
