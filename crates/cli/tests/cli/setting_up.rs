//! `setup`.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use predicates::str::contains;
use serde_json::Value;

use crate::world::{BACKENDS, World, refused};

const WORDS: [&str; 5] = ["setup", "--org", "my-org", "--user", "me"];

#[test]
fn it_prints_the_token_once_and_the_token_works() {
    for store in BACKENDS {
        let world = World::empty(store);
        let output = world.run(&WORDS).arg("--json").output().unwrap();
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = made.to_string();
        let at = text.find("sym_").unwrap();
        let token = &text[at..at + 64];
        let words = ["check", "--action", "write", "--type", "orgs"];
        world
            .run(&words)
            .write_stdin(token)
            .assert()
            .success()
            .stdout(contains("allow"));
        let again = refused(&mut world.run(&WORDS));
        assert_eq!(
            again,
            "Error: set-up has been done already; use an existing operator token\n"
        );
        world.run(&["fsck"]).assert().success();
    }
}

#[test]
fn it_writes_the_token_to_a_new_private_file_and_prints_nothing() {
    let world = World::new(BACKENDS[0]);
    let mode = std::fs::metadata(world.path("operator.token"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(world.operator().len(), 64);
    // A file that is there is not replaced, and nothing is set up for it.
    let world = World::empty(BACKENDS[0]);
    std::fs::write(world.path("taken"), "mine").unwrap();
    let error = refused(world.run(&WORDS).args(["--write-token", "taken"]));
    assert!(error.contains("`taken` exists already"), "{error}");
    assert_eq!(std::fs::read(world.path("taken")).unwrap(), b"mine");
    world.run(&WORDS).assert().success();
    // Nor is one left behind when the set-up is refused.
    refused(world.run(&WORDS).args(["--write-token", "late"]));
    assert!(!world.path("late").exists());
}

#[test]
fn of_many_that_race_one_wins() {
    for _ in 0..3 {
        let world = World::empty(BACKENDS[0]);
        let start = |_| {
            let mut command = Command::new(assert_cmd::cargo::cargo_bin!("symbolon"));
            command
                .current_dir(world.path("."))
                .env("SYMBOLON_STORE", BACKENDS[0])
                .args(WORDS)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let children: Vec<_> = (0..4).map(start).collect();
        let outputs: Vec<_> = children
            .into_iter()
            .map(|child| child.wait_with_output().unwrap())
            .collect();
        let won = outputs
            .iter()
            .filter(|output| output.status.success())
            .count();
        assert_eq!(won, 1, "{outputs:?}");
        for lost in outputs.iter().filter(|output| !output.status.success()) {
            let error = String::from_utf8_lossy(&lost.stderr);
            assert!(error.contains("set-up has been done already"), "{error}");
        }
        world.run(&["fsck"]).assert().success();
    }
}

#[test]
fn wrong_words_exit_with_1_and_those_of_check_with_2() {
    let world = World::empty(BACKENDS[0]);
    for words in [
        &["setup"][..],
        &["setup", "--org", "", "--user", "me"],
        &["nothing"],
        &["fsck", "--nothing"],
    ] {
        let error = refused(&mut world.run(words));
        assert!(
            error.starts_with("Error: ") || error.starts_with("error: "),
            "{error}"
        );
    }
    world.run(&["check", "--nothing"]).assert().code(2);
    world
        .run(&["--help"])
        .assert()
        .success()
        .stdout(contains("Examples:"));
    world
        .run(&["--version"])
        .assert()
        .success()
        .stdout(contains(env!("CARGO_PKG_VERSION")));
    world
        .run(&["completions", "bash"])
        .assert()
        .success()
        .stdout(contains("symbolon"));
    assert!(!world.path("data").exists(), "nothing was made");
}
