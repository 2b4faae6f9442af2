//! Tests that acknowledged changes survive a crash of the process.
#![expect(clippy::unwrap_used, reason = "helpers of tests panic, as tests do")]

use std::io::Write as _;
use std::process::Command;

use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::store::{Cursor, Revision, Write};
use symbolon::{Id, TokenStore};
use symbolon_sled::SledStore;

const EACH: u64 = 25;

/// Each child commits and aborts, and the next one opens the store. Records vary in size, so that
/// pages of all trees are split.
#[test]
fn an_abort_loses_nothing() {
    if let Ok(folder) = std::env::var("SYMBOLON_SLED_CRASH") {
        let store = SledStore::open(folder).unwrap();
        let mut head = store.commit(&[]).unwrap();
        for _ in 0..EACH {
            let record = record(head.next());
            let expected = Revision::ABSENT;
            head = store.commit(&[Write::Put { record, expected }]).unwrap();
            println!("\ncommitted {}", head.0);
            std::io::stdout().flush().unwrap();
        }
        std::process::abort();
    }
    let home = tempfile::tempdir().unwrap();
    for round in 1..=8 {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let child = child.args(["--exact", "an_abort_loses_nothing", "--nocapture"]);
        let output = child.env("SYMBOLON_SLED_CRASH", home.path()).output().unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let mut committed = text.lines().filter_map(|line| line.strip_prefix("committed "));
        let last = committed.next_back().unwrap().parse::<u64>().unwrap();
        assert_eq!(last, round * EACH);

        let store = SledStore::open_existing(home.path()).unwrap();
        let page = store.scan(&Cursor::start(), usize::MAX).unwrap();
        assert_eq!(page.end.unwrap().head, Revision(last));
        let found: Vec<Record> = page.items.into_iter().map(|item| item.record).collect();
        let wanted: Vec<Record> = (1..=last).map(|number| record(Revision(number))).collect();
        assert_eq!(found, wanted);
        assert_eq!(store.integrity().unwrap(), Vec::<String>::new());
    }
}

fn record(revision: Revision) -> Record {
    let number = revision.0;
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Record {
        key: RecordKey::new(Kind::AUTHORIZATION, Id::new(scattered).unwrap()),
        unique: Some(scattered.to_be_bytes().into()),
        columns: Columns {
            organization: Id::new(1 + number % 3),
            user: Id::new(1 + number % 20),
            ..Columns::default()
        },
        bytes: vec![7; (number * 997 % 15_000) as usize].into(),
    }
}
