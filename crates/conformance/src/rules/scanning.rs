//! Scans are complete.

use std::collections::BTreeMap;

use symbolon::record::{Record, RecordKey};
use symbolon::store::{Cursor, Revision, TokenStore};

use crate::fresh_store::StoreFactory;
use crate::pages::{Scanned, dump, newest, scan, scan_with};
use crate::sample::{
    TOKEN, USER, commit, insert, insert_all, key, named, purge, put, record, revision_of, stored,
};

/// A scan of an empty store ends with its first page.
pub fn a_scan_of_nothing_ends(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let page = store.scan(&Cursor::start(), 10).expect("scan works");
    assert!(page.items.is_empty());
    let end = page.end.expect("the scan is complete");
    assert_eq!((end.head, end.floor), (Revision::ABSENT, Revision::ABSENT));
}

/// Without concurrent writes, a scan from the start returns every record exactly once, equal to
/// `get`.
pub fn a_scan_meets_every_record_once(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    // More records than any page that a store may read internally.
    let mut records: Vec<Record> = (1..=1200).map(|n| record(TOKEN, n, "quiet")).collect();
    records.extend((1..=50).map(|n| named(USER, u64::MAX - n, &format!("user {n}"))));
    insert_all(store, &records);
    for number in [1, 600, 1200] {
        put(store, &record(TOKEN, number, "replaced"));
    }
    let scanned = scan(store, &Cursor::start(), 500);
    let mut wanted: Vec<RecordKey> = records.iter().map(|record| record.key).collect();
    wanted.sort_unstable();
    assert_eq!(scanned.keys(), wanted);
    for item in scanned.items {
        assert_eq!(stored(store, item.record.key), item);
    }
}

/// Pages hold at most `limit` records, together hold all of them, and only the last has an end.
pub fn pages_of_every_size_cover_everything(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    // Large commits, so that pages end within them, in another order than the keys.
    for base in [200, 0, 100] {
        let records: Vec<Record> = (1..=7).map(|n| record(TOKEN, base + n, "")).collect();
        insert_all(store, &records);
    }
    let whole = dump(store);
    assert_eq!(whole.records.len(), 21);
    for limit in [1, 2, 3, 7, 20, 21, 22, 1000, usize::MAX] {
        let mut pages = 0;
        let scanned = scan_with(store, &Cursor::start(), limit, |_| pages += 1);
        assert_eq!(scanned.items.len(), 21, "pages of {limit}");
        assert_eq!(newest(scanned.items), whole.records, "pages of {limit}");
        assert_eq!(scanned.end, whole.end);
        assert!(pages >= 20 / limit, "an end before the last page");
        nothing_after(store, &scanned.next);
    }
}

/// A scan from the end of another returns exactly the records written since, each once, in its
/// newest version.
pub fn a_scan_continues_with_later_writes(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let records: Vec<Record> = (1..=10).map(|n| record(TOKEN, n, "first")).collect();
    insert_all(store, &records);
    let first = scan(store, &Cursor::start(), 4);
    nothing_after(store, &first.next);
    put(store, &record(TOKEN, 3, "second"));
    put(store, &record(TOKEN, 3, "third"));
    put(store, &record(TOKEN, 11, "new"));
    put(store, &record(USER, 1, "new"));
    for limit in [1, 2, 100] {
        let second = scan(store, &first.next, limit);
        let wanted = [key(TOKEN, 3), key(TOKEN, 11), key(USER, 1)];
        assert_eq!(second.keys(), wanted, "pages of {limit}");
        let third = &newest(second.items)[&key(TOKEN, 3)];
        assert_eq!(third.record, record(TOKEN, 3, "third"));
        nothing_after(store, &second.next);
    }
}

/// The cursor of an empty scan sees later writes.
pub fn the_cursor_of_an_empty_scan_sees_later_writes(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let empty = scan(store, &Cursor::start(), 5);
    put(store, &record(TOKEN, 1, ""));
    let one = scan(store, &empty.next, 5);
    assert_eq!(one.keys(), [key(TOKEN, 1)]);
    let none = scan(store, &one.next, 5);
    assert!(none.items.is_empty());
    put(store, &record(TOKEN, 1, "again"));
    assert_eq!(scan(store, &none.next, 5).keys(), [key(TOKEN, 1)]);
    assert_eq!(scan(store, &empty.next, 5).keys(), [key(TOKEN, 1)]);
}

