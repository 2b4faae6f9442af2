//! Comparing a journal with a store.

use std::collections::{HashMap, HashSet};

use super::{Entry, Event, Intent, Journal, JournalError, Outcome};
use crate::store::{End, Epoch};

/// Stores, epochs and newest commits that a journal records, read before the store is.
#[derive(Debug, Default)]
pub(crate) struct JournalSummary {
    /// Ids of the stores in the journal.
    stores: HashSet<String>,
    /// Newest commit of each epoch in the journal.
    heads: HashMap<u64, u64>,
    /// Epoch of the newest entries of each chain.
    chain_epochs: HashMap<u32, u64>,
    /// Epochs that another one replaced.
    superseded: HashSet<u64>,
    /// Intents of the own chain without an outcome.
    pub(crate) open: Vec<(u64, Intent)>,
}

impl JournalSummary {
    pub(crate) fn of(journal: &dyn Journal) -> Result<Self, JournalError> {
        let mut memory = Self::default();
        let mut open: HashMap<u64, Intent> = HashMap::new();
        for entry in journal.recent()? {
            memory.add_entry(&entry, &mut open);
        }
        if memory.heads.len() > 1 {
            // A chain that was not written to for long ends in an earlier epoch; only the whole
            // journal shows which one is the last.
            journal.read(&mut |entry| {
                if let Event::RolledBack { superseded, .. } = entry.event {
                    memory.superseded.extend(superseded);
                }
            })?;
        }
        memory.open = open.into_iter().collect();
        memory.open.sort_by_key(|(number, _)| *number);
        Ok(memory)
    }

    /// Returns true if nothing was ever written.
    pub(crate) fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    pub(crate) fn knows(&self, store: &str) -> bool {
        self.stores.contains(store)
    }

    /// Returns true if the store was rolled back: its epoch is not the one that the journal
    /// followed, or it lacks commits.
    pub(crate) fn is_rolled_back(&self, end: End) -> bool {
        let known = self.heads.get(&end.epoch.0);
        self.superseded.contains(&end.epoch.0) || known.is_none_or(|head| *head > end.head.0)
    }

    /// Returns the epochs that the journal followed, except `epoch`.
    pub(crate) fn earlier_epochs(&self, epoch: Epoch) -> Vec<u64> {
        let chain_epochs = self.heads.keys().copied();
        chain_epochs.filter(|known| *known != epoch.0).collect()
    }

    fn add_entry(&mut self, entry: &Entry, open: &mut HashMap<u64, Intent>) {
        match &entry.event {
            Event::Opened { store, epoch, head } => {
                self.stores.insert(store.clone());
                self.chain_epochs.insert(entry.chain, *epoch);
                self.note_head(*epoch, *head);
            }
            Event::RolledBack { superseded, .. } => self.superseded.extend(superseded),
            Event::Intent(intent) if entry.own => {
                open.insert(entry.number, intent.clone());
            }
            Event::Outcome { of, outcome } => {
                if let Outcome::Done { revision } = outcome {
                    let epoch = self.chain_epochs.get(&entry.chain).copied().unwrap_or_default();
                    self.note_head(epoch, *revision);
                }
                if entry.own && *outcome != Outcome::Unknown {
                    open.remove(of);
                }
            }
            Event::Intent(_) | Event::Denied { .. } | Event::Gap { .. } => {}
        }
    }

    fn note_head(&mut self, epoch: u64, head: u64) {
        let known = self.heads.entry(epoch).or_insert(head);
        *known = (*known).max(head);
    }
}
