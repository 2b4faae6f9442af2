//! A journal in its own folder.

use std::fs;
use std::path::{Path, PathBuf};

use symbolon::journal::{
    Actor, Durability, Entry, Event, Intent, Journal, JournalKeys, Mac, Operation, Outcome,
    Revocation, WrittenRecord,
};
use symbolon::record::RecordKey;
use symbolon::{StoreKey, Timestamp};
use symbolon_journal::{FileJournal, Report, verify};
use tempfile::TempDir;

pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("key.journal")
    }

    pub(crate) fn chain(&self, chain: u32) -> PathBuf {
        self.path().join(format!("chain-{chain:04}.jsonl"))
    }

    pub(crate) fn open(&self) -> FileJournal {
        open(&self.path())
    }

    pub(crate) fn verify(&self) -> Report {
        verify(&self.path(), &keys()).unwrap()
    }

    /// Creates a home with this number of lines in the first chain: [`opened`], then intents with
    /// outcomes.
    pub(crate) fn with_lines(many: u64) -> Self {
        let home = Self::new();
        let journal = home.open();
        let events: Vec<_> = (1..=many).map(event).collect();
        journal.append(at(0), &events, Durability::Synced).unwrap();
        home
    }

    pub(crate) fn lines(&self, chain: u32) -> Vec<String> {
        let text = fs::read_to_string(self.chain(chain)).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn write_lines(&self, chain: u32, lines: &[String]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.chain(chain), text).unwrap();
    }
}

pub(crate) fn open(folder: &Path) -> FileJournal {
    FileJournal::open(folder, keys()).unwrap()
}

pub(crate) fn keys() -> JournalKeys {
    JournalKeys::new(&StoreKey::from_bytes([7; 32]))
}

pub(crate) fn at(second: u64) -> Timestamp {
    Timestamp::from_nanos(1_793_318_400_000_000_000 + second * 1_000_000_000).unwrap()
}

pub(crate) fn opened() -> Event {
    Event::Opened { store: "0a".repeat(16), epoch: u64::MAX - 1, head: 3 }
}

pub(crate) fn intent() -> Event {
    let key: RecordKey = "authorization:0804f74142bbf000".parse().unwrap();
    Event::Intent(Intent {
        actor: Actor::Root,
        operation: Operation::Revoke,
        writes: vec![WrittenRecord { key, sequence: 2 }],
        ends: vec![Revocation { key, at: at(0), mark: Some(Mac([5; 16])) }],
    })
}

pub(crate) fn outcome(of: u64) -> Event {
    Event::Outcome { of, outcome: Outcome::Done { revision: of } }
}

/// The event with this number in [`Home::with_lines`].
pub(crate) fn event(number: u64) -> Event {
    match number {
        1 => opened(),
        number if number.is_multiple_of(2) => intent(),
        number => outcome(number - 1),
    }
}

pub(crate) fn all(journal: &FileJournal) -> Vec<Entry> {
    let mut entries = Vec::new();
    journal.read(&mut |entry| entries.push(entry)).unwrap();
    entries
}
