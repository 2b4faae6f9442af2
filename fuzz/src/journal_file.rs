//! The file of a chain of the journal: arbitrary contents, and damage to valid contents.

use symbolon::StoreKey;
use symbolon::journal::{Event, JournalKeys, Mac};
use symbolon_journal::{ChainReport, verify_bytes};

const CHAIN: u32 = 1;

/// Any bytes can be verified to their end. The lines of the input that are events form a chain,
/// which is sound. One changed byte is found, and a truncated chain is sound except for its last
/// line.
pub fn journal_file(data: &[u8]) -> bool {
    let keys = JournalKeys::new(&StoreKey::from_bytes([7; 32]));
    let whole = data.iter().filter(|byte| **byte == b'\n').count() as u64;
    let report = verify(&keys, data);
    assert_eq!(report.lines, whole);
    let findings = report.findings.len() as u64 + report.more_findings;
    assert!(findings <= report.lines);
    for finding in &report.findings {
        assert!((1..=finding.last_line).contains(&finding.line), "{finding}");
        assert!(finding.last_line <= report.lines, "{finding}");
        // A finding quotes nothing of a line, which an attacker may have written.
        assert!(finding.to_string().len() < 300, "{finding}");
    }

    let (damage, text) = data.split_at_checked(3).unwrap_or((&[], data));
    let events: Vec<Event> = text
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    if events.is_empty() {
        return false;
    }
    for event in &events {
        let json = serde_json::to_string(event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), *event, "{json}");
    }
    let chain = chain(&keys, &events);
    let report = verify(&keys, &chain);
    assert_eq!((report.lines, report.torn), (events.len() as u64, 0));
    assert_eq!(report.findings, []);
    if let [high, low, byte] = *damage {
        let at = usize::from(u16::from_be_bytes([high, low])) % chain.len();
        changed(&keys, &chain, at, byte);
        cut(&keys, &chain, at);
    }
    true
}

/// Changes one byte. Without its final line feed, the last line counts as unfinished.
fn changed(keys: &JournalKeys, chain: &[u8], at: usize, byte: u8) {
    let mut other = chain.to_vec();
    other[at] = byte;
    let report = verify(keys, &other);
    let last = at + 1 == chain.len();
    assert_eq!(report.findings.is_empty(), last || other == chain, "byte {at}");
}

fn cut(keys: &JournalKeys, chain: &[u8], at: usize) {
    let left = &chain[..at];
    let report = verify(keys, left);
    assert_eq!(report.findings, []);
    let torn = left.rsplit(|byte| *byte == b'\n').next();
    assert_eq!(report.torn, torn.map_or(0, <[u8]>::len) as u64);
}

fn verify(keys: &JournalKeys, bytes: &[u8]) -> ChainReport {
    verify_bytes(keys, CHAIN, bytes).unwrap()
}

/// Builds a chain as described in `docs/format.md`.
fn chain(keys: &JournalKeys, events: &[Event]) -> Vec<u8> {
    let mut chain = Vec::new();
    let mut previous = Mac::default();
    for (at, event) in events.iter().enumerate() {
        let event = serde_json::to_string(event).unwrap();
        let event = event.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
        let number = at + 1;
        let start =
            format!(r#"{{"chain":{CHAIN},"number":{number},"at":"2026-01-01T00:00:00Z",{event}"#);
        let (key, mac) = keys.seal(previous, start.as_bytes());
        chain.extend_from_slice(
            format!("{start},\"key\":\"{key}\",\"mac\":\"{mac}\"}}\n").as_bytes(),
        );
        previous = mac;
    }
    chain
}
