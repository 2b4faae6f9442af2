//! What changes lately depended on: records that need not be read again before each change, because its commit compares
//! them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::record::RecordKey;
use crate::store::Stored;

/// Records that were guarded by a commit, as they were read for it.
#[derive(Default)]
pub(super) struct Recent(Mutex<HashMap<RecordKey, (Stored, Instant)>>);

/// Revisions of different lives of a store cannot be compared, so that no record is relied on for longer than it may take
/// to put a store back.
const LONGEST: Duration = Duration::from_secs(1);
const MOST: usize = 1024;

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recent")
    }
}

impl Recent {
    /// The record under `key` as it was a moment ago. Whoever relies on it must guard it.
    pub(super) fn get(&self, key: RecordKey) -> Option<Stored> {
        let kept = self.kept();
        let (stored, read) = kept.get(&key)?;
        (read.elapsed() < LONGEST).then(|| stored.clone())
    }

    /// Keeps records that were read at `read`.
    pub(super) fn keep(&self, records: impl Iterator<Item = Stored>, read: Instant) {
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

    fn kept(&self) -> MutexGuard<'_, HashMap<RecordKey, (Stored, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
