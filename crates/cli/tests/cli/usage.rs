//! The command line: usage errors, help and completions.

use predicates::prelude::*;
use predicates::str::{contains, starts_with};

use crate::common::{Home, err, out};

#[test]
fn usage_errors_are_formatted_like_other_errors() {
    let home = Home::new();
    for (arguments, code) in [
        (&[][..], 1),
        (&["frobnicate"], 1),
        (&["setup"], 1),
        (&["setup", "--org=o", "--user=u", "stray"], 1),
        (&["import"], 1),
        (&["fsck", "--color=pink"], 1),
        (&["fsck", "--max-staleness=soon"], 1),
        (&["fsck", "--store=etcd:x"], 1),
        (&["completions", "tcl"], 1),
        (&["auth"], 1),
        (&["auth", "frobnicate"], 1),
        (&["user", "help"], 1),
        (&["check"], 2),
        (&["explain"], 2),
        (&["explain", "--id=x", "--action=read", "--type=tasks"], 2),
        (&["check", "--action=read"], 2),
        (&["check", "--stream", "--action=read"], 2),
        (&["--store", "x.db", "check", "--stream"], 2),
    ] {
        home.run(arguments).code(code).stdout("").stderr(starts_with("Error: "));
    }
    let plain = home.run(&["--store=foo.db", "fsck"]).code(1);
    assert!(err(&plain).contains("write `sqlite:foo.db`"), "{}", err(&plain));
    assert_eq!(home.files().len(), 0);
}

#[test]
fn every_command_has_help_with_an_example() {
    let home = Home::new();
    home.run(&["--version"]).success().stdout(starts_with("symbolon "));
    let help = home.run(&["--help"]).success();
    assert!(out(&help).contains("Examples:"));
    for command in [
        "setup",
        "import",
        "check",
        "explain",
        "auth",
        "user",
        "org",
        "audit",
        "fsck",
        "backup",
        "restore",
        "export",
        "key",
        "purge",
        "completions",
        "man",
    ] {
        assert!(out(&help).contains(&format!("\n  {command} ")), "{command}");
        let help = home.run(&[command, "--help"]).success();
        assert!(out(&help).contains("Example"), "{command}");
        assert!(!out(&help).contains('\u{1b}'));
    }
    home.run(&["--color=always", "--help"]).success().stdout(contains('\u{1b}'));
}

#[test]
fn completions_are_generated_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        home.run(&["completions", shell])
            .success()
            .stdout(contains("symbolon").and(contains("fsck")));
    }
}

#[test]
fn the_help_command_prints_the_same_as_the_help_option() {
    let home = Home::new();
    for (before, after) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "auth"], &["auth", "--help"]),
        (&["help", "auth", "create"], &["auth", "create", "--help"]),
    ] {
        let wanted = out(&home.run(after).success());
        assert_eq!(out(&home.run(before).success()), wanted);
    }
    home.run(&["help", "nonsense"]).code(1);
}
