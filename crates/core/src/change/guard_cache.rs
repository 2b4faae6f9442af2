//! Cache of records that recent changes depended on. They need not be read again before each
//! change, because its commit compares their revisions.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::record::RecordKey;
use crate::store::Stored;
use crate::time::Timestamp;

/// Records that a commit guarded, as they were read for it.
#[derive(Default)]
pub(super) struct GuardCache(Mutex<HashMap<RecordKey, (Stored, Timestamp)>>);

/// Maximum age of an entry. Revisions of different epochs cannot be compared, so an entry must not
/// outlast the time that restoring a store takes.
const MAX_AGE: Duration = Duration::from_secs(1);
const MOST: usize = 1024;

impl GuardCache {
    /// Returns the record under `key` if it was read shortly before `now`. The caller must guard
    /// it.
    pub(super) fn get(&self, key: RecordKey, now: Timestamp) -> Option<Stored> {
        let kept = self.kept();
        let (stored, read) = kept.get(&key)?;
        let lasts = *read <= now && now < read.saturating_add(MAX_AGE);
        lasts.then(|| stored.clone())
    }

    /// Keeps records that were read at `read` or later.
    pub(super) fn keep(&self, records: impl Iterator<Item = Stored>, read: Timestamp) {
        let mut kept = self.kept();
        for stored in records {
            if kept.len() >= MOST {
                kept.clear();
            }
            kept.insert(stored.record.key, (stored, read));
        }
    }

    pub(super) fn forget(&self, keys: &[RecordKey]) {
        self.kept().retain(|key, _| !keys.contains(key));
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<RecordKey, (Stored, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
