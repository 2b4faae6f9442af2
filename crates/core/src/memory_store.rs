//! The reference implementation of a store, in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::id::Id;
use crate::record::{Kind, Record, RecordKey};
use crate::store::StoreError;
use crate::store::{
    Cursor, End, Epoch, Limits, Page, Position, Query, Revision, Sharing, Stored, TokenStore, Wake,
    Write, check_commit,
};
use crate::time::Minute;

/// A store in memory, for tests and as the reference for other stores. Its contents are lost when
/// it is dropped.
///
/// Several engines may share one through an `Arc`.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    written: Condvar,
    sharing: Sharing,
}

#[derive(Debug)]
struct State {
    records: BTreeMap<RecordKey, Stored>,
    by_revision: BTreeMap<(Revision, RecordKey), ()>,
    by_unique: HashMap<(Kind, Box<[u8]>), RecordKey>,
    end: End,
}

impl MemoryStore {
    /// Creates an empty store for one engine.
    pub fn new() -> Self {
        Self::with_sharing(Sharing::Exclusive)
    }

    /// Creates an empty store for several engines that follow each other's writes.
    pub fn shared() -> Self {
        Self::with_sharing(Sharing::Shared)
    }

    fn with_sharing(sharing: Sharing) -> Self {
        // Only tests need distinct epochs. Without random bytes, every memory store has the same
        // one.
        let epoch = Epoch(0).another().unwrap_or(Epoch(0));
        let end = End { head: Revision::ABSENT, floor: Revision::ABSENT, epoch };
        Self {
            state: Mutex::new(State {
                records: BTreeMap::new(),
                by_revision: BTreeMap::new(),
                by_unique: HashMap::new(),
                end,
            }),
            written: Condvar::new(),
            sharing,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state only changes after all checks have passed, so it is consistent after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl TokenStore for MemoryStore {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        Ok(self.state().records.get(key).cloned())
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let mut state = self.state();
        self.limits().check(writes)?;
        state.check(writes)?;
        if !writes.iter().any(Write::is_change) {
            return Ok(state.end.head);
        }
        let revision = state.end.head.next();
        state.apply(writes, revision);
        self.written.notify_all();
        Ok(revision)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let state = self.state();
        let after = Position::from(after);
        let from =
            (std::ops::Bound::Excluded((after.revision, after.key)), std::ops::Bound::Unbounded);
        let keys = state.by_revision.range(from).map(|((_, key), ())| key);
        let mut items: Vec<Stored> = keys
            .filter_map(|key| state.records.get(key).cloned())
            .take(limit.saturating_add(1))
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().map(|item| Position {
            revision: item.revision,
            key: item.record.key,
            epoch: Some(state.end.epoch),
        });
        let position = match last {
            Some(last) if more => last,
            _ => Position::after(state.end),
        };
        Ok(Page { items, next: position.into(), end: (!more).then_some(state.end) })
    }

    fn limits(&self) -> Limits {
        Limits { writes: 4096, bytes: 4 << 20, sharing: self.sharing }
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        let mut state = self.state();
        for (id, minute) in used {
            let key = RecordKey::new(Kind::AUTHORIZATION, *id);
            if let Some(stored) = state.records.get_mut(&key) {
                stored.last_used = stored.last_used.max(Some(*minute));
            }
        }
        Ok(())
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        let mut state = self.state();
        state.end.epoch = state.end.epoch.another()?;
        self.written.notify_all();
        Ok(state.end.epoch)
    }

    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        let state = self.state();
        let wanted = |stored: &&Stored| query.wants(&stored.record);
        if let Some(unique) = &query.unique {
            let key = state.by_unique.get(&(query.kind, unique.clone()));
            let found = key.and_then(|key| state.records.get(key)).filter(wanted);
            return Ok(found.into_iter().take(query.limit).cloned().collect());
        }
        let all = state.records.values().filter(wanted);
        Ok(all.take(query.limit).cloned().collect())
    }

    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        let after = Position::from(after);
        let waited = self
            .written
            .wait_timeout_while(self.state(), timeout, |state| !after.misses(state.end));
        let (_state, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
        Ok(match timed_out.timed_out() {
            true => Wake::Timeout,
            false => Wake::Changed,
        })
    }
}

impl State {
    fn check(&self, writes: &[Write]) -> Result<(), StoreError> {
        check_commit(
            writes,
            |key| Ok(self.records.get(&key).map_or(Revision::ABSENT, |stored| stored.revision)),
            |kind, unique| Ok(self.by_unique.get(&(kind, unique.into())).copied()),
        )
    }

    fn apply(&mut self, writes: &[Write], revision: Revision) {
        let mut used = HashMap::new();
        for write in writes {
            match write {
                Write::Put { record, .. } => {
                    used.insert(record.key, self.forget(&record.key));
                }
                Write::Purge { key, .. } => {
                    self.forget(key);
                    self.end.floor = revision;
                }
                Write::Guard { .. } => {}
            }
        }
        for write in writes {
            if let Write::Put { record, .. } = write {
                let last_used = used.remove(&record.key).flatten();
                self.insert(record, revision, last_used);
            }
        }
        self.end.head = revision;
    }

    fn insert(&mut self, record: &Record, revision: Revision, last_used: Option<Minute>) {
        let key = record.key;
        if let Some(unique) = &record.unique {
            self.by_unique.insert((key.kind, unique.clone()), key);
        }
        self.by_revision.insert((revision, key), ());
        let stored = Stored { record: record.clone(), revision, last_used };
        self.records.insert(key, stored);
    }

    fn forget(&mut self, key: &RecordKey) -> Option<Minute> {
        let stored = self.records.remove(key)?;
        self.by_revision.remove(&(stored.revision, *key));
        if let Some(unique) = stored.record.unique {
            self.by_unique.remove(&(key.kind, unique));
        }
        stored.last_used
    }
}
