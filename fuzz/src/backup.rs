//! Backups, without the hash at their end: it is added here, for no search would find it.

use std::io::Cursor;
use std::sync::Arc;

use symbolon::backup::{Backup, verify};
use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey, TokenStore};

/// What verifies can be restored into an empty store or is refused with nothing that an engine opens, and what was
/// restored is a store like any other.
pub fn backup(data: &[u8]) -> bool {
    // As it is, the hash does not fit.
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
        assert!(opened.is_err(), "a half restored store is none");
        return false;
    };
    let engine = opened.unwrap();
    let found = engine.fsck().unwrap();
    assert!(found.records.values().sum::<usize>() as u64 <= restored.records);
    true
}
