//! The rules that every store must keep.

use std::path::Path;

use symbolon_sled::SledStore;

fn open(folder: &Path) -> SledStore {
    SledStore::open(folder).unwrap()
}

symbolon_conformance::suite!(open);
symbolon_conformance::durable!(open);
