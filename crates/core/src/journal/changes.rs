//! The changes that a journal records.

use std::collections::{HashMap, HashSet};

use super::{Event, Intent, Journal, JournalError, Outcome};
use crate::record::{SET_UP, SETTINGS};

/// Changes that a journal records, including those whose outcome is unknown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RecordedChanges {
    /// Any change of a record other than the settings.
    pub(crate) any: bool,
    /// The set-up.
    pub(crate) set_up: bool,
}

impl RecordedChanges {
    /// Reads all changes of `store`, named as in [`Event::Opened`].
    pub(crate) fn read(journal: &dyn Journal, store: &str) -> Result<Self, JournalError> {
        let mut recorded = Self::default();
        // Chains whose entries concern the store, at the point of reading.
        let mut current: HashSet<u32> = HashSet::new();
        // Chains that go on with a store that was rolled back or accepted, which is not unused.
        let mut rolled_back: HashSet<u32> = HashSet::new();
        let mut undecided: HashMap<(u32, u64), Self> = HashMap::new();
        journal.read(&mut |entry| match entry.event {
            Event::Opened { store: named, .. } => {
                if named == store {
                    current.insert(entry.chain);
                    recorded.any |= rolled_back.remove(&entry.chain);
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
            // The line that names the store follows.
            Event::RolledBack { .. } => {
                rolled_back.insert(entry.chain);
            }
            Event::Intent(_) | Event::Denied { .. } | Event::Gap { .. } => {}
        })?;
        undecided.into_values().for_each(|changes| recorded.add(changes));
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

/// Returns true if `journal` is empty or records only that a store was about to be created.
///
/// Creating a store next to any other journal would hide that the store of that journal is missing.
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
