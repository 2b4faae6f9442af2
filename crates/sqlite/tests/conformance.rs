//! The rules that every store must keep.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use symbolon_sqlite::SqliteStore;

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder.join("tokens.db")).unwrap()
}

symbolon_conformance::suite!(open);
symbolon_conformance::durable!(open);
