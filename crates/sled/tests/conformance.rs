//! The rules that every store must keep.

use std::path::Path;

use symbolon_sled::SledStore;

symbolon_conformance::suite!(|folder: &Path| SledStore::open(folder).unwrap());
symbolon_conformance::durable!(|folder: &Path| SledStore::open(folder).unwrap());
