//! Errors for keys, folders and files that are missing, damaged or not private.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::{DB, Home, STORES, err, sample, token};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Asserts that every command fails with an error that contains `expected`.
fn assert_refused(home: &Home, expected: &str) {
    let check = ["check", "--action=read", "--type=buckets"];
    let commands: [(&[&str], i32); 4] = [
        (&check, 2),
        (&["fsck"], 1),
        (&["setup", "--org=o", "--user=u"], 1),
        (&["import", "-"], 1),
    ];
    for (arguments, code) in commands {
        let done = home.command(arguments).write_stdin(sample()).assert().code(code).stdout("");
        let text = err(&done);
        assert!(text.starts_with("Error: ") && text.contains(expected), "{arguments:?}: {text}");
    }
}

#[test]
fn a_missing_key_file_is_reported() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        fs::remove_file(home.key()).unwrap();
        assert_refused(&home, "there is no key file");
        assert!(!home.key().exists(), "no key is created for an existing store");
    }
}

#[test]
fn a_wrong_key_is_rejected() {
    for store in STORES {
        let (home, other) = (Home::with_sample_on(store), Home::with_sample());
        let own = fs::read(home.key()).unwrap();
        fs::copy(other.key(), home.key()).unwrap();
        assert_refused(&home, "the key does not belong to this store");
        fs::write(home.key(), own).unwrap();
        let other = other.key();
        let arguments = ["fsck", "--key-file", other.to_str().unwrap()];
        let refused = home.run(&arguments).code(1);
        assert!(err(&refused).contains("the key does not belong to this store"));
        assert_eq!(home.reads(&token(1)), "allow", "nothing was lost");
    }
}

#[test]
fn a_damaged_key_file_is_rejected() {
    let home = Home::with_sample();
    let text = fs::read_to_string(home.key()).unwrap();
    let last = text.trim_end().chars().last().unwrap();
    let flipped = if last == '0' { "1" } else { "0" };
    let damaged = format!("{}{flipped}\n", text.trim_end().strip_suffix(last).unwrap());
    for (contents, expected) in [
        (damaged.as_str(), "is damaged: secret and id do not match"),
        (&text[..text.len() - 9], "line 3 of the key file is not of the form"),
        ("", "contains no key"),
        ("nonsense\n", "is not of the form"),
    ] {
        fs::write(home.key(), contents).unwrap();
        assert_refused(&home, expected);
    }
}

#[test]
fn a_key_file_readable_by_others_is_rejected() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        chmod(&home.key(), 0o640);
        assert_refused(&home, "is accessible to other users");
    }
}

#[test]
fn a_folder_writable_by_others_is_rejected() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        let path = home.store();
        let folder = if path.is_dir() { &path } else { path.parent().unwrap() };
        chmod(folder, 0o770);
        assert_refused(&home, "is writable by other users");
        chmod(folder, 0o755);
        assert_eq!(home.reads(&token(1)), "allow");
        let mode = fs::metadata(folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "an existing folder is not changed");
    }
}

#[test]
fn a_truncated_or_foreign_store_file_is_rejected() {
    let home = Home::with_sample();
    let whole = fs::read(home.path(DB)).unwrap();
    for cut in [0, 1, 100, 4096, whole.len() / 2, whole.len() - 4096] {
        fs::write(home.path(DB), &whole[..cut]).unwrap();
        let done = home.run(&["fsck"]).code(1);
        assert!(err(&done).starts_with("Error: "), "{cut}: {}", err(&done));
    }
    fs::write(home.path(DB), &whole).unwrap();
    assert_eq!(home.reads(&token(1)), "allow", "the restored file works");

    let list = "the shopping list\n".repeat(500);
    fs::write(home.path(DB), &list).unwrap();
    assert_refused(&home, "is damaged or not a SQLite database");
    assert_eq!(fs::read(home.path(DB)).unwrap(), list.as_bytes());

    fs::remove_file(home.path(DB)).unwrap();
    let foreign = rusqlite::Connection::open(home.path(DB)).unwrap();
    foreign.execute_batch("CREATE TABLE shopping (list)").unwrap();
    drop(foreign);
    chmod(&home.path(DB), 0o600);
    let before = fs::read(home.path(DB)).unwrap();
    assert_refused(&home, "is not a symbolon store");
    assert_eq!(fs::read(home.path(DB)).unwrap(), before, "it is left as it was");
}

#[test]
fn a_new_store_uses_an_existing_key() {
    let home = Home::with_sample();
    let key = fs::read(home.key()).unwrap();
    fs::remove_file(home.path(DB)).unwrap();
    home.import(&sample(), &["--accept-new-store"]).success();
    assert_eq!(fs::read(home.key()).unwrap(), key);
    // A key that cannot be used prevents the creation of a store.
    fs::remove_file(home.path(DB)).unwrap();
    fs::write(home.key(), "nonsense\n").unwrap();
    home.import(&sample(), &["--accept-new-store"]).code(1);
    assert!(!home.path(DB).exists());
}

#[test]
fn paths_come_from_options_and_environment() {
    let home = Home::new();
    let options = ["--store", "sqlite:a/b.db", "--key-file", "k/key"];
    home.import(&sample(), &options).success();
    assert!(home.path("a/b.db").exists() && home.path("k/key").exists());
    assert!(!home.path("a/b.db.keys").exists());
    let mut command = home.command(&["fsck"]);
    command.env("SYMBOLON_STORE", "sqlite:a/b.db").env("SYMBOLON_KEY_FILE", "k/key");
    command.assert().success();
    let before = [&options[..], &["fsck"]].concat();
    home.run(&before).success();
}
