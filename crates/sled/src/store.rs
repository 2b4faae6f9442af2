//! The store type.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use symbolon::record::{Kind, RecordKey};
use symbolon::store::{
    Cursor, End, Epoch, Limits, Page, Position, Query, Revision, Sharing, Stored, TokenStore, Wake,
    Write,
};
use symbolon::{Id, Minute, StoreError};

use crate::commit::plan;
use crate::error::{Fault, SledError, caught, unreadable};
use crate::find::find;
use crate::folder::{CreateMode, Folder};
use crate::layout::{State, encode_minute, index_key, parse_index_key, record_key, stand_in};
use crate::trees::{Change, Trees, Which};

/// A store in a folder of its own, for one process.
///
/// Reads only return data that is on disk: while a commit waits for its fsync, reads wait too. The
/// engine does not read the store during a check.
pub struct SledStore {
    /// Present until the store is dropped.
    trees: Option<Trees>,
    folder: Folder,
    state: RwLock<Live>,
    /// Newest durable commit, for waiting callers.
    end: Mutex<End>,
    written: Condvar,
}

#[derive(Clone, Copy)]
struct Live {
    state: State,
    /// Set while sled's memory may differ from the disk, so that it must not be read.
    poisoned: bool,
}

const LIMITS: Limits = Limits { writes: 1024, bytes: 1 << 20, sharing: Sharing::Exclusive };

impl SledStore {
    /// Opens the store in the folder `path`, or creates one if the folder is missing or empty.
    ///
    /// Reads all keys once, to detect lost data.
    ///
    /// # Errors
    ///
    /// See [`SledError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SledError> {
        Self::open_folder(path.as_ref(), CreateMode::Any)
    }

    /// Opens the store in the folder `path`.
    ///
    /// # Errors
    ///
    /// [`SledError::Missing`] if there is none, and any other [`SledError`].
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, SledError> {
        Self::open_folder(path.as_ref(), CreateMode::Exist)
    }

    fn open_folder(path: &Path, must: CreateMode) -> Result<Self, SledError> {
        let (folder, trees, state) = Folder::open(path, must)?;
        Ok(Self {
            trees: Some(trees),
            folder,
            end: Mutex::new(state.end),
            state: RwLock::new(Live { state, poisoned: false }),
            written: Condvar::new(),
        })
    }

    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Trees, State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // A panic under this lock is caught before it can poison the lock.
        let live = self.state.read().unwrap_or_else(PoisonError::into_inner);
        live.usable()?;
        let trees = self.trees()?;
        caught(|| read(trees, live.state))
    }

    fn trees(&self) -> Result<&Trees, StoreError> {
        self.trees.as_ref().ok_or_else(|| Fault::Poisoned.into())
    }

    fn lock(&self) -> Result<RwLockWriteGuard<'_, Live>, StoreError> {
        let live = self.state.write().unwrap_or_else(PoisonError::into_inner);
        live.usable()?;
        Ok(live)
    }

    fn write(&self, live: &mut Live, changes: &[Change]) -> Result<(), StoreError> {
        let trees = self.trees()?;
        let bytes = changes.iter().map(Change::size).sum();
        self.folder.check_space(bytes)?;
        live.poisoned = true;
        let written = caught(|| trees.write(&self.folder.db, changes));
        written.map_err(|fault: Fault| StoreError::backend(fault))?;
        live.poisoned = false;
        Ok(())
    }

    /// Makes data that is on disk visible to readers.
    fn show(&self, live: &mut Live, state: State) {
        live.state = state;
        self.folder.note(state.end);
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = state.end;
        self.written.notify_all();
    }
}

impl TokenStore for SledStore {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.read(|trees, _| trees.get(*key))
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        LIMITS.check(writes)?;
        let mut live = self.lock()?;
        let (state, changes) = caught(|| plan(self.trees()?, live.state, writes))?;
        if changes.is_empty() {
            return Ok(state.end.head);
        }
        self.write(&mut live, &changes)?;
        self.show(&mut live, state);
        Ok(state.end.head)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let after = Position::from(after);
        let from = index_key(after.revision.0, after.key);
        self.read(|trees, state| {
            let mut items = Vec::new();
            let mut last = after;
            let range = (Bound::Excluded(from), Bound::Unbounded);
            for entry in trees.revision.range::<[u8; 17], _>(range) {
                let (entry, _) = entry.map_err(unreadable)?;
                let Some((revision, key)) = parse_index_key(&entry) else {
                    continue;
                };
                let revision = Revision(revision);
                if items.len() >= limit {
                    return Ok(Page { items, next: last.into(), end: None });
                }
                items.push(scanned(trees, revision, key)?);
                last = Position { revision, key, epoch: Some(state.end.epoch) };
            }
            let next = Position::after(state.end).into();
            let end = Some(state.end);
            Ok(Page { items, next, end })
        })
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        for some in used.chunks(LIMITS.writes) {
            let mut live = self.lock()?;
            let changes = caught(|| touches(self.trees()?, some))?;
            if !changes.is_empty() {
                self.write(&mut live, &changes)?;
            }
        }
        Ok(())
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        let mut live = self.lock()?;
        let mut state = live.state;
        state.end.epoch = state.end.epoch.another()?;
        self.folder.note_any_epoch(state.end.head)?;
        let written = self.write(&mut live, &[state.change()]);
        if let Err(error) = written {
            if !live.poisoned {
                self.folder.note(live.state.end);
            }
            return Err(error);
        }
        self.show(&mut live, state);
        Ok(state.end.epoch)
    }

    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        self.read(|trees, _| find(trees, query))
    }

    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        self.read(|_, _| Ok(()))?;
        let after = Position::from(after);
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.written.wait_timeout_while(end, timeout, |end| !after.misses(*end));
        let (_end, result) = waited.unwrap_or_else(PoisonError::into_inner);
        Ok(match result.timed_out() {
            true => Wake::Timeout,
            false => Wake::Changed,
        })
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        // sled releases the folder first, and panics if it cannot sync. Acknowledged data is
        // synced.
        let trees = self.trees.take();
        let _ = caught(|| {
            drop(trees);
            Ok::<(), Fault>(())
        });
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // sled's own output contains records.
        f.debug_struct("SledStore").finish_non_exhaustive()
    }
}

impl Live {
    fn usable(&self) -> Result<(), StoreError> {
        match self.poisoned {
            true => Err(Fault::Poisoned.into()),
            false => Ok(()),
        }
    }
}

fn touches(trees: &Trees, used: &[(Id, Minute)]) -> Result<Vec<Change>, StoreError> {
    let mut latest = BTreeMap::new();
    for (id, minute) in used {
        let known = latest.entry(*id).or_insert(*minute);
        *known = (*known).max(*minute);
    }
    let mut changes = Vec::new();
    for (id, minute) in latest {
        let key = RecordKey::new(Kind::AUTHORIZATION, id);
        let known = trees.record.contains_key(record_key(key));
        if known.map_err(unreadable)? && trees.last_used(key)? < Some(minute) {
            changes.push(Change {
                tree: Which::LastUsed,
                key: id.number().to_be_bytes().to_vec(),
                value: Some(encode_minute(minute).to_vec()),
            });
        }
    }
    Ok(changes)
}

/// Returns the record of an entry of the index of revisions.
fn scanned(trees: &Trees, revision: Revision, key: RecordKey) -> Result<Stored, StoreError> {
    let stored = trees.get_or_stand_in(key)?;
    let stored = stored.filter(|stored| stored.revision == revision);
    Ok(stored.unwrap_or_else(|| stand_in(key, revision)))
}

#[cfg(test)]
mod tests;
