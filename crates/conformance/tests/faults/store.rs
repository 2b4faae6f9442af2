//! A small store in memory with one planted fault.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use symbolon::record::{Kind, RecordKey};
use symbolon::store::{
    Cursor, End, Epoch, Limits, Page, Position, Query, Revision, Sharing, Stored, TokenStore, Wake,
    Write,
};
use symbolon::{Id, Minute, StoreError};

use crate::Fault;

#[derive(Debug)]
pub(crate) struct Faulty {
    pub(crate) fault: Fault,
    state: Mutex<State>,
    /// The state before the last commit, for faults that read late.
    before: Mutex<State>,
}

#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) records: BTreeMap<RecordKey, Stored>,
    pub(crate) names: HashMap<(Kind, Box<[u8]>), RecordKey>,
    pub(crate) head: Revision,
    pub(crate) floor: Revision,
    pub(crate) epoch: Epoch,
    renewals: u64,
    touches: u64,
}

pub(crate) const LIMITS: Limits =
    Limits { writes: 100, bytes: 100_000, sharing: Sharing::Exclusive };

const END: RecordKey = RecordKey::new(Kind(u8::MAX), Id::MAX);

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        let state = State {
            records: BTreeMap::new(),
            names: HashMap::new(),
            head: Revision::ABSENT,
            floor: Revision::ABSENT,
            epoch: Epoch(0).another().unwrap(),
            renewals: 0,
            touches: 0,
        };
        Self { fault, before: Mutex::new(state.clone()), state: Mutex::new(state) }
    }

    fn poll(&self, timeout: Duration, changed: impl Fn(&State) -> bool) -> Wake {
        let until = Instant::now() + timeout;
        while Instant::now() < until {
            if changed(&self.state()) {
                return Wake::Changed;
            }
            thread::sleep(Duration::from_millis(1));
        }
        Wake::Timeout
    }

    pub(crate) fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn reading(&self) -> MutexGuard<'_, State> {
        match self.fault {
            Fault::LateReads => self.before.lock().unwrap(),
            _ => self.state(),
        }
    }

    /// Releases the lock and takes it again, so that other threads can run in between.
    fn let_others_in<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        drop(state);
        thread::yield_now();
        self.state()
    }
}

