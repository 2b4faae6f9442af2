//! Tests of appending and of the order of lines.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;
use std::thread;

use symbolon::journal::{Durability, Event, Journal};
use symbolon_journal::FileJournal;

use crate::common::{Home, all, at, intent, opened, outcome};

#[test]
fn opening_creates_nothing() {
    let home = Home::new();
    let journal = home.open();
    assert_eq!(journal.recent().unwrap(), []);
    assert_eq!(all(&journal), []);
    assert!(home.verify().is_sound());
    assert!(!home.path().exists());
}

#[test]
fn appended_entries_are_numbered_from_1() {
    let home = Home::new();
    let journal = home.open();
    let append = |events: &[Event]| journal.append(at(1), events, Durability::Synced).unwrap();
    assert_eq!(append(&[opened(), intent()]), 1);
    assert_eq!(append(&[outcome(2)]), 3);
    assert_eq!(append(&[intent()]), 4);
    let check = |journal: &FileJournal| {
        let entries = all(journal);
        assert_eq!(journal.recent().unwrap(), entries);
        let events: Vec<_> = entries.iter().map(|entry| entry.event.clone()).collect();
        assert_eq!(events, [opened(), intent(), outcome(2), intent()]);
        for (number, entry) in (1..).zip(&entries) {
            let found = (entry.chain, entry.own, entry.number, entry.at);
            assert_eq!(found, (1, true, number, at(1)));
        }
    };
    check(&journal);
    drop(journal);
    let again = home.open();
    check(&again);
    let number = again.append(at(2), &[outcome(4)], Durability::Written);
    assert_eq!(number.unwrap(), 5);
    let report = home.verify();
    assert!(report.is_sound(), "{report:?}");
    let chain = &report.chains[0];
    assert_eq!((chain.lines, chain.torn), (5, 0));
    assert_eq!((chain.first, chain.last), (Some(at(1)), Some(at(2))));
    assert!(chain.unresolved.is_empty());
    assert_eq!(report.newest(u64::MAX - 1), Some(4));
}

#[test]
fn unresolved_missed_and_rolled_back_entries_are_reported() {
    let home = Home::new();
    let restored = Event::RolledBack {
        found_epoch: 1,
        found_head: 2,
        epoch: 9,
        superseded: vec![1],
        accepted: true,
    };
    let events = [
        opened(),
        intent(),
        intent(),
        outcome(3),
        Event::Gap { missed: 4 },
        restored,
        intent(),
        outcome(7),
    ];
    let journal = home.open();
    journal.append(at(0), &events, Durability::Written).unwrap();
    let report = home.verify();
    let chain = &report.chains[0];
    assert_eq!(chain.unresolved.iter().collect::<Vec<_>>(), [&2]);
    assert_eq!((chain.missed, chain.restores), (4, 1));
    assert_eq!(report.newest(u64::MAX - 1), Some(3));
    assert_eq!(report.newest(9), Some(7));
}

#[test]
fn recent_entries_start_at_the_newest_opened_line() {
    let home = Home::new();
    let journal = home.open();
    let append =
        |event: Event| journal.append(at(0), &vec![event; 700], Durability::Written).unwrap();
    // Several blocks before and after it.
    append(intent());
    assert_eq!(journal.recent().unwrap().len(), 700);
    journal.append(at(0), &[opened()], Durability::Written).unwrap();
    append(intent());
    let recent = journal.recent().unwrap();
    assert_eq!((recent.len(), recent[0].number), (701, 701));
    assert_eq!(recent[0].event, opened());
    assert_eq!(all(&journal).len(), 1401);
    for many in 1..100 {
        journal.append(at(0), &[opened()], Durability::Written).unwrap();
        let events = vec![intent(); many];
        journal.append(at(0), &events, Durability::Written).unwrap();
        assert_eq!(journal.recent().unwrap().len(), many + 1);
    }
}

#[test]
fn events_that_resemble_opened_start_no_recent_part() {
    let home = Home::new();
    let journal = home.open();
    let denied = Event::Denied {
        actor: symbolon::journal::Actor::Root,
        operation: symbolon::journal::Operation::Create,
        on: None,
        reason: r#","event":"opened","#.into(),
        left_out: 0,
    };
    journal.append(at(0), &[opened(), denied.clone(), denied], Durability::Written).unwrap();
    assert_eq!(journal.recent().unwrap().len(), 3);
}

