//! The store.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use symbolon::record::{Kind, RecordKey};
use symbolon::store::{
    Cursor, Limits, Page, Position, Query, Revision, Sharing, Stored, TokenStore, Wake, Write,
};
use symbolon::{Id, Minute, StoreError};

use crate::commit::plan;
use crate::error::{Fault, OpenError, caught, unreadable};
use crate::folder::{Folder, Must};
use crate::layout::{State, encode_minute, index_key, parse_index_key, parse_record_key, record_key, stand_in, unique_key};
use crate::trees::{Change, SEGMENT, Trees, Which};

/// A store in a folder of its own, for one process.
///
/// Nothing is read from it that is not on disk: while a commit waits for its fsync, reads wait too. The engine asks
/// a store nothing during a check.
pub struct SledStore {
    // Dropped in this order: sled lets go of the folder first.
    trees: Trees,
    folder: Folder,
    state: RwLock<Live>,
    head: Mutex<Revision>,
    written: Condvar,
}

#[derive(Clone, Copy)]
struct Live {
    state: State,
    /// Whether sled's memory may differ from the disk, so that nobody may look at it.
    poisoned: bool,
}

const LIMITS: Limits = Limits {
    writes: 1024,
    bytes: 1 << 20,
    sharing: Sharing::Exclusive,
};

impl SledStore {
    /// Opens the store in the folder `path`, or makes one if the folder is missing or empty.
    ///
    /// It reads all keys once, to find out whether something was lost.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_folder(path.as_ref(), Must::Any)
    }

    /// Opens the store in the folder `path`.
    ///
    /// # Errors
    ///
    /// [`OpenError::Missing`] if there is none, and any other [`OpenError`].
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_folder(path.as_ref(), Must::Exist)
    }

    fn open_folder(path: &Path, must: Must) -> Result<Self, OpenError> {
        let (folder, trees, state) = Folder::open(path, must)?;
        Ok(Self {
            trees,
            folder,
            head: Mutex::new(state.end.head),
            state: RwLock::new(Live {
                state,
                poisoned: false,
            }),
            written: Condvar::new(),
        })
    }

    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Trees, State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // A panic under this lock is caught before it can reach it.
        let live = self.state.read().unwrap_or_else(PoisonError::into_inner);
        live.usable()?;
        caught(|| read(&self.trees, live.state))
    }

    fn lock(&self) -> Result<RwLockWriteGuard<'_, Live>, StoreError> {
        let live = self.state.write().unwrap_or_else(PoisonError::into_inner);
        live.usable()?;
        Ok(live)
    }

    fn write(&self, live: &mut Live, changes: &[Change]) -> Result<(), StoreError> {
        let bytes = changes.iter().map(Change::size).sum();
        self.folder.check_space(bytes)?;
        live.poisoned = true;
        caught(|| self.trees.write(&self.folder.db, changes))?;
        live.poisoned = false;
        Ok(())
    }
}

impl TokenStore for SledStore {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.read(|trees, _| trees.get(*key))
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        LIMITS.check(writes)?;
        let mut live = self.lock()?;
        let (state, changes) = caught(|| plan(&self.trees, live.state, writes))?;
        if changes.is_empty() {
            return Ok(state.end.head);
        }
        self.write(&mut live, &changes)?;
        live.state = state;
        self.folder.witness(state.end);
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = state.end.head;
        self.written.notify_all();
        Ok(state.end.head)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let after = Position::from(after);
        let from = index_key(after.revision.0, after.key);
        self.read(|trees, state| {
            let mut items = Vec::new();
            let range = (Bound::Excluded(from.as_slice()), Bound::Unbounded);
            for entry in trees.revision.range(range) {
                let (entry, _) = entry.map_err(unreadable)?;
                let Some((revision, key)) = parse_index_key(&entry) else {
                    continue;
                };
                if let (Some(last), true) = (items.last(), items.len() >= limit) {
                    let next = position(last).into();
                    return Ok(Page { items, next, end: None });
                }
                items.push(scanned(trees, Revision(revision), key)?);
            }
            let next = Position::after(state.end.head).into();
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
            let changes = caught(|| self.touches(some))?;
            if !changes.is_empty() {
                self.write(&mut live, &changes)?;
            }
        }
        Ok(())
    }

    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        todo!()
    }

    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        todo!()
    }
}
