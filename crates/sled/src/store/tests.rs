use std::fs::{self, File};
use std::mem;

use symbolon::record::{Columns, MAX_RECORD, MAX_UNIQUE, Record};
use symbolon::store::{End, Epoch};
use symbolon::{Origin, Status};
use tempfile::TempDir;

use super::*;
use crate::layout::{Sum, decode_record, encode_record, unique_key};

fn key(number: u64) -> RecordKey {
    RecordKey::new(Kind::AUTHORIZATION, Id::new(number).unwrap())
}

/// A record of `size` bytes, unique key included, with indexes in random order.
fn record(number: u64, size: usize) -> Record {
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let unique = scattered.repeat(38);
    let unique = &unique[..size.min(MAX_UNIQUE)];
    Record {
        key: key(number),
        bytes: vec![number as u8; size - unique.len()].into(),
        unique: Some(unique.into()),
        columns: Columns {
            organization: Id::new(1 + number % 7),
            user: Id::new(1 + number % 31),
            ..Columns::default()
        },
    }
}

fn store() -> (TempDir, SledStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    (folder, store)
}

fn write(store: &SledStore, number: u64, size: usize) -> Write {
    let found = store.get(&key(number)).unwrap();
    let expected = found.map_or(Revision::ABSENT, |found| found.revision);
    let record = record(number, size);
    Write::Put { record, expected }
}

fn everything(store: &SledStore) -> Vec<Stored> {
    let page = store.scan(&Cursor::start(), usize::MAX).unwrap();
    for item in &page.items {
        assert_eq!(store.get(&item.record.key).unwrap().as_ref(), Some(item));
    }
    for user in 1..32 {
        let user = Id::new(user);
        let query = Query { user, ..Query::all(Kind::AUTHORIZATION) };
        store.find(&query).unwrap();
    }
    assert_eq!(store.integrity().unwrap(), Vec::<String>::new());
    page.items
}

/// Inserts, rewrites and purges of `writes` records each, at random places.
fn work(store: &SledStore, rounds: u64, writes: u64, size: usize, mut after: impl FnMut()) {
    for round in 0..rounds {
        let numbers = (0..writes).map(|at| 1 + (round * 7919 + at * 104_729) % (rounds * writes));
        let numbers: std::collections::BTreeSet<u64> = numbers.collect();
        let writes: Vec<Write> = numbers
            .into_iter()
            .map(|number| match write(store, number, size) {
                Write::Put { record, expected }
                    if expected != Revision::ABSENT && number % 3 == 0 =>
                {
                    let key = record.key;
                    Write::Purge { key, expected }
                }
                put => put,
            })
            .collect();
        store.commit(&writes).unwrap();
        after();
    }
}

#[test]
fn reads_write_nothing() {
    for (rounds, writes, size) in [(300, 1, 500), (100, 3, 9000), (12, 400, 100)] {
        let (_folder, store) = store();
        work(&store, rounds, writes, size, || {
            everything(&store);
            assert_eq!(store.trees().unwrap().db.flush().unwrap(), 0);
        });
        let used: Vec<_> = (1..200).map(|id| (Id::new(id).unwrap(), Minute(9))).collect();
        store.touch(&used).unwrap();
        everything(&store);
        assert_eq!(store.trees().unwrap().db.flush().unwrap(), 0);
    }
}

#[test]
fn the_largest_pages_stay_in_the_log() {
    let (folder, store) = store();
    let full = LIMITS.bytes / MAX_RECORD;
    work(&store, 24, full as u64, MAX_RECORD, || {
        let blobs = fs::read_dir(folder.path().join("blobs")).unwrap();
        assert_eq!(blobs.count(), 0);
    });
    assert!(everything(&store).len() > 500);
    drop(store);
    everything(&SledStore::open(folder.path()).unwrap());
}

