//! Writing journal entries before and after commits.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::changes::RecordedChanges;
use super::revocations::{RevocationList, UnknownOutcome};
use super::{
    Actor, Durability, Event, Intent, Journal, JournalError, Operation, Outcome, Revocation,
};
use crate::clock::Clock;
use crate::record::RecordKey;
use crate::store::{End, Revision};
use crate::time::Timestamp;

/// Records intents before each commit and outcomes after it. Does nothing without a journal.
#[derive(Debug)]
pub(crate) struct Recorder {
    journal: Option<Arc<dyn Journal>>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Newest end of the store that the follower reported. It has its own lock: an append that
    /// hangs holds `state`, and must not block the follower.
    seen: Mutex<Option<End>>,
}

#[derive(Debug)]
struct State {
    /// Id of the store, as in [`Event::Opened`].
    store: String,
    epoch: u64,
    head: u64,
    /// Events found when the journal was opened or the store rolled back; written before all
    /// others.
    first: Vec<Event>,
    /// Number of entries since the newest [`Event::Opened`] of this process; none if there is none.
    since_opened: Option<u64>,
    /// Intents without an outcome in the journal.
    open: HashSet<u64>,
    missed: UnwrittenEntries,
    denials: Denials,
    revocations: Option<Arc<RevocationList>>,
    /// Incremented by each revocation, so that a list read from the journal before it is not
    /// cached.
    endings: u64,
    /// Floor of the store when `revocations` was read.
    floor: Revision,
}

/// Entries that could not be written.
#[derive(Debug, Default)]
struct UnwrittenEntries {
    entries: u64,
    /// Revocations among them, written once the journal works again.
    intents: Vec<(Intent, Outcome)>,
    /// Outcomes of intents that were written.
    outcomes: Vec<(u64, Outcome)>,
}

/// Limit of kept revocations, and of kept outcomes; beyond it they are only counted.
const MAX_UNWRITTEN: usize = 10_000;
/// Maximum number of revocations per entry in [`Recorder::add_revocations`].
const REVOCATIONS_PER_LINE: usize = 500;
/// Number of entries after which the state of the store is written again, so that a journal need
/// not be read from its start.
const REOPEN_AFTER: u64 = 10_000;

