use crate::NewOrganization;
use std::collections::BTreeMap;
use std::io::Cursor as Bytes;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::frame::{Begin, Trailer, Writer};
use super::write::write_paged;
use super::{Backup, BackupError, Summary, verify, write};
use crate::record::{Columns, Kind, Record, RecordKey};
use crate::store::StoreError;
use crate::store::{
    Cursor, End, Epoch, Limits, Page, Query, Revision, Stored, TokenStore, Wake, Write,
};
use crate::time::Minute;
use crate::{
    Action, Caller, Engine, Id, MemoryStore, NewAuthorization, OpenError, Options,
    OrganizationEdit, Permission, ResourceType, Schema, StoreKey, Timestamp, Transition,
};

mod bytes;
mod concurrent;

fn key() -> StoreKey {
    StoreKey::from_bytes([7; 32])
}

fn engine(store: &Arc<impl TokenStore>) -> Engine {
    let options = Options {
        // Allow revoked authorizations to be purged at once.
        retention: Duration::ZERO,
        ..Options::new(Schema::influxdb_v2())
    };
    Engine::create(Arc::clone(store) as Arc<dyn TokenStore>, key(), options).unwrap()
}

fn everything(store: &dyn TokenStore) -> Vec<Stored> {
    let page = store.scan(&Cursor::start(), usize::MAX).unwrap();
    page.items
}

/// Returns the records without their revisions, which differ between stores.
fn records(stored: &[Stored]) -> BTreeMap<RecordKey, Record> {
    let records = stored.iter().map(|one| (one.record.key, one.record.clone()));
    records.collect()
}

fn backup_of(store: &dyn TokenStore) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(store, &mut bytes, &mut |_| ()).unwrap();
    bytes
}

fn restored(bytes: Vec<u8>) -> MemoryStore {
    let store = MemoryStore::new();
    let mut backup = Backup::read(Bytes::new(bytes)).unwrap();
    let done = backup.restore(&store, &key(), &mut |_| ()).unwrap();
    assert_eq!(done.tampered, 0);
    assert_eq!(done.records, everything(&store).len() as u64);
    store
}

/// Creates a store with an organization and some authorizations of it.
fn sample(authorizations: usize) -> (Arc<MemoryStore>, Engine) {
    let store = Arc::new(MemoryStore::shared());
    let engine = engine(&store);
    let org = engine.admin(Caller::Root).organizations().create(NewOrganization::named("org"));
    let org = org.unwrap().id;
    for _ in 0..authorizations {
        let read = Permission::new(Action::READ, ResourceType::BUCKETS);
        let new = NewAuthorization::new(org, [read]);
        engine.admin(Caller::Root).authorizations().create(new).unwrap();
    }
    (store, engine)
}

fn put(kind: u8, id: u64, unique: Option<&[u8]>, length: usize) -> Write {
    Write::Put {
        record: Record {
            key: RecordKey::new(Kind(kind), Id::new(id).unwrap()),
            unique: unique.map(Into::into),
            columns: Columns::default(),
            bytes: vec![1; length].into(),
        },
        expected: Revision::ABSENT,
    }
}

#[test]
fn backup_and_restore_round_trip() {
    let (store, engine) = sample(30);
    let all = everything(&*store);
    let id = all.last().unwrap().record.key.id;
    store.touch(&[(id, Minute(5)), (all[3].record.key.id, Minute(6))]).unwrap();
    let bytes = backup_of(&*store);
    let other = restored(bytes.clone());
    assert_eq!(records(&everything(&other)), records(&all));
    let used = |store: &dyn TokenStore| {
        let used = everything(store).into_iter();
        used.map(|one| (one.record.key, one.last_used)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(used(&other), used(&*store));
    assert_eq!(used(&other)[&RecordKey::new(Kind::AUTHORIZATION, id)], Some(Minute(5)));
    let summary = verify(&*bytes).unwrap();
    let end = store.scan(&Cursor::start(), usize::MAX).unwrap().end.unwrap();
    assert_eq!(
        (summary.records, summary.bytes, summary.head, summary.epoch, summary.left_out),
        (all.len() as u64, bytes.len() as u64, end.head, end.epoch, 0)
    );
    drop(engine);
}

#[test]
fn every_changed_byte_and_truncation_is_detected() {
    let (store, _engine) = sample(3);
    let bytes = backup_of(&*store);
    verify(&*bytes).unwrap();
    for at in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            assert!(verify(&*changed).is_err(), "byte {at}");
        }
        assert!(verify(&bytes[..at]).is_err(), "cut at {at}");
    }
    let longer = [&*bytes, b"x"].concat();
    assert!(matches!(verify(&*longer), Err(BackupError::Damaged(_))));
    assert!(matches!(verify(&b"PK\x03\x04"[..]), Err(BackupError::Foreign)));
    assert!(matches!(verify(&b"symbolon-backup-2......."[..]), Err(BackupError::Later)));
}

#[test]
fn restore_requires_the_right_key_and_an_empty_store() {
    let (store, _engine) = sample(3);
    let mut backup = Backup::read(Bytes::new(backup_of(&*store))).unwrap();
    let empty = MemoryStore::new();
    let refused = backup.restore(&empty, &StoreKey::from_bytes([8; 32]), &mut |_| ());
    let needed = key().ids().next().unwrap();
    assert!(matches!(refused, Err(BackupError::Open(OpenError::WrongKey(id))) if id == needed));
    assert!(everything(&empty).is_empty());
    let (other, _engine) = sample(0);
    let before = everything(&*other);
    let refused = backup.restore(&*other, &key(), &mut |_| ());
    assert!(matches!(refused, Err(BackupError::NotEmpty)));
    assert_eq!(everything(&*other), before);
}

