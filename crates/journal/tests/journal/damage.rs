//! Every change of a file is reported once, at the right line.

use std::fs;

use symbolon::journal::{Durability, Journal, JournalError};
use symbolon_journal::{Finding, verify_bytes};

use crate::common::{Home, at, intent, keys, opened};

const LINES: u64 = 6;

/// The findings in the first chain.
fn findings(home: &Home) -> Vec<Finding> {
    home.verify().findings().cloned().collect()
}

/// The only finding in the first chain.
fn finding(home: &Home) -> Finding {
    let mut findings = findings(home);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.pop().unwrap()
}

fn refuses_to_go_on(home: &Home) -> String {
    let journal = home.open();
    let before = fs::read(home.chain(1)).unwrap();
    let refused = journal.append(at(0), &[intent()], Durability::Synced);
    assert!(matches!(refused, Err(JournalError::Broken { .. })), "{refused:?}");
    assert!(journal.read(&mut |_| ()).is_err());
    assert!(journal.recent().is_err());
    assert_eq!(fs::read(home.chain(1)).unwrap(), before);
    refused.unwrap_err().to_string()
}

#[test]
fn every_flipped_byte_is_one_finding_at_its_line() {
    let home = Home::with_lines(LINES);
    let sound = fs::read(home.chain(1)).unwrap();
    assert!(verify_bytes(&keys(), 1, &sound).unwrap().findings.is_empty());
    let mut line = 1;
    for at in 0..sound.len() - 1 {
        for flip in [0x01, 0x20, 0x80, sound[at] ^ b'\n'] {
            let mut bytes = sound.clone();
            bytes[at] ^= flip;
            if bytes == sound {
                continue;
            }
            let report = verify_bytes(&keys(), 1, &bytes).unwrap();
            // The last line without its end is one that is being written.
            let cut = bytes[at] == b'\n' && line == LINES;
            let [found] = report.findings.as_slice() else {
                panic!("byte {at} of line {line}: {:#?}", report.findings);
            };
            // Only the line after the next one distinguishes a line without a seal from an
            // inserted one.
            let left = sound[at..].iter().position(|byte| *byte == b'\n');
            let is_seal = left.is_some_and(|left| left <= 59);
            let is_end = bytes[at] == b'\n';
            assert!(
                is_seal || is_end || (found.line, found.last_line) == (line, line),
                "byte {at} of line {line}: {found:?}"
            );
            assert!(
                found.line <= line && line <= found.last_line || cut,
                "byte {at} of line {line}: {found:?}"
            );
        }
        line += u64::from(sound[at] == b'\n');
    }
    assert_eq!(line, LINES);
    // Without its end the last line is one that was being written.
    let report = verify_bytes(&keys(), 1, &sound[..sound.len() - 1]).unwrap();
    assert!(report.findings.is_empty() && report.torn > 0);
}

#[test]
fn a_tampered_line_is_reported_and_never_appended_to() {
    let home = Home::with_lines(LINES);
    let mut lines = home.lines(1);
    lines[3] = lines[3].replace("revoke", "rotate");
    home.write_lines(1, &lines);
    let found = finding(&home);
    assert_eq!((found.line, found.last_line), (4, 4));
    assert_eq!(found.reason, "it was changed");
    let error = refuses_to_go_on(&home);
    assert!(error.contains("chain-0001.jsonl, line 4: it was changed"), "{error}");
    assert!(error.contains("verify the journal"), "{error}");
}

#[test]
fn damage_before_the_newest_opened_line_is_reported_but_not_fatal() {
    let home = Home::with_lines(LINES);
    home.open().append(at(0), &[opened(), intent()], Durability::Synced).unwrap();
    let mut lines = home.lines(1);
    lines[3] = lines[3].replace("revoke", "rotate");
    home.write_lines(1, &lines);
    let journal = home.open();
    assert_eq!(journal.recent().unwrap().len(), 2);
    journal.append(at(0), &[intent()], Durability::Synced).unwrap();
    assert!(journal.read(&mut |_| ()).is_err());
    assert_eq!(finding(&home).line, 4);
    // A finding after that line is counted from the beginning of the file, too.
    lines[7] = lines[7].replace("revoke", "rotate");
    home.write_lines(1, &lines);
    let error = home.open().recent().unwrap_err().to_string();
    assert!(error.contains("line 8: it was changed"), "{error}");
}

