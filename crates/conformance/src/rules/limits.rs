//! Limits of a commit.

use symbolon::record::{MAX_RECORD, MAX_UNIQUE, Record};
use symbolon::store::{Revision, Write};

use crate::fresh_store::StoreFactory;
use crate::pages::dump;
use crate::sample::{Refusal, TOKEN, commit, guard, insert, key, record, refused, sized};

/// Limits never change, and allow one record of the maximum size.
pub fn limits_let_every_record_through(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let limits = store.limits();
    assert!(limits.bytes >= MAX_RECORD);
    assert!(limits.writes >= 1);
    commit(store, &[insert(&record(TOKEN, 1, ""))]);
    assert_eq!(store.limits(), limits);
}

/// A commit with the maximum number of writes is accepted.
pub fn a_commit_of_the_most_writes_is_taken(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let most = store.limits().writes.min(PLENTY);
    let writes: Vec<Write> = small_records(most).iter().map(insert).collect();
    let revision = commit(store, &writes);
    let dump = dump(store);
    assert_eq!(dump.records.len(), most);
    assert!(dump.records.values().all(|found| found.revision == revision));
}

/// A commit with one more write, or one more guard, is too large and leaves the store unchanged.
pub fn a_commit_of_too_many_writes_is_refused(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let most = store.limits().writes;
    if most >= PLENTY {
        return;
    }
    let mut writes: Vec<Write> = small_records(most).iter().map(insert).collect();
    writes.push(guard(key(TOKEN, u64::MAX), Revision::ABSENT));
    let before = dump(store);
    assert_eq!(refused(store, &writes), Refusal::TooLarge);
    assert_eq!(dump(store), before);
    writes.pop();
    commit(store, &writes);
}

/// A commit with the maximum number of bytes is accepted; with one more byte it is too large.
pub fn a_commit_of_too_many_bytes_is_refused(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let limits = store.limits();
    let whole = limits.bytes / MAX_RECORD;
    if whole >= limits.writes.min(PLENTY) {
        // The number of writes is the limit that is reached first.
        return;
    }
    let size_at = |at| match at < whole {
        true => MAX_RECORD,
        false => limits.bytes % MAX_RECORD,
    };
    let mut records: Vec<Record> =
        (0..=whole).map(|at| sized(at as u64 + 1, size_at(at))).collect();
    let last = sized(whole as u64 + 1, size_at(whole) + 1);
    let fitting = std::mem::replace(&mut records[whole], last);
    let before = dump(store);
    let writes: Vec<Write> = records.iter().map(insert).collect();
    assert_eq!(refused(store, &writes), Refusal::TooLarge);
    assert_eq!(dump(store), before);
    records[whole] = fitting;
    let writes: Vec<Write> = records.iter().map(insert).collect();
    commit(store, &writes);
    assert_eq!(dump(store).records.len(), whole + 1);
}

/// A record of more than [`MAX_RECORD`] bytes, including its unique key, is too large.
pub fn a_record_too_large_is_refused(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let mut with_unique = sized(2, MAX_RECORD - 3);
    with_unique.unique = Some(b"four".as_slice().into());
    let before = dump(store);
    for record in [sized(1, MAX_RECORD + 1), with_unique, sized(3, 1 << 20)] {
        assert_eq!(refused(store, &[insert(&record)]), Refusal::TooLarge);
        assert_eq!(dump(store), before);
    }
}

/// A unique key of [`MAX_UNIQUE`] bytes is accepted; with one more byte it is too large.
pub fn a_unique_key_too_long_is_refused(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let long = |number: u64, length: usize| Record {
        unique: Some(vec![b'u'; length].into()),
        ..record(TOKEN, number, "")
    };
    let before = dump(store);
    let refusal = refused(store, &[insert(&long(1, MAX_UNIQUE + 1))]);
    assert_eq!(refusal, Refusal::TooLarge);
    assert_eq!(dump(store), before);
    commit(store, &[insert(&long(1, MAX_UNIQUE))]);
    let taken = insert(&long(2, MAX_UNIQUE));
    assert_eq!(refused(store, &[taken]), Refusal::Duplicate(0));
    commit(store, &[insert(&long(2, MAX_UNIQUE - 1))]);
}

/// More writes than a test can commit in reasonable time.
const PLENTY: usize = 20_000;

fn small_records(count: usize) -> Vec<Record> {
    (1..=count as u64).map(|n| record(TOKEN, n, "s")).collect()
}
