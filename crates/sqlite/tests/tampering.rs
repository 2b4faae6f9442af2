//! Planted rows: they hide no other row, and fsck finds them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::path::Path;

use common::{insert, intruder, key, open, record};
use rusqlite::params;
use symbolon::Id;
use symbolon::record::{Columns, Kind, MAX_RECORD};
use symbolon::store::{Cursor, Query, Revision, Stored, TokenStore, Write};
use symbolon_sqlite::SqliteStore;

const FLIP: u64 = 1 << 63;

fn column(id: u64) -> i64 {
    (id ^ FLIP).cast_signed()
}

fn plant(path: &Path, kind: i64, id: u64, revision: i64, status: i64, size: usize) {
    let sql = "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8)";
    let unique = id.to_be_bytes();
    let values =
        params![kind, column(id), revision, unique, column(7), column(8), status, vec![0_u8; size]];
    intruder(path).execute(sql, values).unwrap();
}

/// Everything, in pages of `limit`.
fn scan(store: &SqliteStore, limit: usize) -> Vec<Stored> {
    let mut cursor = Cursor::start();
    let mut found = Vec::new();
    loop {
        let page = store.scan(&cursor, limit).unwrap();
        found.extend(page.items);
        if page.end.is_some() {
            return found;
        }
        cursor = page.next;
    }
}

#[test]
fn planted_rows_do_not_hide_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    let store = open(&path);
    for number in 1..=4 {
        store.commit(&[insert(number * 10)]).unwrap();
    }
    plant(&path, 1, 11, 1, 9, 5);
    plant(&path, 1, 12, 2, -5, 5);
    plant(&path, 1, 13, 2, 1, 1_000_000);
    plant(&path, 1, 0, 3, 1, 5);
    plant(&path, 300, 14, 3, 1, 5);
    plant(&path, -1, 15, 3, 1, 5);
    plant(&path, 1, 16, i64::MAX, 1, 5);
    plant(&path, 1, 17, -1, 1, 5);
    for limit in [1, 2, 3, 1000] {
        let found = scan(&store, limit);
        for number in 1..=4 {
            let wanted = record(number * 10);
            assert_eq!(found.iter().filter(|item| item.record == wanted).count(), 1);
        }
        let ids: Vec<u64> = found.iter().map(|item| item.record.key.id.number()).collect();
        assert_eq!(ids, [10, 11, 12, 13, 16, 20, 30, 40].map(|id: u64| id));
        assert!(found.iter().all(|item| item.record.bytes.len() <= MAX_RECORD + 1));
    }
    // What was never written has no columns, which the MAC of no token fits.
    let odd = store.get(&key(11)).unwrap().unwrap();
    assert_eq!(odd.record.columns, Columns::default());
    let query = Query { organization: Id::new(7), ..Query::all(Kind::AUTHORIZATION) };
    let found = store.find(&query).unwrap();
    let ids: Vec<u64> = found.iter().map(|item| item.record.key.id.number()).collect();
    assert_eq!(ids, [10, 13, 16, 17, 20, 30, 40]);
    // And the store goes on.
    assert_eq!(store.commit(&[insert(50)]).unwrap(), Revision(5));
    let damage = store.integrity().unwrap().join("\n");
    for expected in ["CHECK constraint failed in record", "has the id 0", "newer than the newest"] {
        assert!(damage.contains(expected), "{damage}");
    }
}

#[test]
fn a_planted_trigger_does_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    drop(open(&path));
    let trigger = "CREATE TRIGGER undo AFTER UPDATE ON record BEGIN SELECT RAISE(IGNORE); END;
                   CREATE TRIGGER again BEFORE INSERT ON record BEGIN SELECT RAISE(IGNORE); END;";
    intruder(&path).execute_batch(trigger).unwrap();
    let store = open(&path);
    let first = store.commit(&[insert(1)]).unwrap();
    let mut changed = record(1);
    changed.bytes = b"changed".as_slice().into();
    let write = Write::Put { record: changed.clone(), expected: first };
    store.commit(&[write]).unwrap();
    assert_eq!(store.get(&key(1)).unwrap().unwrap().record, changed);
    let damage = store.integrity().unwrap();
    assert_eq!(damage, ["tables or indexes differ from the schema"]);
}

#[test]
fn a_decreased_head_is_detected() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    let store = open(&path);
    store.commit(&[insert(1)]).unwrap();
    store.commit(&[insert(2)]).unwrap();
    assert_eq!(store.integrity().unwrap(), [""; 0]);
    intruder(&path).execute_batch("UPDATE state SET head = 1").unwrap();
    let damage = store.integrity().unwrap();
    assert_eq!(damage, ["a record is newer than the newest commit"]);
    intruder(&path).execute_batch("UPDATE state SET head = 9223372036854775807").unwrap();
    assert!(matches!(store.commit(&[insert(3)]), Err(symbolon::StoreError::Corrupt(_))));
    intruder(&path).execute_batch("UPDATE state SET head = -1").unwrap();
    assert!(matches!(store.scan(&Cursor::start(), 1), Err(symbolon::StoreError::Corrupt(_))));
    intruder(&path).execute_batch("DELETE FROM state").unwrap();
    assert!(matches!(store.commit(&[insert(3)]), Err(symbolon::StoreError::Corrupt(_))));
}

#[test]
fn ids_are_stored_unsigned() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("tokens.db"));
    let ids = [1, FLIP - 1, FLIP, FLIP + 1, u64::MAX];
    for id in ids.iter().rev() {
        store.commit(&[insert(*id)]).unwrap();
    }
    for (skipped, id) in ids.iter().enumerate() {
        let all = Query::all(Kind::AUTHORIZATION);
        for base in [
            all.clone(),
            Query { organization: Id::new(7), ..all.clone() },
            Query { user: Id::new(8), ..all },
        ] {
            let query = Query { after: Id::new(*id), ..base };
            let found = store.find(&query).unwrap();
            let found: Vec<u64> = found.iter().map(|item| item.record.key.id.number()).collect();
            assert_eq!(found, &ids[skipped + 1..]);
        }
    }
}
