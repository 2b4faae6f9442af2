//! Sample records and writes, and common calls of a store.

use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::store::{Revision, Stored, TokenStore, Write};
use symbolon::{Id, StoreError};

pub(crate) const TOKEN: Kind = Kind::AUTHORIZATION;
pub(crate) const USER: Kind = Kind::USER;
/// A revision that no record ever has.
pub(crate) const NEVER: Revision = Revision(u64::MAX);

pub(crate) fn id(number: u64) -> Id {
    Id::new(number).expect("ids are not 0")
}

pub(crate) fn key(kind: Kind, number: u64) -> RecordKey {
    RecordKey::new(kind, id(number))
}

/// Creates a record without unique key and columns.
pub(crate) fn record(kind: Kind, number: u64, body: &str) -> Record {
    Record {
        key: key(kind, number),
        unique: None,
        columns: Columns::default(),
        bytes: body.as_bytes().into(),
    }
}

/// Creates a record with a unique key.
pub(crate) fn named(kind: Kind, number: u64, unique: &str) -> Record {
    Record { unique: Some(unique.as_bytes().into()), ..record(kind, number, unique) }
}

/// Creates a record of `size` bytes.
pub(crate) fn sized(number: u64, size: usize) -> Record {
    Record { bytes: vec![b's'; size].into(), ..record(TOKEN, number, "") }
}

pub(crate) fn insert(record: &Record) -> Write {
    replace(record, Revision::ABSENT)
}

pub(crate) fn replace(record: &Record, expected: Revision) -> Write {
    Write::Put { record: record.clone(), expected }
}

pub(crate) fn purge(key: RecordKey, expected: Revision) -> Write {
    Write::Purge { key, expected }
}

pub(crate) fn guard(key: RecordKey, expected: Revision) -> Write {
    Write::Guard { key, expected }
}

/// Commits writes that the store must accept.
pub(crate) fn commit(store: &dyn TokenStore, writes: &[Write]) -> Revision {
    match store.commit(writes) {
        Ok(revision) => revision,
        Err(error) => panic!("a commit of {} writes was refused: {error}", writes.len()),
    }
}

/// Inserts all of `records`, in commits within the store's limits.
pub(crate) fn insert_all(store: &dyn TokenStore, records: &[Record]) {
    for chunk in records.chunks(store.limits().writes.min(250)) {
        let writes: Vec<Write> = chunk.iter().map(insert).collect();
        commit(store, &writes);
    }
}

/// Inserts the record, or replaces the existing one.
pub(crate) fn put(store: &dyn TokenStore, record: &Record) -> Revision {
    commit(store, &[replace(record, revision_of(store, record.key))])
}

/// Returns the record, which must exist.
pub(crate) fn stored(store: &dyn TokenStore, key: RecordKey) -> Stored {
    get(store, key).unwrap_or_else(|| panic!("{key:?} does not exist"))
}

pub(crate) fn get(store: &dyn TokenStore, key: RecordKey) -> Option<Stored> {
    store.get(&key).expect("get works")
}

/// Returns the current revision of `key`, which a write has to expect.
pub(crate) fn revision_of(store: &dyn TokenStore, key: RecordKey) -> Revision {
    get(store, key).map_or(Revision::ABSENT, |found| found.revision)
}

/// The reason why a commit wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Conflict(usize),
    Duplicate(usize),
    TooLarge,
}

impl Refusal {
    /// Returns the refusal that an error stands for, or `None` if the error refuses nothing.
    pub(crate) fn of(error: &StoreError) -> Option<Self> {
        match error {
            StoreError::Conflict(at) => Some(Self::Conflict(*at)),
            StoreError::Duplicate(at) => Some(Self::Duplicate(*at)),
            StoreError::TooLarge => Some(Self::TooLarge),
            _ => None,
        }
    }
}

/// Commits writes that the store must refuse.
pub(crate) fn refused(store: &dyn TokenStore, writes: &[Write]) -> Refusal {
    match store.commit(writes) {
        Ok(revision) => panic!("an invalid commit was accepted as {revision:?}"),
        Err(error) => Refusal::of(&error).unwrap_or_else(|| panic!("a commit failed: {error:?}")),
    }
}
