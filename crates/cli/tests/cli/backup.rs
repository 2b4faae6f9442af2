//! `symbolon backup`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use symbolon::{Caller, NewAuthorization};
use symbolon_sled::SledStore;

use crate::common::{Home, ORG, STORES, err, many, out, token};

#[test]
fn a_backup_file_is_private_overwrites_nothing_and_is_reported() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        let done = home.run(&["backup", "b"]).success();
        let report = out(&done);
        assert!(report.starts_with("Backed up 11 records ("), "{report}");
        assert!(report.contains(" s, as of commit "), "{report}");
        let file = home.path("b");
        let made = fs::read(&file).unwrap();
        assert!(made.starts_with(b"symbolon-backup-1"));
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        let refused = home.run(&["backup", "b"]).code(1);
        assert!(err(&refused).contains("`b` exists already"));
        assert_eq!(fs::read(&file).unwrap(), made);
        let done = home.run(&["backup", "c", "--json"]).success();
        let report: Value = serde_json::from_str(&out(&done)).unwrap();
        let length = fs::metadata(home.path("c")).unwrap().len();
        assert_eq!((&report["records"], &report["bytes"]), (&11.into(), &length.into()));
        // It contains no token and no key.
        let key = fs::read_to_string(home.key()).unwrap();
        let secret = key.trim().rsplit(':').next().unwrap();
        for secret in [token(1).as_str(), secret] {
            let found = made.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found);
        }
    }
}

#[test]
fn a_backup_is_written_to_standard_output() {
    let home = Home::with_sample();
    let done = home.run(&["backup", "-"]).success();
    assert!(done.get_output().stdout.starts_with(b"symbolon-backup-1"));
    assert!(err(&done).starts_with("Backed up 11 records"));
    fs::write(home.path("b"), &done.get_output().stdout).unwrap();
    home.run(&["restore", "b", "--replace"]).success();
    assert_eq!(home.reads(&token(1)), "allow");
}

#[test]
fn backing_up_a_missing_store_fails() {
    let home = Home::new();
    let refused = home.run(&["backup", "b"]).code(1);
    assert!(err(&refused).contains("there is no store"), "{}", err(&refused));
    assert!(home.files().is_empty());
    let home = Home::with_sample();
    let refused = home.run(&["backup", "nowhere/b"]).code(1);
    assert!(err(&refused).contains("`nowhere/b`"), "{}", err(&refused));
}

#[test]
fn backing_up_an_open_sled_store_reports_that_it_is_in_use() {
    let home = Home::with_sample_on(STORES[1]);
    let held = SledStore::open_existing(home.store()).unwrap();
    for arguments in [&["backup", "b"][..], &["restore", "b", "--replace"]] {
        let refused = home.run(arguments).code(1);
        let error = err(&refused);
        assert!(error.contains("in use by another process"), "{error}");
    }
    drop(held);
    assert!(!home.path("b").exists());
    home.run(&["backup", "b"]).success();
}

#[test]
fn a_backup_succeeds_while_a_server_writes() {
    let home = Home::with_sample();
    home.import(&many(2000), &[]).success();
    let engine = home.engine();
    let create = || {
        let read = "read:buckets".parse().unwrap();
        let new = NewAuthorization::new(ORG.parse().unwrap(), [read]);
        engine.admin(Caller::Root).authorizations().create(new).unwrap()
    };
    let (before, _) = create();
    let (ended, authorization) = create();
    engine.admin(Caller::Root).authorizations().revoke(authorization.id).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let (_, made) = create();
                    engine.admin(Caller::Root).authorizations().revoke(made.id).unwrap();
                }
            });
        }
        thread::sleep(Duration::from_millis(50));
        for name in ["a", "b", "c"] {
            home.run(&["backup", name]).success();
        }
        stop.store(true, Ordering::Relaxed);
    });
    let refused = home.run(&["restore", "c", "--replace"]).code(1);
    assert!(err(&refused).contains("in use by another process"));
    assert_eq!(home.reads(before.reveal()), "allow");
    drop(engine);
    for name in ["a", "b", "c"] {
        let done = home.run(&["restore", name, "--replace"]).success();
        assert!(out(&done).contains("The old store is kept as"), "{}", out(&done));
        assert_eq!(home.reads(before.reveal()), "allow");
        assert_eq!(home.reads(ended.reveal()), "revoked");
        home.run(&["fsck"]).success();
    }
}

#[test]
fn a_killed_backup_leaves_no_file_and_the_next_one_removes_its_leftovers() {
    let home = Home::with_sample();
    home.import(&many(5000), &[]).success();
    let others = home.files().len();
    let unfinished = || {
        let entries = fs::read_dir(home.path("")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".b.")).count()
    };
    let mut caught = false;
    for _ in 0..50 {
        let mut child = home.process(&["backup", "b"]);
        let mut child = child.stdout(Stdio::null()).spawn().unwrap();
        while unfinished() == 0 && child.try_wait().unwrap().is_none() {}
        child.kill().unwrap();
        child.wait().unwrap();
        caught = unfinished() == 1 && !home.path("b").exists();
        if caught {
            break;
        }
        fs::remove_file(home.path("b")).ok();
    }
    assert!(caught);
    home.run(&["backup", "b"]).success();
    assert_eq!((unfinished(), home.files().len()), (0, others + 1));
    home.run(&["restore", "b", "--replace"]).success();
}
