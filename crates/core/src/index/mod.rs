//! What a check reads: digests, states, owners and permission sets, all in memory.
//!
//! Readers take no lock, allocate nothing and never wait. Start-up, own writes and the writes of others all go through
//! [`Index::apply`], where the newest version of a record wins.
//!
//! The only unsafe code of the workspace is here: in `memory` (arrays of atomics on huge pages, and prefetching) and in
//! `publish` (freeing what readers may still hold).
#![expect(
    unsafe_code,
    reason = "memory on huge pages and values that are freed beside readers have no safe form"
)]

mod builder;
mod chunks;
#[cfg(test)]
mod fixtures;
mod huge_pages;
mod interned;
#[cfg(all(test, shuttle))]
mod model;
mod rcu;
mod slot;
mod sync;
mod table;
mod tables;
#[cfg(test)]
#[cfg(not(shuttle))]
mod tests;
mod view;

use std::iter;
use std::sync::{Arc, PoisonError};

use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::PermissionSet;
use crate::record::RecordKey;
use crate::status::Status;
use crate::store::Revision;
use crate::time::Timestamp;

use builder::Builder;
use rcu::Rcu;
use sync::{AtomicU64, Mutex, MutexGuard, Ordering};

pub(crate) use slot::LastUsed;
pub(crate) use table::BucketHash;
pub(crate) use view::{Found, LookupResult, SlotHint, SlotRef, View};

/// 128 bits of a keyed digest.
pub(crate) type ShortDigest = [u64; 2];

/// What a slot says of its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotState {
    /// The digest of a record with this status.
    Known(Status),
    /// The digest counts as unknown: its record was purged, is not genuine, or has another digest by now.
    Void,
}

/// What is new about a record.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) key: RecordKey,
    /// The commit that wrote it.
    pub(crate) revision: Revision,
    pub(crate) what: ChangeKind,
}

#[derive(Debug, Clone)]
pub(crate) enum ChangeKind {
    /// The record as its `sequence`-th writing says.
    Authorization(IndexEntry, u64),
    /// The state of a user or organization.
    Owner(OwnerState, u64),
    /// The record is not genuine: nothing that depends on it is allowed.
    Tampered,
    /// The record was purged.
    Purged,
}

/// What the index keeps of an authorization.
#[derive(Debug, Clone)]
pub(crate) struct IndexEntry {
    pub(crate) handle: TokenLookup,
    pub(crate) status: Status,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) user: Option<Id>,
    pub(crate) organization: Id,
    /// Shared by those that were read one after the other, so that the index need not look at them each time.
    pub(crate) permissions: Arc<PermissionSet>,
}

/// How the token of an authorization is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenLookup {
    /// By the id that it carries; this is its digest.
    ById(ShortDigest),
    /// By one of these digests.
    ByDigest([Option<ShortDigest>; 2]),
}

/// What became of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApplyOutcome {
    /// It was newer and holds now.
    Applied,
    /// It was known, or is older than what is known.
    Known,
    /// A later commit wrote an earlier version: somebody put an old record back. What was known holds.
    RolledBack,
    /// Another authorization has the same token. The first one holds.
    DuplicateToken,
}

#[derive(Debug)]
pub(crate) struct Index {
    version: CachePadded<AtomicU64>,
    view: Rcu<View>,
    writers: Mutex<Writers>,
}

/// Another one after every change. Whoever takes it before reading anything knows, as long as it stays, that what was
/// read holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexVersion(pub(crate) u64);

/// On lines of its own, so that what is written beside it does not slow its readers.
#[derive(Debug, Default)]
#[repr(align(128))]
struct CachePadded<T>(T);

#[derive(Debug)]
struct Writers {
    current: Builder,
    /// Being built from nothing, beside the current one.
    fresh: Option<Builder>,
}

/// Changes that are applied before others that wait to write get a turn: some hundred microseconds.
const BATCH: usize = 256;
/// How many changes ahead the lines of one are fetched.
const PREFETCH_DISTANCE: usize = 8;

