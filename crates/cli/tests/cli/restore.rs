//! `symbolon restore`.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use symbolon::StoreKey;
use symbolon_files::{KeyFile, create_private, private_dir};

use crate::common::{Home, STORES, decides, err, many, out, sample};

/// Returns the files and folders next to the store with this name part.
fn beside(home: &Home, part: &str) -> Vec<PathBuf> {
    let store = home.store();
    let name = store.file_name().unwrap().to_str().unwrap();
    let entries = fs::read_dir(store.parent().unwrap()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_meant = |path: &PathBuf| {
        let found = path.file_name().unwrap().to_str().unwrap();
        found.starts_with(&format!("{name}{part}"))
    };
    paths.filter(is_meant).collect()
}

/// Asserts that the store has no problems, and returns the number of authorizations.
fn sound(home: &Home) -> u64 {
    let found = home.run(&["fsck", "--json"]).success();
    let report: Value = serde_json::from_str(&out(&found)).unwrap();
    report["records"]["authorization"].as_u64().unwrap()
}

#[test]
fn a_backup_of_either_kind_is_restored_as_either_kind() {
    for from in STORES {
        let home = Home::with_sample_on(from);
        home.run(&["backup", "b"]).success();
        for to in STORES {
            let other = Home::on(to);
            fs::copy(home.path("b"), other.path("b")).unwrap();
            let refused = other.run(&["restore", "b"]).code(1);
            assert!(err(&refused).contains("there is no key file"), "{}", err(&refused));
            private_dir(other.key().parent().unwrap()).unwrap();
            create_private(&other.key(), &fs::read(home.key()).unwrap()).unwrap();
            // Without the journal, revocations after the backup would be lost.
            let refused = other.run(&["restore", "b"]).code(1);
            let error = err(&refused);
            assert!(error.contains("`--accept-restore`"), "{error}");
            assert!(!other.store().exists(), "nothing was created");
            let done = other.run(&["restore", "b", "--accept-restore"]).success();
            assert!(out(&done).contains("No journal has entries for this store"));
            assert!(out(&done).starts_with("Restored 11 records to s"), "{}", out(&done));
            decides(&other);
            assert_eq!(sound(&other), 6);
            assert!(beside(&other, ".re").is_empty());
            // It can be used like any other store.
            assert_eq!(
                out(&other.import(&sample(), &[]).success()),
                "Nothing to import; 10 items already present.\n"
            );
            other.run(&["setup", "--adopt", "--org=my-org", "--user=me"]).success();
        }
    }
}

#[test]
fn restore_replaces_a_store_only_when_forced_and_keeps_the_old_one() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        home.run(&["backup", "b"]).success();
        home.import(&many(20), &[]).success();
        let refused = home.run(&["restore", "b"]).code(1);
        assert!(err(&refused).contains("`--replace`"), "{}", err(&refused));
        assert_eq!(sound(&home), 26);
        let done = home.run(&["restore", "b", "--replace", "--json"]).success();
        let report: Value = serde_json::from_str(&out(&done)).unwrap();
        assert_eq!(report["records"], 11);
        assert_eq!(sound(&home), 6);
        let [kept] = beside(&home, ".replaced-").try_into().unwrap();
        let replaced = std::path::Path::new(report["replaced"].as_str().unwrap());
        assert_eq!(kept.file_name(), replaced.file_name());
        let fallen = home.store().with_extension("aside");
        fs::rename(home.store(), fallen).unwrap();
        fs::rename(kept, home.store()).unwrap();
        assert_eq!(sound(&home), 26);
    }
}

#[test]
fn restore_reports_problems_before_creating_anything() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        home.run(&["backup", "b"]).success();
        let whole = fs::read(home.path("b")).unwrap();
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        home.write("changed", &changed);
        home.write("cut", &whole[..whole.len() - 1]);
        home.write("other", "{}");
        home.write("key", &*StoreKey::from_bytes([1; 32]).to_text());
        home.run(&["--version"]).success();
        let key = home.path("key");
        fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
        // Lock file of the other key, created before the files are compared.
        home.write("key.lock", "");
        let lock = home.path("key.lock");
        fs::set_permissions(&lock, PermissionsExt::from_mode(0o600)).unwrap();
        let before = home.files();
        for (arguments, expected) in [
            (&["restore", "changed", "--replace"][..], "the backup is damaged or truncated"),
            (
                &["restore", "cut", "--replace"],
                "the backup is damaged or truncated: unexpected end of input",
            ),
            (&["restore", "other", "--replace"], "the input is not a backup of a symbolon store"),
            (&["restore", "missing", "--replace"], "cannot read `missing`"),
            (
                &["restore", "b", "--replace", "--key-file", "key"],
                "the key does not belong to this store: it needs key ",
            ),
        ] {
            let refused = home.run(arguments).code(1);
            assert!(err(&refused).contains(expected), "{}", err(&refused));
            assert_eq!(home.files(), before);
        }
        decides(&home);
    }
}

