//! Writes of a commit, its limits, and the rule that decides whether it is applied.

use std::collections::HashSet;

use super::{Revision, StoreError};
use crate::record::{Kind, MAX_RECORD, MAX_UNIQUE, Record, RecordKey};

/// One write of a commit, with the revision that the record must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Inserts the record ([`Revision::ABSENT`]) or replaces it. The last use is kept.
    Put {
        /// The new record.
        record: Record,
        /// Revision of the record that is replaced.
        expected: Revision,
    },
    /// Removes the record, which must exist: `expected` is never [`Revision::ABSENT`].
    Purge {
        /// Key of the record.
        key: RecordKey,
        /// Revision of the record that is removed.
        expected: Revision,
    },
    /// Compares the revision and writes nothing. With [`Revision::ABSENT`], the record must not
    /// exist.
    Guard {
        /// Key of the record.
        key: RecordKey,
        /// Revision that the record must have.
        expected: Revision,
    },
}

impl Write {
    /// Returns the key of the record that is written or compared.
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Put { record, .. } => record.key,
            Self::Purge { key, .. } | Self::Guard { key, .. } => *key,
        }
    }

    /// Returns the revision that the record must have.
    pub fn expected(&self) -> Revision {
        match self {
            Self::Put { expected, .. }
            | Self::Purge { expected, .. }
            | Self::Guard { expected, .. } => *expected,
        }
    }

    /// Returns `true` if the commit changes the record.
    pub fn is_change(&self) -> bool {
        !matches!(self, Self::Guard { .. })
    }

    /// Returns the kind and unique key that the record has afterwards, if any.
    pub fn unique(&self) -> Option<(Kind, &[u8])> {
        match self {
            Self::Put { record, .. } => Some((record.key.kind, record.unique.as_deref()?)),
            Self::Purge { .. } | Self::Guard { .. } => None,
        }
    }

    /// Returns the size in bytes that counts towards [`Limits::bytes`].
    pub fn size(&self) -> usize {
        match self {
            Self::Put { record, .. } => record.size(),
            Self::Purge { .. } | Self::Guard { .. } => 0,
        }
    }
}

/// Checks the rule of a commit: first, each record has the revision that its write expects; then,
/// no two records of a kind have the same unique key. Both are checked in the order of the writes.
///
/// Unique keys are checked against the state after the whole commit, so a key that one write
/// releases is free for another write of the same commit. A guarded record keeps its key.
///
/// `revision` returns the revision of a record, [`Revision::ABSENT`] if it does not exist. `holder`
/// returns the record that has a unique key. Both read the state before the commit, and are only
/// called with the keys of the writes, each at most once and in their order.
///
/// ```
/// use symbolon::StoreError;
/// use symbolon::record::{Kind, RecordKey};
/// use symbolon::store::{Revision, Write, check_commit};
///
/// let key = RecordKey::new(Kind::USER, "0804f74142bbf000".parse()?);
/// let guard = Write::Guard { key, expected: Revision(7) };
/// let checked = check_commit::<StoreError>(&[guard], |_| Ok(Revision(8)), |_, _| Ok(None));
/// assert!(matches!(checked, Err(StoreError::Conflict(0))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`StoreError::Conflict`] or [`StoreError::Duplicate`] with the index of the first write that
/// fails; errors of the two functions.
pub fn check_commit<E: From<StoreError>>(
    writes: &[Write],
    mut revision: impl FnMut(RecordKey) -> Result<Revision, E>,
    mut holder: impl FnMut(Kind, &[u8]) -> Result<Option<RecordKey>, E>,
) -> Result<(), E> {
    for (at, write) in writes.iter().enumerate() {
        if revision(write.key())? != write.expected() {
            return Err(StoreError::Conflict(at).into());
        }
    }
    let changed: HashSet<_> = writes.iter().filter(|one| one.is_change()).map(Write::key).collect();
    let mut taken = HashSet::new();
    for (at, write) in writes.iter().enumerate() {
        let Some((kind, unique)) = write.unique() else {
            continue;
        };
        let is_held = holder(kind, unique)?.is_some_and(|holder| !changed.contains(&holder));
        if is_held || !taken.insert((kind, unique)) {
            return Err(StoreError::Duplicate(at).into());
        }
    }
    Ok(())
}

/// Limits of a commit, and sharing of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of writes in one commit.
    pub writes: usize,
    /// Maximum size of one commit in bytes, as counted by [`Write::size`]. One record of
    /// [`MAX_RECORD`] bytes always fits.
    pub bytes: usize,
    /// Other writers of the store.
    pub sharing: Sharing,
}

impl Limits {
    /// Checks that a commit is within these limits. Stores call it before anything else.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooLarge`] if it exceeds a limit, a record is larger than [`MAX_RECORD`], or a
    /// unique key is longer than [`MAX_UNIQUE`].
    pub fn check(&self, writes: &[Write]) -> Result<(), StoreError> {
        let sizes = || writes.iter().map(Write::size);
        let fits = writes.len() <= self.writes
            && sizes().sum::<usize>() <= self.bytes
            && sizes().all(|size| size <= MAX_RECORD)
            && writes.iter().filter_map(Write::unique).all(|(_, key)| key.len() <= MAX_UNIQUE);
        fits.then_some(()).ok_or(StoreError::TooLarge)
    }
}

/// Writers of a store other than the engine that opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Only this engine writes, so its index is always up to date.
    Exclusive,
    /// Other engines may write.
    Shared,
}