impl Index {
    pub(crate) fn new() -> Self {
        let mut current = Builder::new();
        let view = current.view_to_publish().unwrap_or_else(|| current.view());
        Self {
            version: CachePadded::default(),
            view: Rcu::new(Box::new(view)),
            writers: Mutex::new(Writers {
                current,
                fresh: None,
            }),
        }
    }

    /// The version before everything that is read from now on.
    #[inline(always)]
    pub(crate) fn version(&self) -> IndexVersion {
        IndexVersion(self.version.0.load(Ordering::Acquire))
    }

    /// Makes what was remembered under earlier versions void.
    pub(crate) fn renew_version(&self) {
        self.version.0.fetch_add(1, Ordering::Release);
    }

    /// Calls `use_it` with what is known now. It never waits; what it holds stays whole meanwhile.
    #[inline(always)]
    pub(crate) fn read<T>(&self, use_it: impl FnOnce(&View) -> T) -> T {
        self.view.read(use_it)
    }

    /// Calls `use_it` with what is known under `short_digest`, which is looked for at `start`. `view` is one that
    /// [`Index::read`] gave.
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

    /// In the view that is current now.
    #[cold]
    fn find_later<T>(
        &self,
        start: BucketHash,
        short_digest: ShortDigest,
        use_it: impl FnOnce(Found<'_>) -> T,
    ) -> Option<T> {
        self.read(|view| self.find(view, (start, short_digest), use_it))
    }

    /// Takes over changes, in any order: the newest version of each record wins. `report` hears of every one that
    /// is not as it should be.
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

    /// About so many records will be applied: what is empty gets room for them at once. It is no more than a hint.
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

    /// All that the store held is applied: brings the table to the size that it needs, and frees what nobody reads any
    /// more. It gives way to whoever writes.
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

    /// Begins to build a new index from nothing; what is applied from now on goes to both.
    pub(crate) fn begin_rebuild(&self) {
        self.writers().fresh = Some(Builder::new());
    }

    /// Takes over changes into the new index alone.
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

    /// Puts the new index in the place of the old one. Whatever had ended stays ended, and no record falls back
    /// behind the version that was known, not even when the store was replaced by an older one; `replayed` hears of
    /// those that would.
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
        // Outside of the lock, for it can take long.
        drop(former);
        fallen.into_iter().for_each(replayed);
    }

    /// How many times the newest version that is known of a record had been written, even if it is gone; 0 if
    /// nothing is known of it.
    pub(crate) fn sequence(&self, key: RecordKey) -> u64 {
        self.writers().current.sequence(key)
    }

    /// The authorizations, users and organizations that have ended.
    pub(crate) fn revoked(&self) -> Vec<RecordKey> {
        self.writers().current.revoked()
    }

    /// Whether a record may be there that has not ended, and does not expire by `at` either, as far as is known here.
    pub(crate) fn may_outlast(&self, key: RecordKey, at: Timestamp) -> bool {
        self.writers().current.may_outlast(key, at)
    }

    /// How many records are known, and how many digests.
    pub(crate) fn len(&self) -> usize {
        self.writers().current.len()
    }

    /// Whether `change` says just what is known.
    pub(crate) fn agrees(&self, change: &Change) -> bool {
        self.writers().current.agrees(change)
    }

    fn publish(&self, builder: &mut Builder) {
        if let Some(view) = builder.view_to_publish() {
            self.view.replace(Box::new(view));
        }
    }

    /// How many of a hundred slots are taken in the index that is being built.
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

/// Changes, each with the one that comes so much later that its lines are there by then.
fn with_later(changes: &[Change]) -> impl Iterator<Item = (&Change, Option<&Change>)> {
    let later = changes.iter().skip(PREFETCH_DISTANCE).map(Some);
    changes.iter().zip(later.chain(iter::repeat(None)))
}
