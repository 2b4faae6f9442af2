//! The contract between the engine and whoever keeps its records.
//!
//! A [`TokenStore`] holds no rule. It keeps [`Record`]s under their keys, applies groups of writes all or none,
//! and tells what was written since. The engine reads it once when it starts, follows it from then on, and asks it
//! nothing during a check.
//!
//! # How a store is written
//!
//! Each commit takes the next [`Revision`], and every record carries the revision of the commit that last wrote
//! it. Nothing else is kept of the past: a revoked record stays as its own tombstone until it is purged. A purge
//! takes a revision too and raises [`End::floor`], so that a follower which stood below it knows that it may have
//! missed one.
//!
//! [`MemoryStore`](crate::MemoryStore) is the reference: every store behaves as it does, and the crate
//! `symbolon-conformance` tests that.

mod cursor;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::thread;
use std::time::Duration;

use crate::error::StoreError;
use crate::id::Id;
use crate::record::{Kind, MAX_RECORD, MAX_UNIQUE, Record, RecordKey};
use crate::time::Minute;
use crate::{Origin, Status};

pub use cursor::{Cursor, Position};

/// Keeps records, durably.
///
/// # What every store promises
///
/// * **All or none**: a commit that returns `Ok` is on disk, whole; one that returns [`StoreError::Backend`] is
///   there whole or not at all; any other error wrote nothing.
/// * **One order**: revisions grow by at least one with each commit, and what is read is linearizable: a read that
///   starts after a commit returned sees it.
/// * **Only what lasts is seen**: nothing is read that a power cut could still take back.
pub trait TokenStore: Debug + Send + Sync + 'static {
    /// The record under `key`, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] or [`StoreError::Corrupt`].
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError>;

    /// Applies all of `writes` or none, durably, and returns the commit's revision. A commit of guards alone, or of
    /// nothing, checks them and returns the head without taking a revision.
    ///
    /// Keys are distinct within a commit. Limits are checked before expectations. Expectations are checked before unique keys, both in the order of the
    /// writes, and unique keys against the state after the whole commit: one that a write of the same commit gives
    /// up is free.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] and [`StoreError::Duplicate`] name the first failing write by its index;
    /// [`StoreError::TooLarge`] if [`TokenStore::limits`] are passed; [`StoreError::Full`] if the disk is; then nothing
    /// was written. After [`StoreError::Backend`] it is unknown whether it was.
    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError>;

    /// The newest version of every record written after `after`, at most `limit` (at least 1) a page, in any order;
    /// each record at least once, also when it is written again meanwhile. Items and end of a page come from one
    /// snapshot.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] or [`StoreError::Corrupt`].
    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError>;

    /// What one commit takes, and who else may write.
    fn limits(&self) -> Limits;

    /// Notes when authorizations were last used: lossy, the maximum of what is noted wins, and neither a
    /// revision nor [`TokenStore::wait`] sees it. An id that has no record is passed over. It need not be durable.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] or [`StoreError::Full`].
    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError>;

    /// Begins another life of the store: durably draws an epoch that is random and not the present one, and returns
    /// it. Records, head and floor stay as they are, and cursors go on where they stood. Whoever follows the store
    /// meets the new epoch at the end of the next scan, reads everything anew, and is woken from
    /// [`TokenStore::wait`] for it.
    ///
    /// The engine calls it when it finds that the store was put back from an earlier copy: then revisions that were
    /// taken before may be taken a second time, and only the epoch tells the one from the other.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`] if the disk is, [`StoreError::Corrupt`]; then nothing was written. After
    /// [`StoreError::Backend`] it is unknown whether it was, and to call it again is always right.
    fn renew(&self) -> Result<Epoch, StoreError>;

    /// About how many records there are, if the store can tell in far less time than it takes to read them; else 0.
    /// Whoever opens the store makes room for so many at once, and nothing but time is lost if there are others.
    fn size_hint(&self) -> usize {
        0
    }

    /// The records that `query` asks for, in the order of their ids. An override finds the same, faster.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] or [`StoreError::Corrupt`].
    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        // Before anything is filtered: what is written again while the pages are read stands in two of them, and only
        // its newest version counts.
        let mut newest: BTreeMap<Id, Stored> = BTreeMap::new();
        let mut cursor = Cursor::start();
        loop {
            let page = self.scan(&cursor, SCAN_PAGE)?;
            for item in page.items {
                let key = item.record.key;
                if key.kind != query.kind {
                    continue;
                }
                if newest
                    .get(&key.id)
                    .is_none_or(|known| known.revision < item.revision)
                {
                    newest.insert(key.id, item);
                }
            }
            if page.end.is_some() {
                break;
            }
            cursor = page.next;
        }
        let wanted = newest
            .into_values()
            .filter(|item| query.wants(&item.record));
        Ok(wanted.take(query.limit).collect())
    }

    /// Sleeps until something may have been written after `after`, or the store was renewed since, at most for
    /// `timeout`. An override may wake early; it must never sleep longer.
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