#[test]
fn a_store_without_settings_is_not_backed_up() {
    let store = MemoryStore::new();
    let failed = |store: &MemoryStore| write(store, Vec::new(), &mut |_| ());
    assert!(matches!(failed(&store), Err(BackupError::Open(OpenError::Empty))));
    store.commit(&[put(9, 1, None, 10)]).unwrap();
    assert!(matches!(failed(&store), Err(BackupError::Open(OpenError::Settings))));
}

#[test]
fn tampered_records_are_restored_unchanged_and_reported() {
    let (store, _engine) = sample(3);
    store.commit(&[put(1, 77, Some(b"x"), 100)]).unwrap();
    let mut backup = Backup::read(Bytes::new(backup_of(&*store))).unwrap();
    let other = MemoryStore::new();
    let done = backup.restore(&other, &key(), &mut |_| ()).unwrap();
    let planted = RecordKey::new(Kind::AUTHORIZATION, Id::new(77).unwrap());
    assert_eq!((done.tampered, done.first_tampered), (1, vec![planted]));
    assert_eq!(records(&everything(&other)), records(&everything(&*store)));
}

/// A store that fails at the commit with this number.
#[derive(Debug)]
struct Failing(MemoryStore, AtomicUsize);

impl TokenStore for Failing {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.0.get(key)
    }
    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        match self.1.fetch_sub(1, Ordering::Relaxed) {
            0 => Err(StoreError::Full),
            _ => self.0.commit(writes),
        }
    }
    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        self.0.scan(after, limit)
    }
    fn limits(&self) -> Limits {
        Limits { writes: 7, ..self.0.limits() }
    }
    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        self.0.touch(used)
    }

    fn renew(&self) -> Result<crate::store::Epoch, StoreError> {
        self.0.renew()
    }
}

#[test]
fn an_interrupted_restore_leaves_no_openable_store() {
    let (store, _engine) = sample(30);
    let mut backup = Backup::read(Bytes::new(backup_of(&*store))).unwrap();
    // 31 records in commits of 7, then the settings in a commit of their own.
    for stop in 0..=5 {
        let short_digest = Failing(MemoryStore::new(), AtomicUsize::new(stop));
        let done = backup.restore(&short_digest, &key(), &mut |_| ());
        assert!(done.is_err(), "{stop}");
        let opened =
            Engine::open(Arc::new(short_digest.0), key(), Options::new(Schema::influxdb_v2()));
        let wanted = if stop == 0 { OpenError::Empty } else { OpenError::Settings };
        assert_eq!(opened.unwrap_err().to_string(), wanted.to_string());
    }
    let whole = Failing(MemoryStore::new(), AtomicUsize::new(100));
    backup.restore(&whole, &key(), &mut |_| ()).unwrap();
    assert_eq!(records(&everything(&whole)), records(&everything(&*store)));
}

#[test]
fn a_record_too_large_for_any_store_is_left_out() {
    let (store, _engine) = sample(1);
    #[derive(Debug)]
    struct PlantedStore(Arc<MemoryStore>);
    impl TokenStore for PlantedStore {
        fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
            self.0.get(key)
        }
        fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
            self.0.commit(writes)
        }
        fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
            let mut page = self.0.scan(after, limit)?;
            let Write::Put { record, .. } = put(1, 5, None, 20_000) else {
                return Ok(page);
            };
            page.items.push(Stored { record, revision: Revision(1), last_used: None });
            Ok(page)
        }
        fn limits(&self) -> Limits {
            self.0.limits()
        }
        fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
            self.0.touch(used)
        }

        fn renew(&self) -> Result<crate::store::Epoch, StoreError> {
            self.0.renew()
        }
    }
    let bytes = backup_of(&PlantedStore(Arc::clone(&store)));
    assert_eq!(verify(&*bytes).unwrap().left_out, 1);
    assert_eq!(records(&everything(&restored(bytes))), records(&everything(&*store)));
}

#[test]
fn versions_of_one_record_that_differ_at_one_revision_are_damage() {
    let (store, _engine) = sample(1);
    let all = everything(&*store);
    let mut twice = all.clone();
    let mut other = all.last().unwrap().clone();
    twice.push(other.clone());
    let of = |items: &[Stored]| {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes).unwrap();
        let head = Revision(1000);
        let at = Timestamp::MIN;
        writer.begin(Begin { head, at }).unwrap();
        items.iter().for_each(|one| writer.record(one).unwrap());
        let (floor, epoch) = (Revision::ABSENT, Epoch(1));
        let trailer =
            Trailer { records: items.len() as u64, left_out: 0, end: End { head, floor, epoch } };
        writer.end(trailer).unwrap();
        bytes
    };
    assert_eq!(records(&everything(&restored(of(&twice)))), records(&all));
    // Also if they are in different commits.
    let mut far = all.clone();
    for number in 0..2000 {
        let Write::Put { record, .. } = put(200, number + 1, None, 1) else {
            return;
        };
        far.push(Stored { record, ..other.clone() });
    }
    far.push(other.clone());
    let mut backup = Backup::read(Bytes::new(of(&far))).unwrap();
    let into = MemoryStore::new();
    let done = backup.restore(&into, &key(), &mut |_| ()).unwrap();
    assert_eq!(done.records, all.len() as u64 + 2000);
    assert_eq!(everything(&into).len() as u64, done.records);
    other.record.bytes = vec![9; 50].into();
    twice.push(other);
    let mut backup = Backup::read(Bytes::new(of(&twice))).unwrap();
    let refused = backup.restore(&MemoryStore::new(), &key(), &mut |_| ());
    assert!(matches!(refused, Err(BackupError::Damaged(_))));
}
