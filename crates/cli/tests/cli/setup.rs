//! `symbolon setup`: works once, and loses no token.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::common::{Home, err, out};

const SETUP: [&str; 5] = ["setup", "--org", "my-org", "--user", "me"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&SETUP[..], more].concat()
}

/// Asserts that the operator token works and belongs to the organization.
fn assert_operator(home: &Home, token: &str) {
    let answer = home.check(token, &["--action=write", "--type=orgs", "--org=my-org"]);
    assert_eq!(answer["permission"], "write:orgs");
}

#[test]
fn setup_creates_private_files_and_prints_the_token_once() {
    let home = Home::new();
    let done = home.run(&SETUP).success();
    let text = out(&done);
    let token = text.split_whitespace().find(|word| word.starts_with("sym_")).unwrap();
    assert_eq!(text.matches(token).count(), 1);
    assert!(text.contains("my-org") && text.contains("me's Token"), "{text}");
    assert!(text.contains("shown only once"), "{text}");
    assert_operator(&home, token);
    for (name, mode) in [
        ("symbolon", 0o700),
        ("symbolon/data", 0o700),
        ("symbolon/data/symbolon.db", 0o600),
        ("symbolon/data/symbolon.db.keys", 0o700),
        ("symbolon/data/symbolon.db.keys/key", 0o600),
    ] {
        let found = fs::metadata(home.path(name)).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{name}");
    }
}

#[test]
fn setup_prints_json_on_request() {
    let home = Home::new();
    let done = home.run(&with(&["--json"])).success();
    let made: Value = serde_json::from_str(&out(&done)).unwrap();
    assert_operator(&home, made["auth"]["token"].as_str().unwrap());
    assert_eq!(made["org"]["name"], "my-org");
}

#[test]
fn a_second_setup_is_rejected() {
    let home = Home::new();
    home.run(&SETUP).success();
    let again = home.run(&with(&["--write-token", "token"])).code(1).stdout("");
    assert_eq!(
        err(&again),
        "Error: set-up has been done already; use an existing operator token\n"
    );
    assert!(!home.path("token").exists());
}