#[test]
fn every_removed_line_is_detected() {
    for gone in 0..LINES as usize - 1 {
        let home = Home::with_lines(LINES);
        let mut lines = home.lines(1);
        lines.remove(gone);
        home.write_lines(1, &lines);
        let found = finding(&home);
        let at = gone as u64 + 1;
        assert_eq!((found.line, found.last_line), (at, at));
        let follows = match gone {
            0 => "(the first has number 2)".to_owned(),
            gone => format!("(number {} follows {gone})", gone + 2),
        };
        assert_eq!(found.reason, format!("a line is missing before it {follows}"));
        refuses_to_go_on(&home);
    }
}

#[test]
fn a_removed_beginning_is_detected() {
    for gone in 1..LINES as usize {
        let home = Home::with_lines(LINES);
        home.write_lines(1, &home.lines(1)[gone..]);
        let found = finding(&home);
        assert_eq!(found.line, 1);
        assert!(found.reason.contains("missing before it"), "{found:?}");
        refuses_to_go_on(&home);
    }
}

#[test]
fn every_pair_of_swapped_lines_is_reported() {
    for one in 0..LINES as usize {
        for other in one + 1..LINES as usize {
            let home = Home::with_lines(LINES);
            let mut lines = home.lines(1);
            lines.swap(one, other);
            home.write_lines(1, &lines);
            let found = findings(&home);
            assert!(!found.is_empty());
            assert_eq!(found[0].line, one as u64 + 1);
            let last = found.last().unwrap().last_line;
            assert!(last.abs_diff(other as u64 + 1) <= 1, "{one} {other} {found:#?}");
            if other == one + 1 {
                assert_eq!(found.len(), 1, "{found:#?}");
                assert_eq!(found[0].reason, "they are exchanged");
            }
            refuses_to_go_on(&home);
        }
    }
}

#[test]
fn a_duplicated_line_is_reported() {
    for one in 0..LINES as usize {
        for place in one + 1..=LINES as usize {
            let home = Home::with_lines(LINES);
            let mut lines = home.lines(1);
            let line = lines[one].clone();
            lines.insert(place, line);
            home.write_lines(1, &lines);
            let found = finding(&home);
            assert_eq!((found.line, found.last_line), (place as u64 + 1, place as u64 + 1));
            let number = one + 1;
            assert_eq!(
                found.reason,
                format!("it does not belong here: number {number} occurs again")
            );
            refuses_to_go_on(&home);
        }
    }
}

#[test]
fn lines_and_files_of_another_chain_are_reported() {
    let home = Home::with_lines(LINES);
    {
        let _first = home.open();
        let second = home.open();
        let events = [opened(), intent(), intent()];
        second.append(at(0), &events, Durability::Synced).unwrap();
    }
    let (first, second) = (home.lines(1), home.lines(2));
    for place in 0..first.len() {
        for moved in &second {
            let mut lines = first.clone();
            lines.insert(place, moved.clone());
            home.write_lines(1, &lines);
            let found = finding(&home);
            assert!(found.line.abs_diff(place as u64 + 1) <= 1, "{found:?}");
            assert_eq!(found.reason, "a line of chain 2 was moved here");
        }
    }
    home.write_lines(1, &second);
    home.write_lines(2, &first);
    let found = findings(&home);
    assert_eq!(found.len(), 2);
    assert!(found[0].reason.starts_with("they belong to chain 2"), "{found:?}");
    refuses_to_go_on(&home);
}

