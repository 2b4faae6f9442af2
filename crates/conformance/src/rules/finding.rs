//! Finding records by unique key and columns.

use std::sync::Arc;
use std::time::Duration;

use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::store::{
    Cursor, Epoch, Limits, Page, Query, Revision, Stored, TokenStore, Wake, Write,
};
use symbolon::{Id, Minute, Origin, Status, StoreError};

use crate::fresh_store::StoreFactory;
use crate::rng::Rng;
use crate::sample::{
    TOKEN, USER, commit, id, insert_all, key, named, purge, put, record, revision_of,
};

/// `find` returns exactly the records that the default implementation of the trait finds by
/// scanning.
pub fn finding_equals_scanning(factory: StoreFactory<'_>) {
    let fresh = factory.fresh();
    let (store, scanning) = (&*fresh, Scanning(fresh.shared()));
    let rng = &mut Rng::new(7);
    populate(store, rng);
    for _ in 0..400 {
        let query = query(rng);
        let found = store.find(&query).expect("find works");
        let wanted = scanning.find(&query).expect("scan works");
        assert_eq!(found, wanted, "{query:?}");
    }
}

/// Found records are ordered by id, as unsigned numbers, whatever the order of writing.
pub fn found_records_are_ordered_by_id(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let ordered = [1, 255, 256, 65_536, (1 << 63) - 1, 1 << 63, u64::MAX];
    for number in [u64::MAX, 256, 1, 1 << 63, 65_536, (1 << 63) - 1, 255] {
        put(store, &record(TOKEN, number, ""));
    }
    let found = store.find(&Query::all(TOKEN)).expect("find works");
    assert_eq!(numbers(&found), ordered);
}

/// `after` and `limit` divide all results into pages, without gaps or repetition.
pub fn found_pages_cover_everything(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    populate(store, &mut Rng::new(8));
    let mut query = Query { organization: Some(id(10)), ..Query::all(TOKEN) };
    let all = store.find(&query).expect("find works");
    assert!(all.len() > 20);
    for limit in [1, 7, all.len(), all.len() + 1] {
        query.after = None;
        query.limit = limit;
        let mut met = Vec::new();
        // One more page reveals a store that repeats the last one.
        for _ in 0..=all.len() {
            let page = store.find(&query).expect("find works");
            assert!(page.len() <= limit, "pages of {limit}");
            query.after = page.last().map(|last| last.record.key.id).or(query.after);
            met.extend(page);
        }
        assert_eq!(met, all, "pages of {limit}");
    }
    query.limit = 0;
    query.after = None;
    assert_eq!(store.find(&query).expect("find works"), []);
}

/// Only the limit of the query limits the number of results.
pub fn any_number_of_records_is_found(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let records: Vec<Record> = (1..=2100).map(|n| record(TOKEN, n, "")).collect();
    insert_all(store, &records);
    let found = store.find(&Query::all(TOKEN)).expect("find works");
    assert_eq!(numbers(&found), (1..=2100).collect::<Vec<_>>());
}

/// A record is found by its current values, not by earlier ones, and not at all after a purge.
pub fn replaced_records_are_not_found(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let columns = |n, status, origin| Columns {
        organization: Some(id(n)),
        user: Some(id(n + 100)),
        status: Some(status),
        origin: Some(origin),
    };
    let before =
        Record { columns: columns(1, Status::Active, Origin::V2), ..named(TOKEN, 5, "before") };
    let after =
        Record { columns: columns(2, Status::Revoked, Origin::V0), ..named(TOKEN, 5, "after") };
    put(store, &before);
    assert_found(store, &before, 1);
    put(store, &after);
    assert_found(store, &before, 0);
    assert_found(store, &after, 1);
    let revision = revision_of(store, after.key);
    commit(store, &[purge(after.key, revision)]);
    assert_found(store, &after, 0);
    assert_eq!(store.find(&Query::all(TOKEN)).expect("find works"), []);
}

/// No value matches an unset column; a query without this column finds the record.
pub fn a_column_that_is_not_set_matches_nothing(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, "bare"));
    put(store, &record(USER, 1, "another kind"));
    let bare = named(TOKEN, 2, "some");
    let some = Record {
        columns: Columns {
            organization: Some(id(1)),
            user: Some(id(1)),
            status: Some(Status::Active),
            origin: Some(Origin::V2),
        },
        ..bare
    };
    put(store, &some);
    for query in queries_for(&some) {
        assert_eq!(numbers(&store.find(&query).expect("find works")), [2]);
    }
    let all = store.find(&Query::all(TOKEN)).expect("find works");
    assert_eq!(numbers(&all), [1, 2]);
}