#[test]
fn one_of_two_concurrent_setups_wins() {
    for _ in 0..5 {
        let home = Home::new();
        let race: Vec<_> = (0..4)
            .map(|_| {
                let mut process = home.process(&SETUP);
                process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let done: Vec<Output> =
            race.into_iter().map(|one| one.wait_with_output().unwrap()).collect();
        let (won, lost): (Vec<_>, Vec<_>) = done.iter().partition(|one| one.status.success());
        assert_eq!(won.len(), 1, "{done:?}");
        let text = String::from_utf8_lossy(&won[0].stdout);
        assert_operator(
            &home,
            text.split_whitespace().find(|word| word.starts_with("sym_")).unwrap(),
        );
        for one in lost {
            let error = String::from_utf8_lossy(&one.stderr);
            assert!(error.contains("set-up has been done already"), "{error}");
            assert_eq!((one.status.code(), one.stdout.len()), (Some(1), 0));
        }
        home.run(&["fsck"]).success();
    }
}

#[test]
fn a_token_can_be_written_to_a_file() {
    let home = Home::new();
    home.run(&with(&["--write-token", "token"])).success().stdout("").stderr("");
    let text = fs::read_to_string(home.path("token")).unwrap();
    assert_eq!(text.len(), 65);
    let mode = fs::metadata(home.path("token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_operator(&home, &text);
    let by_file = ["check", "--action=read", "--type=tasks", "--token-file=token"];
    home.run(&by_file).success();
}

#[test]
fn an_unwritable_token_file_stops_setup_before_creating_anything() {
    let home = Home::new();
    home.write("token", "precious");
    let exists = home.run(&with(&["--write-token", "token"])).code(1).stdout("");
    assert!(err(&exists).starts_with("Error: `token` exists already"), "{}", err(&exists));
    assert_eq!(fs::read(home.path("token")).unwrap(), b"precious");
    home.run(&with(&["--write-token", "no/folder/token"])).code(1);
    assert!(!home.path("symbolon").exists());
}

#[test]
fn invalid_names_create_nothing() {
    let home = Home::new();
    for (org, user) in [("", "me"), ("o", ""), ("o", "a\u{7}b"), (&"x".repeat(256), "me")] {
        let refused = home.run(&["setup", "--org", org, "--user", user]).code(1);
        assert!(err(&refused).starts_with("Error: "), "{}", err(&refused));
    }
    assert_eq!(home.files().len(), 0);
}

#[test]
fn a_token_that_cannot_be_printed_goes_to_standard_error() {
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let unread = || Stdio::from(std::io::pipe().unwrap().1);
    for (stdout, format) in
        [(full(), "--color=never"), (unread(), "--color=never"), (unread(), "--json")]
    {
        let home = Home::new();
        let mut process = home.process(&with(&[format]));
        let done = process.stdout(stdout).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        let error = String::from_utf8(done.stderr).unwrap();
        assert!(error.contains("Error: cannot write to standard output: "), "{error}");
        let token = error.split_whitespace().find(|word| word.starts_with("sym_"));
        assert_operator(&home, token.unwrap());
    }
}

#[test]
fn imported_names_are_used_only_with_adopt() {
    let home = Home::with_sample();
    for (setup, name) in [
        (["setup", "--org=my-org", "--user=new"], "organization `my-org`"),
        (["setup", "--org=new", "--user=me"], "user `me`"),
    ] {
        let refused = home.run(&setup).code(1);
        let error = err(&refused);
        assert!(error.contains(name) && error.contains("--adopt"), "{error}");
    }
    let done = home.run(&with(&["--adopt", "--json"])).success();
    let made: Value = serde_json::from_str(&out(&done)).unwrap();
    assert_eq!(made["org"]["id"], crate::common::ORG);
    assert_eq!(made["user"]["id"], crate::common::USER);
    let again = home.run(&with(&["--adopt"])).code(1);
    assert!(err(&again).contains("set-up has been done already"));
}

#[test]
fn a_missing_store_is_not_created_beside_its_journal() {
    for (store, path) in [("sqlite:s/db", "s/db"), ("sled:s/tree", "s/tree")] {
        let home = Home::new();
        let setup = ["setup", "--org=o", "--user=u", "--store", store];
        home.run(&setup).success();
        // Simulates that the volume of the store is not mounted.
        fs::rename(home.path(path), home.path("elsewhere")).unwrap();
        let before = home.files();
        let commands: [&[&str]; 3] = [
            &setup,
            &["import", "--store", store, "-"],
            &["serve", "--listen=127.0.0.1:0", "--store", store],
        ];
        for arguments in commands {
            let refused =
                home.command(arguments).write_stdin(crate::common::sample()).assert().code(1);
            let error = err(&refused);
            assert!(
                error.contains("there is no store at") && error.contains("--accept-new-store"),
                "{error}"
            );
            assert_eq!(home.files(), before, "{arguments:?}");
        }
        fs::rename(home.path("elsewhere"), home.path(path)).unwrap();
        home.run(&["fsck", "--store", store]).success();
        // The key is missing too: the journal cannot be read, and is not ignored.
        fs::rename(home.path(path), home.path("elsewhere")).unwrap();
        let keys = format!("{path}.keys");
        fs::rename(home.path(&keys).join("key"), home.path("key")).unwrap();
        let refused = home.run(&setup).code(1);
        assert!(err(&refused).contains("--accept-new-store"), "{}", err(&refused));
        fs::rename(home.path("key"), home.path(&keys).join("key")).unwrap();
        // A new store is created on request; the old store no longer fits the journal.
        home.run(&[&setup[..], &["--accept-new-store"]].concat()).success();
        home.run(&["fsck", "--store", store]).success();
    }
}
