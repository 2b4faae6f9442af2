//! The contract between the engine and the store that keeps its records.
//!
//! A [`TokenStore`] implements no rules. It stores [`Record`]s by key, applies groups of writes
//! atomically, and returns the records that were written after a given position. The engine reads
//! the whole store once when it opens it, and then follows its changes. A check never reads the
//! store.
//!
//! # Revisions
//!
//! Each commit takes the next [`Revision`], and every record carries the revision of the commit
//! that last wrote it. Earlier versions are not kept: a revoked record remains as its own tombstone
//! until it is purged. A purge also takes a revision and raises [`End::floor`], which shows a
//! follower at a lower revision that it may have missed a purge.
//!
//! [`MemoryStore`](crate::MemoryStore) is the reference implementation. The crate
//! `symbolon-conformance` tests that a store behaves like it.

mod commit;
mod cursor;
mod error;
mod pages;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::thread;
use std::time::Duration;

use crate::id::Id;
use crate::record::{Kind, Record, RecordKey};
use crate::time::Minute;
use crate::{Origin, Status};

pub use commit::{Limits, Sharing, Write, check_commit};
pub use cursor::{Cursor, Position};
pub use error::StoreError;
pub(crate) use pages::{FoundPages, ScannedPages};

/// A durable store of records.
///
/// # Guarantees of every store
///
/// * **Atomicity**: a commit that returns `Ok` is completely on disk. One that returns
///   [`StoreError::Backend`] was applied completely or not at all. Any other error means that
///   nothing was written.
/// * **Order**: each commit raises the revision by at least one, and reads are linearizable: a read
///   that starts after a commit has returned sees that commit.
/// * **Durability**: a read never returns data that a power failure could still undo.
pub trait TokenStore: Debug + Send + Sync + 'static {
    /// Returns the record with this key, or `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] or [`StoreError::Corrupt`].
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError>;

    /// Applies all of `writes` or none, durably, and returns the revision of the commit. A commit
    /// that is empty or contains only guards checks the guards and returns the head without taking
    /// a revision.
    ///
    /// Keys are distinct within a commit. The store checks the limits first ([`Limits::check`]),
    /// and then the rule of [`check_commit`].
    ///
    /// # Errors
    ///
    /// * [`StoreError::Conflict`] or [`StoreError::Duplicate`] with the index of the first write
    ///   that fails
    /// * [`StoreError::TooLarge`] if the commit exceeds [`TokenStore::limits`]
    /// * [`StoreError::Full`] if the disk is full
    /// * [`StoreError::Backend`] if the store failed. The commit may or may not have been applied;
    ///   after the other errors, nothing was written.
    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError>;

    /// Returns one page with the newest version of records written after `after`, in any order and
    /// at most `limit` (at least 1) of them. A scan returns each record at least once, even if it
    /// is written again during the scan. Items and end of a page come from one snapshot.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] or [`StoreError::Corrupt`].
    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError>;

    /// Returns the size limits of a commit, and whether other processes may write to the store.
    fn limits(&self) -> Limits;

    /// Records when authorizations were last used. Of several times for one id, the latest is kept;
    /// ids without a record are ignored. The change takes no revision, does not wake
    /// [`TokenStore::wait`], and need not be durable.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] or [`StoreError::Full`].
    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError>;

    /// Starts a new epoch: durably sets a random epoch that differs from the present one, and
    /// returns it. Records, head, floor and cursors remain valid. A follower is woken from
    /// [`TokenStore::wait`], finds the new epoch at the end of its next scan, and reads the whole
    /// store again.
    ///
    /// The engine calls this when it finds that the store was rolled back. Revisions that were
    /// taken before the rollback may then be taken a second time, and only the epoch distinguishes
    /// them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`] if the disk is full, or [`StoreError::Corrupt`]; nothing was written.
    /// After [`StoreError::Backend`] the epoch may or may not have changed; calling this again is
    /// safe.
    fn renew(&self) -> Result<Epoch, StoreError>;

    /// Returns the approximate number of records if the store can determine it much faster than by
    /// reading them, else 0. The engine reserves memory for this number; a wrong hint only costs
    /// time.
    fn size_hint(&self) -> usize {
        0
    }

    /// Returns the records that match `query`, ordered by id. An override must return the same
    /// records, faster.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] or [`StoreError::Corrupt`].
    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        // Filter after reading: a record that is written again during the scan is on two pages, and
        // only its newest version counts.
        let mut newest: BTreeMap<Id, Stored> = BTreeMap::new();
        let mut cursor = Cursor::start();
        loop {
            let page = self.scan(&cursor, SCAN_PAGE)?;
            for item in page.items {
                let key = item.record.key;
                if key.kind != query.kind {
                    continue;
                }
                if newest.get(&key.id).is_none_or(|known| known.revision < item.revision) {
                    newest.insert(key.id, item);
                }
            }
            if page.end.is_some() {
                break;
            }
            cursor = page.next;
        }
        let wanted = newest.into_values().filter(|item| query.wants(&item.record));
        Ok(wanted.take(query.limit).collect())
    }

    /// Waits until something may have been written after `after`, or the epoch has changed since
    /// then, for at most `timeout`. An override may return early but never late.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`].
    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        let _ = after;
        thread::sleep(timeout);
        Ok(Wake::Timeout)
    }
}

