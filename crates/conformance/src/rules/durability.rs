//! Durability: closing and reopening a store on disk.

use symbolon::record::{Columns, Record};
use symbolon::store::{Cursor, Query, Revision};
use symbolon::{Minute, Origin, Status};

use crate::fresh_store::StoreFactory;
use crate::pages::{dump, scan};
use crate::sample::{
    Refusal, TOKEN, USER, commit, guard, id, insert, insert_all, key, named, purge, put, record,
    refused, replace, sized,
};

/// Reopening keeps records, revisions, head, floor and epoch. Last uses may be lost, but are never
/// later than recorded.
pub fn reopening_keeps_everything(factory: StoreFactory<'_>) {
    let mut fresh = factory.fresh();
    let mut records: Vec<Record> = (1..=300).map(|n| record(TOKEN, n, "many")).collect();
    records.push(named(USER, u64::MAX, "last"));
    records.push(sized(1000, 15_000));
    records.push(Record {
        columns: Columns {
            organization: Some(id(1)),
            user: Some(id(1 << 63)),
            status: Some(Status::Revoked),
            origin: Some(Origin::V0),
        },
        ..named(TOKEN, 1001, "full")
    });
    insert_all(&*fresh, &records);
    put(&*fresh, &record(TOKEN, 7, "replaced"));
    let revision = put(&*fresh, &record(TOKEN, 8, "to be purged"));
    commit(&*fresh, &[purge(key(TOKEN, 8), revision)]);
    fresh.touch(&[(id(1), Minute(5))]).expect("touch works");
    let before = dump(&*fresh);
    for _ in 0..3 {
        fresh = fresh.reopened();
        let after = dump(&*fresh);
        for (key, found) in &after.records {
            assert!(found.last_used <= before.records[key].last_used);
        }
        assert_eq!(after.without_uses(), before.clone().without_uses());
    }
    let all = fresh.find(&Query::all(TOKEN)).expect("find works");
    assert_eq!(all.len(), 301);
}

/// Reopening keeps head and floor, even if the newest record or every record was purged.
pub fn reopening_keeps_head_and_floor(factory: StoreFactory<'_>) {
    let fresh = factory.fresh();
    let first = put(&*fresh, &record(TOKEN, 1, ""));
    let newest = put(&*fresh, &record(TOKEN, 2, ""));
    let purged = commit(&*fresh, &[purge(key(TOKEN, 2), newest)]);
    let fresh = fresh.reopened();
    let end = dump(&*fresh).end;
    assert_eq!((end.head, end.floor), (purged, purged));
    let emptied = commit(&*fresh, &[purge(key(TOKEN, 1), first)]);
    assert!(emptied > purged);
    let fresh = fresh.reopened();
    let end = dump(&*fresh).end;
    assert_eq!((end.head, end.floor), (emptied, emptied));
    let next = put(&*fresh, &record(TOKEN, 2, "again"));
    assert!(next > emptied);
    let fresh = fresh.reopened();
    let end = dump(&*fresh).end;
    assert_eq!((end.head, end.floor), (next, emptied));
}

/// A store that was created and never written keeps its epoch.
pub fn reopening_keeps_an_empty_store(factory: StoreFactory<'_>) {
    let fresh = factory.fresh();
    let before = dump(&*fresh);
    let fresh = fresh.reopened().reopened();
    assert_eq!(dump(&*fresh), before);
    assert_eq!(commit(&*fresh, &[]), Revision::ABSENT);
}

/// Reopening keeps revisions and unique keys; a unique key that was released before stays free.
pub fn reopening_keeps_expected_revisions(factory: StoreFactory<'_>) {
    let fresh = factory.fresh();
    let old = put(&*fresh, &named(TOKEN, 1, "freed"));
    let now = commit(&*fresh, &[replace(&named(TOKEN, 1, "held"), old)]);
    let fresh = fresh.reopened();
    let next = record(TOKEN, 1, "next");
    assert_eq!(refused(&*fresh, &[replace(&next, old)]), Refusal::Conflict(0));
    assert_eq!(refused(&*fresh, &[insert(&next)]), Refusal::Conflict(0));
    let taken = insert(&named(TOKEN, 2, "held"));
    assert_eq!(refused(&*fresh, &[guard(next.key, now), taken]), Refusal::Duplicate(1));
    let free = insert(&named(TOKEN, 2, "freed"));
    commit(&*fresh, &[free, replace(&next, now)]);
}

/// Reopening keeps a renewed epoch, even in a store that was never written, and loses nothing else.
pub fn reopening_keeps_a_renewed_epoch(factory: StoreFactory<'_>) {
    let mut fresh = factory.fresh();
    for number in 1..=3 {
        let renewed = fresh.renew().expect("renew works");
        let before = dump(&*fresh);
        assert_eq!(before.end.epoch, renewed);
        fresh = fresh.reopened();
        assert_eq!(dump(&*fresh), before);
        put(&*fresh, &record(TOKEN, number, ""));
    }
}

/// A cursor continues at the same position after reopening.
pub fn reopening_keeps_cursors(factory: StoreFactory<'_>) {
    let fresh = factory.fresh();
    let records: Vec<Record> = (1..=6).map(|n| record(TOKEN, n, "")).collect();
    insert_all(&*fresh, &records);
    let page = fresh.scan(&Cursor::start(), 2).expect("scan works");
    let whole = scan(&*fresh, &Cursor::start(), 10);
    let rest = scan(&*fresh, &page.next, 10).keys();
    let fresh = fresh.reopened();
    assert_eq!(scan(&*fresh, &page.next, 10).keys(), rest);
    assert!(scan(&*fresh, &whole.next, 10).items.is_empty());
    put(&*fresh, &record(TOKEN, 3, "again"));
    assert_eq!(scan(&*fresh, &whole.next, 10).keys(), [key(TOKEN, 3)]);
}
