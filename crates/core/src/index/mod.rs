//! The in-memory index that checks read: digests, states, owners and permission sets.
//!
//! Readers take no lock, allocate nothing and never wait. Start-up, own writes and the writes of
//! other processes all go through [`Index::apply`], where the newest version of a record wins.

mod builder;
mod change;
mod chunks;
#[cfg(test)]
mod fixtures;
mod interned;
#[cfg(all(test, shuttle))]
mod model;
mod slot;
mod table;
mod tables;
#[cfg(test)]
#[cfg(not(shuttle))]
mod tests;
mod view;

use std::iter;
use std::sync::PoisonError;

use crate::primitives::rcu::Rcu;
use crate::primitives::sync::{AtomicU64, Mutex, MutexGuard, Ordering};
use crate::record::RecordKey;
use crate::time::Timestamp;

use builder::Builder;

pub(crate) use change::{ApplyOutcome, Change, ChangeKind, IndexEntry, ShortDigest, TokenLookup};

pub(crate) use slot::LastUsed;
pub(crate) use table::BucketHash;
pub(crate) use view::{Found, LookupResult, SlotHint, SlotRef, View};

#[derive(Debug)]
pub(crate) struct Index {
    version: CachePadded<AtomicU64>,
    view: Rcu<View>,
    writers: Mutex<Writers>,
}

/// Counter that changes with every change of the index. Anything read after taking a version is
/// valid as long as the version stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexVersion(pub(crate) u64);

/// On cache lines of its own, so that writes to neighbouring fields do not slow its readers.
#[derive(Debug, Default)]
#[repr(align(128))]
struct CachePadded<T>(T);

#[derive(Debug)]
struct Writers {
    current: Builder,
    /// New index during a rebuild.
    fresh: Option<Builder>,
}

/// Changes applied under one lock, some hundred microseconds, before other writers get a turn.
const BATCH: usize = 256;
/// Number of changes between prefetching the slots of one and applying it.
const PREFETCH_DISTANCE: usize = 8;

impl Index {
    pub(crate) fn new() -> Self {
        let mut current = Builder::new();
        let view = current.view_to_publish().unwrap_or_else(|| current.view());
        Self {
            version: CachePadded::default(),
            view: Rcu::new(Box::new(view)),
            writers: Mutex::new(Writers { current, fresh: None }),
        }
    }

    /// Returns the version that precedes everything read from now on.
    #[inline(always)]
    pub(crate) fn version(&self) -> IndexVersion {
        IndexVersion(self.version.0.load(Ordering::Acquire))
    }

    /// Invalidates everything cached under earlier versions.
    pub(crate) fn renew_version(&self) {
        self.version.0.fetch_add(1, Ordering::Release);
    }

    /// Calls `use_it` with the current view. Never waits; the view stays valid during the call.
    #[inline(always)]
    pub(crate) fn read<T>(&self, use_it: impl FnOnce(&View) -> T) -> T {
        self.view.read(use_it)
    }

