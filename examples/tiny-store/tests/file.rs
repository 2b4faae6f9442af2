//! Tests of the file, which the rules do not cover.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use symbolon::store::Cursor;
use symbolon::{
    Caller, Engine, NewOrganization, Options, Schema, StoreError, StoreKey, TokenStore as _,
};
use symbolon_example_tiny_store::TinyStore;

/// Creates a store with one organization through an engine. Returns the store's file.
fn made(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    symbolon_files::private_dir(&folder).unwrap();
    let path = folder.join("tokens");
    create(&path).unwrap();
    path
}

fn create(path: &std::path::Path) -> Result<(), symbolon::AdminError> {
    let store = Arc::new(TinyStore::open(path)?);
    let options = Options::new(Schema::influxdb_v2());
    let engine = Engine::create(store, StoreKey::from_bytes([7; 32]), options)?;
    engine.admin(Caller::Root).organizations().create(NewOrganization::named("my-org"))?;
    Ok(())
}

#[test]
fn the_file_is_private_and_exclusively_locked() {
    let path = made("owner");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = TinyStore::open(&path).unwrap();
    assert!(matches!(TinyStore::open(&path), Err(StoreError::Backend(_))));
    drop(first);
    TinyStore::open(&path).unwrap();
}

#[test]
fn a_torn_last_line_is_dropped_and_earlier_damage_is_reported() {
    let path = made("damage");
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for cut in [last, last + 1, last + 20, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        let store = TinyStore::open(&path).unwrap();
        // The settings exist, the organization does not.
        assert_eq!(store.scan(&Cursor::start(), 10).unwrap().items.len(), 1);
        drop(store);
        assert_eq!(fs::read(&path).unwrap(), whole[..last]);
        assert!(create(&path).is_ok(), "it goes on after {cut}");
    }
    let mut damaged = whole.clone();
    damaged[last / 2] ^= 1;
    fs::write(&path, &damaged).unwrap();
    assert!(matches!(TinyStore::open(&path), Err(StoreError::Corrupt(_))));
}

#[test]
fn a_renewed_epoch_persists() {
    let path = made("epoch");
    let end = |store: &TinyStore| store.scan(&Cursor::start(), 10).unwrap().end.unwrap();
    let store = TinyStore::open(&path).unwrap();
    let before = end(&store);
    let epoch = store.renew().unwrap();
    assert_ne!(epoch, before.epoch);
    drop(store);
    let after = end(&TinyStore::open(&path).unwrap());
    assert_eq!((after.head, after.floor, after.epoch), (before.head, before.floor, epoch));
}
