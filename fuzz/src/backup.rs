//! Backups. The target appends the hash at the end, which a search would not find.

use std::io::Cursor;
use std::sync::Arc;

use symbolon::backup::{Backup, verify};
use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey, TokenStore};

/// A valid backup is restored completely into an empty store, or refused without leaving a store
/// that an engine opens. A restored store works like any other.
pub fn backup(data: &[u8]) -> bool {
    // Without the hash, the input is not a valid backup.
    assert!(verify(data).is_err());
    let mut whole = data.to_vec();
    whole.extend_from_slice(blake3::hash(data).as_bytes());
    let Ok(mut backup) = Backup::read(Cursor::new(&whole)) else {
        return false;
    };
    assert_eq!(backup.summary(), verify(&whole[..]).unwrap());
    let key = || StoreKey::from_bytes([7; 32]);
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let restored = backup.restore(&*store, &key(), &mut |_| ());
    let options = Options::new(Schema::influxdb_v2());
    let opened = Engine::open(Arc::clone(&store), key(), options);
    let Ok(restored) = restored else {
        assert!(opened.is_err(), "a partly restored store opens");
        return false;
    };
    let engine = opened.unwrap();
    let found = engine.maintenance().fsck(&mut |_| {}).unwrap();
    assert!(found.records.values().sum::<usize>() as u64 <= restored.records);
    true
}
