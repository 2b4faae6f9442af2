//! `symbolon audit`, on journals that the tests write.

use std::fs;
use std::path::PathBuf;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use symbolon::journal::{
    Actor, Durability, Event, Intent, Journal, JournalKeys, Operation, Outcome, WrittenRecord,
};
use symbolon::{Id, Timestamp, TokenStore, store::Cursor};
use symbolon_files::KeyFile;
use symbolon_journal::FileJournal;
use symbolon_sqlite::SqliteStore;

use crate::common::{AUTH, DB, Home, err, out};

fn journal(home: &Home) -> FileJournal {
    let key = KeyFile::load(&home.key()).unwrap();
    FileJournal::open(&FileJournal::beside(&home.key()), JournalKeys::new(&key)).unwrap()
}

fn chain(home: &Home, number: u32) -> PathBuf {
    FileJournal::beside(&home.key()).join(format!("chain-{number:04}.jsonl"))
}

fn at(minute: u64) -> Timestamp {
    Timestamp::from_nanos(1_793_318_400_000_000_000 + minute * 60_000_000_000).unwrap()
}

fn intent(operation: Operation) -> Event {
    let key = format!("authorization:{AUTH}").parse().unwrap();
    Event::Intent(Intent {
        actor: Actor::Root,
        operation,
        writes: vec![WrittenRecord { key, sequence: 1 }],
        ends: vec![],
    })
}

fn denied() -> Event {
    Event::Denied {
        actor: Actor::Authorization(Id::new(5).unwrap()),
        operation: Operation::Create,
        on: None,
        reason: "it may not\u{1b}[31m".into(),
        left_out: 0,
    }
}

/// Writes two chains of entries in turn, for all commits of the store except the last `but`.
fn write(home: &Home, but: u64) {
    let _ = fs::remove_dir_all(FileJournal::beside(&home.key()));
    let store = SqliteStore::open_existing(home.path(DB)).unwrap();
    let end = store.scan(&Cursor::start(), 2000).unwrap().end.unwrap();
    let head = end.head.0 - but;
    let opened = Event::Opened { store: "00".repeat(16), epoch: end.epoch.0, head: head - 1 };
    let done = Event::Outcome { of: 2, outcome: Outcome::Done { revision: head } };
    let append = |journal: &FileJournal, minute, events: &[Event]| {
        journal.append(at(minute), events, Durability::Written).unwrap();
    };
    let (one, two) = (journal(home), journal(home));
    append(&one, 0, std::slice::from_ref(&opened));
    append(&one, 1, &[intent(Operation::Revoke)]);
    let two = {
        drop(two);
        journal(home)
    };
    append(&two, 2, &[denied()]);
    append(&one, 3, &[done]);
    append(&one, 4, &[denied()]);
}

#[test]
fn rows_of_all_chains_are_merged_and_intents_are_joined_with_outcomes() {
    let home = Home::with_sample();
    write(&home, 0);
    let shown = home.run(&["audit", "show"]).success();
    let text = out(&shown);
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 4, "{text}");
    assert_eq!(rows[0][..3], ["Time", "Caller", "Operation"]);
    let record = format!("authorization:{AUTH}");
    assert_eq!(rows[1][1..4], ["root", "revoke", "done"]);
    assert_eq!(rows[1][5], record);
    let who = "0000000000000005";
    assert_eq!(rows[2][1..4], [who, "create", "denied"]);
    assert_eq!(rows[3][1..4], [who, "create", "denied"]);
    assert!(rows.windows(2).skip(1).all(|pair| pair[0][0] < pair[1][0]));
    assert!(!text.contains('\u{1b}'));

    let json = |arguments: &[&str]| -> Vec<Value> {
        let shown = home.run(&[&["audit", "show", "--json"], arguments].concat());
        let text = out(&shown.success());
        let parse = |line| serde_json::from_str(line).unwrap();
        text.lines().map(parse).collect()
    };
    let times = |arguments: &[&str]| -> Vec<String> {
        let rows = json(arguments);
        let time = |row: &Value| row["at"].as_str().unwrap().to_owned();
        rows.iter().map(time).collect()
    };
    let minutes = |minutes: &[u64]| -> Vec<String> {
        minutes.iter().map(|minute| at(*minute).to_string()).collect()
    };
    assert_eq!(times(&[]), minutes(&[1, 2, 4]));
    assert_eq!(times(&["--limit=2"]), minutes(&[2, 4]));
    assert_eq!(times(&["--denied"]), minutes(&[2, 4]));
    assert_eq!(times(&["--act=revoke"]), minutes(&[1]));
    assert_eq!(times(&["--id", AUTH]), minutes(&[1]));
    assert_eq!(times(&["--id", who]), minutes(&[2, 4]));
    assert_eq!(
        times(&["--since", &at(1).to_string(), "--until", &at(2).to_string()]),
        minutes(&[1, 2])
    );
    assert_eq!(json(&["--act=revoke"])[0]["result"], "done");
    home.run(&["audit", "show", "--act=dance"]).code(2).stderr(contains("`revoke`"));
}

