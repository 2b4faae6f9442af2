//! Following the store: when to continue, when to rebuild, when to call itself stale.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::engine_state::EngineState;
use crate::error::StoreError;
use crate::freshness::ClockReading;
use crate::index::Change;
use crate::record::KnownSets;
use crate::store::{Cursor, End, Page, Revision, Stored, Wake};

/// Keeps an index up with its store: a watch is a hint, the scan is the truth.
#[derive(Debug)]
pub(crate) struct Follower {
    shared: Arc<EngineState>,
    cursor: Cursor,
    /// What the index was caught up with when the store was last read to its end.
    end: Option<End>,
    /// The store is not the one that it was, and what had ended may live in it: the journal does not follow it until that
    /// is settled.
    replay_pending: bool,
}

const PAGE: usize = 2000;
/// The longest sleep at a time, so that a follower that is told to stop does so soon.
const MAX_SLEEP: Duration = Duration::from_millis(50);
/// How often a store that nobody else writes to is read: for a commit of our own that was not confirmed.
const EXCLUSIVE_PAUSE: Duration = Duration::from_secs(1);

impl Follower {
    pub(crate) fn new(shared: Arc<EngineState>) -> Self {
        Self {
            shared,
            cursor: Cursor::start(),
            end: None,
            replay_pending: false,
        }
    }

    /// Applies all that was written since the last time; afterwards the index is fresh.
    pub(crate) fn catch_up(&mut self) -> Result<(), StoreError> {
        // Taken before the store is asked: what is written later than this may be missing.
        let asked = ClockReading::now(&*self.shared.clock);
        let committed = self.shared.committed();
        let shared = Arc::clone(&self.shared);
        if self.end.is_none() {
            shared.index.expect(shared.store.size_hint());
        }
        let (next, end) = self.read(&self.cursor, |changes| shared.apply(changes))?;
        self.cursor = next;
        if self.was_rolled_back(end, committed) {
            self.replay_pending = true;
            self.shared.roll_back(end.head);
            return self.rebuild(end);
        }
        if self.missed_a_purge(end) {
            return self.rebuild(end);
        }
        self.caught_up(end, asked);
        Ok(())
    }

    /// What the index is caught up with; none before it was for the first time.
    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// Whether the store was put back, or began another life, since this was settled last.
    pub(crate) fn is_replay_pending(&self) -> bool {
        self.replay_pending
    }

    /// What had ended has ended in the store as it is now.
    pub(crate) fn mark_replayed(&mut self) {
        self.replay_pending = false;
        if let Some(end) = self.end {
            self.shared.recorder.note_store_end(end);
        }
    }

