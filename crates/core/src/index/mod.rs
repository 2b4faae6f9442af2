//! What a check reads: digests, states, owners and permission sets, all in memory.
//!
//! Readers take no lock and allocate nothing. Start-up, own writes and the writes of others all go through
//! [`Index::apply`], where the newest version of a record wins.

mod builder;
mod chunks;
mod interned;
mod table;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::authorization::{Dead, liveness};
use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::PermissionSet;
use crate::record::RecordKey;
use crate::status::Status;
use crate::store::Revision;
use crate::time::Timestamp;

use builder::Builder;
use interned::{Interned, OwnerPair};
use table::{Entry, Table};
pub(crate) use table::{Half, SlotState};

/// What is new about a record.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) key: RecordKey,
    /// The commit that wrote it.
    pub(crate) revision: Revision,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// The record as its `sequence`-th writing says.
    Authorization(Digest, u64),
    /// The state of a user or organization.
    Owner(OwnerState, u64),
    /// The record is not genuine: nothing that depends on it is allowed.
    NotGenuine,
    /// The record was purged.
    Purged,
}

/// What the index keeps of an authorization.
#[derive(Debug, Clone)]
pub(crate) struct Digest {
    /// By which digests it is found.
    pub(crate) halves: [Option<Half>; 2],
    pub(crate) status: Status,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) user: Option<Id>,
    pub(crate) organization: Id,
    pub(crate) permissions: PermissionSet,
}

/// What became of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was newer and holds now.
    Applied,
    /// It was known, or is older than what is known.
    Known,
    /// A later commit wrote an earlier version: somebody put an old record back. What was known holds.
    Replayed,
    /// Another authorization has the same token. The first one holds.
    Shadowed,
}

#[derive(Debug)]
pub(crate) struct Index {
    view: ArcSwap<View>,
    writers: Mutex<Writers>,
}

#[derive(Debug)]
struct Writers {
    current: Builder,
    /// Being built from nothing, beside the current one.
    fresh: Option<Builder>,
}

/// One consistent state for readers: a table, and what its words refer to.
#[derive(Debug)]
struct View {
    table: Table,
    interned: Arc<Interned>,
    /// Grows with each new view.
    generation: u64,
}

/// An authorization as it is found under a digest.
#[derive(Debug)]
pub(crate) struct Found<'v> {
    entry: Entry,
    owners: [OwnerState; 2],
    pub(crate) permissions: Option<&'v PermissionSet>,
}

/// Where a digest was found last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    generation: u64,
    slot: usize,
}

impl Index {
    pub(crate) fn new() -> Self {
        let current = Builder::new(0);
        Self {
            view: ArcSwap::new(Arc::clone(&current.view)),
            writers: Mutex::new(Writers {
                current,
                fresh: None,
            }),
        }
    }

    /// Calls `use_it` with what is known under `half`; `place` is where it was found before, if it was.
    pub(crate) fn find<T>(
        &self,
        half: Half,
        place: Option<Place>,
        use_it: impl FnOnce(Found<'_>, Place) -> T,
    ) -> Option<T> {
        let view = self.view.load();
        let slot = match place {
            Some(place) if place.generation == view.generation => place.slot,
            _ => view.table.find(half)?,
        };
        let entry = view.table.read(slot, half)?;
        if entry.state == SlotState::Void {
            return None;
        }
        let OwnerPair { user, organization } = view.interned.pair(entry.owner)?;
        let found = Found {
            entry,
            owners: [view.interned.owner(user), view.interned.owner(organization)],
            permissions: view.interned.set(entry.set),
        };
        let generation = view.generation;
        Some(use_it(found, Place { generation, slot }))
    }

    /// Takes over changes, in any order: the newest version of each record wins. `report` hears of every one that
    /// is not as it should be.
    pub(crate) fn apply(
        &self,
        changes: impl IntoIterator<Item = Change>,
        mut report: impl FnMut(&Change, Outcome),
    ) {
        let mut writers = self.writers();
        for change in changes {
            if let Some(fresh) = &mut writers.fresh {
                fresh.apply(&change);
            }
            let outcome = writers.current.apply(&change);
            self.publish(&writers.current);
            report(&change, outcome);
        }
    }

    /// Begins to build a new index from nothing; what is applied from now on goes to both.
    pub(crate) fn begin_rebuild(&self) {
        let mut writers = self.writers();
        let generation = writers.current.view.generation;
        writers.fresh = Some(Builder::new(generation + REBUILD_STEP));
    }

    /// Takes over changes into the new index alone.
    pub(crate) fn rebuild(&self, changes: impl IntoIterator<Item = Change>) {
        if let Some(fresh) = &mut self.writers().fresh {
            for change in changes {
                fresh.apply(&change);
            }
        }
    }

    /// Puts the new index in the place of the old one. Whatever had ended stays ended, and no record falls back
    /// behind the version that was known, not even when the store was replaced by an older one; `replayed` hears of
    /// those that would.
    pub(crate) fn finish_rebuild(&self, replayed: impl FnMut(RecordKey)) {
        let mut fallen = Vec::new();
        {
            let mut writers = self.writers();
            if let Some(mut fresh) = writers.fresh.take() {
                fresh.outlive(&writers.current, |key| fallen.push(key));
                writers.current = fresh;
                self.publish(&writers.current);
            }
        }
        fallen.into_iter().for_each(replayed);
    }

    /// How many times the newest version that is known of a record had been written, even if it is gone; 0 if
    /// nothing is known of it.
    pub(crate) fn sequence(&self, key: RecordKey) -> u64 {
        self.writers().current.sequence(key)
    }

    /// The authorizations, users and organizations that have ended.
    pub(crate) fn ended(&self) -> Vec<RecordKey> {
        self.writers().current.ended()
    }

    /// Whether a record may be there that has not ended, and does not expire by `at` either, as far as is known here.
    pub(crate) fn may_outlive(&self, key: RecordKey, at: Timestamp) -> bool {
        self.writers().current.may_outlive(key, at)
    }

    /// How many records are known, and how many digests.
    pub(crate) fn len(&self) -> usize {
        self.writers().current.len()
    }

    /// Whether `change` says just what is known.
    pub(crate) fn agrees(&self, change: &Change) -> bool {
        self.writers().current.agrees(change)
    }

    fn publish(&self, builder: &Builder) {
        if !Arc::ptr_eq(&self.view.load(), &builder.view) {
            self.view.store(Arc::clone(&builder.view));
        }
    }

    #[cfg(test)]
    pub(crate) fn hold(&self) -> impl Sized {
        self.writers()
    }

    fn writers(&self) -> MutexGuard<'_, Writers> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So that views of an index and of the one that replaces it never share a generation.
const REBUILD_STEP: u64 = 1 << 20;

impl Found<'_> {
    pub(crate) fn id(&self) -> Id {
        self.entry.id
    }

    /// Whether it is in force. `now` is asked only if it expires.
    pub(crate) fn live(&self, now: impl FnOnce() -> Timestamp) -> Result<(), Dead> {
        let status = match self.entry.state {
            SlotState::Known(status) => status,
            SlotState::Void => Status::Revoked,
        };
        let expired = || self.entry.expires.is_some_and(|end| end <= now());
        liveness(status, expired, self.owners)
    }
}
