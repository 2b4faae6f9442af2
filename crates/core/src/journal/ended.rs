//! What a journal knows as ended.

use std::collections::HashMap;

use super::{Act, Ending, Entry, Event, Fate, Intent, Journal, JournalError, Mac};
use crate::record::RecordKey;
use crate::time::Timestamp;

/// Everything that has ended, or will at a known time, and was not imported again on purpose.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    records: HashMap<RecordKey, Noted>,
    marks: HashMap<Mac, RecordKey>,
}

#[derive(Debug, Clone, Copy)]
struct Noted {
    /// From when on it has ended.
    at: Timestamp,
    /// When that was written down.
    written: Timestamp,
    mark: Option<Mac>,
}

impl Ended {
    /// Reads a whole journal. An ending of which nobody knows whether it was made counts: it was asked for.
    pub(super) fn read(journal: &dyn Journal) -> Result<Self, JournalError> {
        let mut open: HashMap<(u32, u64), (Timestamp, Intent)> = HashMap::new();
        let mut ended = Self::default();
        let mut revived: Vec<(Timestamp, RecordKey)> = Vec::new();
        journal.read(&mut |entry: Entry| match entry.event {
            Event::Intent(intent) if !intent.ends.is_empty() || intent.act == Act::Import => {
                open.insert((entry.chain, entry.number), (entry.at, intent));
            }
            Event::Outcome { of, fate } => {
                let decided = match fate {
                    Fate::Unknown => None,
                    Fate::Done { .. } | Fate::Found | Fate::Failed => {
                        open.remove(&(entry.chain, of))
                    }
                };
                if let (Some((at, intent)), true) = (decided, fate != Fate::Failed) {
                    if intent.act == Act::Import {
                        revived.extend(intent.writes.iter().map(|target| (at, target.key)));
                    }
                    ended.add(at, &intent);
                }
            }
            _ => {}
        })?;
        for (at, intent) in open.into_values() {
            ended.add(at, &intent);
        }
        for (at, key) in revived {
            ended.revive(at, key);
        }
        Ok(ended)
    }

    pub(super) fn add(&mut self, written: Timestamp, intent: &Intent) {
        for Ending { key, at, mark } in &intent.ends {
            let noted = self.records.entry(*key).or_insert(Noted {
                at: *at,
                written,
                mark: *mark,
            });
            noted.at = noted.at.min(*at);
            noted.written = noted.written.max(written);
            if let Some(mark) = mark {
                self.marks.insert(*mark, *key);
            }
        }
    }

    /// What was imported after it had ended, which only works when it is asked for, has not ended any more.
    fn revive(&mut self, at: Timestamp, key: RecordKey) {
        if let Some(noted) = self.records.get(&key)
            && noted.written < at
        {
            if let Some(mark) = noted.mark {
                self.marks.remove(&mark);
            }
            self.records.remove(&key);
        }
    }

    /// From when on a record has ended, if it has or will.
    pub(crate) fn when(&self, key: RecordKey) -> Option<Timestamp> {
        self.records.get(&key).map(|noted| noted.at)
    }

    /// Which record had the token with this mark, if that has ended.
    pub(crate) fn marked(&self, mark: Mac) -> Option<RecordKey> {
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