const SCAN_PAGE: usize = 1000;

/// The number of a commit, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision before the first commit. As an expected revision: the record must not exist.
    pub const ABSENT: Self = Self(0);

    /// Returns the next revision.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A record as read from a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// Revision of the commit that last wrote it.
    pub revision: Revision,
    /// Minute of the last use of the authorization, if one was recorded.
    pub last_used: Option<Minute>,
}

/// One page of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Records with the revision of their last write.
    pub items: Vec<Stored>,
    /// Cursor for the next page; on the last page, for what is written later.
    pub next: Cursor,
    /// State of the store; only set on the last page.
    pub end: Option<End>,
}

/// The state of a store at the end of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Revision of the newest commit. It never decreases.
    pub head: Revision,
    /// Revision of the newest commit that purged a record; [`Revision::ABSENT`] if there is none.
    pub floor: Revision,
    /// Random number, drawn when the store is created and by [`TokenStore::renew`].
    pub epoch: Epoch,
}

/// A random number that distinguishes a store from earlier copies of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Draws a random epoch that is neither this one nor 0.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] if the operating system provides no random bytes.
    pub fn another(self) -> Result<Self, StoreError> {
        loop {
            let mut random = [0; 8];
            getrandom::fill(&mut random).map_err(|error| StoreError::backend(error.to_string()))?;
            let drawn = Self(u64::from_be_bytes(random));
            if drawn != self && drawn != Self(0) {
                return Ok(drawn);
            }
        }
    }
}

/// Result of [`TokenStore::wait`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something may have been written.
    Changed,
    /// The timeout has passed.
    Timeout,
}

/// A filter for [`TokenStore::find`]. All conditions that are set must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Kind of the records.
    pub kind: Kind,
    /// Unique key of the record.
    pub unique: Option<Box<[u8]>>,
    /// Organization of the records.
    pub organization: Option<Id>,
    /// User of the records.
    pub user: Option<Id>,
    /// Status of the records.
    pub status: Option<Status>,
    /// API through which the records were created.
    pub origin: Option<Origin>,
    /// Lower bound of the ids, exclusive.
    pub after: Option<Id>,
    /// Maximum number of records.
    pub limit: usize,
}

impl Query {
    /// Returns a query for all records of a kind.
    pub const fn all(kind: Kind) -> Self {
        Self {
            kind,
            unique: None,
            organization: None,
            user: None,
            status: None,
            origin: None,
            after: None,
            limit: usize::MAX,
        }
    }

    /// Returns a query for the record of a kind with this unique key.
    pub fn unique(kind: Kind, unique: &[u8]) -> Self {
        Self { unique: Some(unique.into()), ..Self::all(kind) }
    }

    /// Returns `true` if `record` matches; the limit is ignored.
    pub fn wants(&self, record: &Record) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, is: Option<&T>) -> bool {
            wanted.is_none() || wanted == is
        }
        let columns = &record.columns;
        record.key.kind == self.kind
            && self.after.is_none_or(|after| record.key.id > after)
            && fits(self.unique.as_ref(), record.unique.as_ref())
            && fits(self.organization.as_ref(), columns.organization.as_ref())
            && fits(self.user.as_ref(), columns.user.as_ref())
            && fits(self.status.as_ref(), columns.status.as_ref())
            && fits(self.origin.as_ref(), columns.origin.as_ref())
    }
}
