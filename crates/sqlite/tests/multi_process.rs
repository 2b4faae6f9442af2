//! Several handles and several processes on one file.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "other tests use the rest")]
mod common;

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::{insert, key, open, record};
use symbolon::store::{Cursor, Revision, TokenStore, Wake, Write};
use symbolon::{Minute, StoreError};
use symbolon_sqlite::SqliteStore;

const PATH: &str = "SYMBOLON_TEST_STORE";
const LONG: Duration = Duration::from_secs(30);
const ADDED: u64 = 200;

fn caught_up(store: &SqliteStore) -> Cursor {
    store.scan(&Cursor::start(), 1000).unwrap().next
}

#[test]
fn a_wait_wakes_for_a_commit_through_another_handle() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    let (writer, follower) = (open(&path), open(&path));
    let mut quickest = LONG;
    for number in 1..=5 {
        let cursor = caught_up(&follower);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let woken = follower.wait(&cursor, LONG).unwrap();
                (woken, Instant::now())
            });
            thread::sleep(Duration::from_millis(20));
            writer.commit(&[insert(number)]).unwrap();
            let returned = Instant::now();
            let (woken, at) = waiting.join().unwrap();
            assert_eq!(woken, Wake::Changed);
            quickest = quickest.min(at.saturating_duration_since(returned));
        });
        let page = follower.scan(&cursor, 10).unwrap();
        assert_eq!(page.items.len(), 1);
        assert_eq!(page.items[0].record, record(number));
    }
    assert!(quickest < Duration::from_millis(100), "{quickest:?}");
}

#[test]
fn a_wait_wakes_for_a_commit_through_its_own_handle() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("tokens.db"));
    let cursor = caught_up(&store);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.wait(&cursor, LONG).unwrap());
        thread::sleep(Duration::from_millis(20));
        store.commit(&[insert(1)]).unwrap();
        assert_eq!(waiting.join().unwrap(), Wake::Changed);
    });
}

#[test]
fn a_wait_wakes_for_a_renewal_through_another_handle() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    let (writer, follower) = (open(&path), open(&path));
    writer.commit(&[insert(1)]).unwrap();
    let cursor = caught_up(&follower);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| follower.wait(&cursor, LONG).unwrap());
        thread::sleep(Duration::from_millis(20));
        let epoch = writer.renew().unwrap();
        assert_eq!(waiting.join().unwrap(), Wake::Changed);
        let end = follower.scan(&cursor, 1).unwrap().end.unwrap();
        assert_eq!((end.epoch, end.head), (epoch, Revision(1)));
    });
}

#[test]
fn a_wait_returns_at_once_for_earlier_writes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("tokens.db"));
    let cursor = caught_up(&store);
    store.commit(&[insert(1)]).unwrap();
    assert_eq!(store.wait(&cursor, LONG).unwrap(), Wake::Changed);
    assert_eq!(store.wait(&cursor, Duration::ZERO).unwrap(), Wake::Changed);
    let cursor = caught_up(&store);
    assert_eq!(store.wait(&cursor, Duration::ZERO).unwrap(), Wake::Timeout);
}

#[test]
fn last_uses_wake_no_waiter_and_waits_do_not_queue() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("tokens.db"));
    store.commit(&[insert(1)]).unwrap();
    let cursor = caught_up(&store);
    let start = Instant::now();
    thread::scope(|scope| {
        let wait = || store.wait(&cursor, Duration::from_millis(300)).unwrap();
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(wait)).collect();
        thread::sleep(Duration::from_millis(20));
        store.touch(&[(key(1).id, Minute(5))]).unwrap();
        for wait in waiting {
            assert_eq!(wait.join().unwrap(), Wake::Timeout);
        }
    });
    assert!(start.elapsed() < Duration::from_millis(1200), "{:?}", start.elapsed());
    assert_eq!(store.get(&key(1)).unwrap().unwrap().last_used, Some(Minute(5)));
}

/// Adds one to a counter again and again, as the engine changes a record.
fn add(store: &SqliteStore) {
    for _ in 0..ADDED {
        loop {
            let found = store.get(&key(1)).unwrap().unwrap();
            let mut record = found.record;
            let count = u64::from_be_bytes((*record.bytes).try_into().unwrap());
            record.bytes = (count + 1).to_be_bytes().into();
            let expected = found.revision;
            match store.commit(&[Write::Put { record, expected }]) {
                Ok(_) => break,
                Err(error) => assert!(matches!(error, StoreError::Conflict(0)), "{error:?}"),
            }
        }
    }
}

fn counter(path: &Path) -> SqliteStore {
    let store = open(path);
    let mut record = record(1);
    record.bytes = 0_u64.to_be_bytes().into();
    let expected = Revision::ABSENT;
    store.commit(&[Write::Put { record, expected }]).unwrap();
    store
}

fn count(store: &SqliteStore) -> u64 {
    let found = store.get(&key(1)).unwrap().unwrap();
    u64::from_be_bytes((*found.record.bytes).try_into().unwrap())
}

#[test]
fn two_handles_lose_no_update() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    let (one, two) = (counter(&path), open(&path));
    thread::scope(|scope| {
        for store in [&one, &two, &one, &two] {
            scope.spawn(|| add(store));
        }
    });
    assert_eq!(count(&one), 4 * ADDED);
}

/// Run by `two_processes_lose_no_update` in its own process.
#[test]
fn add_in_a_process() {
    if let Some(path) = std::env::var_os(PATH) {
        add(&SqliteStore::open_existing(path).unwrap());
    }
}

#[test]
fn two_processes_lose_no_update() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db");
    let store = counter(&path);
    let start = |_| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "add_in_a_process"]).env(PATH, &path);
        child.spawn().unwrap()
    };
    let children: Vec<_> = (0..2).map(start).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(count(&store), 2 * ADDED);
    let head = store.scan(&Cursor::start(), 10).unwrap().end.unwrap().head;
    assert_eq!(head, Revision(1 + 2 * ADDED));
}