    /// Sleeps until the store may have changed, the heartbeat is due, or `stop` says so.
    pub(crate) fn sleep(&self, stop: &dyn Fn() -> bool) {
        let Some(heartbeat) = self.shared.freshness.heartbeat() else {
            return thread::park_timeout(EXCLUSIVE_PAUSE);
        };
        let until = Instant::now() + heartbeat;
        while !stop() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            match self.shared.store.wait(&self.cursor, left.min(MAX_SLEEP)) {
                Ok(Wake::Timeout) => {}
                Ok(Wake::Changed) => return,
                // The next scan meets the same error, or it has passed.
                Err(_) => return thread::park_timeout(left.min(MAX_SLEEP)),
            }
        }
    }

    /// Whether this is another life of the store, or lacks commits: those that were read last, or that this engine had made
    /// before it was read.
    fn was_rolled_back(&self, end: End, committed: Revision) -> bool {
        self.end
            .is_some_and(|last| !continues(last, end) || end.head < committed)
    }

    /// One purge of our own costs a reading too: whether all of it was confirmed is not known here.
    fn missed_a_purge(&self, end: End) -> bool {
        self.end.is_some_and(|last| end.floor > last.head)
    }

    /// Reads everything into a new index, and puts it in the place of the old one.
    ///
    /// What was purged had ended before, so that within one epoch the old index is still right while the new one is
    /// built: it is kept fresh beside.
    fn rebuild(&mut self, found: End) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let same_life = self.end.is_some_and(|last| continues(last, found));
        let mut beside = self.cursor.clone();
        let mut due = Instant::now();
        let asked = ClockReading::now(&*shared.clock);
        shared.index.begin_rebuild();
        shared.index.expect(shared.store.size_hint());
        let (next, end) = self.read(&Cursor::start(), |changes| {
            shared.index.rebuild(changes);
            if same_life && Instant::now() >= due {
                due = Instant::now() + shared.freshness.heartbeat().unwrap_or(EXCLUSIVE_PAUSE);
                let asked = ClockReading::now(&*shared.clock);
                match self.read(&beside, |changes| shared.apply(changes)) {
                    Ok((next, end)) if continues(found, end) => {
                        beside = next;
                        shared.freshness.confirm(asked);
                    }
                    // Another life of the store says nothing of this index.
                    Ok(_) | Err(_) => {}
                }
            }
        })?;
        shared.index.finish_rebuild(|key| shared.replayed(key));
        if continues(found, end) {
            self.cursor = next;
            self.caught_up(end, asked);
        } else {
            // The store changed its life under the scan: the old cursor wakes at once, and the next reading finds
            // that and rebuilds again.
            self.end = Some(found);
        }
        Ok(())
    }

    fn caught_up(&mut self, end: End, asked: ClockReading) {
        self.end = Some(end);
        if !self.replay_pending {
            self.shared.recorder.note_store_end(end);
        }
        self.shared.catch_up(end.head, self.cursor.clone());
        self.shared.freshness.confirm(asked);
        self.shared.index.finish_loading();
    }

    /// Reads pages after `cursor` to the end, and gives what they say to `take`, in their order.
    ///
    /// Two threads take turns: while one fetches a page, the other decodes and takes over the one that it fetched before.
    /// Records that are handed from one core to another, and freed there, cost both more time than the decoding does.
    fn read(
        &self,
        cursor: &Cursor,
        take: impl FnMut(Vec<Change>) + Send,
    ) -> Result<(Cursor, End), StoreError> {
        let shared = &*self.shared;
        let mut taker = PageDecoder {
            shared,
            sets: KnownSets::default(),
            take,
        };
        let first = shared.store.scan(cursor, PAGE)?;
        taker.take(&first.items);
        if let Some(end) = first.end {
            return Ok((first.next, end));
        }
        let place = Mutex::new(ControlFlow::Continue(first.next));
        let taker = Mutex::new(taker);
        let work = || {
            loop {
                let mut place = lock(&place);
                let Some(items) = fetch(shared, &mut place) else {
                    return;
                };
                // Before the next page can be fetched, so that none overtakes this one.
                let mut taker = lock(&taker);
                drop(place);
                taker.take(&items);
            }
        };
        thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
        match place.into_inner().unwrap_or_else(PoisonError::into_inner) {
            ControlFlow::Break(read) => read,
            ControlFlow::Continue(_) => Err(StoreError::Corrupt("a scan had no end".into())),
        }
    }
}

/// Decodes pages and hands on what they say.
struct PageDecoder<'s, F> {
    shared: &'s EngineState,
    sets: KnownSets,
    take: F,
}

impl<F: FnMut(Vec<Change>)> PageDecoder<'_, F> {
    fn take(&mut self, items: &[Stored]) {
        (self.take)(self.shared.read_all(items, &mut self.sets));
    }
}

/// Where a reading is: at a cursor, or over.
type ScanState = ControlFlow<Result<(Cursor, End), StoreError>, Cursor>;

/// The records of the next page; none if the reading is over.
fn fetch(shared: &EngineState, place: &mut ScanState) -> Option<Vec<Stored>> {
    let ControlFlow::Continue(cursor) = place else {
        return None;
    };
    let (now, items) = match shared.store.scan(cursor, PAGE) {
        Ok(Page { items, next, end }) => {
            let now = match end {
                Some(end) => ControlFlow::Break(Ok((next, end))),
                None => ControlFlow::Continue(next),
            };
            (now, Some(items))
        }
        Err(error) => (ControlFlow::Break(Err(error)), None),
    };
    *place = now;
    items
}

/// A panic ends the whole reading, so that what it left is of no account.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a store that was at `last` may be at `now` by commits alone.
fn continues(last: End, now: End) -> bool {
    now.epoch == last.epoch && now.head >= last.head
}
