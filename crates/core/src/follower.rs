//! Follows the store: reads new records, rebuilds the index if necessary, and keeps it fresh.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::engine_state::EngineState;
use crate::freshness::ClockReading;
use crate::index::Change;
use crate::record::KnownSets;
use crate::store::StoreError;
use crate::store::{Cursor, End, Page, Revision, Stored, Wake};

/// Keeps an index up to date with its store. A wake-up is only a hint; the scan decides.
#[derive(Debug)]
pub(crate) struct Follower {
    shared: Arc<EngineState>,
    cursor: Cursor,
    /// State of the store when the last read reached its end.
    end: Option<End>,
    /// The store was rolled back or has a new epoch, and may hold active versions of revoked
    /// records. The journal does not record its position until the revocations are replayed.
    replay_pending: bool,
}

const PAGE: usize = 2000;
/// Longest single sleep, so that a follower stops soon after it is asked to.
const MAX_SLEEP: Duration = Duration::from_millis(50);
/// Interval for reading a store that no other process writes to: finds own commits whose result was
/// not confirmed.
const EXCLUSIVE_PAUSE: Duration = Duration::from_secs(1);

impl Follower {
    pub(crate) fn new(shared: Arc<EngineState>) -> Self {
        Self { shared, cursor: Cursor::start(), end: None, replay_pending: false }
    }

    /// Applies everything written since the last call. Afterwards the index is fresh.
    pub(crate) fn catch_up(&mut self) -> Result<(), StoreError> {
        // Read before the scan: it may miss anything written after this moment.
        let asked = ClockReading::now(&*self.shared.checks.clock);
        let committed = self.shared.committed();
        let shared = Arc::clone(&self.shared);
        if self.end.is_none() {
            shared.checks.index.expect(shared.store.size_hint());
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

    /// Returns the state of the store that the index has caught up with; none before the first
    /// time.
    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// Returns true if the store was rolled back or has a new epoch, and revocations were not
    /// replayed since.
    pub(crate) fn is_replay_pending(&self) -> bool {
        self.replay_pending
    }

    /// Records that every revocation has been replayed into the current store.
    pub(crate) fn mark_replayed(&mut self) {
        self.replay_pending = false;
        if let Some(end) = self.end {
            self.shared.recorder.note_store_end(end);
        }
    }

    /// Sleeps until the store may have changed, the heartbeat is due, or `stop` returns true.
    pub(crate) fn sleep(&self, stop: &dyn Fn() -> bool) {
        let Some(heartbeat) = self.shared.checks.freshness.heartbeat() else {
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
                // If the error persists, the next scan reports it.
                Err(_) => return thread::park_timeout(left.min(MAX_SLEEP)),
            }
        }
    }

    /// Returns true if the store has a new epoch, or lacks commits that were read before or that
    /// this engine committed before the read.
    fn was_rolled_back(&self, end: End, committed: Revision) -> bool {
        self.end.is_some_and(|last| !continues(last, end) || end.head < committed)
    }

    /// Returns true if a purge may have been missed. A purge by this engine also causes a rebuild,
    /// because it is uncertain whether all of it was confirmed.
    fn missed_a_purge(&self, end: End) -> bool {
        self.end.is_some_and(|last| end.floor > last.head)
    }

    /// Reads the whole store into a new index, which then replaces the old one.
    ///
    /// Only records that were already revoked or deleted are purged. Within one epoch the old index
    /// therefore stays correct during the rebuild, and is kept fresh.
    fn rebuild(&mut self, found: End) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let same_epoch = self.end.is_some_and(|last| continues(last, found));
        let mut old_cursor = self.cursor.clone();
        let mut due = Instant::now();
        let asked = ClockReading::now(&*shared.checks.clock);
        shared.checks.index.begin_rebuild();
        shared.checks.index.expect(shared.store.size_hint());
        let (next, end) = self.read(&Cursor::start(), |changes| {
            shared.checks.index.rebuild(changes);
            if same_epoch && Instant::now() >= due {
                due =
                    Instant::now() + shared.checks.freshness.heartbeat().unwrap_or(EXCLUSIVE_PAUSE);
                let asked = ClockReading::now(&*shared.checks.clock);
                match self.read(&old_cursor, |changes| shared.apply(changes)) {
                    Ok((next, end)) if continues(found, end) => {
                        old_cursor = next;
                        shared.checks.freshness.confirm(asked);
                    }
                    // A store of another epoch says nothing about the current index.
                    Ok(_) | Err(_) => {}
                }
            }
        })?;
        shared.checks.index.finish_rebuild(|key| shared.replayed(key));
        if continues(found, end) {
            self.cursor = next;
            self.caught_up(end, asked);
        } else {
            // The epoch changed during the scan. The old cursor wakes at once, and the next
            // catch-up detects the change and rebuilds again.
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
        self.shared.checks.freshness.confirm(asked);
        self.shared.checks.index.finish_loading();
    }

    /// Reads pages from `cursor` to the end of the store, and passes their changes to `take` in
    /// order.
    ///
    /// Two threads take turns: while one fetches a page, the other decodes and applies the page
    /// that it fetched before. Passing records from one core to another and freeing them there
    /// would cost more time than decoding them.
    fn read(
        &self,
        cursor: &Cursor,
        take: impl FnMut(Vec<Change>) + Send,
    ) -> Result<(Cursor, End), StoreError> {
        let shared = &*self.shared;
        let mut taker = PageDecoder { shared, sets: KnownSets::default(), take };
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
                // Locked before the next page can be fetched, so that pages are applied in order.
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
            ControlFlow::Continue(_) => {
                Err(StoreError::Corrupt("a scan did not report the end of the store".into()))
            }
        }
    }
}

/// Decodes pages and passes on their changes.
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

/// Progress of a scan: at a cursor, or finished.
type ScanState = ControlFlow<Result<(Cursor, End), StoreError>, Cursor>;

/// Fetches the records of the next page; none if the scan is finished.
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

/// Ignores poisoning: a panic aborts the whole read, whose partial result is discarded.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns true if the store can have reached `now` from `last` by commits alone.
fn continues(last: End, now: End) -> bool {
    now.epoch == last.epoch && now.head >= last.head
}