/// A cursor is a value: using it again, or a copy of its bytes, gives the same result.
pub fn a_cursor_can_be_used_again(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let records: Vec<Record> = (1..=9).map(|n| record(TOKEN, n, "")).collect();
    insert_all(store, &records);
    let page = store.scan(&Cursor::start(), 4).expect("scan works");
    let copy = Cursor::from_bytes(page.next.as_bytes());
    let rest = scan(store, &page.next, 2);
    assert_eq!(rest.items.len(), 5);
    assert_eq!(scan(store, &page.next, 3).keys(), rest.keys());
    assert_eq!(scan(store, &copy, 100).keys(), rest.keys());
}

/// A record that is replaced between two pages is not lost, whether it was already returned or not.
pub fn a_record_rewritten_between_pages_is_scanned(factory: StoreFactory<'_>) {
    for limit in [1, 2, 5] {
        let store = &*factory.fresh();
        let records: Vec<Record> = (1..=12).map(|n| record(TOKEN, n, "before")).collect();
        insert_all(store, &records);
        let scanned = scan_with(store, &Cursor::start(), limit, |page| {
            if page < 6 {
                let number = page as u64 * 2 + 1;
                put(store, &record(TOKEN, number, "between"));
            }
        });
        meets_everything(store, scanned);
    }
}

/// A record that is inserted between two pages is returned by the scan or by the next one from its
/// end.
pub fn a_record_inserted_between_pages_is_scanned(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let records: Vec<Record> = (101..=112).map(|n| record(TOKEN, n, "before")).collect();
    insert_all(store, &records);
    let scanned = scan_with(store, &Cursor::start(), 3, |page| {
        // Keys before and after all others.
        for number in [page as u64 + 1, page as u64 + 1000] {
            if page < 4 {
                put(store, &record(TOKEN, number, "between"));
            }
        }
    });
    meets_everything(store, scanned);
}

/// A purge between two pages neither ends the scan nor hides another record, and raises the floor.
pub fn a_purge_between_pages_hides_nothing_else(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let records: Vec<Record> = (1..=12).map(|n| record(TOKEN, n, "before")).collect();
    insert_all(store, &records);
    let mut purged = Revision::ABSENT;
    let scanned = scan_with(store, &Cursor::start(), 2, |page| {
        if page < 3 {
            for number in [page as u64 + 1, 12 - page as u64] {
                let key = key(TOKEN, number);
                purged = commit(store, &[purge(key, revision_of(store, key))]);
            }
        }
    });
    assert_eq!(scanned.end.floor, purged);
    let met = newest(scanned.items);
    let left = dump(store).records;
    assert_eq!(left.len(), 6);
    for (key, stored) in left {
        assert_eq!(met.get(&key), Some(&stored), "{key:?}");
    }
}

/// A purge is not an item of a scan; it only raises the floor.
pub fn a_purge_raises_the_floor(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let revision = put(store, &record(TOKEN, 1, ""));
    let before = scan(store, &Cursor::start(), 5);
    let purged = commit(store, &[purge(key(TOKEN, 1), revision)]);
    let after = scan(store, &before.next, 5);
    assert!(after.items.is_empty());
    assert_eq!((after.end.head, after.end.floor), (purged, purged));
    commit(store, &[insert(&record(TOKEN, 2, ""))]);
    assert_eq!(scan(store, &before.next, 5).keys(), [key(TOKEN, 2)]);
}

fn nothing_after(store: &dyn TokenStore, cursor: &Cursor) {
    let page = store.scan(cursor, 10).expect("scan works");
    assert!(page.items.is_empty(), "returned again: {:?}", page.items);
    assert!(page.end.is_some(), "the last page has no end");
}

/// Checks that the scan, continued from its end, returned the complete store.
fn meets_everything(store: &dyn TokenStore, scanned: Scanned) {
    let mut met: BTreeMap<_, _> = newest(scanned.items);
    for (key, stored) in &met {
        assert!(stored.revision <= scanned.end.head, "{key:?} is newer than the head");
    }
    met.extend(newest(scan(store, &scanned.next, 3).items));
    assert_eq!(met, dump(store).records);
}
