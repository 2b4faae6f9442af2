//! How much a commit may hold.

use symbolon::record::{MAX_RECORD, MAX_UNIQUE, Record};
use symbolon::store::{Revision, Write};

use crate::fresh_store::StoreFactory;
use crate::pages::dump;
use crate::sample::{Refusal, TOKEN, commit, guard, insert, key, record, refused, sized};

/// Limits are the same at any time, and let one record of the greatest size through.
pub fn limits_let_every_record_through(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let limits = store.limits();
    assert!(limits.bytes >= MAX_RECORD);
    assert!(limits.writes >= 1);
    commit(store, &[insert(&record(TOKEN, 1, ""))]);
    assert_eq!(store.limits(), limits);
}

/// A commit of exactly as many writes as the limits say is taken.
pub fn a_commit_of_the_most_writes_is_taken(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let most = store.limits().writes.min(PLENTY);
    let writes: Vec<Write> = small_records(most).iter().map(insert).collect();
    let revision = commit(store, &writes);
    let dump = dump(store);
    assert_eq!(dump.records.len(), most);
    assert!(
        dump.records
            .values()
            .all(|found| found.revision == revision)
    );
}

/// One write more is too large, guards counted too, and leaves nothing.
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

/// A commit of exactly as many bytes as the limits say is taken, with one byte more it is too large.
pub fn a_commit_of_too_many_bytes_is_refused(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let limits = store.limits();
    let whole = limits.bytes / MAX_RECORD;
    if whole >= limits.writes.min(PLENTY) {
        // The number of writes is what ends first.
        return;
    }
    let size_at = |at| match at < whole {
        true => MAX_RECORD,
        false => limits.bytes % MAX_RECORD,
    };
    let mut records: Vec<Record> = (0..=whole)
        .map(|at| sized(at as u64 + 1, size_at(at)))
        .collect();
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

/// A record of one byte more than [`MAX_RECORD`] is too large; its unique key counts.
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

/// A unique key of [`MAX_UNIQUE`] bytes is taken, one of a byte more is too large.
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

/// More writes than a test can make in good time.
const PLENTY: usize = 20_000;

fn small_records(count: usize) -> Vec<Record> {
    (1..=count as u64).map(|n| record(TOKEN, n, "s")).collect()
}
