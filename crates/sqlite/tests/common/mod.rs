//! Helpers shared by the tests of this crate.

use std::path::Path;

use rusqlite::Connection;
use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::store::{Revision, Write};
use symbolon::{Id, Origin, Status};
use symbolon_sqlite::SqliteStore;

/// A token of organization 7 and of user 8.
pub(crate) fn record(number: u64) -> Record {
    Record {
        key: key(number),
        unique: Some(number.to_be_bytes().into()),
        columns: Columns {
            organization: Id::new(7),
            user: Id::new(8),
            status: Some(Status::Active),
            origin: Some(Origin::V2),
        },
        bytes: b"bytes".as_slice().into(),
    }
}

pub(crate) fn key(number: u64) -> RecordKey {
    RecordKey::new(Kind::AUTHORIZATION, Id::new(number).unwrap())
}

pub(crate) fn insert(number: u64) -> Write {
    Write::Put { record: record(number), expected: Revision::ABSENT }
}

pub(crate) fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).unwrap()
}

/// A connection of an attacker who can write to the file.
pub(crate) fn intruder(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
    connection
}
