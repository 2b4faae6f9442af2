//! The same on sled.

use std::fs;

use serde_json::Value;
use symbolon_sled::SledStore;

use crate::common::{Home, err, out, sample, token};

const STORE: [&str; 2] = ["--store", "sled:tokens"];

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &STORE[..]].concat()
}

#[test]
fn the_main_flow() {
    let home = Home::new();
    home.run(&with(&[
        "setup",
        "--org=my-org",
        "--user=me",
        "--write-token=op",
    ]))
    .success();
    let again = home
        .run(&with(&["setup", "--org=my-org", "--user=me"]))
        .code(1);
    assert!(err(&again).contains("set-up has been done already"));
    assert!(home.path("tokens.keys/key").exists());
    let imported = home.import(
        &sample()
            .replace("my-org", "imported")
            .replace("\"me\"", "\"you\""),
        &STORE,
    );
    imported.success();
    let same = sample()
        .replace("my-org", "imported")
        .replace("\"me\"", "\"you\"");
    assert_eq!(
        out(&home.import(&same, &STORE).success()),
        "nothing new: 10 already there\n"
    );
    for (number, decision) in [
        (1, "allow"),
        (2, "inactive"),
        (3, "expired"),
        (4, "revoked"),
        (6, "allow"),
        (7, "unknown"),
    ] {
        let answer = home.check(
            &token(number),
            &with(&["--action=read", "--type=buckets", "--org=imported"]),
        );
        assert_eq!(answer["reason"].as_str().unwrap_or("allow"), decision);
    }
    let operator = fs::read_to_string(home.path("op")).unwrap();
    home.check(&operator, &with(&["--action=write", "--type=tasks"]));
    let found = home.run(&with(&["fsck", "--json"])).success();
    let report: Value = serde_json::from_str(&out(&found)).unwrap();
    assert_eq!(
        (&report["sound"], &report["records"]["authorization"]),
        (&true.into(), &7.into())
    );
}

#[test]
fn one_process_at_a_time() {
    let home = Home::new();
    home.import(&sample(), &STORE).success();
    let held = SledStore::open_existing(home.path("tokens")).unwrap();
    for (arguments, code) in [
        (&["fsck"][..], 1),
        (&["import", "-"], 1),
        (&["setup", "--org=o", "--user=u"], 1),
        (&["check", "--stream"], 2),
    ] {
        let refused = home
            .command(&with(arguments))
            .write_stdin(sample())
            .assert()
            .code(code);
        let told = err(&refused);
        assert!(
            told.starts_with("Error: the store is in use by another process"),
            "{told}"
        );
    }
    drop(held);
    home.run(&with(&["fsck"])).success();
}

#[test]
fn a_folder_of_something_else() {
    let home = Home::new();
    fs::create_dir(home.path("tokens")).unwrap();
    home.write("tokens/list", "milk");
    let refused = home.import(&sample(), &STORE).code(1);
    assert!(
        err(&refused).contains("choose an empty folder"),
        "{}",
        err(&refused)
    );
    assert!(
        !home.path("tokens.keys").exists(),
        "no key for a store that is not made"
    );
}