/// The number of a commit, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Revision(pub u64);

impl Revision {
    /// Before the first commit; as an expectation: there must be no record.
    pub const ABSENT: Self = Self(0);

    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A record as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// The commit that last wrote it.
    pub revision: Revision,
    /// When the authorization was last used, if that was noted.
    pub last_used: Option<Minute>,
}

/// One write of a commit, with the revision that it expects the record to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Inserts the record ([`Revision::ABSENT`]) or replaces it. When it was last used stays.
    Put {
        /// What to write.
        record: Record,
        /// The revision of what is replaced.
        expected: Revision,
    },
    /// Forgets the record, which must be there: never with [`Revision::ABSENT`].
    Purge {
        /// Which.
        key: RecordKey,
        /// The revision of what is forgotten.
        expected: Revision,
    },
    /// Only compares; with [`Revision::ABSENT`], that there is no record.
    Guard {
        /// Which.
        key: RecordKey,
        /// The revision that it must have.
        expected: Revision,
    },
}

impl Write {
    /// The key of the record that is written or compared.
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Put { record, .. } => record.key,
            Self::Purge { key, .. } | Self::Guard { key, .. } => *key,
        }
    }

    /// The revision that the record must have.
    pub fn expected(&self) -> Revision {
        match self {
            Self::Put { expected, .. }
            | Self::Purge { expected, .. }
            | Self::Guard { expected, .. } => *expected,
        }
    }

    fn has_short_unique_key(&self) -> bool {
        let unique = match self {
            Self::Put { record, .. } => record.unique.as_deref(),
            Self::Purge { .. } | Self::Guard { .. } => None,
        };
        unique.is_none_or(|unique| unique.len() <= MAX_UNIQUE)
    }

    /// What counts against [`Limits::bytes`].
    pub fn size(&self) -> usize {
        match self {
            Self::Put { record, .. } => record.size(),
            Self::Purge { .. } | Self::Guard { .. } => 0,
        }
    }
}

/// A part of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Records, each with the revision of its last write.
    pub items: Vec<Stored>,
    /// Where to go on: for the next page, or after the last one for what is written later.
    pub next: Cursor,
    /// On the last page: what the scan is caught up with.
    pub end: Option<End>,
}

/// The state of a store at the end of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The newest commit. It never falls.
    pub head: Revision,
    /// The newest commit that purged something; none if it is [`Revision::ABSENT`].
    pub floor: Revision,
    /// Random; new whenever the store is made or renewed.
    pub epoch: Epoch,
}

/// Tells one life of a store from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

impl Epoch {
    /// A random epoch that is not this one, and not 0.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] if the operating system gives no random bytes.
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

/// Whether a wait was for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something may have been written.
    Changed,
    /// The time is over.
    Timeout,
}

/// What a store takes, and who shares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Writes in one commit.
    pub writes: usize,
    /// Bytes in one commit, as [`Write::size`] counts them. One record of
    /// [`MAX_RECORD`] bytes always fits.
    pub bytes: usize,
    /// Who may write.
    pub sharing: Sharing,
}

impl Limits {
    /// Whether a commit keeps within them; for stores to call first.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooLarge`].
    pub fn check(&self, writes: &[Write]) -> Result<(), StoreError> {
        let sizes = || writes.iter().map(Write::size);
        let fits = writes.len() <= self.writes
            && sizes().sum::<usize>() <= self.bytes
            && sizes().all(|size| size <= MAX_RECORD)
            && writes.iter().all(Write::has_short_unique_key);
        fits.then_some(()).ok_or(StoreError::TooLarge)
    }
}

/// Who may write to a store beside the engine that opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody: the engine need not compare how fresh its knowledge is.
    Exclusive,
    /// Others.
    Shared,
}

/// What to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Of which kind.
    pub kind: Kind,
    /// With this unique key.
    pub unique: Option<Box<[u8]>>,
    /// Of this organization.
    pub organization: Option<Id>,
    /// Of this user.
    pub user: Option<Id>,
    /// With this status.
    pub status: Option<Status>,
    /// Made through this interface.
    pub origin: Option<Origin>,
    /// Only ids greater than this one.
    pub after: Option<Id>,
    /// At most so many.
    pub limit: usize,
}

impl Query {
    /// All records of a kind.
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

    /// The record of a kind with this unique key.
    pub fn unique(kind: Kind, unique: &[u8]) -> Self {
        Self {
            unique: Some(unique.into()),
            ..Self::all(kind)
        }
    }

    /// Whether `record` is one of those that are asked for, apart from the limit.
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
