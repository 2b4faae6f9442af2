//! The checks and writes of a commit, and the faults in them.

use symbolon::record::{Kind, MAX_RECORD, MAX_UNIQUE, Record};
use symbolon::store::{Revision, Stored, Write};
use symbolon::{Id, StoreError};

use crate::Fault;
use crate::store::{Faulty, LIMITS, State};

impl Faulty {
    pub(crate) fn check(&self, state: &State, writes: &[Write]) -> Result<(), StoreError> {
        let limits = self.check_limits(writes);
        if !self.is(Fault::LimitsLast) {
            limits?;
        }
        if self.is(Fault::DuplicatesFirst) {
            self.check_names(state, writes)?;
        }
        self.check_expectations(state, writes)?;
        if !self.is(Fault::UniqueNotChecked) {
            self.check_names(state, writes)?;
        }
        // Faulty stores that check limits last do so here.
        self.check_limits(writes)
    }

    fn check_limits(&self, writes: &[Write]) -> Result<(), StoreError> {
        let bytes = if self.is(Fault::CommitSizeUnlimited) { usize::MAX } else { LIMITS.bytes };
        let count = if self.is(Fault::WritesUnlimited) { usize::MAX } else { LIMITS.writes };
        let fits = writes.len() <= count
            && writes.iter().map(Write::size).sum::<usize>() <= bytes
            && writes.iter().all(|write| write.size() <= MAX_RECORD)
            && (self.is(Fault::UniqueKeysUnlimited)
                || writes.iter().all(|write| unique_len(write) <= MAX_UNIQUE));
        (fits || self.is(Fault::Unlimited)).then_some(()).ok_or(StoreError::TooLarge)
    }

    fn check_expectations(&self, state: &State, writes: &[Write]) -> Result<(), StoreError> {
        for (at, write) in writes.iter().enumerate() {
            let found = state.records.get(&write.key());
            let found = found.map_or(Revision::ABSENT, |stored| stored.revision);
            let compared = match (self.fault, write) {
                (Fault::NothingCompared, _) => false,
                (Fault::GuardIgnored, Write::Guard { .. }) => false,
                (Fault::PurgeNotCompared, Write::Purge { .. }) => found == Revision::ABSENT,
                (Fault::InsertReplaces, Write::Put { expected, .. }) => {
                    *expected != Revision::ABSENT
                }
                (Fault::GuardOfAbsencePasses, Write::Guard { expected, .. }) => {
                    *expected != Revision::ABSENT
                }
                (Fault::OlderIsTaken, _) => found == Revision::ABSENT || found < write.expected(),
                _ => true,
            };
            if compared && found != write.expected() {
                return Err(StoreError::Conflict(at));
            }
        }
        Ok(())
    }

    fn check_names(&self, state: &State, writes: &[Write]) -> Result<(), StoreError> {
        let mut after = state.names.clone();
        for write in writes {
            let gives_up = match write {
                Write::Guard { .. } => self.is(Fault::GuardGivesUp),
                Write::Put { .. } => !self.is(Fault::ReplacementGivesNothingUp),
                Write::Purge { .. } => true,
            };
            if gives_up && !self.is(Fault::NothingGivenUp) {
                after.retain(|_, holder| *holder != write.key());
            }
        }
        for (at, write) in writes.iter().enumerate() {
            let Write::Put { record, .. } = write else {
                continue;
            };
            let Some(unique) = &record.unique else {
                continue;
            };
            let holder = after.insert(self.name(record, unique), record.key);
            if holder.is_some_and(|holder| holder != record.key) {
                return Err(StoreError::Duplicate(at));
            }
        }
        Ok(())
    }

    fn name(&self, record: &Record, unique: &[u8]) -> (Kind, Box<[u8]>) {
        let kind = match self.fault {
            Fault::UniqueOverKinds => Kind(0),
            _ => record.key.kind,
        };
        let unique = match self.fault {
            Fault::UniqueKeysFolded => unique.to_ascii_lowercase().into(),
            _ => unique.into(),
        };
        (kind, unique)
    }

    pub(crate) fn apply(&self, state: &mut State, write: &Write, revision: Revision) {
        match write {
            Write::Put { record, .. } => self.put(state, record, revision),
            Write::Purge { .. } if self.is(Fault::PurgesLost) => state.floor = revision,
            Write::Purge { key, .. } => {
                if let Some(stored) = state.records.remove(key)
                    && !self.is(Fault::UniqueKeyOutlivesPurge)
                {
                    self.give_up(state, &stored.record);
                }
                if !self.is(Fault::NoFloor) {
                    state.floor = revision;
                }
            }
            Write::Guard { key, .. } if self.is(Fault::GuardWrites) => {
                if let Some(stored) = state.records.get_mut(key) {
                    stored.revision = revision;
                }
            }
            Write::Guard { .. } => {}
        }
        if self.is(Fault::EveryCommitRaisesFloor) {
            state.floor = revision;
        }
    }

    fn put(&self, state: &mut State, record: &Record, revision: Revision) {
        let mut record = record.clone();
        let before = state.records.get(&record.key).cloned();
        match (self.fault, &before) {
            (Fault::EmptyUniqueKeyIsNone, _) => {
                record.unique = record.unique.filter(|unique| !unique.is_empty())
            }
            (Fault::ColumnsNotReplaced, Some(before)) => record.columns = before.record.columns,
            (Fault::BytesEndAtZero, _) => {
                let end = record.bytes.iter().rposition(|byte| *byte != 0);
                record.bytes = record.bytes[..end.map_or(0, |end| end + 1)].into();
            }
            (Fault::IdsOf63Bits, _) => {
                let id = Id::new(record.key.id.number() & (u64::MAX >> 1));
                record.key.id = id.unwrap_or(Id::MIN);
            }
            _ => {}
        }
        if let Some(before) = &before
            && !self.is(Fault::UniqueKeyOutlivesReplacement)
        {
            self.give_up(state, &before.record);
        }
        if let Some(unique) = &record.unique {
            state.names.insert(self.name(&record, unique), record.key);
        }
        let last_used = before.and_then(|before| before.last_used);
        let stored = Stored {
            last_used: last_used.filter(|_| !self.is(Fault::ReplacementForgetsUse)),
            revision,
            record: record.clone(),
        };
        state.records.insert(record.key, stored);
    }

    /// Releases the record's unique key, unless another write of the commit has taken it.
    fn give_up(&self, state: &mut State, record: &Record) {
        if let Some(unique) = &record.unique {
            let name = self.name(record, unique);
            if state.names.get(&name) == Some(&record.key) || self.is(Fault::TakenKeyIsFreed) {
                state.names.remove(&name);
            }
        }
    }
}

fn unique_len(write: &Write) -> usize {
    match write {
        Write::Put { record, .. } => record.unique.as_ref().map_or(0, |unique| unique.len()),
        Write::Purge { .. } | Write::Guard { .. } => 0,
    }
}