#[test]
fn audit_show_lists_the_operations_of_the_commands() {
    let home = Home::with_sample();
    let text = out(&home.run(&["audit", "show", "--act=import"]).success());
    assert!(text.contains("done"), "{text}");
    assert!(text.contains(&format!("authorization:{AUTH}")), "{text}");
    home.run(&["audit", "verify"]).success();
}

#[test]
fn verify_accepts_an_intact_journal_that_is_as_recent_as_the_store() {
    let home = Home::with_sample();
    write(&home, 0);
    home.run(&["audit", "verify"]).success().stdout(contains("The journal is intact."));
    // `show` only needs the key.
    fs::remove_file(home.path(DB)).unwrap();
    for name in ["-wal", "-shm"] {
        let _ = fs::remove_file(home.path(format!("{DB}{name}")));
    }
    home.run(&["audit", "verify"]).success();
    fs::remove_file(home.key()).unwrap();
    home.run(&["audit", "verify"]).code(2);
}

#[test]
fn a_tampered_line_is_reported_with_its_position_and_the_rest_is_shown() {
    let home = Home::with_sample();
    write(&home, 0);
    let text = fs::read_to_string(chain(&home, 1)).unwrap();
    fs::write(chain(&home, 1), text.replace("revoke", "rotate")).unwrap();
    home.run(&["audit", "verify"])
        .code(1)
        .stdout(contains("chain-0001.jsonl, line 2: it was changed"))
        .stderr(contains("1 problem"));
    let json = home.run(&["audit", "verify", "--json"]).code(1);
    let report: Value = serde_json::from_str(&out(&json)).unwrap();
    assert_eq!(report["sound"], false);
    assert_eq!(report["findings"][0]["line"], 2);
    let shown = home.run(&["audit", "show"]).code(1);
    assert_eq!(out(&shown).lines().count(), 3);
    assert!(err(&shown).contains("line 2: it was changed"));
    let refused = home.run(&["fsck"]).code(1);
    assert!(err(&refused).contains("Hint: `symbolon audit verify`"), "{}", err(&refused));
}

#[test]
fn a_truncated_journal_is_detected_by_comparison_with_the_store() {
    let home = Home::with_sample();
    let verify = || home.run(&["audit", "verify"]);
    verify().success();
    fs::remove_dir_all(FileJournal::beside(&home.key())).unwrap();
    verify()
        .code(1)
        .stdout(contains("There is no journal in").and(contains("the journal is missing")));
    write(&home, 1);
    verify().code(1).stdout(contains(
        "the end of the journal is missing, or the store was written to without it",
    ));
    // An intent without an outcome may be the newest commit of the store.
    let open = journal(&home);
    open.append(at(9), &[intent(Operation::Revoke)], Durability::Written).unwrap();
    verify().success();
}
