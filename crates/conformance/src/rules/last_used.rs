//! Last uses of authorizations.

use std::thread;
use std::time::Duration;

use symbolon::Minute;
use symbolon::store::{Cursor, Query, TokenStore, Wake};

use crate::fresh_store::StoreFactory;
use crate::pages::{dump, scan};
use crate::sample::{
    TOKEN, USER, commit, get, guard, id, insert, insert_all, key, purge, put, record, revision_of,
    stored,
};

/// The latest recorded use wins, whatever the order of recording.
pub fn the_latest_use_wins(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, ""));
    assert_eq!(stored(store, key(TOKEN, 1)).last_used, None);
    for (noted, kept) in [(0, 0), (7, 7), (5, 7), (7, 7), (9, 9), (u32::MAX, u32::MAX)] {
        touch(store, &[(1, noted)]);
        assert_eq!(last_used(store, 1), Some(kept), "after {noted}");
    }
    put(store, &record(TOKEN, 2, ""));
    touch(store, &[(2, 4), (2, 8), (2, 6)]);
    assert_eq!(last_used(store, 2), Some(8));
}

/// The last use is returned with the record by `get`, `scan` and `find`.
pub fn the_last_use_is_read_everywhere(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, ""));
    touch(store, &[(1, 42)]);
    let wanted = stored(store, key(TOKEN, 1));
    assert_eq!(wanted.last_used, Some(Minute(42)));
    assert_eq!(dump(store).records[&key(TOKEN, 1)], wanted);
    assert_eq!(store.find(&Query::all(TOKEN)).expect("find works"), [wanted]);
}

/// A use takes no revision: head, floor, record and expected revision stay the same, and no scan
/// returns it.
pub fn a_use_is_no_commit(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let revision = put(store, &record(TOKEN, 1, "as it was"));
    let before = scan(store, &Cursor::start(), 10);
    touch(store, &[(1, 5)]);
    let after = scan(store, &before.next, 10);
    assert!(after.items.is_empty(), "a scan sees a use");
    assert_eq!(after.end, before.end);
    let found = stored(store, key(TOKEN, 1));
    assert_eq!(found.record, record(TOKEN, 1, "as it was"));
    assert_eq!(found.revision, revision);
    commit(store, &[guard(key(TOKEN, 1), revision)]);
}

/// A use does not wake a waiting thread.
pub fn a_use_wakes_no_waiter(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, ""));
    let cursor = scan(store, &Cursor::start(), 10).next;
    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.wait(&cursor, Duration::from_millis(200)));
        for minute in 1..=5 {
            thread::sleep(Duration::from_millis(10));
            touch(store, &[(1, minute)]);
        }
        let wake = waiting.join().expect("the wait ends").expect("wait works");
        assert_eq!(wake, Wake::Timeout);
    });
}

/// Uses of ids without an authorization are ignored; the others are recorded.
pub fn a_use_of_an_absent_record_is_ignored(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    touch(store, &[]);
    touch(store, &[(1, 5)]);
    put(store, &record(TOKEN, 2, ""));
    put(store, &record(USER, 3, "not an authorization"));
    touch(store, &[(1, 5), (3, 5), (2, 5), (u64::MAX, 5)]);
    assert_eq!(last_used(store, 2), Some(5));
    assert_eq!(stored(store, key(USER, 3)).last_used, None);
    assert_eq!(get(store, key(TOKEN, 1)), None);
    assert_eq!(dump(store).records.len(), 2);
    // A use recorded before the record existed does not count for it.
    put(store, &record(TOKEN, 1, ""));
    assert_eq!(last_used(store, 1), None);
}

/// The limits of a commit do not apply to uses: one call records any number.
pub fn any_number_of_uses_is_recorded(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let records = [1, 40_000].map(|number| record(TOKEN, number, ""));
    insert_all(store, &records);
    let used: Vec<_> = (1..=40_000).map(|number| (number, 5)).collect();
    touch(store, &used);
    assert_eq!(last_used(store, 1), Some(5));
    assert_eq!(last_used(store, 40_000), Some(5));
}

/// The last use survives a replacement of the record.
pub fn the_last_use_stays_with_a_replacement(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, "first"));
    touch(store, &[(1, 5)]);
    put(store, &record(TOKEN, 1, "second"));
    assert_eq!(last_used(store, 1), Some(5));
    touch(store, &[(1, 3)]);
    assert_eq!(last_used(store, 1), Some(5));
}

/// The last use is deleted with the record.
pub fn the_last_use_ends_with_a_purge(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, "first"));
    touch(store, &[(1, 5)]);
    let revision = revision_of(store, key(TOKEN, 1));
    commit(store, &[purge(key(TOKEN, 1), revision)]);
    commit(store, &[insert(&record(TOKEN, 1, "second"))]);
    assert_eq!(last_used(store, 1), None);
}

fn touch(store: &dyn TokenStore, used: &[(u64, u32)]) {
    let used: Vec<_> = used.iter().map(|(number, minute)| (id(*number), Minute(*minute))).collect();
    store.touch(&used).expect("touch works");
}

fn last_used(store: &dyn TokenStore, number: u64) -> Option<u32> {
    let Minute(minute) = stored(store, key(TOKEN, number)).last_used?;
    Some(minute)
}
