//! Which changes a journal records.

use std::collections::{HashMap, HashSet};

use super::{Event, Intent, Journal, JournalError, Outcome};
use crate::record::{SET_UP, SETTINGS};

/// Changes that a journal records, those included of which it does not say whether they were made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RecordedChanges {
    /// Any change of a record other than the settings.
    pub(crate) any: bool,
    /// The set-up.
    pub(crate) set_up: bool,
}

impl RecordedChanges {
    /// Reads what the whole journal records of `store`, as [`Event::Opened`] names it.
    pub(crate) fn read(journal: &dyn Journal, store: &str) -> Result<Self, JournalError> {
        let mut recorded = Self::default();
        // Chains that are about the store, where they were read up to.
        let mut current: HashSet<u32> = HashSet::new();
        let mut undecided: HashMap<(u32, u64), Self> = HashMap::new();
        journal.read(&mut |entry| match entry.event {
            Event::Opened { store: named, .. } => {
                if named == store {
                    current.insert(entry.chain);
                } else {
                    current.remove(&entry.chain);
                }
            }
            Event::Intent(intent) if current.contains(&entry.chain) => {
                undecided.insert((entry.chain, entry.number), Self::of(&intent));
            }
            Event::Outcome { of, outcome } => {
                if let Some(changes) = undecided.remove(&(entry.chain, of))
                    && outcome != Outcome::Failed
                {
                    recorded.add(changes);
                }
            }
            Event::Intent(_)
            | Event::Denied { .. }
            | Event::RolledBack { .. }
            | Event::Gap { .. } => {}
        })?;
        undecided
            .into_values()
            .for_each(|changes| recorded.add(changes));
        Ok(recorded)
    }

    fn of(intent: &Intent) -> Self {
        Self {
            any: intent.writes.iter().any(|write| write.key != SETTINGS),
            set_up: intent.writes.iter().any(|write| write.key == SET_UP),
        }
    }

    fn add(&mut self, other: Self) {
        self.any |= other.any;
        self.set_up |= other.set_up;
    }
}

/// Returns true if `journal` records at most that a store was about to be created.
///
/// A store that is created beside any other journal hides that the one it belongs to is missing.
///
/// # Errors
///
/// Those of [`Journal::read`].
pub fn is_unused(journal: &dyn Journal) -> Result<bool, JournalError> {
    let mut unused = true;
    journal.read(&mut |entry| {
        unused &= matches!(entry.event, Event::Opened { head: 0, .. });
    })?;
    Ok(unused)
}