#[test]
fn threads_share_a_chain() {
    let home = Home::new();
    let journal = home.open();
    let numbers = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for turn in 0..25_u64 {
                    let durability = match turn % 5 {
                        0 => Durability::Synced,
                        _ => Durability::Written,
                    };
                    let events = [intent(), intent()];
                    let first = journal.append(at(turn), &events, durability).unwrap();
                    assert!(numbers.lock().unwrap().insert(first));
                    if turn % 10 == 0 {
                        assert!(all(&journal).len() as u64 > first);
                    }
                }
            });
        }
    });
    let wanted: BTreeSet<u64> = (0..200).map(|pair| pair * 2 + 1).collect();
    assert_eq!(numbers.into_inner().unwrap(), wanted);
    assert!(home.verify().is_sound());
    assert_eq!(home.verify().chains[0].lines, 400);
}

#[test]
fn each_open_journal_appends_to_its_own_chain_and_reads_all() {
    let home = Home::with_lines(3);
    let (first, second) = (home.open(), home.open());
    let number = second.append(at(0), &[opened()], Durability::Synced);
    assert_eq!(number.unwrap(), 1);
    assert_eq!(first.append(at(0), &[intent()], Durability::Synced).unwrap(), 4);
    let places = |journal: &FileJournal| -> Vec<_> {
        let entries = journal.recent().unwrap();
        assert_eq!(entries, all(journal));
        let place = |entry: &symbolon::journal::Entry| (entry.chain, entry.own, entry.number);
        entries.iter().map(place).collect()
    };
    let first_chain = |own| [(1, own, 1), (1, own, 2), (1, own, 3), (1, own, 4)];
    assert_eq!(places(&first), [&first_chain(true)[..], &[(2, false, 1)]].concat());
    assert_eq!(places(&second), [&first_chain(false)[..], &[(2, true, 1)]].concat());
    // The first free one is taken again.
    drop(first);
    let third = home.open();
    assert_eq!(third.append(at(0), &[opened()], Durability::Synced).unwrap(), 5);
    assert!(home.verify().is_sound());
}

#[test]
fn a_chain_continues_under_a_new_key() {
    let home = Home::with_lines(3);
    let (old, new) = ([7; 32], [8; 32]);
    let text = |secret| symbolon::StoreKey::from_bytes(secret).to_text().to_string();
    let both = || {
        let key = format!("{}{}", text(old), text(new)).parse().unwrap();
        symbolon::journal::JournalKeys::new(&key)
    };
    let journal = FileJournal::open(&home.path(), both()).unwrap();
    journal.append(at(0), &[intent()], Durability::Synced).unwrap();
    assert_eq!(all(&journal).len(), 4);
    // A missing key is reported once.
    for (secret, line, last) in [(old, 4, 4), (new, 1, 3)] {
        let key = symbolon::StoreKey::from_bytes(secret);
        let one = symbolon::journal::JournalKeys::new(&key);
        let report = symbolon_journal::verify(&home.path(), &one).unwrap();
        let findings: Vec<_> = report.findings().collect();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].line, findings[0].last_line), (line, last));
        assert!(findings[0].reason.contains("which the key file does not hold"));
    }
}

#[test]
fn lines_have_the_documented_json_form() {
    let home = Home::with_lines(3);
    let text = fs::read_to_string(home.chain(1)).unwrap();
    for (number, line) in (1..).zip(text.lines()) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["chain"], 1);
        assert_eq!(value["number"], number);
        assert_eq!(value["at"], at(0).to_string());
        assert_eq!(value["mac"].as_str().unwrap().len(), 32);
        assert_eq!(value["key"], "4f5d96ff");
    }
    let value: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(value["event"], "intent");
    assert_eq!(value["act"], "revoke");
}

#[test]
fn the_documented_example_matches_the_output() {
    let home = Home::new();
    let opened = Event::Opened { store: "09".repeat(16), epoch: 0x1234_5678_90ab_cdef, head: 3 };
    let at = "2026-11-22T10:00:00Z".parse().unwrap();
    home.open().append(at, &[opened], Durability::Synced).unwrap();
    let text = fs::read_to_string(home.chain(1)).unwrap();
    let format = include_str!("../../../../docs/format.md");
    assert!(format.contains(&text), "{text}");
}
