//! Keys, folders and files that are not as they should be: an error each, that says what to do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::common::{DB, Home, KEY, err, sample, token};

fn chmod(home: &Home, name: &str, mode: u32) {
    fs::set_permissions(home.path(name), Permissions::from_mode(mode)).unwrap();
}

/// Every command refuses, and says this.
fn assert_refused(home: &Home, told: &str) {
    let check = ["check", "--action=read", "--type=buckets"];
    let commands: [(&[&str], i32); 4] = [
        (&check, 2),
        (&["fsck"], 1),
        (&["setup", "--org=o", "--user=u"], 1),
        (&["import", "-"], 1),
    ];
    for (arguments, code) in commands {
        let done = home
            .command(arguments)
            .write_stdin(sample())
            .assert()
            .code(code)
            .stdout("");
        let text = err(&done);
        assert!(
            text.starts_with("Error: ") && text.contains(told),
            "{arguments:?}: {text}"
        );
    }
}

#[test]
fn no_key() {
    let home = Home::with_sample();
    fs::remove_file(home.path(KEY)).unwrap();
    assert_refused(&home, "there is no key file");
    assert!(
        !home.path(KEY).exists(),
        "no key is made for a store that exists"
    );
}

#[test]
fn another_key() {
    let (home, other) = (Home::with_sample(), Home::with_sample());
    fs::copy(other.path(KEY), home.path(KEY)).unwrap();
    assert_refused(&home, "the key does not belong to this store");
    let other = other.path(KEY);
    let home = Home::with_sample();
    let arguments = ["fsck", "--key-file", other.to_str().unwrap()];
    assert!(err(&home.run(&arguments).code(1)).contains("the key does not belong to this store"));
}

#[test]
fn a_damaged_key() {
    let home = Home::with_sample();
    let text = fs::read_to_string(home.path(KEY)).unwrap();
    let last = text.trim_end().chars().last().unwrap();
    let flipped = if last == '0' { "1" } else { "0" };
    let damaged = format!("{}{flipped}\n", text.trim_end().strip_suffix(last).unwrap());
    for (contents, told) in [
        (damaged.as_str(), "is damaged: secret and id do not match"),
        ("", "holds no key"),
        ("nonsense\n", "is not of the form"),
    ] {
        fs::write(home.path(KEY), contents).unwrap();
        assert_refused(&home, told);
    }
}

#[test]
fn a_key_that_others_can_read() {
    let home = Home::with_sample();
    chmod(&home, KEY, 0o640);
    assert_refused(&home, "can be read or written by others");
}

#[test]
fn a_folder_that_others_can_write_to() {
    let home = Home::with_sample();
    chmod(&home, "symbolon/data", 0o777);
    assert_refused(&home, "can be written to by others");
    chmod(&home, "symbolon/data", 0o755);
    assert_eq!(home.reads(&token(1)), "allow");
    let mode = fs::metadata(home.path("symbolon/data"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o755, "what exists is left as it is");
}

#[test]
fn a_store_that_is_cut_off_or_something_else() {
    let home = Home::with_sample();
    let whole = fs::read(home.path(DB)).unwrap();
    for cut in [0, 1, 100, 4096, whole.len() / 2, whole.len() - 4096] {
        fs::write(home.path(DB), &whole[..cut]).unwrap();
        let done = home.run(&["fsck"]).code(1);
        assert!(err(&done).starts_with("Error: "), "{cut}: {}", err(&done));
    }
    fs::write(home.path(DB), "the shopping list\n".repeat(500)).unwrap();
    assert_refused(&home, "is damaged, or no SQLite database");
    fs::remove_file(home.path(DB)).unwrap();
    let foreign = rusqlite::Connection::open(home.path(DB)).unwrap();
    foreign
        .execute_batch("CREATE TABLE shopping (list)")
        .unwrap();
    drop(foreign);
    chmod(&home, DB, 0o600);
    assert_refused(&home, "is no symbolon store");
}

#[test]
fn a_key_that_is_there_is_used_for_a_new_store() {
    let home = Home::with_sample();
    let key = fs::read(home.path(KEY)).unwrap();
    fs::remove_file(home.path(DB)).unwrap();
    home.import(&sample(), &[]).success();
    assert_eq!(fs::read(home.path(KEY)).unwrap(), key);
    // And one that cannot be used makes no store.
    fs::remove_file(home.path(DB)).unwrap();
    fs::write(home.path(KEY), "nonsense\n").unwrap();
    home.import(&sample(), &[]).code(1);
    assert!(!home.path(DB).exists());
}

#[test]
fn places_by_option_and_environment() {
    let home = Home::new();
    let options = ["--store", "sqlite:a/b.db", "--key-file", "k/key"];
    home.import(&sample(), &options).success();
    assert!(home.path("a/b.db").exists() && home.path("k/key").exists());
    assert!(!home.path("a/b.db.keys").exists());
    let mut command = home.command(&["fsck"]);
    command
        .env("SYMBOLON_STORE", "sqlite:a/b.db")
        .env("SYMBOLON_KEY_FILE", "k/key");
    command.assert().success();
    let before = [&options[..], &["fsck"]].concat();
    home.run(&before).success();
}
