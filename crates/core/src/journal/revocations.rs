//! The revocations that a journal lists.

use std::collections::HashMap;

use super::{Entry, Event, Intent, Journal, JournalError, Mac, Operation, Outcome, Revocation};
use crate::record::RecordKey;
use crate::time::Timestamp;

/// Everything that was revoked or deleted, or will be at a set time, and was not revived by an
/// import.
#[derive(Debug, Default)]
pub(crate) struct RevocationList {
    records: HashMap<RecordKey, RevocationEntry>,
    marks: HashMap<Mac, RecordKey>,
}

#[derive(Debug, Clone, Copy)]
struct RevocationEntry {
    /// Time from which it is revoked.
    at: Timestamp,
    /// Position of the newest entry that lists it; none if it could not be written yet.
    written: Option<WrittenAt>,
    mark: Option<Mac>,
}

/// Position of an entry in the journal.
#[derive(Debug, Clone, Copy)]
struct WrittenAt {
    at: Timestamp,
    chain: u32,
    number: u64,
    /// Epoch and revision of the commit, if both are known.
    commit: Option<(u64, u64)>,
}

impl WrittenAt {
    /// Compares by revisions in the same epoch, else by numbers in the same chain, else by time.
    /// The clock comes last, because it may have been set back.
    fn is_after(self, other: Self) -> bool {
        match (self.commit, other.commit) {
            (Some((epoch, commit)), Some((same, before))) if epoch == same => commit > before,
            _ if self.chain == other.chain => self.number > other.number,
            _ => self.at > other.at,
        }
    }
}

/// Treatment of revocations whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnknownOutcome {
    /// They count, because they were requested.
    Counts,
    /// They do not count, and neither do those that an import may have undone.
    LeftOut,
}

impl RevocationList {
    /// Reads a whole journal.
    pub(super) fn read(
        journal: &dyn Journal,
        undecided: UnknownOutcome,
    ) -> Result<Self, JournalError> {
        let mut open: HashMap<(u32, u64), (WrittenAt, Intent)> = HashMap::new();
        let mut epochs: HashMap<u32, u64> = HashMap::new();
        let mut ended = Self::default();
        let mut revived: Vec<(WrittenAt, RecordKey)> = Vec::new();
        journal.read(&mut |entry: Entry| match entry.event {
            Event::Opened { epoch, .. } => {
                epochs.insert(entry.chain, epoch);
            }
            Event::Intent(intent)
                if !intent.ends.is_empty() || intent.operation == Operation::Import =>
            {
                let Entry { at, chain, number, .. } = entry;
                let moment = WrittenAt { at, chain, number, commit: None };
                open.insert((chain, number), (moment, intent));
            }
            Event::Outcome { of, outcome } if outcome != Outcome::Unknown => {
                let decided = open.remove(&(entry.chain, of));
                if let (Some((mut moment, intent)), true) = (decided, outcome != Outcome::Failed) {
                    if let Outcome::Done { revision } = outcome {
                        let epoch = epochs.get(&entry.chain);
                        moment.commit = epoch.map(|epoch| (*epoch, revision));
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

    /// Adds the revocations of an intent that could not be written yet.
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

    /// Removes a record that was imported after its revocation, which an import does only on
    /// request.
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

    /// Returns true if the list is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.marks.is_empty()
    }

    /// Returns the time from which a record is revoked, which may lie in the future.
    pub(crate) fn revoked_from(&self, key: RecordKey) -> Option<Timestamp> {
        self.records.get(&key).map(|noted| noted.at)
    }

    /// Returns the revoked record whose token has this mark.
    pub(crate) fn record_with_mark(&self, mark: Mac) -> Option<RecordKey> {
        self.marks.get(&mark).copied()
    }

    /// Iterates over the revoked records, each with the time from which it is revoked.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RecordKey, Timestamp)> {
        self.records.iter().map(|(key, noted)| (*key, noted.at))
    }
}

/// Returns the mark by which a journal recognises a token: a hash of its unique key. It reveals no
/// more than the hash with which the token may have been imported.
pub(crate) fn mark(unique: &[u8]) -> Mac {
    let hash = blake3::derive_key("symbolon 2026-11-22 ended token", unique);
    Mac(hash.first_chunk().copied().unwrap_or_default())
}
