//! Leftovers of a process that was killed while creating a store.
use symbolon_sled::SledStore;

#[test]
fn a_store_is_created_over_leftovers_of_a_killed_process_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    symbolon_files::private_dir(&path).unwrap();
    std::fs::write(path.join(".symbolon.2da5c6af7f2de7d9.new"), "half").unwrap();
    assert!(SledStore::open_existing(&path).is_err());
    drop(SledStore::open(&path).unwrap());
    let other = folder.path().join("other");
    symbolon_files::private_dir(&other).unwrap();
    std::fs::write(other.join("notes.new"), "mine").unwrap();
    assert!(SledStore::open(&other).is_err());
}
