//! Reading a store page by page.

use std::collections::BTreeMap;

use symbolon::record::RecordKey;
use symbolon::store::{Cursor, End, Stored, TokenStore};

/// The result of a scan up to its last page.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) items: Vec<Stored>,
    pub(crate) next: Cursor,
    pub(crate) end: End,
}

impl Scanned {
    pub(crate) fn keys(&self) -> Vec<RecordKey> {
        let mut keys: Vec<RecordKey> = self.items.iter().map(|item| item.record.key).collect();
        keys.sort_unstable();
        keys
    }
}

/// The complete visible content of a store. Two dumps are equal if nothing was written between
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dump {
    pub(crate) records: BTreeMap<RecordKey, Stored>,
    pub(crate) end: End,
}

impl Dump {
    /// Returns the dump without last uses, which a store may lose.
    pub(crate) fn without_uses(mut self) -> Self {
        for stored in self.records.values_mut() {
            stored.last_used = None;
        }
        self
    }
}

/// The number of pages after which a scan counts as endless.
const MAX_PAGES: usize = 100_000;

/// Reads pages of `limit` until the last.
pub(crate) fn scan(store: &dyn TokenStore, after: &Cursor, limit: usize) -> Scanned {
    scan_with(store, after, limit, |_| ())
}

/// Reads pages of `limit` until the last, and calls `between` with the index of each page except
/// the last.
pub(crate) fn scan_with(
    store: &dyn TokenStore,
    after: &Cursor,
    limit: usize,
    mut between: impl FnMut(usize),
) -> Scanned {
    let mut items = Vec::new();
    let mut cursor = after.clone();
    for number in 0..MAX_PAGES {
        let page = store.scan(&cursor, limit).expect("scan works");
        assert!(page.items.len() <= limit, "a page of at most {limit} has {}", page.items.len());
        items.extend(page.items);
        cursor = page.next;
        if let Some(end) = page.end {
            return Scanned { items, next: cursor, end };
        }
        between(number);
    }
    panic!("a scan does not end");
}

/// Reads the whole store, and checks that each record occurs once. Requires that no writes run.
pub(crate) fn dump(store: &dyn TokenStore) -> Dump {
    let scanned = scan(store, &Cursor::start(), 1000);
    let mut records = BTreeMap::new();
    for item in scanned.items {
        let key = item.record.key;
        let before = records.insert(key, item);
        assert!(before.is_none(), "a scan met {key:?} twice");
    }
    Dump { records, end: scanned.end }
}

/// Returns the newest version of each record.
pub(crate) fn newest(items: Vec<Stored>) -> BTreeMap<RecordKey, Stored> {
    let mut known = BTreeMap::new();
    items.into_iter().for_each(|item| keep_newest(&mut known, item));
    known
}

/// Keeps the item if it is at least as new as the version in `known`, as a follower does.
pub(crate) fn keep_newest(known: &mut BTreeMap<RecordKey, Stored>, item: Stored) {
    let before = known.get(&item.record.key);
    if before.is_none_or(|before| before.revision <= item.revision) {
        known.insert(item.record.key, item);
    }
}
