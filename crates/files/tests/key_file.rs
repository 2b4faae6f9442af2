//! The key file: creation, reading, replacement and damage.

use std::error::Error;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use symbolon::{Engine, InvalidKey, MemoryStore, Options, Schema, StoreKey, TokenStore};
use symbolon_files::{FileError, KeyFile};

#[test]
fn the_key_file_is_next_to_the_store() {
    let beside = |store: &str| KeyFile::beside(Path::new(store));
    assert_eq!(beside("data/tokens.db"), Path::new("data/tokens.db.keys/key"));
    assert_eq!(beside("/data/store/"), Path::new("/data/store.keys/key"));
    assert_eq!(beside("store"), Path::new("store.keys/key"));
}

#[test]
fn a_key_file_is_created_once_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = KeyFile::beside(&dir.path().join("store"));
    let missing = KeyFile::load(&path).unwrap_err();
    assert!(matches!(missing, FileError::Missing(_)));
    assert!(missing.to_string().contains("put your copy of the key file there"));

    let made = KeyFile::create(&path).unwrap();
    let read = KeyFile::load(&path).unwrap();
    assert_eq!(made.to_text(), read.to_text());
    assert!(matches!(KeyFile::create(&path), Err(FileError::Exists(_))));
    assert_eq!(made.to_text(), KeyFile::load(&path).unwrap().to_text());
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# The secret key of a symbolon store"));

    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(KeyFile::load(&path), Err(FileError::Exposed { .. })));
}

#[test]
fn damage_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    KeyFile::create(&path).unwrap();
    let text = fs::read(&path).unwrap();

    let source = |contents: &[u8]| {
        fs::write(&path, contents).unwrap();
        let error = KeyFile::load(&path).unwrap_err();
        let source = error.source().unwrap();
        assert!(!error.to_string().contains(&source.to_string()));
        *source.downcast_ref::<InvalidKey>().unwrap()
    };
    assert_eq!(source(b""), InvalidKey::Empty);
    assert_eq!(source(&text[..text.len() - 20]), InvalidKey::Form(3));
    assert_eq!(source(b"# a\n\xff\n"), InvalidKey::Form(2));

    fs::write(&path, vec![b'#'; 70_000]).unwrap();
    assert!(matches!(KeyFile::load(&path), Err(FileError::TooLarge(_))));
}

#[test]
fn a_key_file_is_created_only_with_a_new_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = KeyFile::beside(&dir.path().join("store"));
    let store = Arc::new(MemoryStore::new());
    let made = KeyFile::open(&path, &*store).unwrap();
    let again = KeyFile::open(&path, &*store).unwrap();
    assert_eq!(made.to_text(), again.to_text());
    let options = Options::new(Schema::influxdb_v2());
    drop(Engine::create(Arc::clone(&store) as Arc<dyn TokenStore>, made, options).unwrap());
    fs::remove_file(&path).unwrap();
    let missing = KeyFile::open(&path, &*store);
    assert!(matches!(missing, Err(FileError::Missing(_))));
    assert!(!path.exists());
}

#[test]
fn a_key_file_is_replaced_atomically_and_only_if_present() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys/key");
    let rotated = StoreKey::generate().unwrap().rotated().unwrap();
    assert!(matches!(KeyFile::replace(&path, &rotated), Err(FileError::Missing(_))));
    KeyFile::create(&path).unwrap();
    KeyFile::replace(&path, &rotated).unwrap();
    let read = KeyFile::load(&path).unwrap();
    assert!(read.ids().eq(rotated.ids()));
    let mode = std::fs::metadata(&path).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let names = std::fs::read_dir(dir.path().join("keys")).unwrap().count();
    assert_eq!(names, 1, "no other file is left");
}

#[test]
fn an_exclusive_key_lock_excludes_all_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let (one, two) = (KeyFile::hold(&path).unwrap(), KeyFile::hold(&path).unwrap());
    assert!(matches!(KeyFile::hold_alone(&path), Err(FileError::Busy(_))));
    drop((one, two));
    let alone = KeyFile::hold_alone(&path).unwrap();
    assert!(matches!(KeyFile::hold(&path), Err(FileError::Busy(_))));
    drop(alone);
    KeyFile::hold(&path).unwrap();
}
