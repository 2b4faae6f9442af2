//! What a journal knows as ended.

use std::collections::HashMap;

use super::{Entry, Event, Intent, Journal, JournalError, Mac, Operation, Outcome, Revocation};
use crate::record::RecordKey;
use crate::time::Timestamp;

/// Everything that has ended, or will at a known time, and was not imported again on purpose.
#[derive(Debug, Default)]
pub(crate) struct RevocationList {
    records: HashMap<RecordKey, RevocationEntry>,
    marks: HashMap<Mac, RecordKey>,
}

#[derive(Debug, Clone, Copy)]
struct RevocationEntry {
    /// From when on it has ended.
    at: Timestamp,
    /// When that was written down last; none if it could not be written yet.
    written: Option<WrittenAt>,
    mark: Option<Mac>,
}

/// When something was written down.
#[derive(Debug, Clone, Copy)]
struct WrittenAt {
    at: Timestamp,
    chain: u32,
    number: u64,
    /// Life of the store, and commit, if both are known.
    commit: Option<(u64, u64)>,
}

impl WrittenAt {
    /// By the order of the commits or of the lines if one of them tells. The clock may have been set back between.
    fn is_after(self, other: Self) -> bool {
        match (self.commit, other.commit) {
            (Some((life, commit)), Some((same, before))) if life == same => commit > before,
            _ if self.chain == other.chain => self.number > other.number,
            _ => self.at > other.at,
        }
    }
}

/// What is done with an ending of which nobody knows whether it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnknownOutcome {
    /// It counts: it was asked for.
    Counts,
    /// It does not, and neither does one that an import may have undone.
    LeftOut,
}

impl RevocationList {
    /// Reads a whole journal.
    pub(super) fn read(
        journal: &dyn Journal,
        undecided: UnknownOutcome,
    ) -> Result<Self, JournalError> {
        let mut open: HashMap<(u32, u64), (WrittenAt, Intent)> = HashMap::new();
        let mut lives: HashMap<u32, u64> = HashMap::new();
        let mut ended = Self::default();
        let mut revived: Vec<(WrittenAt, RecordKey)> = Vec::new();
        journal.read(&mut |entry: Entry| match entry.event {
            Event::Opened { epoch, .. } => {
                lives.insert(entry.chain, epoch);
            }
            Event::Intent(intent)
                if !intent.ends.is_empty() || intent.operation == Operation::Import =>
            {
                let Entry {
                    at, chain, number, ..
                } = entry;
                let moment = WrittenAt {
                    at,
                    chain,
                    number,
                    commit: None,
                };
                open.insert((chain, number), (moment, intent));
            }
            Event::Outcome { of, outcome } if outcome != Outcome::Unknown => {
                let decided = open.remove(&(entry.chain, of));
                if let (Some((mut moment, intent)), true) = (decided, outcome != Outcome::Failed) {
                    if let Outcome::Done { revision } = outcome {
                        let life = lives.get(&entry.chain);
                        moment.commit = life.map(|life| (*life, revision));
                    }
                    if intent.operation == Operation::Import {
                        revived.extend(intent.writes.iter().map(|target| (moment, target.key)));
                    }
                    ended.note(Some(moment), &intent);
                }
            }
            _ => {}
        })?;
        for (moment, intent) in open.into_values() {
            match undecided {
                UnknownOutcome::Counts => ended.note(Some(moment), &intent),
                UnknownOutcome::LeftOut if intent.operation == Operation::Import => {
                    revived.extend(intent.writes.iter().map(|target| (moment, target.key)));
                }
                UnknownOutcome::LeftOut => {}
            }
        }
        for (moment, key) in revived {
            ended.revive(moment, key);
        }
        Ok(ended)
    }

    /// Adds what could not be written yet.
    pub(super) fn add(&mut self, intent: &Intent) {
        self.note(None, intent);
    }

    fn note(&mut self, written: Option<WrittenAt>, intent: &Intent) {
        for Revocation { key, at, mark } in &intent.ends {
            let noted = self.records.entry(*key).or_insert(RevocationEntry {
                at: *at,
                written,
                mark: *mark,
            });
            noted.at = noted.at.min(*at);
            noted.written = match (written, noted.written) {
                (Some(new), Some(known)) if new.is_after(known) => Some(new),
                (Some(_), known) => known,
                (None, _) => None,
            };
            if let Some(mark) = mark {
                self.marks.insert(*mark, *key);
            }
        }
    }

    /// What was imported after it had ended, which only works when it is asked for, has not ended any more.
    fn revive(&mut self, moment: WrittenAt, key: RecordKey) {
        if let Some(noted) = self.records.get(&key)
            && noted.written.is_some_and(|ended| moment.is_after(ended))
        {
            if let Some(mark) = noted.mark {
                self.marks.remove(&mark);
            }
            self.records.remove(&key);
        }
    }

    /// Whether nothing is known to have ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.marks.is_empty()
    }

    /// From when on a record has ended, if it has or will.
    pub(crate) fn revoked_from(&self, key: RecordKey) -> Option<Timestamp> {
        self.records.get(&key).map(|noted| noted.at)
    }

    /// Which record had the token with this mark, if that has ended.
    pub(crate) fn record_with_mark(&self, mark: Mac) -> Option<RecordKey> {
        self.marks.get(&mark).copied()
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RecordKey, Timestamp)> {
        self.records.iter().map(|(key, noted)| (*key, noted.at))
    }
}

/// What tells a token in a journal, made of its unique key and not to be turned back. Of a token that was imported as
/// its hash it has no more secret in it than that hash.
pub(crate) fn mark(unique: &[u8]) -> Mac {
    let hash = blake3::derive_key("symbolon 2026-11-22 ended token", unique);
    Mac(hash.first_chunk().copied().unwrap_or_default())
}
