//! Comparison of the store that a killed child left with the acknowledged state.

use std::collections::BTreeMap;

use symbolon::StoreError;
use symbolon::record::{Record, RecordKey};
use symbolon::store::{Cursor, End, Epoch, Query, Revision, TokenStore};

use super::WRITERS;
use super::child::Acknowledgement;
use super::plan::Plan;
use crate::pages::dump;

/// The state that the store must have.
#[derive(Debug)]
pub(super) struct ExpectedState {
    /// The plan of each thread, advanced to its last commit that was acknowledged or found.
    plans: Vec<Plan>,
    head: Revision,
    floor: Revision,
    epoch: Option<Epoch>,
}

impl ExpectedState {
    /// Creates the state of a store that does not exist yet.
    pub(super) fn nothing(seed: u64) -> Self {
        Self {
            plans: (0..WRITERS).map(|writer| Plan::new(seed, writer)).collect(),
            head: Revision::ABSENT,
            floor: Revision::ABSENT,
            epoch: None,
        }
    }

    /// Returns the number of stored commits of each thread.
    pub(super) fn done(&self) -> Vec<u64> {
        self.plans.iter().map(|plan| plan.done).collect()
    }

    pub(super) fn acknowledge(&mut self, acknowledged: Acknowledgement) {
        for (writer, plan) in (0..).zip(&mut self.plans) {
            if writer == acknowledged.writer {
                plan.advance_to(acknowledged.done);
            }
        }
        self.head = self.head.max(acknowledged.head);
        self.floor = self.floor.max(acknowledged.floor);
    }

    /// Records a revision that a reader saw: it was durable before the kill.
    pub(super) fn see(&mut self, head: Revision) {
        self.head = self.head.max(head);
    }

    /// Returns all differences between the store and this state. A commit that was not acknowledged
    /// but is stored becomes part of the state.
    pub(super) fn compare(&mut self, store: &dyn TokenStore) -> Result<Vec<String>, StoreError> {
        // An unreadable store is returned as an error; `dump` would panic.
        store.scan(&Cursor::start(), usize::MAX)?;
        let dump = dump(store);
        let mut lost = self.compare_end(dump.end);
        let mut found: BTreeMap<u64, BTreeMap<RecordKey, Record>> = BTreeMap::new();
        for (key, stored) in dump.records {
            let writer = Plan::writer_of(key);
            found.entry(writer).or_default().insert(key, stored.record);
        }
        for (writer, plan) in (0..).zip(&mut self.plans) {
            let theirs = found.remove(&writer).unwrap_or_default();
            let mut next = plan.clone();
            next.advance();
            if theirs == next.records {
                *plan = next;
            }
            let after = format!("thread {writer} after commit {}", plan.done);
            lost.extend(differences(&plan.records, &theirs).map(|text| format!("{after}: {text}")));
        }
        let strangers = found.into_values().flat_map(BTreeMap::into_keys);
        lost.extend(strangers.map(|key| format!("{key:?} was never written")));
        if lost.is_empty() {
            lost = self.compare_unique_keys(store)?;
        }
        Ok(lost)
    }

    fn compare_end(&mut self, found: End) -> Vec<String> {
        let mut lost = Vec::new();
        if found.head < self.head {
            lost.push(format!("the head was {:?} and is {:?}", self.head, found.head));
        }
        if found.floor < self.floor {
            lost.push(format!("the floor was {:?} and is {:?}", self.floor, found.floor));
        }
        if let Some(epoch) = self.epoch.replace(found.epoch)
            && epoch != found.epoch
        {
            lost.push(format!("the epoch was {epoch:?} and is {:?}", found.epoch));
        }
        self.head = found.head;
        self.floor = found.floor;
        lost
    }

    /// Checks that each unique key finds its record, so that a separate index agrees with the
    /// records.
    fn compare_unique_keys(&self, store: &dyn TokenStore) -> Result<Vec<String>, StoreError> {
        let mut lost = Vec::new();
        for record in self.plans.iter().flat_map(|plan| plan.records.values()) {
            if let Some(unique) = &record.unique {
                let found = store.find(&Query::unique(record.key.kind, unique))?;
                if !found.iter().map(|found| &found.record).eq([record]) {
                    lost.push(format!("{:?} is not found by its unique key", record.key));
                }
            }
        }
        Ok(lost)
    }
}

fn differences<'a>(
    expected: &'a BTreeMap<RecordKey, Record>,
    found: &'a BTreeMap<RecordKey, Record>,
) -> impl Iterator<Item = String> {
    let mut keys: Vec<&RecordKey> = expected.keys().chain(found.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .map(|key| (key, expected.get(key), found.get(key)))
        .filter(|(_, expected, found)| expected != found)
        .map(|(key, expected, found)| {
            let (expected, found) = (describe(expected), describe(found));
            format!("{key:?}: expected {expected}, found {found}")
        })
}

fn describe(record: Option<&Record>) -> String {
    let Some(record) = record else {
        return "nothing".to_owned();
    };
    let status = record.columns.status.map_or("no status", |status| status.as_str());
    let unique = record.unique.as_deref().map(String::from_utf8_lossy);
    let beginning = &record.bytes[..record.bytes.len().min(8)];
    format!("{status}, {unique:?}, {} bytes from {beginning:02x?}", record.bytes.len())
}
