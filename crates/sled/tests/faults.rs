//! An engine on a store that fails.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use symbolon_conformance::faults::revoke_under_faults;
use symbolon_sled::SledStore;

#[test]
fn a_revoke_under_any_fault_is_never_a_false_ok_and_revokes_when_tried_again() {
    let struck = revoke_under_faults(|dir| SledStore::open(dir.join("tokens")).unwrap());
    println!("{struck} faults");
    assert!(struck > 10, "{struck} faults");
}
