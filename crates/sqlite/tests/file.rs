//! The file: its mode, who may share it, and what is no store.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{insert, intruder, key, open, record};
use rusqlite::Connection;
use symbolon::store::{Cursor, Epoch, Revision, TokenStore};
use symbolon::{StoreError, record::MAX_RECORD};
use symbolon_files::FileError;
use symbolon_sqlite::{SqliteError, SqliteStore};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn epoch(store: &SqliteStore) -> Epoch {
    let page = store.scan(&Cursor::start(), 1000).unwrap();
    page.end.unwrap().epoch
}

fn refused(path: &Path) -> SqliteError {
    SqliteStore::open(path).unwrap_err()
}

#[test]
fn folder_and_files_are_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/folder/tokens.db");
    let store = open(&path);
    store.commit(&[insert(1)]).unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in ["tokens.db", "tokens.db-wal", "tokens.db-shm"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    drop(store);
    let left = fs::read_dir(path.parent().unwrap()).unwrap();
    assert_eq!(left.count(), 1, "closing leaves the file alone");
}

#[test]
fn a_file_or_folder_that_others_could_change_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    drop(open(&path));
    set_mode(&path, 0o640);
    assert!(matches!(refused(&path), SqliteError::File(FileError::Exposed { .. })));
    set_mode(&path, 0o600);
    set_mode(dir.path(), 0o770);
    let error = refused(&path);
    assert!(matches!(error, SqliteError::File(FileError::WritableFolder { .. })));
    let other = dir.path().join("other.db");
    assert!(matches!(refused(&other), SqliteError::File(_)));
    assert!(!other.exists());
}

#[test]
fn a_missing_file_is_not_created() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("folder/tokens.db");
    let missing = SqliteStore::open_existing(&path).unwrap_err();
    assert!(matches!(missing, SqliteError::Missing(_)));
    assert!(!path.parent().unwrap().exists());
    drop(open(&path));
    SqliteStore::open_existing(&path).unwrap();
}

#[test]
fn a_foreign_database_is_rejected_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("foreign.db");
    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE state (head)").unwrap();
    drop(foreign);
    set_mode(&path, 0o600);
    let before = fs::read(&path).unwrap();
    assert!(matches!(refused(&path), SqliteError::Foreign(_)));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn an_empty_file_is_not_a_new_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    symbolon_files::create_private(&path, b"").unwrap();
    assert!(matches!(refused(&path), SqliteError::Foreign(_)));
}

#[test]
fn damage_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    let store = open(&path);
    store.commit(&[insert(1)]).unwrap();
    drop(store);
    let whole = fs::read(&path).unwrap();
    for bad in [&whole[..whole.len() / 2], &whole[..50], b"no database".repeat(100).as_slice()] {
        fs::write(&path, bad).unwrap();
        let error = refused(&path);
        assert!(matches!(error, SqliteError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("restore it from a backup"));
    }
    fs::write(&path, &whole).unwrap();
    assert!(open(&path).get(&key(1)).unwrap().is_some());
}

#[test]
fn a_damaged_page_is_reported_when_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    let store = open(&path);
    store.commit(&[insert(1)]).unwrap();
    drop(store);
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'record'";
    let page: usize = intruder(&path).query_row(root, [], |row| row.get(0)).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096 * (page - 1)..4096 * page].fill(0xa5);
    fs::write(&path, &bytes).unwrap();

    let store = SqliteStore::open_existing(&path).unwrap();
    let errors = [
        store.get(&key(1)).unwrap_err(),
        store.scan(&Cursor::start(), 1000).unwrap_err(),
        store.commit(&[insert(2)]).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
    }
    assert!(!store.integrity().unwrap().is_empty());
}

#[test]
fn a_newer_format_is_rejected_with_a_hint_to_update() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    drop(open(&path));
    intruder(&path).execute_batch("PRAGMA user_version = 2").unwrap();
    let error = refused(&path);
    assert!(matches!(error, SqliteError::Newer { version: 2, .. }));
    assert!(error.to_string().contains("has format 2, but this program supports only format 1"));
}

#[test]
fn a_missing_table_is_reported_as_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    drop(open(&path));
    intruder(&path).execute_batch("DROP TABLE state").unwrap();
    assert!(matches!(refused(&path), SqliteError::Damaged { .. }));
}

#[test]
fn a_folder_is_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, SqliteError::File(FileError::NotAFile(_))), "{error:?}");
}

/// As root nothing is read-only, and this tests nothing.
#[test]
fn read_only_files_are_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    drop(open(&path));
    set_mode(&path, 0o400);
    if OpenOptions::new().write(true).open(&path).is_ok() {
        return;
    }
    assert!(matches!(refused(&path), SqliteError::ReadOnly(_)));
    set_mode(&path, 0o600);
    drop(open(&path));
    set_mode(dir.path(), 0o500);
    let error = refused(&path);
    set_mode(dir.path(), 0o700);
    assert!(matches!(error, SqliteError::ReadOnly(_)), "{error:?}");
    // A log that was left by a process of another user.
    let log = dir.path().join("tokens.db-wal");
    fs::write(&log, "").unwrap();
    set_mode(&log, 0o400);
    assert!(matches!(refused(&path), SqliteError::ReadOnly(_)));
}

#[test]
fn a_leftover_log_does_not_corrupt_a_new_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    fs::write(dir.path().join("tokens.db-wal"), "log").unwrap();
    assert!(matches!(refused(&path), SqliteError::Leftover(_)));
    assert!(!path.exists());
}

#[test]
fn file_names_are_not_interpreted() {
    let dir = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:tokens.db?mode=memory", "ä ö%41"] {
        let path = dir.path().join(name);
        open(&path).commit(&[insert(1)]).unwrap();
        assert!(open(&path).get(&key(1)).unwrap().is_some(), "{name}");
    }
}

#[test]
fn concurrent_creation_of_one_file_succeeds() {
    for _ in 0..10 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("folder/tokens.db");
        let epochs: Vec<Epoch> = std::thread::scope(|scope| {
            let make = |number| {
                let path = &path;
                scope.spawn(move || {
                    let store = open(path);
                    store.commit(&[insert(number)]).unwrap();
                    epoch(&store)
                })
            };
            let threads: Vec<_> = (1..=6).map(make).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(epochs.iter().all(|epoch| *epoch == epochs[0]));
        let page = open(&path).scan(&Cursor::start(), 100).unwrap();
        assert_eq!(page.items.len(), 6);
        assert_eq!(page.end.unwrap().head, Revision(6));
    }
}

#[test]
fn a_file_that_was_replaced_takes_no_commit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    let store = open(&path);
    store.commit(&[insert(1)]).unwrap();
    fs::rename(&path, dir.path().join("moved.db")).unwrap();
    for other in ["nothing", "another"] {
        let error = store.commit(&[insert(2)]).unwrap_err();
        assert!(matches!(error, StoreError::Backend(_)), "{other}: {error:?}");
        assert!(store.get(&key(1)).is_err());
        fs::write(&path, "another").unwrap();
    }
}

#[test]
fn a_record_of_maximum_size_round_trips() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("tokens.db"));
    let mut greatest = record(1);
    greatest.bytes = vec![7; MAX_RECORD - 8].into();
    let write =
        symbolon::store::Write::Put { record: greatest.clone(), expected: Revision::ABSENT };
    store.commit(&[write]).unwrap();
    assert_eq!(store.get(&key(1)).unwrap().unwrap().record, greatest);
}
