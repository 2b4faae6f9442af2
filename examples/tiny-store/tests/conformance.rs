//! Tests of the rules that every store must follow.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use symbolon_example_tiny_store::TinyStore;

fn open(folder: &Path) -> TinyStore {
    TinyStore::open(&folder.join("tokens")).unwrap()
}

// One test for every rule; none can be left out.
symbolon_conformance::suite!(open);
// For persistent stores: reopening the same folder, and `kill_nine`, which kills writing processes
// and verifies that no acknowledged change is lost.
symbolon_conformance::durable!(open);
