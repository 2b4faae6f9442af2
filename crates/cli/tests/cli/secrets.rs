//! The text of a token is printed only on request, and stored nowhere else.

use std::fs;

use serde_json::{Value, json};
use symbolon::{Action, Caller, NewAuthorization, Permission, ResourceType};

use crate::common::{DB, HASH_OF_6, Home, ORG, STORES, err, out, sample, token};
use crate::secret_search::{assert_absent, middle};

fn flow(home: &Home) -> Vec<String> {
    let with = |arguments: &[&str]| home.command(arguments);
    let mut tokens: Vec<String> = (1..7).map(token).collect();
    let imported = with(&["import", "-"]).write_stdin(sample()).assert().success();
    let set_up =
        with(&["setup", "--adopt", "--org=my-org", "--user=me", "--json"]).assert().success();
    let made: Value = serde_json::from_str(&out(&set_up)).unwrap();
    let lines = tokens.iter().map(|token| {
        json!({"token": token, "action": "read", "type": "buckets", "org": ORG}).to_string()
    });
    let lines: Vec<_> = lines.collect();
    let stream = with(&["check", "--stream"]).write_stdin(lines.join("\n")).assert().success();
    let checked =
        with(&["check", "--action=read", "--type=tasks"]).write_stdin(token(1)).assert().code(1);
    let found = with(&["fsck"]).assert().success();
    tokens.push(made["auth"]["token"].as_str().unwrap().to_owned());
    for done in [imported, stream, checked, found] {
        let printed = out(&done) + &err(&done);
        assert!(tokens.iter().all(|token| !printed.contains(middle(token))), "{printed}");
    }
    tokens
}

#[test]
fn no_token_is_in_the_files_or_in_what_is_printed() {
    let home = Home::new();
    let mut tokens = flow(&home);
    assert_absent(&home.files(), &tokens);
    // While the store is open, the newest records are in its log.
    let engine = home.engine();
    let read = Permission::new(Action::READ, ResourceType::BUCKETS);
    let new = NewAuthorization::new(ORG.parse().unwrap(), [read]);
    let (made, _) = engine.admin(Caller::Root).authorizations().create(new).unwrap();
    tokens.push(made.reveal().to_owned());
    assert!(home.files().iter().any(|file| file.to_string_lossy().ends_with("-wal")));
    assert_absent(&home.files(), &tokens);
}

/// Runs all lists and explanations, in every output format.
fn shown(home: &Home) -> String {
    home.operate(&["auth", "delete", "0000000000000a05"]).success();
    let id = ["--id", "0000000000000a06"];
    let explain = [&["explain", "--action=read", "--type=tasks"], &id[..]].concat();
    let switch = [&["auth", "inactive"], &id[..]].concat();
    let mut printed = String::new();
    for command in [
        &["auth", "list"][..],
        &["auth", "list", "--status=revoked"],
        &[&["auth", "list"], &id[..]].concat(),
        &switch,
        &["auth", "delete", "0000000000000a05"],
        &["auth", "create", "--org=my-org", "--read-tasks", "--write-token=a"],
        &["auth", "rotate", "0000000000000a01", "--write-token=b"],
        &["user", "list"],
        &["user", "inactive", "me"],
        &["org", "list"],
        &["org", "members", "list", "my-org"],
        &explain,
        &["purge", "--retention=0"],
    ] {
        for form in [&[][..], &["--json"], &["--color=always"]] {
            let _ = (fs::remove_file(home.path("a")), fs::remove_file(home.path("b")));
            let done = home.operate(&[command, form].concat());
            printed += &(out(&done) + &err(&done));
            for new in ["a", "b"] {
                let Ok(token) = fs::read_to_string(home.path(new)) else {
                    continue;
                };
                assert!(!printed.contains(middle(&token)), "{command:?}");
            }
            // One rotation is enough to see its output.
            assert!(!out(&done).is_empty() || command[1] == "rotate" || command[1] == "delete");
        }
    }
    printed
}

#[test]
fn no_token_and_no_hash_is_in_any_list() {
    let home = Home::with_sample();
    let connection = rusqlite::Connection::open(home.path(DB)).unwrap();
    let hashes = || {
        let sql = "SELECT hex(uniq) FROM record WHERE kind = 1";
        let mut rows = connection.prepare(sql).unwrap();
        let rows = rows.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<String>>()
    };
    let before = hashes();
    assert_eq!(before.len(), 6);
    let printed = shown(&home);
    assert!(printed.contains("number 1") && printed.contains("Permissions"));
    for number in 1..7 {
        assert!(!printed.contains(middle(&token(number))), "{number}");
    }
    let lower = printed.to_lowercase();
    for hash in before.into_iter().chain(hashes()) {
        assert!(hash.len() >= 64, "{hash}");
        assert!(!lower.contains(&hash[2..34].to_lowercase()), "{hash}");
    }
    assert!(!printed.contains(&HASH_OF_6[18..40]));
}

#[test]
fn sled_lists_contain_no_token_and_no_hash() {
    let home = Home::on(STORES[1]);
    let tokens = flow(&home);
    assert_absent(&home.files(), &tokens);
}
