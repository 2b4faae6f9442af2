//! Revisions, the head and the floor.

use symbolon::store::{Cursor, Revision};

use crate::fresh_store::StoreFactory;
use crate::pages::{dump, scan};
use crate::sample::{
    NEVER, TOKEN, USER, commit, guard, insert, key, named, purge, put, record, refused,
    revision_of, stored,
};

/// Each commit has a greater revision than the one before, starting from 1.
pub fn revisions_grow(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let mut last = Revision::ABSENT;
    for round in 0..10 {
        // Replacements, inserts and purges all take a revision.
        let replaced = put(store, &record(TOKEN, 1, &format!("round {round}")));
        let inserted = put(store, &record(TOKEN, 2, ""));
        let purged = commit(store, &[purge(key(TOKEN, 2), inserted)]);
        assert!(last < replaced && replaced < inserted && inserted < purged);
        last = purged;
    }
}

/// All records of a commit have its revision, however they are read.
pub fn a_commit_has_one_revision(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let old = put(store, &record(TOKEN, 1, "old"));
    let untouched = put(store, &record(TOKEN, 9, "untouched"));
    let writes = [
        insert(&named(USER, 1, "new")),
        crate::sample::replace(&record(TOKEN, 1, "new"), old),
        insert(&record(TOKEN, 2, "new")),
    ];
    let revision = commit(store, &writes);
    let dump = dump(store);
    for write in &writes {
        assert_eq!(stored(store, write.key()).revision, revision);
        assert_eq!(dump.records[&write.key()].revision, revision);
    }
    assert_eq!(revision_of(store, key(TOKEN, 9)), untouched);
    assert_eq!(dump.end.head, revision);
}

/// An empty commit, or one of guards alone, takes no revision and returns the head.
pub fn guards_alone_take_no_revision(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let absent = guard(key(TOKEN, 1), Revision::ABSENT);
    assert_eq!(commit(store, &[]), Revision::ABSENT);
    assert_eq!(commit(store, &[absent]), Revision::ABSENT);
    let first = put(store, &record(TOKEN, 1, ""));
    let second = put(store, &record(TOKEN, 2, ""));
    let before = dump(store);
    assert_eq!(commit(store, &[]), second);
    assert_eq!(commit(store, &[guard(key(TOKEN, 1), first)]), second);
    assert_eq!(dump(store), before);
    assert_eq!(scan(store, &Cursor::start(), 10).end.head, second);
}

/// A guard among other writes does not write the guarded record, so a later scan does not return
/// it.
pub fn a_guard_writes_nothing(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let guarded = put(store, &named(USER, 1, "guarded"));
    let before = scan(store, &Cursor::start(), 10);
    let user = stored(store, key(USER, 1));
    let writes = [guard(key(USER, 1), guarded), insert(&record(TOKEN, 1, ""))];
    commit(store, &writes);
    assert_eq!(stored(store, key(USER, 1)), user);
    let later = scan(store, &before.next, 10);
    assert_eq!(later.keys(), [key(TOKEN, 1)]);
}

/// The end of a scan contains the revision of the newest commit; a refused commit does not count.
pub fn the_head_is_the_newest_commit(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let head = || dump(store).end.head;
    assert_eq!(head(), Revision::ABSENT);
    let first = put(store, &record(TOKEN, 1, ""));
    assert_eq!(head(), first);
    refused(store, &[guard(key(TOKEN, 1), NEVER)]);
    refused(store, &[insert(&record(TOKEN, 1, ""))]);
    assert_eq!(head(), first);
    let second = put(store, &record(TOKEN, 2, ""));
    assert_eq!(head(), second);
}

/// Purging the newest record does not lower the head, because the purge is itself a commit.
pub fn the_head_never_falls(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, ""));
    let newest = put(store, &record(TOKEN, 2, ""));
    let purged = commit(store, &[purge(key(TOKEN, 2), newest)]);
    assert!(purged > newest);
    assert_eq!(dump(store).end.head, purged);
    let last = revision_of(store, key(TOKEN, 1));
    let emptied = commit(store, &[purge(key(TOKEN, 1), last)]);
    assert!(emptied > purged);
    assert_eq!(dump(store).end.head, emptied);
    assert!(put(store, &record(TOKEN, 1, "again")) > emptied);
}

/// The floor is the revision of the newest commit that purged a record.
pub fn the_floor_is_the_newest_purge(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let floor = || dump(store).end.floor;
    assert_eq!(floor(), Revision::ABSENT);
    let first = put(store, &record(TOKEN, 1, ""));
    let second = put(store, &record(TOKEN, 2, ""));
    assert_eq!(floor(), Revision::ABSENT);
    refused(store, &[purge(key(TOKEN, 1), NEVER)]);
    assert_eq!(floor(), Revision::ABSENT);
    let writes = [purge(key(TOKEN, 1), first), insert(&record(TOKEN, 3, ""))];
    let purged = commit(store, &writes);
    assert_eq!(floor(), purged);
    put(store, &record(TOKEN, 3, "replaced"));
    put(store, &record(TOKEN, 1, "again"));
    commit(store, &[guard(key(TOKEN, 2), second)]);
    assert_eq!(floor(), purged);
    let again = commit(store, &[purge(key(TOKEN, 2), second)]);
    assert_eq!(floor(), again);
}

/// The epoch stays the same while a store is open and not renewed.
pub fn the_epoch_stays(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let epoch = dump(store).end.epoch;
    let revision = put(store, &record(TOKEN, 1, ""));
    assert_eq!(dump(store).end.epoch, epoch);
    commit(store, &[purge(key(TOKEN, 1), revision)]);
    assert_eq!(dump(store).end.epoch, epoch);
}

/// Two stores have different epochs.
pub fn every_store_has_its_own_epoch(factory: StoreFactory<'_>) {
    let (one, other) = (factory.fresh(), factory.fresh());
    assert_ne!(dump(&*one).end.epoch, dump(&*other).end.epoch);
}
