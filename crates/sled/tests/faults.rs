//! An engine on a store that fails.

use symbolon_conformance::faults::{histories_under_faults, revoke_under_faults};
use symbolon_sled::SledStore;

#[test]
fn a_revoke_under_any_fault_never_falsely_succeeds_and_can_be_retried() {
    let struck = revoke_under_faults(|dir| SledStore::open(dir.join("tokens")).unwrap());
    println!("{struck} faults");
    assert!(struck > 10, "{struck} faults");
}

#[test]
fn no_check_allows_a_revoked_token_under_any_fault() {
    let struck = histories_under_faults(|dir| SledStore::open(dir.join("tokens")).unwrap(), 100);
    println!("{struck} faults");
    assert!(struck > 3, "{struck} faults");
}
