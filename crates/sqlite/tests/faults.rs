//! An engine on a store that fails.

use symbolon_conformance::faults::{histories_under_faults, revoke_under_faults};
use symbolon_sqlite::SqliteStore;

#[test]
fn a_revoke_under_any_fault_is_never_a_false_ok_and_revokes_when_tried_again() {
    let struck = revoke_under_faults(|dir| SqliteStore::open(dir.join("tokens")).unwrap());
    println!("{struck} faults");
    assert!(struck > 10, "{struck} faults");
}

#[test]
fn after_a_revoke_has_returned_no_check_allows_whatever_fails() {
    let struck = histories_under_faults(|dir| SqliteStore::open(dir.join("tokens")).unwrap(), 100);
    println!("{struck} faults");
    assert!(struck > 3, "{struck} faults");
}