/// That the test before would see it.
#[test]
fn the_default_segment_size_would_not_fit_the_largest_pages() {
    let folder = tempfile::tempdir().unwrap();
    let db = sled::open(folder.path()).unwrap();
    for number in 0..100_u64 {
        db.insert(number.to_be_bytes(), vec![7; MAX_RECORD]).unwrap();
    }
    db.flush().unwrap();
    let blobs = fs::read_dir(folder.path().join("blobs")).unwrap();
    assert_ne!(blobs.count(), 0);
}

#[test]
fn a_failed_sync_stops_everything_until_the_store_is_opened_again() {
    let (folder, mut store) = store();
    store.commit(&[write(&store, 1, 10)]).unwrap();
    let second = write(&store, 2, 10);
    // It cannot be synced.
    let db = mem::replace(&mut store.folder.db, File::open("/dev/null").unwrap());
    assert!(matches!(store.commit(&[second]), Err(StoreError::Backend(_))));
    store.folder.db = db;

    let (query, used) = (Query::all(Kind::AUTHORIZATION), [(Id::MIN, Minute(1))]);
    let failures = [
        store.get(&key(1)).err(),
        store.commit(&[]).err(),
        store.scan(&Cursor::start(), 1).err(),
        store.find(&query).err(),
        store.touch(&used).err(),
        store.wait(&Cursor::start(), Duration::ZERO).err(),
        store.integrity().err(),
    ];
    for failure in failures {
        let Some(StoreError::Backend(fault)) = failure else {
            panic!("{failure:?}");
        };
        assert!(fault.to_string().contains("reopen the store"), "{fault}");
    }
    drop(store);

    let store = SledStore::open(folder.path()).unwrap();
    assert!(store.get(&key(1)).unwrap().is_some());
    everything(&store);
    store.commit(&[write(&store, 2, 20)]).unwrap();
}

#[test]
fn a_damaged_value_affects_only_its_record() {
    let (_folder, store) = store();
    let writes: Vec<Write> = (1..=3).map(|number| write(&store, number, 50)).collect();
    let revision = store.commit(&writes).unwrap();
    let tree = &store.trees().unwrap().record;
    for damage in [None, Some([&revision.0.to_be_bytes()[..], b"short"].concat())] {
        match damage {
            Some(value) => tree.insert(record_key(key(2)), value).unwrap(),
            None => tree.remove(record_key(key(2))).unwrap(),
        };
        let page = store.scan(&Cursor::start(), 10).unwrap();
        let sizes: Vec<usize> = page.items.iter().map(|item| item.record.bytes.len()).collect();
        assert_eq!(sizes, [0, 0, 0]);
        assert_eq!(page.items[1], stand_in(key(2), revision));
        assert_eq!(page.items[0].record, record(1, 50));
        assert_ne!(store.integrity().unwrap(), Vec::<String>::new());
    }
    assert!(matches!(store.get(&key(2)), Err(StoreError::Corrupt(_))));
    let all = store.find(&Query::all(Kind::AUTHORIZATION)).unwrap();
    assert_eq!(all.len(), 3);
    let mut owned = Query::all(Kind::AUTHORIZATION);
    owned.user = record(2, 50).columns.user;
    assert_eq!(store.find(&owned).unwrap(), []);
    store.commit(&[write(&store, 1, 60)]).unwrap();
}

#[test]
fn integrity_reports_inconsistencies() {
    let (_folder, store) = store();
    let writes: Vec<Write> = (1..=3).map(|number| write(&store, number, 50)).collect();
    let revision = store.commit(&writes).unwrap();
    assert_eq!(store.integrity().unwrap(), Vec::<String>::new());
    let trees = store.trees().unwrap();

    let unique = unique_key(Kind::AUTHORIZATION, record(2, 50).unique.as_deref().unwrap());
    trees.unique.insert(&*unique, &record_key(key(3))).unwrap();
    trees.user.remove(index_key(1 + 3, key(3))).unwrap();
    trees.organization.insert(index_key(9, key(1)), b"").unwrap();
    trees.used.insert(7_u64.to_be_bytes(), &encode_minute(Minute(1))).unwrap();
    let found = store.integrity().unwrap();
    let wanted = [
        "authorization 0000000000000002 has no entry of its own in the index Unique",
        "the index Unique has an entry of no record: Some(authorization 0000000000000003)",
        "the index Organization has an entry of no record: Some(authorization 0000000000000001)",
        "authorization 0000000000000003 has no entry of its own in the index User",
        "a last use is noted for no record: Some(authorization 0000000000000007)",
    ];
    assert_eq!(found, wanted);

    let mut old = trees.get(key(1)).unwrap().unwrap().record;
    old.columns.organization = None;
    let value = encode_record(&old, revision.next());
    trees.record.insert(record_key(key(1)), value).unwrap();
    let found = store.integrity().unwrap().join("\n");
    assert!(found.contains("0000000000000001 is newer than the store"), "{found}");
    assert!(found.contains("do not match the checksum"), "{found}");
}

