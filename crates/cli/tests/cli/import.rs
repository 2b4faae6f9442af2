//! `symbolon import`.

use std::fs;

use serde_json::Value;

use crate::common::{AUTH, HASH_OF_6, Home, ORG, decides, err, out, row, sample, token};

fn rows(rows: &[String]) -> String {
    format!(
        r#"{{"links":{{"self":"/api/v2/authorizations"}},"authorizations":[{}]}}"#,
        rows.join(",")
    )
}

#[test]
fn api_replies_are_imported_into_an_empty_store() {
    let home = Home::new();
    let done = home.import(&sample(), &[]).success();
    let text = out(&done);
    assert!(text.contains("Authorizations    6"), "{text}");
    assert!(text.contains("Imported 10 items in "), "{text}");
    decides(&home);
    assert_eq!(home.reads(HASH_OF_6), "unknown", "a stored hash is no token");
    home.run(&["fsck"]).success();
}

#[test]
fn bare_lists_and_files_are_imported() {
    let home = Home::new();
    home.write("auths.json", rows(&[row(1, r#","org":"o","user":"u""#)]));
    let done = home.run(&["import", "auths.json", "--json"]).success();
    let report: Value = serde_json::from_str(&out(&done)).unwrap();
    assert_eq!(report["new"]["authorizations"], 1);
    assert_eq!(report["new"]["orgs"], 1);
    assert_eq!(home.reads(&token(1)), "allow");
}

#[test]
fn influx_auth_list_output_is_imported() {
    let home = Home::new();
    let json = format!(
        r#"[{{"id":"{AUTH}","description":"d","token":"{}","status":"active","userName":"me",
        "userID":"0000000000000c01","permissions":["read:orgs/{ORG}/buckets","read:/tasks"]}}]"#,
        token(1)
    );
    let refused = home.import(&json, &[]).code(1);
    assert!(err(&refused).contains("[0] (id 0000000000000a01): it names no organization"));
    assert!(!home.path("symbolon").exists());
    home.import(&json, &["--org", ORG]).success();
    assert_eq!(home.reads(&token(1)), "allow");
    let answer = home.check(&token(1), &["--action=read", "--type=tasks"]);
    assert_eq!(answer["permission"], "read:tasks");
    home.import("null", &[]).success();
}

#[test]
fn importing_twice_changes_nothing_and_reports_it() {
    let home = Home::with_sample();
    let again = home.import(&sample(), &[]).success();
    assert_eq!(out(&again), "Nothing to import; 10 items already present.\n");
    let more =
        sample().replace(r#""authorizations":["#, &format!(r#""authorizations":[{},"#, row(9, "")));
    let done = home.import(&more, &["--json"]).success();
    let report: Value = serde_json::from_str(&out(&done)).unwrap();
    assert_eq!(
        (&report["new"]["authorizations"], &report["known"]["authorizations"]),
        (&1.into(), &6.into())
    );
}

/// Returns an import file with one valid row, and one row for each kind of error.
fn with_bad_rows() -> String {
    rows(&[
        row(1, ""),
        row(2, r#","status":"paused""#),
        row(3, r#","expiresAt":"1969-12-31T23:59:59Z""#),
        row(4, r#","expiresAt":"9999-12-31T23:59:59Z""#),
        row(5, "").replace("buckets", "tables"),
        row(6, "").replace("\"read\"", "\"drop\""),
        row(7, "").replace(&token(7), ""),
        row(8, "").replace(&token(8), "redacted"),
        row(9, "").replace(&token(9), "with\\u0000NUL and blanks, which no token has"),
        row(10, "").replace(&token(10), "Zoë-Zoë-Zoë-Zoë-Zoë-Zoë-Zoë-Zoë-Zoë"),
        row(11, "").replace("0000000000000a0b", "a0b"),
        row(1, "").replace(&token(1), &token(12)),
        row(13, "").replace(&token(13), &token(1)),
        row(14, "").replace("number 14", "tab\\tin it"),
        row(15, "").replace("number 15", &"x".repeat(1 << 20)),
        row(16, "")
            .replace("\"orgID\":\"0000000000000b01\"}}]", "\"orgID\":\"0000000000000bff\"}}]"),
        "7".into(),
    ])
}

#[test]
fn bad_rows_are_named_and_nothing_is_written() {
    let home = Home::new();
    let refused = home.import(&with_bad_rows(), &[]).code(1).stdout("");
    let error = err(&refused);
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines.len(), 17, "{error}");
    for (at, (line, reason)) in lines
        .iter()
        .zip([
            "unknown status `paused`",
            "`expiresAt`: a time must be between 1970",
            "`expiresAt`: a time must be between 1970",
            "unknown resource type `tables`; expected one of authorizations, buckets",
            "unknown action `drop`; expected one of read, write",
            "it has no token",
            "it has no token",
            "`token`: not a token",
            "`token`: not a token",
            "`id`: id must have a length of 16 bytes",
            "it has the same id as authorizations[0]",
            "it has the same token as authorizations[0]",
            "description contains the control character U+0009",
            "description has 1048576 bytes",
            "is not for organization",
            "it is not an object",
        ])
        .enumerate()
    {
        assert!(line.starts_with(&format!("authorizations[{}]", at + 1)), "{line}");
        assert!(line.contains(reason), "{line}");
    }
    assert!(
        lines[16].starts_with("Error: 16 of the rows cannot be imported, and nothing was written")
    );
    assert!((0..20).all(|number| !error.contains(&token(number))));
    assert!(!home.path("symbolon").exists());

    // An existing store is not changed either.
    let home = Home::with_sample();
    let before = home.engine().caught_up();
    home.import(&with_bad_rows(), &[]).code(1);
    assert_eq!(home.engine().caught_up(), before);
}

#[test]
fn bad_rows_can_be_skipped() {
    let home = Home::new();
    let done = home.import(&with_bad_rows(), &["--skip-invalid"]).success();
    assert!(err(&done).contains("Warning: skipped 16 bad rows"), "{}", err(&done));
    assert!(out(&done).contains("Authorizations    1         0       16"), "{}", out(&done));
    assert_eq!(home.reads(&token(1)), "allow");
}

#[test]
fn only_the_first_twenty_bad_rows_are_printed() {
    let home = Home::new();
    let bad: Vec<_> = (0..25).map(|number| row(number, "").replace(&token(number), "")).collect();
    let refused = home.import(&rows(&bad), &["--json"]).code(1);
    assert!(err(&refused).contains("authorizations[19]"));
    assert!(!err(&refused).contains("authorizations[20]"));
    assert!(err(&refused).contains("\nand 5 more\n"), "{}", err(&refused));
    let report: Value = serde_json::from_str(&out(&refused)).unwrap();
    assert_eq!(report["bad"].as_array().unwrap().len(), 25);
    assert_eq!(report["bad"][24]["place"], "authorizations[24]");
}

#[test]
fn rows_that_conflict_with_existing_records_are_bad() {
    let home = Home::with_sample();
    let other_token = row(1, "").replace(&token(1), &token(8));
    let other_id = row(8, "").replace(&token(8), &token(1));
    let hashed = row(8, "").replace(&token(8), &token(6));
    let refused = home.import(&rows(&[other_token, other_id, hashed]), &[]).code(1);
    let error = err(&refused);
    assert!(
        error.contains("authorizations[0] (id 0000000000000a01): authorization exists already"),
        "{error}"
    );
    assert!(
        error.contains("authorizations[1] (id 0000000000000a08): it has the same token")
            || error.contains("token exists already"),
        "{error}"
    );
    assert!(
        error.contains("authorizations[2] (id 0000000000000a08): it has the same id"),
        "{error}"
    );
}

#[test]
fn a_dry_run_writes_nothing() {
    let home = Home::new();
    let done = home.import(&sample(), &["--dry-run"]).success();
    assert!(out(&done).contains("Authorizations    6"), "{}", out(&done));
    assert!(out(&done).contains("Nothing was written"), "{}", out(&done));
    assert_eq!(home.files().len(), 0);
    home.import(&with_bad_rows(), &["--dry-run"]).code(1);
    let home = Home::with_sample();
    let before = home.engine().caught_up();
    home.import(&rows(&[row(9, "")]), &["--dry-run"]).success();
    assert_eq!(home.engine().caught_up(), before);
}

#[test]
fn files_of_an_unknown_format_are_rejected() {
    let home = Home::new();
    let secret = token(1);
    for (input, expected) in [
        ("", "Error: the input is not valid JSON: EOF while parsing"),
        (
            "{\"orgs\":[\n}",
            "Error: the input is not valid JSON: expected value at line 2 column 1\n",
        ),
        (
            "{}",
            "Error: the input is not an import file: \
             it is an object without any of the lists; expected",
        ),
        ("[1]", "Error: the input is not an import file: it is an array without authorizations"),
        (&format!("\"{secret}\""), "Error: the input is not an import file: it is neither"),
        (&format!("{secret}\n"), "Error: the input is not valid JSON: "),
    ] {
        let refused = home.import(input, &[]).code(1).stdout("");
        assert!(err(&refused).starts_with(expected), "{}", err(&refused));
        assert!(!err(&refused).contains(&secret));
    }
    for (file, expected) in [("none.json", "No such file"), (".", "is a directory")] {
        let refused = home.run(&["import", file]).code(1);
        assert!(
            err(&refused).starts_with(&format!("Error: cannot read `{file}`: ")),
            "{}",
            err(&refused)
        );
        assert!(err(&refused).contains(expected), "{}", err(&refused));
    }
    assert_eq!(home.files().len(), 0);
}

#[test]
fn large_imports_use_several_commits() {
    let home = Home::new();
    let all: Vec<_> = (0..2500)
        .map(|number| {
            let id = format!("{:016x}", 0x10000 + number);
            row(1, "").replace(AUTH, &id).replace(&token(1), &format!("{}{number:06}", token(1)))
        })
        .collect();
    home.write("many.json", rows(&all));
    let done = home.run(&["import", "many.json"]).success();
    assert!(out(&done).contains("2,500"), "{}", out(&done));
    assert!(fs::metadata(home.path(crate::common::DB)).unwrap().len() > 500_000);
    assert_eq!(home.reads(&format!("{}{:06}", token(1), 2499)), "allow");
    home.run(&["fsck"]).success();
}