impl TokenStore for Faulty {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        Ok(self.reading().records.get(key).cloned())
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let mut state = self.state();
        if matches!(self.fault, Fault::LateReads | Fault::FindIsLate) {
            self.before.lock().unwrap().clone_from(&state);
        }
        if let Err(error) = self.check(&state, writes) {
            if let (Fault::HalfIsLeft, StoreError::Conflict(at) | StoreError::Duplicate(at)) =
                (self.fault, &error)
            {
                let revision = state.head.next();
                writes[..*at].iter().for_each(|write| self.apply(&mut state, write, revision));
            }
            if self.is(Fault::RefusedIsWritten) {
                state.head = state.head.next();
                let revision = state.head;
                for write in writes {
                    self.apply(&mut state, write, revision);
                }
            }
            return Err(match (self.fault, error) {
                (Fault::NoPlaceNamed, StoreError::Conflict(_)) => StoreError::Conflict(0),
                (Fault::NoPlaceNamed, StoreError::Duplicate(_)) => StoreError::Duplicate(0),
                (_, error) => error,
            });
        }
        if self.is(Fault::ComparedBeforeTheLock) {
            state = self.let_others_in(state);
        }
        let only_guards = writes.iter().all(|write| matches!(write, Write::Guard { .. }));
        if only_guards && !self.is(Fault::GuardsTakeRevision) {
            return Ok(state.head);
        }
        let only_purges = writes.iter().all(|write| matches!(write, Write::Purge { .. }));
        let revision = match self.fault {
            Fault::PurgeTakesNoRevision if only_purges => state.head,
            Fault::RevisionsRepeat => Revision(state.head.0.max(1).next_multiple_of(2)),
            _ => state.head.next(),
        };
        for (number, write) in writes.iter().enumerate() {
            let revision = match self.fault {
                Fault::RevisionAWrite => Revision(revision.0 + number as u64),
                _ => revision,
            };
            self.apply(&mut state, write, revision);
            state.head = revision;
            if self.is(Fault::SeenByHalves) {
                state = self.let_others_in(state);
            }
        }
        if self.is(Fault::HeadOfRecords) {
            let newest = state.records.values().map(|stored| stored.revision).max();
            state.head = newest.unwrap_or_default();
        }
        Ok(state.head)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let mut state = self.reading();
        let after = Position::from(after);
        let position =
            |item: &Stored| Position { revision: item.revision, key: item.record.key, epoch: None };
        // A scan by key continues after the last key, unless it was at the end.
        let within = after.revision > Revision::ABSENT && after.key != END;
        let later = |item: &&Stored| match self.fault {
            Fault::ScanByKey if within => item.record.key > after.key,
            Fault::ScanNewOnly => item.revision > after.revision,
            Fault::CursorsEndWithRenewal if state.renewals > 0 => after.revision.0 == 0,
            _ => position(item) > after,
        };
        let mut items: Vec<Stored> = state.records.values().filter(later).cloned().collect();
        if !matches!(self.fault, Fault::ScanByKey | Fault::ScanOrderedByKey) {
            items.sort_by_key(position);
        }
        let limit = limit.saturating_add(usize::from(self.is(Fault::PageTooLong)));
        let more = items.len() > limit;
        items.truncate(limit);
        let next = match items.last() {
            Some(last) if more => position(last),
            _ => Position { revision: state.head, key: END, epoch: None },
        };
        if self.is(Fault::EndOfAnotherSnapshot) {
            state = self.let_others_in(state);
        }
        if self.is(Fault::PageTooShort) && more {
            items.pop();
        }
        let epoch = match self.fault {
            Fault::OneEpoch if state.renewals == 0 => Epoch(1),
            Fault::EpochOfScan => state.epoch.another()?,
            _ => state.epoch,
        };
        let end = End { head: state.head, floor: state.floor, epoch };
        let ended = !more || self.is(Fault::EveryPageEnds);
        Ok(Page { items, next: next.into(), end: ended.then_some(end) })
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        let mut state = self.state();
        if self.is(Fault::UsesLost) {
            return Ok(());
        }
        state.touches += 1;
        let most = match self.fault {
            Fault::UsesCapped => 32_766,
            _ => usize::MAX,
        };
        for (id, minute) in used.iter().take(most) {
            let key = RecordKey::new(Kind::AUTHORIZATION, *id);
            if self.is(Fault::UseOfNothingFails) && !state.records.contains_key(&key) {
                return Err(StoreError::backend("no such authorization"));
            }
            let revision = state.head.next();
            let Some(stored) = state.records.get_mut(&key) else {
                continue;
            };
            stored.last_used = match self.fault {
                Fault::UseLowers => Some(*minute),
                _ => stored.last_used.max(Some(*minute)),
            };
            if self.is(Fault::UseIsWrite) {
                stored.revision = revision;
                state.head = revision;
            }
        }
        Ok(())
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        let mut state = self.state();
        let epoch = match self.fault {
            Fault::RenewalKeepsEpoch => state.epoch,
            Fault::RenewalCounts => Epoch(state.epoch.0.wrapping_add(1)),
            _ => state.epoch.another()?,
        };
        match self.fault {
            Fault::RenewalTellsAnother => return Ok(state.epoch),
            Fault::RenewalForgetsRecords => state.records.retain(|key, _| key.kind.0 != 2),
            Fault::RenewalForgetsUses => {
                let all = state.records.values_mut();
                all.for_each(|stored| stored.last_used = None);
            }
            Fault::RenewalForgetsNames => state.names.clear(),
            Fault::RenewalResetsHead => state.head = Revision::ABSENT,
            Fault::RenewalResetsFloor => state.floor = Revision::ABSENT,
            Fault::RenewalTakesRevision => state.head = state.head.next(),
            Fault::RenewalWritesBack => {
                let before = state.clone();
                state = self.let_others_in(state);
                state.clone_from(&before);
            }
            _ => {}
        }
        state.epoch = epoch;
        state.renewals += 1;
        Ok(epoch)
    }

    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        let state = match self.fault {
            Fault::FindIsLate => self.before.lock().unwrap(),
            _ => self.reading(),
        };
        let mut asked = query.clone();
        match self.fault {
            Fault::FindIgnoresOrigin => asked.origin = None,
            Fault::FindIgnoresAfter => asked.after = None,
            _ => {}
        }
        let mut found: Vec<Stored> = match &query.unique {
            Some(unique) if self.is(Fault::UniqueKeyOutlivesReplacement) => {
                let key = state.names.get(&(query.kind, unique.clone()));
                key.and_then(|key| state.records.get(key)).into_iter().cloned().collect()
            }
            _ => state
                .records
                .values()
                .filter(|stored| asked.wants(&stored.record))
                .cloned()
                .collect(),
        };
        if self.is(Fault::FindOrdersSigned) {
            found.sort_by_key(|stored| stored.record.key.id.number().cast_signed());
        }
        match self.fault {
            Fault::FindIgnoresLimit => {}
            Fault::FindCapped => found.truncate(query.limit.min(1000)),
            _ => found.truncate(query.limit),
        }
        Ok(found)
    }

    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        match self.fault {
            Fault::WaitOversleeps => thread::sleep(timeout + Duration::from_secs(3)),
            Fault::WaitLies => {}
            Fault::RenewalWakesNoWaiter => {
                return Ok(self.poll(timeout, |state| state.head > Position::from(after).revision));
            }
            Fault::UseWakes => {
                let before = self.state().touches;
                return Ok(self.poll(timeout, |state| state.touches > before));
            }
            _ => thread::sleep(timeout),
        }
        Ok(Wake::Timeout)
    }
}