#[test]
fn unique_keys_are_limited_in_length() {
    let (_folder, store) = store();
    for (length, fits) in [(MAX_UNIQUE, true), (MAX_UNIQUE + 1, false)] {
        let mut record = record(length as u64, 0);
        record.unique = Some(vec![7; length].into());
        let expected = Revision::ABSENT;
        let committed = store.commit(&[Write::Put { record, expected }]);
        assert_eq!(committed.is_ok(), fits);
        assert!(fits || matches!(committed, Err(StoreError::TooLarge)));
    }
}

#[test]
fn finding_after_the_last_id_returns_nothing() {
    let (_folder, store) = store();
    store.commit(&[write(&store, u64::MAX, 10)]).unwrap();
    let [user, organization] = [1 + u64::MAX % 31, 1 + u64::MAX % 7].map(Id::new);
    for (user, organization) in [(None, None), (user, None), (None, organization)] {
        let all = Query { user, organization, ..Query::all(Kind::AUTHORIZATION) };
        assert_eq!(store.find(&all).unwrap().len(), 1);
        let after = Some(Id::MAX);
        assert_eq!(store.find(&Query { after, ..all }).unwrap(), []);
    }
    let behind = End { head: Revision(u64::MAX), floor: Revision::ABSENT, epoch: Epoch(1) };
    let end = Position::after(behind).into();
    assert_eq!(store.scan(&end, 1).unwrap().items, []);
}

#[test]
fn debug_output_shows_no_contents() {
    let (_folder, store) = store();
    store.commit(&[write(&store, 1, 10)]).unwrap();
    assert_eq!(format!("{store:?}"), "SledStore { .. }");
}

#[test]
fn records_round_trip() {
    let uniques = [None, Some(&b""[..]), Some(&[7; 256])];
    let statuses = [Status::Active, Status::Inactive, Status::Revoked];
    let origins = [Origin::V2, Origin::V0, Origin::Embedder];
    for unique in uniques {
        for status in statuses.map(Some).into_iter().chain([None]) {
            for origin in origins.map(Some).into_iter().chain([None]) {
                let record = Record {
                    key: key(5),
                    unique: unique.map(Into::into),
                    columns: Columns {
                        organization: origin.map(|_| Id::MAX),
                        user: status.map(|_| Id::MIN),
                        status,
                        origin,
                    },
                    bytes: [1, 2, 3].into(),
                };
                let value = encode_record(&record, Revision(u64::MAX));
                let stored = decode_record(key(5), &value).unwrap();
                assert_eq!((stored.record, stored.revision), (record, Revision(u64::MAX)));
                let header = value.len() - 3;
                assert!(
                    (0..header).all(|length| decode_record(key(5), &value[..length]).is_none())
                );
            }
        }
    }
}

#[test]
fn the_state_round_trips() {
    let mut sum = Sum::default();
    sum.add(b"one");
    let end = End { head: Revision(1), floor: Revision(2), epoch: Epoch(3) };
    let state = State { end, sum };
    assert_eq!(State::decode(&state.encode()), Some(state));
    assert_eq!(State::decode(&state.encode()[1..]), None);
    sum.add(b"two");
    sum.remove(b"one");
    sum.add(b"one");
    sum.remove(b"two");
    assert_eq!(sum, state.sum);
}
