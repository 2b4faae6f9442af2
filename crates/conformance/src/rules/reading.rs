//! Reading a record returns exactly what was written.

use symbolon::record::{Columns, Kind, MAX_RECORD, MAX_UNIQUE, Record};
use symbolon::{Origin, Status};

use crate::fresh_store::StoreFactory;
use crate::pages::dump;
use crate::sample::{
    TOKEN, USER, commit, get, id, insert, insert_all, key, named, put, record, sized, stored,
};

/// Reading a record that was never written returns `None`, even if others have its kind or its id.
pub fn reading_an_absent_record_returns_none(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    assert_eq!(get(store, key(TOKEN, 1)), None);
    commit(store, &[insert(&record(TOKEN, 2, ""))]);
    commit(store, &[insert(&record(USER, 1, ""))]);
    assert_eq!(get(store, key(TOKEN, 1)), None);
    assert_eq!(get(store, key(TOKEN, 3)), None);
}

/// Bytes and unique key are returned unchanged: all byte values, and empty or absent ones.
pub fn a_record_comes_back_byte_for_byte(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let every_byte: Box<[u8]> = (0..=u8::MAX).collect();
    let bodies = [every_byte.clone(), [].into(), [0].into(), [0; 9].into()];
    let uniques = [Some(every_byte), None, Some([0].into()), Some([].into())];
    let mut number = 0;
    for bytes in &bodies {
        for unique in &uniques {
            number += 1;
            let wanted = Record {
                // Each record has its own kind, so that the unique keys do not collide.
                key: key(Kind(u8::try_from(number).unwrap()), number),
                unique: unique.clone(),
                columns: Columns::default(),
                bytes: bytes.clone(),
            };
            let revision = commit(store, &[insert(&wanted)]);
            let found = stored(store, wanted.key);
            assert_eq!(found.record, wanted);
            assert_eq!((found.revision, found.last_used), (revision, None));
        }
    }
}

/// Every combination of set and unset columns is returned unchanged.
pub fn columns_come_back(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let ids = [None, Some(id(1)), Some(id(1 << 63)), Some(id(u64::MAX))];
    let statuses = [Status::Active, Status::Inactive, Status::Revoked];
    let origins = [Origin::V2, Origin::V0, Origin::Embedder];
    let mut records = Vec::new();
    for organization in ids {
        for user in ids {
            for status in [None].into_iter().chain(statuses.map(Some)) {
                for origin in [None].into_iter().chain(origins.map(Some)) {
                    records.push(Record {
                        columns: Columns { organization, user, status, origin },
                        ..record(TOKEN, records.len() as u64 + 1, "")
                    });
                }
            }
        }
    }
    insert_all(store, &records);
    for wanted in records {
        assert_eq!(stored(store, wanted.key).record, wanted);
    }
}

/// Ids are unsigned: 1 to the largest 64-bit number.
pub fn every_id_is_kept(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let middle = 1 << 63;
    for number in [1, 2, middle - 1, middle, middle + 1, u64::MAX - 1, u64::MAX] {
        let wanted = record(TOKEN, number, &number.to_string());
        commit(store, &[insert(&wanted)]);
        assert_eq!(stored(store, wanted.key).record, wanted);
    }
    assert_eq!(dump(store).records.len(), 7);
}

/// The store keeps kinds that it does not know, and distinguishes them.
pub fn every_kind_is_kept(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let of_kind = |kind: u8| record(Kind(kind), 7, &format!("kind {kind}"));
    insert_all(store, &(0..=u8::MAX).map(of_kind).collect::<Vec<_>>());
    for kind in 0..=u8::MAX {
        let wanted = of_kind(kind);
        assert_eq!(stored(store, wanted.key).record, wanted);
    }
    assert_eq!(dump(store).records.len(), 256);
}

/// A record of exactly [`MAX_RECORD`] bytes, including its unique key, is accepted.
pub fn the_largest_record_fits(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let whole = sized(1, MAX_RECORD);
    let mut shared = sized(2, MAX_RECORD - MAX_UNIQUE);
    shared.unique = Some([b'u'; MAX_UNIQUE].into());
    for wanted in [whole, shared] {
        commit(store, &[insert(&wanted)]);
        assert_eq!(stored(store, wanted.key).record, wanted);
    }
}

/// A replacement keeps neither the bytes nor the unique key nor the columns of the old record.
pub fn a_replacement_replaces_everything(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let full = Record {
        columns: Columns {
            organization: Some(id(5)),
            user: Some(id(6)),
            status: Some(Status::Active),
            origin: Some(Origin::V0),
        },
        ..named(TOKEN, 1, "a long unique key")
    };
    let bare = record(TOKEN, 1, "");
    for wanted in [&full, &bare, &full] {
        let revision = put(store, wanted);
        let found = stored(store, wanted.key);
        assert_eq!((&found.record, found.revision), (wanted, revision));
        assert_eq!(dump(store).records[&wanted.key], found);
    }
}