#[test]
fn replacing_a_damaged_store_discards_its_log() {
    let home = Home::with_sample();
    home.run(&["backup", "b"]).success();
    let log = home.store().with_extension("db-wal");
    for keep in [0, 100, 5000] {
        let mut damaged = fs::read(home.store()).unwrap();
        damaged[keep..].fill(7);
        fs::write(home.store(), &damaged).unwrap();
        fs::write(&log, "a log").unwrap();
        home.run(&["restore", "b", "--replace"]).success();
        decides(&home);
        assert!(!log.exists());
        let [kept] = beside(&home, ".replaced-").try_into().unwrap();
        assert_eq!(fs::read(&kept).unwrap(), damaged);
        fs::remove_file(kept).unwrap();
    }
}

#[test]
fn unrelated_logs_and_folders_are_left_alone() {
    let home = Home::with_sample();
    home.run(&["backup", "b"]).success();
    let log = home.store().with_extension("db-wal");
    fs::rename(home.store(), home.path("away")).unwrap();
    fs::write(&log, "a log").unwrap();
    let refused = home.run(&["restore", "b"]).code(1);
    assert!(err(&refused).contains("-wal"), "{}", err(&refused));
    fs::remove_file(&log).unwrap();
    let building = home.store().with_extension("db.restoring");
    private_dir(&building).unwrap();
    fs::write(building.join("notes"), "mine").unwrap();
    let refused = home.run(&["restore", "b"]).code(1);
    assert!(err(&refused).contains("move them away"), "{}", err(&refused));
    assert!(building.join("notes").exists());
    fs::rename(building.join("notes"), building.join("store-wal")).unwrap();
    home.run(&["restore", "b"]).success();
    assert!(!log.exists() && !building.exists());
    decides(&home);
}

#[test]
fn restore_reports_tampered_records() {
    let home = Home::with_sample();
    let database = rusqlite::Connection::open(home.store()).unwrap();
    let change = "UPDATE record SET bytes = zeroblob(40) WHERE kind = 1 AND id IN \
                  (SELECT id FROM record WHERE kind = 1 LIMIT 1)";
    assert_eq!(database.execute(change, []).unwrap(), 1);
    drop(database);
    home.run(&["backup", "b"]).success();
    let done = home.run(&["restore", "b", "--replace"]).success();
    assert!(out(&done).contains("1 record of the backup failed verification"), "{}", out(&done));
    assert!(err(&done).contains("Warning: authorization"), "{}", err(&done));
}

/// Kills a restore at random times, `rounds` times. Afterwards there is no store, the old one, or
/// the complete restored one.
fn killed(store: &'static str, records: usize, rounds: usize) {
    let home = Home::with_sample_on(store);
    home.run(&["backup", "small"]).success();
    home.import(&many(records), &[]).success();
    home.run(&["backup", "large"]).success();
    let large = 6 + records as u64;
    let start = std::time::Instant::now();
    home.run(&["restore", "large", "--replace"]).success();
    let mut whole = start.elapsed().as_millis() as u64;
    let forget = |paths: Vec<PathBuf>| {
        for path in paths {
            fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)).unwrap();
        }
    };
    let (mut none, mut old, mut new) = (0, 0, 0);
    for round in 0..rounds {
        forget(beside(&home, ".replaced-"));
        let is_there = round % 2 == 0;
        if is_there {
            home.run(&["restore", "small", "--replace"]).success();
            forget(beside(&home, ".replaced-"));
        } else {
            forget(vec![home.store()].into_iter().filter(|path| path.exists()).collect());
        }
        let mut restore = home.process(&["restore", "large", "--replace"]);
        let mut child = restore.stdout(Stdio::null()).spawn().unwrap();
        let random = RandomState::new().hash_one(round);
        let delay = random % (whole * 6 / 5);
        thread::sleep(Duration::from_millis(delay));
        if child.try_wait().unwrap().is_some() {
            // Later rounds kill it a little earlier.
            whole = whole.min(delay);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if home.store().exists() {
            match sound(&home) {
                6 if is_there => old += 1,
                found => {
                    assert_eq!(found, large);
                    new += 1;
                }
            }
            continue;
        }
        none += 1;
        if is_there {
            let [kept] = beside(&home, ".replaced-").try_into().unwrap();
            fs::rename(kept, home.store()).unwrap();
            assert_eq!(sound(&home), 6);
        }
    }
    println!("{store}: none {none}, old {old}, new {new}");
    home.run(&["restore", "large", "--replace"]).success();
    assert_eq!(sound(&home), large);
    decides(&home);
    assert!(beside(&home, ".restoring").is_empty());
    assert!(KeyFile::load(&home.key()).is_ok());
}

#[test]
fn a_killed_restore_leaves_no_partial_store() {
    killed(STORES[0], 5_000, 20);
}

#[test]
fn a_killed_sled_restore_leaves_no_partial_store() {
    killed(STORES[1], 1_000, 10);
}