    /// Calls `use_it` with the authorization found under `short_digest` in the bucket of `start`.
    /// `view` must come from [`Index::read`].
    #[inline(always)]
    pub(crate) fn find<T>(
        &self,
        view: &View,
        (start, short_digest): (BucketHash, ShortDigest),
        use_it: impl FnOnce(Found<'_>) -> T,
    ) -> Option<T> {
        match view.find(view.slot_ref(start), short_digest) {
            LookupResult::Found(found) => Some(use_it(found)),
            LookupResult::Nothing => None,
            LookupResult::Stale => self.find_later(start, short_digest, use_it),
        }
    }

    /// Repeats the lookup in the view that is current now.
    #[cold]
    fn find_later<T>(
        &self,
        start: BucketHash,
        short_digest: ShortDigest,
        use_it: impl FnOnce(Found<'_>) -> T,
    ) -> Option<T> {
        self.read(|view| self.find(view, (start, short_digest), use_it))
    }

    /// Applies changes in any order: the newest version of each record wins. Calls `report` with
    /// the outcome of each.
    pub(crate) fn apply(
        &self,
        changes: impl AsRef<[Change]>,
        mut report: impl FnMut(&Change, ApplyOutcome),
    ) {
        for changes in changes.as_ref().chunks(BATCH) {
            let mut writers = self.writers();
            for (change, later) in with_later(changes) {
                if let Some(fresh) = &mut writers.fresh {
                    fresh.prefetch(later);
                    fresh.apply_unseen(change);
                }
                writers.current.prefetch(later);
                let outcome = writers.current.apply(change);
                self.publish(&mut writers.current);
                self.renew_version();
                report(change, outcome);
            }
        }
    }

    /// Announces about `count` records, so that an empty index allocates room for them at once.
    /// Only a hint.
    pub(crate) fn expect(&self, count: usize) {
        let mut writers = self.writers();
        match &mut writers.fresh {
            Some(fresh) => fresh.expect(count),
            None => {
                writers.current.expect(count);
                self.publish(&mut writers.current);
            }
        }
    }

    /// Finishes loading: brings the table to its final size, and frees replaced views that no
    /// reader uses any more. Other writers get turns in between.
    pub(crate) fn finish_loading(&self) {
        self.writers().current.finish_loading();
        loop {
            let mut writers = self.writers();
            let more = writers.current.step();
            self.publish(&mut writers.current);
            drop(writers);
            if !more {
                break;
            }
        }
        self.view.reclaim();
    }

    /// Starts building a new index. Changes applied from now on go to both.
    pub(crate) fn begin_rebuild(&self) {
        self.writers().fresh = Some(Builder::new());
    }

    /// Applies changes to the new index alone.
    pub(crate) fn rebuild(&self, changes: impl AsRef<[Change]>) {
        for changes in changes.as_ref().chunks(BATCH) {
            let mut writers = self.writers();
            for (change, later) in with_later(changes) {
                if let Some(fresh) = &mut writers.fresh {
                    fresh.prefetch(later);
                    fresh.apply_unseen(change);
                }
            }
        }
    }

    /// Replaces the index with the new one. Revoked and deleted records stay so, and no record
    /// returns to an older version than the old index had, even if the store was replaced by an
    /// older copy. Calls `replayed` with each record whose old version is refused.
    pub(crate) fn finish_rebuild(&self, replayed: impl FnMut(RecordKey)) {
        let mut fallen = Vec::new();
        let mut former = None;
        {
            let mut writers = self.writers();
            if let Some(mut fresh) = writers.fresh.take() {
                fresh.keep_newer_from(&writers.current, |key| fallen.push(key));
                self.view.replace(Box::new(fresh.view()));
                self.renew_version();
                former = Some(std::mem::replace(&mut writers.current, fresh));
            }
        }
        // Dropped after the lock is released, because it can take long.
        drop(former);
        fallen.into_iter().for_each(replayed);
    }

    /// Returns the highest sequence seen of a record, even if it was purged; 0 if none was seen.
    pub(crate) fn sequence(&self, key: RecordKey) -> u64 {
        self.writers().current.sequence(key)
    }

    /// Returns the revoked authorizations and the deleted users and organizations.
    pub(crate) fn revoked(&self) -> Vec<RecordKey> {
        self.writers().current.revoked()
    }

    /// Returns false if the index shows that the record is revoked, deleted or absent, or expires
    /// by `at`.
    pub(crate) fn may_outlast(&self, key: RecordKey, at: Timestamp) -> bool {
        self.writers().current.may_outlast(key, at)
    }

    /// Returns the number of records.
    pub(crate) fn len(&self) -> usize {
        self.writers().current.len()
    }

    /// Returns true if the index holds exactly what `change` says.
    pub(crate) fn agrees(&self, change: &Change) -> bool {
        self.writers().current.agrees(change)
    }

    fn publish(&self, builder: &mut Builder) {
        if let Some(view) = builder.view_to_publish() {
            self.view.replace(Box::new(view));
        }
    }

    /// Percentage of slots taken in the new index during a rebuild.
    #[cfg(all(test, not(shuttle)))]
    fn fullness_of_rebuild(&self) -> usize {
        self.writers().fresh.as_ref().map_or(0, Builder::fullness)
    }

    #[cfg(test)]
    pub(crate) fn hold(&self) -> impl Sized {
        self.writers()
    }

    fn writers(&self) -> MutexGuard<'_, Writers> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pairs each change with the one to prefetch while it is applied.
fn with_later(changes: &[Change]) -> impl Iterator<Item = (&Change, Option<&Change>)> {
    let later = changes.iter().skip(PREFETCH_DISTANCE).map(Some);
    changes.iter().zip(later.chain(iter::repeat(None)))
}