#[test]
fn a_missing_file_in_the_middle_is_reported() {
    let home = Home::with_lines(LINES);
    {
        let _first = home.open();
        home.open().append(at(0), &[opened()], Durability::Synced).unwrap();
    }
    fs::remove_file(home.chain(1)).unwrap();
    let found = finding(&home);
    assert_eq!((found.line, found.reason.as_str()), (0, "the file is missing"));
    let error = home.open().recent().unwrap_err().to_string();
    assert!(error.contains("chain-0001.jsonl: the file is missing"), "{error}");
}

#[test]
fn a_torn_last_line_is_truncated_and_the_chain_continues() {
    let home = Home::with_lines(3);
    let sound = fs::read(home.chain(1)).unwrap();
    let last = home.lines(1).pop().unwrap().len() + 1;
    for kept in sound.len() - last..sound.len() {
        fs::write(home.chain(1), &sound[..kept]).unwrap();
        let report = home.verify();
        assert!(report.is_sound());
        let torn = kept - (sound.len() - last);
        assert_eq!(report.chains[0].torn, torn as u64);
        let journal = home.open();
        assert_eq!(journal.recent().unwrap().len(), 2);
        assert_eq!(fs::read(home.chain(1)).unwrap(), sound[..kept]);
        assert_eq!(journal.append(at(0), &[intent()], Durability::Synced).unwrap(), 3);
        let report = home.verify();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!((report.chains[0].lines, report.chains[0].torn), (3, 0));
    }
}

/// The journal alone does not show lines missing at its end; only a comparison with the store does.
#[test]
fn whole_lines_truncated_at_the_end_are_not_detected() {
    let home = Home::with_lines(LINES);
    home.write_lines(1, &home.lines(1)[..3]);
    let report = home.verify();
    assert!(report.is_sound());
    assert_eq!(report.newest(u64::MAX - 1), Some(3));
}

#[test]
fn every_fault_is_reported() {
    let home = Home::with_lines(60);
    let mut lines = home.lines(1);
    lines[50] = lines[50].replace("done", "dine");
    lines.swap(39, 40);
    lines.remove(29);
    lines.insert(20, "garbage".into());
    lines[9] = lines[9].replace("revoke", "rotate");
    home.write_lines(1, &lines);
    let places: Vec<_> = findings(&home)
        .iter()
        .map(|found| (found.line, found.last_line, found.reason.clone()))
        .collect();
    let wanted = [
        (10, 10, "it was changed"),
        (21, 21, "it was put in"),
        (31, 31, "a line is missing before it (number 31 follows 29)"),
        (40, 41, "they are exchanged"),
        (51, 51, "it was changed"),
    ];
    let wanted = wanted.map(|(line, last, reason)| (line, last, reason.to_owned()));
    assert_eq!(places, wanted);
}

#[test]
fn impossible_lines_are_skipped() {
    let home = Home::with_lines(LINES);
    let mut lines = home.lines(1);
    lines.insert(2, "x".repeat((16 << 20) + 5));
    home.write_lines(1, &lines);
    let found = finding(&home);
    assert_eq!((found.line, found.reason.as_str()), (3, "it was put in"));
    refuses_to_go_on(&home);
    fs::write(home.chain(1), vec![b'x'; (16 << 20) + 5]).unwrap();
    assert!(home.verify().is_sound());
    assert_eq!(home.verify().chains[0].torn, (16 << 20) + 5);
}

#[test]
fn a_changed_mac_is_reported_only_at_its_line() {
    for line in 0..LINES as usize {
        let home = Home::with_lines(LINES);
        let mut lines = home.lines(1);
        let digit = lines[line].len() - 3;
        let other = if &lines[line][digit..=digit] == "0" { "1" } else { "0" };
        lines[line].replace_range(digit..=digit, other);
        home.write_lines(1, &lines);
        let found = finding(&home);
        let number = line as u64 + 1;
        assert_eq!((found.line, found.last_line), (number, number));
        assert_eq!(found.reason, "it was changed");
    }
}
