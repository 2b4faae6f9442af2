//! State of an authorization that only the index knows.

use crate::check_state::CheckState;
use crate::id::Id;
use crate::index::{BucketHash, Found, ShortDigest, TokenLookup, View};
use crate::time::Minute;
use crate::token::Credential;

/// State of an authorization that is in the index but not in its record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct IndexedState {
    pub(crate) last_used: Option<Minute>,
    pub(crate) has_deleted_owner: bool,
}

impl IndexedState {
    fn or(self, other: Self) -> Self {
        Self {
            last_used: self.last_used.max(other.last_used),
            has_deleted_owner: self.has_deleted_owner || other.has_deleted_owner,
        }
    }
}

impl CheckState {
    /// Returns the state of an authorization that is in the index but not in its record.
    pub(crate) fn indexed_state(&self, id: Id, credential: &Credential) -> IndexedState {
        let look = |view: &View, start: BucketHash, short_digest: ShortDigest| {
            let indexed_state = |found: Found<'_>| IndexedState {
                last_used: found.used(),
                has_deleted_owner: found.has_deleted_owner(),
            };
            let found = self.index.find(view, (start, short_digest), |found| {
                (found.id() == Some(id)).then(|| indexed_state(found))
            });
            found.flatten().unwrap_or_default()
        };
        self.index.read(|view| match self.handle(credential) {
            TokenLookup::ById(short_digest) => look(view, view.start(id.number()), short_digest),
            TokenLookup::ByDigest(short_digests) => {
                let each = short_digests.into_iter().flatten();
                each.map(|short_digest| {
                    look(view, BucketHash::of_digest(short_digest), short_digest)
                })
                .fold(IndexedState::default(), IndexedState::or)
            }
        })
    }
}
