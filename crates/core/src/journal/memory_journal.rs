//! A journal in memory, for tests and for stores in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Durability, Entry, Event, Journal, JournalError};
use crate::time::Timestamp;

/// A journal in memory. Its entries are shared by all journals that are derived from it.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    chains: Arc<Mutex<Vec<Vec<Entry>>>>,
    own: usize,
}

impl MemoryJournal {
    /// Creates an empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the same journal as seen by another process, with a chain of its own.
    #[must_use]
    pub fn another(&self) -> Self {
        let own = self.chains().len().max(self.own + 1);
        Self { own, ..self.reopened() }
    }

    /// Returns the same journal as seen by the next process that continues this chain.
    #[must_use]
    pub fn reopened(&self) -> Self {
        Self { chains: Arc::clone(&self.chains), own: self.own }
    }

    /// Returns every entry, chain by chain.
    pub fn entries(&self) -> Vec<Entry> {
        let chains = self.chains();
        let all = chains.iter().flatten().cloned();
        all.map(|entry| self.seen(entry)).collect()
    }

    fn chains(&self) -> MutexGuard<'_, Vec<Vec<Entry>>> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self, entry: Entry) -> Entry {
        let own = entry.chain as usize == self.own;
        Entry { own, ..entry }
    }
}

impl Journal for MemoryJournal {
    fn append(&self, at: Timestamp, events: &[Event], _: Durability) -> Result<u64, JournalError> {
        let mut chains = self.chains();
        if chains.len() <= self.own {
            chains.resize_with(self.own + 1, Vec::new);
        }
        let Some(chain) = chains.get_mut(self.own) else {
            return Err(JournalError::failed("a chain is missing"));
        };
        let first = chain.len() as u64 + 1;
        chain.extend((first..).zip(events).map(|(number, event)| Entry {
            chain: self.own as u32,
            own: true,
            number,
            at,
            event: event.clone(),
        }));
        Ok(first)
    }

    fn recent(&self) -> Result<Vec<Entry>, JournalError> {
        let chains = self.chains();
        let recent = chains.iter().flat_map(|chain| {
            let opened = |entry: &Entry| matches!(entry.event, Event::Opened { .. });
            let newest = chain.iter().rposition(opened).unwrap_or_default();
            chain.iter().skip(newest).cloned()
        });
        Ok(recent.map(|entry| self.seen(entry)).collect())
    }

    fn read(&self, visit: &mut dyn FnMut(Entry)) -> Result<(), JournalError> {
        self.entries().into_iter().for_each(visit);
        Ok(())
    }
}
