//! The rules that every store must keep.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use symbolon_example_tiny_store::TinyStore;

fn open(folder: &Path) -> TinyStore {
    TinyStore::open(&folder.join("tokens")).unwrap()
}

// One test of every rule on what a store answers; none can be left out.
symbolon_conformance::suite!(open);
// For stores that keep something when they are closed: opening the same folder again, and `kill_nine`, which kills
// processes that write and looks for everything that they had acknowledged.
symbolon_conformance::durable!(open);
