//! A connection that was authenticated once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Shown, decide};
use crate::error::Denied;
use crate::id::Id;
use crate::index::{Half, Index, Place, Start};
use crate::permission::Request;
use crate::shared::Shared;

/// A connection that has shown its token. It holds no state of its own: each check reads what is known now, so that
/// a revoke, an expiry, a disabled owner or replaced permissions are seen at once.
pub struct Grant {
    shared: Arc<Shared>,
    id: Id,
    start: Start,
    half: Half,
    /// Where it was found last. In another table it is found again, whatever stands here.
    place: AtomicUsize,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Grant {
    pub(super) fn new(shared: Arc<Shared>, shown: &Shown<'_>) -> Self {
        Self {
            shared,
            id: shown.id,
            start: shown.start,
            half: shown.half,
            place: AtomicUsize::new(shown.found.place().0),
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
    #[inline(always)]
    pub fn check(&self, request: &Request<'_>) -> Result<Id, Denied> {
        let shared = &*self.shared;
        let now = shared.fresh()?;
        shared.index.read(|view| {
            let place = Place(self.place.load(Ordering::Relaxed));
            if let Some(found) = Index::at(view, place, self.half) {
                return decide(shared, self.id, &found, now, request);
            }
            let found = shared.index.find(view, (self.start, self.half), |found| {
                self.place.store(found.place().0, Ordering::Relaxed);
                decide(shared, self.id, &found, now, request)
            });
            found.unwrap_or(Err(Denied::Unknown))
        })
    }
}
