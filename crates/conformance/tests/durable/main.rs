//! The rules for stores on disk, tested with a small one: it keeps them, and each planted fault is
//! detected.
#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

mod codec;
mod store;

use std::panic;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use symbolon::TokenStore;
use symbolon_conformance::crash::{Child, Crash, Opened, Report};
use symbolon_conformance::{StoreFactory, rules};

use store::{Fault, LogStore};

fn open(dir: &Path) -> LogStore {
    LogStore::open(&dir.join("log"), Fault::None).unwrap()
}

mod without_a_fault {
    symbolon_conformance::suite!(super::open);
    symbolon_conformance::durable!(super::open);
}

/// Defines one test for each fault, with the rules that detect it after reopening.
macro_rules! faults {
    ($($fault:ident $test:ident: $($rule:ident)+;)*) => {
        $(
            #[test]
            fn $test() {
                $(
                    let name = stringify!($rule);
                    assert!(breaks(Fault::$fault, rules::$rule), "{name} does not detect it");
                )+
            }
        )*
    };
}

faults! {
    Buffered buffered_writes_are_reported_as_lost:
        reopening_keeps_everything reopening_keeps_expected_revisions;
    Halves commits_are_split: reopening_keeps_everything;
    RevokedIsActive reactivated_records_are_detected: reopening_keeps_everything;
    PurgesForgotten purges_are_forgotten: reopening_keeps_head_and_floor;
    UniqueKeysForgotten unique_keys_are_forgotten: reopening_keeps_expected_revisions;
    RenewalForgotten renewals_are_forgotten: reopening_keeps_a_renewed_epoch;
    EpochOfOpening each_opening_has_another_epoch:
        reopening_keeps_an_empty_store reopening_keeps_everything;
}

fn breaks(fault: Fault, check: fn(StoreFactory<'_>)) -> bool {
    let open = move |dir: &Path| -> Arc<dyn TokenStore> {
        Arc::new(LogStore::open(&dir.join("log"), fault).unwrap())
    };
    panic::catch_unwind(|| check(StoreFactory::new(&open))).is_err()
}

/// Faults that a proper close may hide, detected by kills.
mod killed {
    use super::*;

    #[test]
    fn buffered_writes_are_reported_as_lost() {
        let report = crash(Fault::Buffered, "killed::buffered");
        assert!(!report.lost.is_empty(), "{report}");
    }

    #[test]
    fn writes_visible_before_durability_are_reported_as_lost() {
        let report = crash(Fault::SeenEarly, "killed::early");
        let fell = |lost: &String| lost.contains("the head was");
        assert!(report.lost.iter().any(fell), "{report}");
    }

    #[test]
    fn partial_commits_are_detected() {
        let report = crash(Fault::Halves, "killed::halves");
        assert!(!report.lost.is_empty(), "{report}");
    }

    #[test]
    fn reactivated_records_are_detected() {
        let report = crash(Fault::RevokedIsActive, "killed::revoked");
        assert!(report.lost.iter().any(|lost| lost.contains("expected revoked")));
        assert!(report.lost.iter().any(|lost| lost.contains("found active")));
    }

    #[test]
    fn a_torn_log_is_reported_as_unopenable() {
        let report = crash(Fault::TornEndRefused, "killed::torn");
        assert!(!report.unopenable.is_empty(), "{report}");
        assert_eq!(report.cycles, CYCLES, "the series continues with another store");
    }

    #[test]
    fn a_child_that_exits_by_itself_is_reported() {
        let report = crash(Fault::None, "killed::missing");
        assert!(!report.unopenable.is_empty(), "{report}");
    }

    // The child processes that the tests above start by name.

    #[test]
    fn buffered() {
        write_if_child(Fault::Buffered);
    }

    #[test]
    fn early() {
        write_if_child(Fault::SeenEarly);
    }

    #[test]
    fn halves() {
        write_if_child(Fault::Halves);
    }

    #[test]
    fn revoked() {
        write_if_child(Fault::RevokedIsActive);
    }

    #[test]
    fn torn() {
        write_if_child(Fault::TornEndRefused);
    }

    const CYCLES: u32 = 12;

    fn write_if_child(fault: Fault) {
        if let Some(child) = Child::from_env() {
            child.run(&opening(fault)).unwrap();
        }
    }

    fn opening(fault: Fault) -> impl Fn(&Path) -> Opened {
        move |dir| Ok(Arc::new(LogStore::open(&dir.join("log"), fault)?))
    }

    fn crash(fault: Fault, child: &str) -> Report {
        let command = || {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args([child, "--exact", "--nocapture", "--test-threads", "1"]);
            command
        };
        let dir = tempfile::tempdir().unwrap();
        let crash = Crash {
            open: &opening(fault),
            child: &command,
            dir: dir.path(),
            cycles: CYCLES,
            cycles_per_store: 20,
            seed: 1,
            progress: &|_| (),
        };
        crash.run().unwrap()
    }
}