impl Recorder {
    pub(crate) fn new(journal: Option<Arc<dyn Journal>>, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            store: String::new(),
            epoch: 0,
            head: 0,
            first: Vec::new(),
            since_opened: None,
            open: HashSet::new(),
            missed: UnwrittenEntries::default(),
            denials: Denials::default(),
            revocations: None,
            endings: 0,
            floor: Revision::ABSENT,
        };
        Self { journal, clock, state: Mutex::new(state), seen: Mutex::new(None) }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.journal.is_some()
    }

    /// Starts recording changes of `store`, which is known up to `end`. The events in `first` are
    /// written before all others.
    pub(crate) fn begin(&self, store: String, end: End, first: Vec<Event>) {
        let mut state = self.state();
        state.store = store;
        state.first = first;
        state.note_store_end(end);
    }

    /// Writes the state of the store at once, for a store that is about to be created or was rolled
    /// back.
    pub(crate) fn open(&self) -> Result<(), JournalError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let mut state = self.state();
        let mut events = state.first.clone();
        events.push(state.opened());
        journal.append(self.clock.now(), &events, Durability::Synced)?;
        state.first.clear();
        state.since_opened = Some(0);
        Ok(())
    }

    /// Notes that the follower has read the store up to `end`.
    pub(crate) fn note_store_end(&self, end: End) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    /// Notes the floor of the store. Another process may have revoked records and purged them: if
    /// the floor has changed, the cached revocations are out of date.
    pub(crate) fn purged(&self, floor: Revision) {
        let mut state = self.state();
        if state.floor != floor {
            state.floor = floor;
            state.forget_revocations();
        }
    }

    /// Writes `intents`, and returns when they are on disk. Returns the number of the first; the
    /// others follow by one. None without a journal.
    pub(crate) fn record_intents(&self, intents: &[Intent]) -> Result<Option<u64>, JournalError> {
        let Some(journal) = self.journal.as_ref().filter(|_| !intents.is_empty()) else {
            return Ok(None);
        };
        let mut state = self.state();
        let now = self.clock.now();
        let mut events = state.preface();
        let late = events.len() as u64;
        events.extend(state.missed.intents.iter().map(|(intent, _)| Event::Intent(intent.clone())));
        let new = events.len() as u64;
        events.extend(intents.iter().cloned().map(Event::Intent));
        let first = journal.append(now, &events, Durability::Synced)?;
        let count = events.len() as u64;
        let missed = state.written(count);
        for (of, outcome) in &missed.outcomes {
            state.mark_concluded(*of, *outcome);
        }
        state.open.extend(first + late..first + count);
        let of = first + late..;
        let outcomes: Vec<_> =
            of.zip(missed.intents).map(|(of, (_, outcome))| (of, outcome)).collect();
        if intents.iter().any(|intent| !intent.ends.is_empty()) {
            state.forget_revocations();
        }
        drop(state);
        self.journal_outcomes(&outcomes);
        Ok(Some(first + new))
    }

    /// Records the outcomes of intents. The change itself does not fail if they cannot be written:
    /// the next process that opens the journal derives them from the store.
    pub(crate) fn journal_outcomes(&self, outcomes: &[(u64, Outcome)]) {
        let Some(journal) = self.journal.as_ref().filter(|_| !outcomes.is_empty()) else {
            return;
        };
        let mut state = self.state();
        let events: Vec<Event> = outcomes.iter().map(outcome).collect();
        let count = events.len() as u64;
        let written = journal.append(self.clock.now(), &events, Durability::Written);
        for (of, outcome) in outcomes {
            if let Outcome::Done { revision } = outcome {
                state.head = state.head.max(*revision);
            }
            if written.is_ok() {
                state.mark_concluded(*of, *outcome);
            }
        }
        if written.is_ok() {
            state.since_opened = state.since_opened.map(|since| since + count);
        } else {
            let room = MAX_UNWRITTEN.saturating_sub(state.missed.outcomes.len());
            state.missed.entries += count;
            state.missed.outcomes.extend(outcomes.iter().take(room));
        }
    }

    /// Keeps a committed change that could not be written to the journal before.
    pub(crate) fn record_unwritten(&self, intent: Intent, outcome: Outcome) {
        let mut state = self.state();
        if let Outcome::Done { revision } = outcome {
            state.head = state.head.max(revision);
        }
        state.forget_revocations();
        state.missed.entries += 1;
        if state.missed.intents.len() < MAX_UNWRITTEN {
            state.missed.intents.push((intent, outcome));
        }
    }

    /// Records a denial, unless there are too many. A failure of the journal is ignored: the denial
    /// stands.
    pub(crate) fn record_denial(
        &self,
        actor: Actor,
        operation: Operation,
        on: Option<RecordKey>,
        reason: String,
    ) {
        let Some(journal) = &self.journal else {
            return;
        };
        let mut state = self.state();
        let now = self.clock.now();
        let Some(left_out) = state.denials.admit(now) else {
            return;
        };
        let mut events = state.preface_of_notes();
        events.push(Event::Denied { actor, operation, on, reason, left_out });
        let count = events.len() as u64;
        match journal.append(now, &events, Durability::Written) {
            Ok(_) => state.noted(count),
            Err(_) => state.missed.entries += 1,
        }
    }

    /// Returns all revocations in the journal, including those of this process.
    pub(crate) fn revocations(&self) -> Result<Arc<RevocationList>, JournalError> {
        let Some(journal) = &self.journal else {
            return Ok(Arc::default());
        };
        let endings = {
            let state = self.state();
            if let Some(revocations) = &state.revocations {
                return Ok(Arc::clone(revocations));
            }
            state.endings
        };
        let mut revocations = RevocationList::read(&**journal, UnknownOutcome::Counts)?;
        let mut state = self.state();
        let missed = state.missed.intents.iter();
        missed.for_each(|(intent, _)| revocations.add(intent));
        let revocations = Arc::new(revocations);
        if state.endings == endings {
            state.revocations = Some(Arc::clone(&revocations));
        }
        Ok(revocations)
    }

    /// Adds revocations that the journal does not list yet.
    pub(crate) fn add_revocations(&self, keys: &[RecordKey]) -> Result<(), JournalError> {
        let at = self.clock.now();
        for chunk in keys.chunks(REVOCATIONS_PER_LINE) {
            let ends = chunk.iter().map(|key| Revocation { key: *key, at, mark: None });
            let intent = Intent {
                actor: Actor::Root,
                operation: Operation::ReplayRevocations,
                writes: Vec::new(),
                ends: ends.collect(),
            };
            let number = self.record_intents(&[intent])?;
            self.journal_outcomes(number.map(|of| (of, Outcome::Found)).as_slice());
        }
        Ok(())
    }

    /// Returns the revocations that are certain, read from the journal and not cached.
    pub(crate) fn confirmed_revocations(&self) -> Result<RevocationList, JournalError> {
        let journal = self.journal.as_ref();
        journal.map_or(Ok(RevocationList::default()), |journal| {
            RevocationList::read(&**journal, UnknownOutcome::LeftOut)
        })
    }

    /// Returns which changes of `store` the journal records; none without a journal.
    pub(crate) fn changes(&self, store: &str) -> Result<RecordedChanges, JournalError> {
        let journal = self.journal.as_ref();
        journal.map_or(Ok(RecordedChanges::default()), |journal| {
            RecordedChanges::read(&**journal, store)
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = seen.take() {
            state.note_store_end(end);
        }
        state
    }
}

impl State {
    fn forget_revocations(&mut self) {
        self.revocations = None;
        self.endings += 1;
    }

    fn note_store_end(&mut self, end: End) {
        let Revision(head) = end.head;
        self.head = if self.epoch == end.epoch.0 { self.head.max(head) } else { head };
        if self.epoch != end.epoch.0 && self.since_opened.take().is_some() {
            // The entries that follow belong to another epoch; the previous one never continues.
            self.first.push(Event::RolledBack {
                found_epoch: end.epoch.0,
                found_head: head,
                epoch: end.epoch.0,
                superseded: vec![self.epoch],
                accepted: false,
            });
        }
        self.epoch = end.epoch.0;
    }

    fn opened(&self) -> Event {
        Event::Opened { store: self.store.clone(), epoch: self.epoch, head: self.head }
    }

    /// Removes the intent from the open ones, unless its outcome is unknown.
    fn mark_concluded(&mut self, of: u64, outcome: Outcome) {
        if outcome != Outcome::Unknown {
            self.open.remove(&of);
        }
    }

    /// Returns true if it is time to write the state of the store again. Not while an intent is
    /// open: a reader that starts at that entry would miss it.
    fn is_reopening(&self) -> bool {
        let due = self.since_opened.is_some_and(|since| since >= REOPEN_AFTER);
        due && self.open.is_empty()
    }

    /// Returns the events to write before the next intent.
    fn preface(&self) -> Vec<Event> {
        let mut events = self.preface_of_notes();
        if self.is_reopening() {
            events.push(self.opened());
        }
        if self.missed.entries > 0 {
            events.push(Event::Gap { missed: self.missed.entries });
            events.extend(self.missed.outcomes.iter().map(outcome));
        }
        events
    }

    /// Returns the events to write before any other.
    fn preface_of_notes(&self) -> Vec<Event> {
        match self.since_opened {
            Some(_) => Vec::new(),
            None => self.first.iter().cloned().chain([self.opened()]).collect(),
        }
    }

    /// Notes that `count` entries were written, including the preface. Returns the entries that had
    /// been missed.
    fn written(&mut self, count: u64) -> UnwrittenEntries {
        if self.is_reopening() {
            self.since_opened = Some(0);
        }
        self.noted(count);
        std::mem::take(&mut self.missed)
    }

    fn noted(&mut self, count: u64) {
        self.first.clear();
        self.since_opened = Some(self.since_opened.unwrap_or_default() + count);
    }
}

fn outcome((of, outcome): &(u64, Outcome)) -> Event {
    Event::Outcome { of: *of, outcome: *outcome }
}

/// Rate limit of recorded denials: a burst of [`DENIAL_BURST`], then one per [`DENIAL_INTERVAL`].
#[derive(Debug)]
struct Denials {
    left: u64,
    refilled: Timestamp,
    left_out: u64,
}

const DENIAL_BURST: u64 = 100;
const DENIAL_INTERVAL: Duration = Duration::from_millis(100);

impl Default for Denials {
    fn default() -> Self {
        Self { left: DENIAL_BURST, refilled: Timestamp::MIN, left_out: 0 }
    }
}

impl Denials {
    /// Returns the number of denials left out since the last recorded one, or none if this one must
    /// be left out too.
    fn admit(&mut self, now: Timestamp) -> Option<u64> {
        let interval = DENIAL_INTERVAL.as_nanos() as u64;
        let earned = now.nanos().saturating_sub(self.refilled.nanos()) / interval;
        if earned > 0 {
            self.left = self.left.saturating_add(earned).min(DENIAL_BURST);
            self.refilled = now;
        }
        if self.left == 0 {
            self.left_out += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.left_out))
    }
}