/// The store under test, with the default `find`.
#[derive(Debug)]
struct Scanning(Arc<dyn TokenStore>);

impl TokenStore for Scanning {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.0.get(key)
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        self.0.commit(writes)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        self.0.scan(after, limit)
    }

    fn limits(&self) -> Limits {
        self.0.limits()
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        self.0.touch(used)
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        self.0.renew()
    }

    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        self.0.wait(after, timeout)
    }
}

/// Writes records with few organizations, users and kinds, then replaces some and purges some.
fn populate(store: &dyn TokenStore, rng: &mut Rng) {
    let records: Vec<Record> = (1..=150_u64).map(|n| random_record(rng, n)).collect();
    insert_all(store, &records);
    for _ in 0..40 {
        let number = rng.below(150) + 1;
        let replacement = random_record(rng, number);
        put(store, &replacement);
    }
    for number in [3, 30, 90] {
        for kind in [TOKEN, USER] {
            let key = key(kind, number);
            if let Some(found) = store.get(&key).expect("get works") {
                commit(store, &[purge(key, found.revision)]);
            }
        }
    }
    let used: Vec<(Id, Minute)> = (1..50).map(|n| (id(n), Minute(1000))).collect();
    store.touch(&used).expect("touch works");
}

fn random_record(rng: &mut Rng, number: u64) -> Record {
    let mut unique = format!("{number}").into_bytes();
    unique.resize(1 + unique.len() % 3, b'x');
    unique.extend_from_slice(&number.to_be_bytes());
    Record {
        key: key(rng.pick(&[TOKEN, TOKEN, USER]), number),
        unique: (!rng.once_in(4)).then(|| unique.into()),
        columns: Columns {
            organization: rng.pick(&IDS),
            user: rng.pick(&IDS),
            status: rng.pick(&STATUSES),
            origin: rng.pick(&ORIGINS),
        },
        bytes: rng.next().to_be_bytes().into(),
    }
}

/// Returns a random query. Most fields are unset, so that many queries find something.
fn query(rng: &mut Rng) -> Query {
    let kind = rng.pick(&[TOKEN, TOKEN, USER, Kind(77)]);
    let number = rng.below(150) + 1;
    let unique = random_record(rng, number).unique.unwrap_or_default();
    Query {
        unique: rng.once_in(5).then_some(unique),
        organization: rng.pick(&IDS).filter(|_| rng.once_in(2)),
        user: rng.pick(&IDS).filter(|_| rng.once_in(2)),
        status: rng.pick(&STATUSES).filter(|_| rng.once_in(2)),
        origin: rng.pick(&ORIGINS).filter(|_| rng.once_in(2)),
        after: rng.once_in(3).then(|| id(rng.below(150) + 1)),
        limit: rng.pick(&[0, 1, 3, 50, usize::MAX, usize::MAX]),
        ..Query::all(kind)
    }
}

const IDS: [Option<Id>; 4] = [None, Id::new(10), Id::new(1 << 63), Some(Id::MAX)];
const STATUSES: [Option<Status>; 4] =
    [None, Some(Status::Active), Some(Status::Inactive), Some(Status::Revoked)];
const ORIGINS: [Option<Origin>; 4] =
    [None, Some(Origin::V2), Some(Origin::V0), Some(Origin::Embedder)];

/// Returns one query for each column of `record`, one for its unique key, and one for all of them.
fn queries_for(record: &Record) -> Vec<Query> {
    let all = || Query::all(record.key.kind);
    let Columns { organization, user, status, origin } = record.columns;
    let unique = record.unique.clone();
    vec![
        Query { organization, ..all() },
        Query { user, ..all() },
        Query { status, ..all() },
        Query { origin, ..all() },
        Query { unique: unique.clone(), ..all() },
        Query { unique, organization, user, status, origin, ..all() },
    ]
}

fn assert_found(store: &dyn TokenStore, record: &Record, times: usize) {
    for query in queries_for(record) {
        let found = store.find(&query).expect("find works");
        assert_eq!(found.len(), times, "{query:?}");
    }
}

fn numbers(found: &[Stored]) -> Vec<u64> {
    let number = |stored: &Stored| stored.record.key.id.number();
    found.iter().map(number).collect()
}
