//! The smallest store for symbolon that follows all rules: one append-only file of commits, with
//! all data in memory.
//!
//! See [`symbolon::store`] for the contract. `find`, which scans, and `wait`, which sleeps, are the
//! trait's defaults. A scan sorts all records, and the file only grows: suitable for thousands of
//! records.

mod log;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use symbolon::record::{Kind, RecordKey};
use symbolon::store::{
    Cursor, End, Epoch, Limits, Page, Position, Revision, Sharing, Stored, TokenStore, Write,
    check_commit,
};
use symbolon::{Id, Minute, StoreError};

use log::{Entry, Log};

/// A store in one append-only file.
#[derive(Debug)]
pub struct TinyStore(Mutex<State>);

#[derive(Debug)]
struct State {
    log: Log,
    records: BTreeMap<RecordKey, Stored>,
    by_unique: BTreeMap<(Kind, Box<[u8]>), RecordKey>,
    end: End,
    /// Set when the contents of the file are unknown: every call fails until the store is reopened.
    failed: bool,
}

impl TinyStore {
    /// Opens or creates the store in the file `path`. Only one process at a time can open it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if an entry before the last one is damaged; [`StoreError::Backend`]
    /// if the file cannot be read or written, or another process has it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (log, entries) = Log::open(path)?;
        let mut state = State {
            log,
            records: BTreeMap::new(),
            by_unique: BTreeMap::new(),
            end: End { head: Revision::ABSENT, floor: Revision::ABSENT, epoch: Epoch(0) },
            failed: false,
        };
        let is_new = entries.is_empty();
        entries.into_iter().for_each(|entry| state.apply(entry));
        let store = Self(Mutex::new(state));
        if is_new {
            // A new store gets an epoch of its own.
            store.renew()?;
        }
        Ok(store)
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        // Changed only after all checks, so that it is consistent even after a panic.
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.failed {
            true => Err(StoreError::backend("a write has failed; open the store again")),
            false => Ok(state),
        }
    }
}

impl TokenStore for TinyStore {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        Ok(self.state()?.records.get(key).cloned())
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let mut state = self.state()?;
        self.limits().check(writes)?;
        state.check(writes)?;
        if writes.iter().any(Write::is_change) {
            state.append(Entry::of(writes))?;
        }
        Ok(state.end.head)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let state = self.state()?;
        let place = |stored: &&Stored| Position {
            revision: stored.revision,
            key: stored.record.key,
            epoch: None,
        };
        let after = Position::from(after);
        let mut items: Vec<&Stored> = state.records.values().collect();
        items.retain(|stored| place(stored) > Position { epoch: None, ..after });
        items.sort_by_key(place);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = match items.last() {
            Some(last) if more => place(last),
            _ => Position::after(state.end),
        };
        Ok(Page {
            items: items.into_iter().cloned().collect(),
            next: next.into(),
            end: (!more).then_some(state.end),
        })
    }

    fn limits(&self) -> Limits {
        Limits {
            writes: 1000,
            bytes: 1 << 20,
            // The file is locked while it is open.
            sharing: Sharing::Exclusive,
        }
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        let mut state = self.state()?;
        let Epoch(epoch) = state.end.epoch.another()?;
        state.append(Entry::Epoch(epoch))?;
        Ok(state.end.epoch)
    }

    /// Only in memory: the contract allows losing a last use.
    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        let mut state = self.state()?;
        for (id, minute) in used {
            let key = RecordKey::new(Kind::AUTHORIZATION, *id);
            if let Some(stored) = state.records.get_mut(&key) {
                stored.last_used = stored.last_used.max(Some(*minute));
            }
        }
        Ok(())
    }
}

impl State {
    /// Verifies a commit.
    fn check(&self, writes: &[Write]) -> Result<(), StoreError> {
        check_commit(
            writes,
            |key| Ok(self.records.get(&key).map_or(Revision::ABSENT, |found| found.revision)),
            |kind, unique| Ok(self.by_unique.get(&(kind, unique.into())).copied()),
        )
    }

    /// Writes to disk first, and only then makes the commit visible to readers.
    fn append(&mut self, entry: Entry) -> Result<(), StoreError> {
        if let Err(error) = self.log.append(&entry) {
            self.failed = true;
            return Err(error);
        }
        self.apply(entry);
        Ok(())
    }

    fn apply(&mut self, entry: Entry) {
        let rows = match entry {
            Entry::Epoch(epoch) => {
                self.end.epoch = Epoch(epoch);
                return;
            }
            Entry::Commit(rows) => rows,
        };
        self.end.head = self.end.head.next();
        // All unique keys are released before any is assigned: two records may swap theirs.
        let mut used = Vec::new();
        for row in &rows {
            let former = self.records.remove(&row.key());
            let unique = former.as_ref().and_then(|one| one.record.unique.clone());
            if let Some(unique) = unique {
                self.by_unique.remove(&(row.key().kind, unique));
            }
            used.push(former.and_then(|former| former.last_used));
        }
        for (row, last_used) in rows.into_iter().zip(used) {
            let Some(record) = row.record() else {
                self.end.floor = self.end.head;
                continue;
            };
            if let Some(unique) = &record.unique {
                let unique = (record.key.kind, unique.clone());
                self.by_unique.insert(unique, record.key);
            }
            let stored = Stored { record, revision: self.end.head, last_used };
            self.records.insert(stored.record.key, stored);
        }
    }
}
