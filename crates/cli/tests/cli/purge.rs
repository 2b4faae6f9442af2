//! `symbolon purge`.

use serde_json::{Value, json};

use crate::common::{Home, STORES, err, out, row, token};

fn purged(home: &Home, arguments: &[&str]) -> Value {
    let done = home.run(&[&["purge", "--json"], arguments].concat()).success();
    serde_json::from_str(&out(&done)).unwrap()
}

fn counts(dry_run: bool, authorizations: usize, organizations: usize, buckets: usize) -> Value {
    json!({
        "dryRun": dry_run, "authorizations": authorizations, "buckets": buckets, "users": 0,
        "organizations": organizations, "sessions": 0,
    })
}

#[test]
fn purge_counts_and_then_removes_revoked_records() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        home.operate(&["org", "delete", "my-org"]).success();
        // Not revoked for long enough.
        assert_eq!(purged(&home, &[]), counts(false, 0, 0, 0));
        assert_eq!(purged(&home, &["--retention=1h"]), counts(false, 0, 0, 0));
        for _ in 0..2 {
            let dry = purged(&home, &["--retention=0", "--dry-run"]);
            assert_eq!(dry, counts(true, 5, 1, 1));
        }
        assert_eq!(home.reads(&token(1)), "revoked");
        assert_eq!(purged(&home, &["--retention=0"]), counts(false, 5, 1, 1));
        assert_eq!(purged(&home, &["--retention=0"]), counts(false, 0, 0, 0));
        for (number, decision) in [(1, "unknown"), (4, "unknown"), (5, "forbidden")] {
            let answer = home.check(&token(number), &["--action=read", "--type=buckets"]);
            assert_eq!(answer["reason"], decision);
        }
        home.run(&["fsck"]).success();
    }
}

#[test]
fn purge_prints_a_table_of_counts() {
    let home = Home::with_sample();
    home.operate(&["auth", "delete", crate::common::AUTH]).success();
    let dry = out(&home.run(&["purge", "--dry-run", "--retention=0s"]).success());
    assert_eq!(
        dry,
        "                Would remove\nAuthorizations  2\nBuckets         0\n\
         Users           0\nOrganizations   0\nSessions        0\n"
    );
    let wet = out(&home.run(&["purge", "--retention=0s"]).success());
    assert!(wet.contains("Removed\nAuthorizations  2\n"), "{wet}");
}

#[test]
fn a_missing_store_and_an_invalid_duration_are_reported() {
    let home = Home::new();
    let none = home.run(&["purge"]).code(1).stdout("");
    assert!(err(&none).contains("there is no store at"));
    let wrong = home.run(&["purge", "--retention=long"]).code(1);
    let error = err(&wrong);
    assert!(error.contains("invalid duration `long`"), "{error}");
    assert_eq!(home.files().len(), 0);
}

/// The engine may read records older than the purge while it runs, which is not a rollback.
#[test]
fn a_long_purge_prints_no_warnings() {
    let home = Home::with_sample();
    let rows: Vec<String> = (100..8_000).map(|number| row(number, "")).collect();
    let json = format!(r#"{{"authorizations":[{}]}}"#, rows.join(","));
    home.import(&json, &[]).success();
    home.operate(&["org", "delete", "my-org"]).success();
    let done = home.run(&["purge", "--retention=0", "--json"]).success();
    let counts: Value = serde_json::from_str(&out(&done)).unwrap();
    assert_eq!((&counts["authorizations"], err(&done)), (&7_905.into(), String::new()));
}
