//! `symbolon check` with a single request.

use predicates::prelude::*;
use predicates::str::contains;

use crate::common::{AUTH, Home, ORG, err, out, token};

#[test]
fn organizations_and_resources_are_given_by_id_or_name() {
    let home = Home::with_sample();
    let check = |arguments: &[&str]| home.check(&token(1), arguments)["allow"] == true;
    let read = ["--action=read", "--type=buckets"];
    for org in [ORG, "0000000000000B01", "my-org"] {
        assert!(check(&[&read[..], &["--org", org]].concat()), "{org}");
        assert!(check(&[&read[..], &["--org", org, "--id", "telegraf"]].concat()));
        assert!(check(&[&read[..], &["--org", org, "--id", "0000000000000d01"]].concat()));
    }
    assert!(!check(&[&read[..], &["--org=other"]].concat()));
    assert!(!check(&read));
    assert!(!check(&["--action=write", "--type=buckets", "--org=my-org"]));
    assert!(!check(&["--action=read", "--type=users", "--id=me"]));
    assert!(!check(&["--action=read", "--type=orgs", "--id=my-org"]));
    assert!(!check(&["--action=read", "--type=databases", "--id=any name", "--org=my-org"]));
}

#[test]
fn check_prints_its_decision() {
    let home = Home::with_sample();
    let arguments = ["check", "--action=read", "--type=buckets", "--org=my-org"];
    let allowed = home.command(&arguments).write_stdin(token(1)).assert().code(0);
    assert_eq!(
        out(&allowed),
        format!("allow\n  Authorization  {AUTH}\n  Permission     read:orgs/{ORG}/buckets\n")
    );
    let answer = home.check(&token(1), &arguments[1..]);
    assert_eq!(answer["id"], AUTH);
    assert_eq!(answer["permission"], format!("read:orgs/{ORG}/buckets"));
    let denied = home.command(&arguments).write_stdin(token(2)).assert().code(1);
    assert_eq!(
        out(&denied),
        "deny\n  Authorization  0000000000000a02\n  Reason         inactive\n"
    );
    let unknown = home.command(&arguments).write_stdin(token(9)).assert().code(1);
    assert_eq!(out(&unknown), "deny\n  Reason         unknown\n");
    let colored = [&arguments[..], &["--color=always"]].concat();
    home.command(&colored).write_stdin(token(1)).assert().stdout(contains("\u{1b}["));
}

#[test]
fn tokens_are_read_from_arguments_files_and_input() {
    let home = Home::with_sample();
    for (text, reason) in [
        (format!("{}\n", token(1)), "allow"),
        (format!("{}\r\n", token(1)), "allow"),
        (format!("{}\n\n", token(1)), "malformed"),
        (format!(" {}", token(1)), "malformed"),
        (format!("{}\0", token(1)), "malformed"),
        ("Zoë-Zoë-Zoë-Zoë-Zoë-Zoë-Zoë-Zoë-Zoë".into(), "malformed"),
        ("x".repeat(1 << 20), "malformed"),
    ] {
        assert_eq!(home.reads(&text), reason);
    }
    home.write("token.txt", token(1));
    let by_file = ["check", "--action=read", "--type=buckets", "--org=my-org", "--token-file"];
    home.run(&[&by_file[..], &["token.txt"]].concat()).code(0);
    let missing = home.run(&[&by_file[..], &["none.txt"]].concat()).code(2);
    assert!(err(&missing).starts_with("Error: cannot read `none.txt`: "), "{}", err(&missing));
    let empty = home.command(&by_file[..4]).write_stdin("\n").assert().code(2);
    assert!(err(&empty).starts_with("Error: no token given"), "{}", err(&empty));
}

#[test]
fn errors_and_refusals_have_different_exit_codes() {
    let home = Home::with_sample();
    let fails = |arguments: &[&str], expected: &str| {
        let arguments = [&["check"], arguments].concat();
        let failed = home.command(&arguments).write_stdin(token(1)).assert().code(2).stdout("");
        assert!(err(&failed).starts_with(expected), "{}", err(&failed));
    };
    fails(
        &["--action=drop", "--type=buckets"],
        "Error: unknown action `drop`; expected one of read, write\n",
    );
    fails(
        &["--action=read", "--type=tables"],
        "Error: unknown resource type `tables`; expected one of authorizations, ",
    );
    fails(&["--action=re ad", "--type=buckets"], "Error: `--action`: `re ad`: a name is 1 to 31");
    let read = ["--action=read", "--type=buckets"];
    fails(&[&read[..], &["--org=none"]].concat(), "Error: unknown organization `none`\n");
    fails(&[&read[..], &["--id=x", "--org=my-org"]].concat(), "Error: unknown bucket `x`\n");
    fails(
        &[&read[..], &["--id=telegraf"]].concat(),
        "Error: `--id`: `telegraf` is the name of a bucket; pass its organization",
    );
    fails(&["--action=read", "--type=users", "--id=x"], "Error: unknown user `x`\n");
    fails(&["--action=read", "--type=tasks", "--id=x"], "Error: `--id`: `x` is not an id; ");
}

#[test]
fn check_does_not_create_a_missing_store() {
    let home = Home::new();
    for arguments in [
        &["check", "--action=read", "--type=buckets"][..],
        &["check", "--stream"],
        &["check", "--stream", "--store=sled:s"],
    ] {
        let failed = home.command(arguments).write_stdin(token(1)).assert().code(2);
        let error = err(&failed);
        assert!(error.starts_with("Error: there is no store at `s"), "{error}");
        assert!(error.contains("symbolon setup"), "{error}");
    }
    home.run(&["fsck"])
        .code(1)
        .stderr(contains("there is no store").and(contains("symbolon import")));
    assert_eq!(home.files().len(), 0);
}

/// A script that ignores the output still sees the decision.
#[test]
fn a_refusal_keeps_its_exit_code_when_the_output_pipe_is_closed() {
    let home = Home::with_sample();
    home.write("token.txt", token(2));
    for (format, expected) in [("--color=never", 1), ("--json", 1)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut process = home.process(&["check", "--action=read", "--type=buckets", format]);
        let status = process.arg("--token-file=token.txt").stdout(writer).status();
        assert_eq!(status.unwrap().code(), Some(expected));
    }
}
