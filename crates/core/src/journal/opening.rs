//! Comparing a journal with the store that is opened.

use std::collections::{HashMap, HashSet};

use super::{Entry, Event, Fate, Intent, Journal, JournalError};
use crate::store::{End, Epoch};

/// What a journal says of a store, read before the store is.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The stores that it knows.
    stores: HashSet<String>,
    /// The lives that it knows, with the newest commit of each.
    heads: HashMap<u64, u64>,
    /// In which life the newest entries of each chain are.
    lives: HashMap<u32, u64>,
    /// The lives that another one followed.
    superseded: HashSet<u64>,
    /// Intents of the own chain of which nobody knows what became.
    pub(crate) open: Vec<(u64, Intent)>,
}

impl Memory {
    pub(crate) fn of(journal: &dyn Journal) -> Result<Self, JournalError> {
        let mut memory = Self::default();
        let mut open: HashMap<u64, Intent> = HashMap::new();
        for entry in journal.recent()? {
            memory.take(&entry, &mut open);
        }
        if memory.heads.len() > 1 {
            // A chain that was not written to for long knows an earlier life; only the whole tells which is the last.
            journal.read(&mut |entry| {
                if let Event::Restored { superseded, .. } = entry.event {
                    memory.superseded.extend(superseded);
                }
            })?;
        }
        memory.open = open.into_iter().collect();
        memory.open.sort_by_key(|(number, _)| *number);
        Ok(memory)
    }

    /// Whether nothing was ever written.
    pub(crate) fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    pub(crate) fn knows(&self, store: &str) -> bool {
        self.stores.contains(store)
    }

    /// Whether the store was put back as it had been earlier: its life is not the one that the journal followed, or it
    /// lacks commits.
    pub(crate) fn is_behind(&self, end: End) -> bool {
        let known = self.heads.get(&end.epoch.0);
        self.superseded.contains(&end.epoch.0) || known.is_none_or(|head| *head > end.head.0)
    }

    /// The lives that it followed, but for `epoch`.
    pub(crate) fn lives_before(&self, epoch: Epoch) -> Vec<u64> {
        let lives = self.heads.keys().copied();
        lives.filter(|life| *life != epoch.0).collect()
    }

    fn take(&mut self, entry: &Entry, open: &mut HashMap<u64, Intent>) {
        match &entry.event {
            Event::Opened { store, epoch, head } => {
                self.stores.insert(store.clone());
                self.lives.insert(entry.chain, *epoch);
                self.saw(*epoch, *head);
            }
            Event::Restored { superseded, .. } => self.superseded.extend(superseded),
            Event::Intent(intent) if entry.own => {
                open.insert(entry.number, intent.clone());
            }
            Event::Outcome { of, fate } => {
                if let Fate::Done { revision } = fate {
                    let epoch = self.lives.get(&entry.chain).copied().unwrap_or_default();
                    self.saw(epoch, *revision);
                }
                if entry.own && *fate != Fate::Unknown {
                    open.remove(of);
                }
            }
            Event::Intent(_) | Event::Denied { .. } | Event::Gap { .. } => {}
        }
    }

    fn saw(&mut self, epoch: u64, head: u64) {
        let known = self.heads.entry(epoch).or_insert(head);
        *known = (*known).max(head);
    }
}
