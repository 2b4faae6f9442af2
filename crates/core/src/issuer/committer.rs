//! Who commits: the first that comes, and a thread of its own as long as others wait.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::group::CommitGroup;
use super::pending_change::{Committed, PendingChange};
use crate::journal::{Intent, Recorder};
use crate::store::{TokenStore, Write};

/// Hands groups of changes to a store: those that wait at the same time share one commit, and so one sync of the disk.
///
/// Whoever comes when nobody commits does so itself, so that a caller that is alone pays for no other thread. For those
/// that came meanwhile a thread goes on until nobody waits. None of them could do that as well: it would have to be woken
/// first, in line with all that were answered just before.
#[derive(Debug)]
pub(super) struct Committer {
    commit_loop: Arc<CommitLoop>,
    /// Started when it is needed for the first time; none if it could not be.
    relay: OnceLock<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct CommitLoop {
    store: Arc<dyn TokenStore>,
    recorder: Arc<Recorder>,
    queue: Mutex<Queue>,
    /// Whether the relay is to commit.
    called: AtomicBool,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<PendingChange>>,
    /// Whether somebody commits for those that wait.
    has_leader: bool,
    /// How many are thought to make changes: those of the last group, and those that came while it was committed.
    callers: usize,
    /// How long the last commit took.
    took: Duration,
}

/// The part of a commit's time that the next one waits at most for callers that are about to come again.
const WAIT_DIVISOR: u32 = 16;

impl Committer {
    pub(super) fn new(store: Arc<dyn TokenStore>, recorder: Arc<Recorder>) -> Self {
        let commit_loop = CommitLoop {
            store,
            recorder,
            queue: Mutex::default(),
            called: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        };
        Self {
            commit_loop: Arc::new(commit_loop),
            relay: OnceLock::new(),
        }
    }

    /// Commits `writes`, with others or alone, and has the journal say so if there is an intent. The index in a
    /// conflict or duplicate is one of `writes`.
    pub(super) fn commit(&self, writes: Arc<[Write]>, intent: Option<Intent>) -> Committed {
        let pending_change = Arc::new(PendingChange::new(writes, intent));
        if self.commit_loop.queue().join(&pending_change) {
            // Also if the store panics, so that nobody waits for ever.
            let _then = RelayHandover(self);
            self.commit_loop.commit_some();
        }
        let answer = pending_change.wait();
        let number = pending_change.number.get().copied();
        Committed { answer, number }
    }

    /// Lets the relay commit for those that wait by now.
    fn hand_over_to_relay(&self) {
        if self.commit_loop.queue().is_over() {
            return;
        }
        let commit_loop = &self.commit_loop;
        let start = || {
            let commit_loop = Arc::clone(commit_loop);
            let thread = thread::Builder::new().name("symbolon-commit".into());
            thread.spawn(move || commit_loop.relay()).ok()
        };
        match self.relay.get_or_init(start) {
            Some(relay) => {
                commit_loop.called.store(true, Ordering::Release);
                relay.thread().unpark();
            }
            // Then whoever is here does it.
            None => commit_loop.commit_all(),
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.commit_loop.closed.store(true, Ordering::Release);
        if let Some(Some(relay)) = self.relay.take() {
            relay.thread().unpark();
            // It takes care of panics itself.
            let _ = relay.join();
        }
    }
}

struct RelayHandover<'a>(&'a Committer);

impl Drop for RelayHandover<'_> {
    fn drop(&mut self) {
        self.0.hand_over_to_relay();
    }
}

impl CommitLoop {
    /// Commits whenever it is called.
    fn relay(&self) {
        while !self.closed.load(Ordering::Acquire) {
            match self.called.swap(false, Ordering::AcqRel) {
                true => self.commit_all(),
                false => thread::park(),
            }
        }
    }

    /// Commits until nobody waits.
    fn commit_all(&self) {
        loop {
            self.wait_for_more_changes();
            if self.queue().is_over() {
                return;
            }
            // Those in the group heard of the panic.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| self.commit_some()));
        }
    }

    /// Commits one group of those that wait.
    fn commit_some(&self) {
        let mut group = CommitGroup::gather(&mut self.queue().waiting, &self.store.limits());
        let start = Instant::now();
        group.commit(&*self.store, &self.recorder);
        self.queue().note(group.len(), start.elapsed());
    }

    /// Those that were answered a moment ago are often about to come again, and if syncing is slow the next commit had
    /// better be theirs too.
    fn wait_for_more_changes(&self) {
        let start = Instant::now();
        loop {
            let queue = self.queue();
            let all_are_here = queue.waiting.len() >= queue.callers;
            if all_are_here || start.elapsed() >= queue.took / WAIT_DIVISOR {
                return;
            }
            drop(queue);
            thread::yield_now();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Whether whoever brings `pending_change` is to commit.
    fn join(&mut self, pending_change: &Arc<PendingChange>) -> bool {
        self.waiting.push_back(Arc::clone(pending_change));
        !std::mem::replace(&mut self.has_leader, true)
    }

    /// Whether nobody waits; whoever asks then does not commit any more.
    fn is_over(&mut self) -> bool {
        self.has_leader = !self.waiting.is_empty();
        !self.has_leader
    }

    fn note(&mut self, answered: usize, took: Duration) {
        self.callers = answered + self.waiting.len();
        self.took = took;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::record::{Columns, Kind, Record, RecordKey};
    use crate::store::{Cursor, Epoch, Limits, Page, Revision, Stored};
    use crate::{Id, MemoryStore, Minute, StoreError};

    /// A store that takes its time, counts commits, and panics at some of them.
    #[derive(Debug, Default)]
    struct Slow {
        store: MemoryStore,
        commits: AtomicUsize,
        panics: bool,
    }

    impl TokenStore for Slow {
        fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
            self.store.get(key)
        }

        fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
            let number = self.commits.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(2));
            assert!(!self.panics || number.is_multiple_of(2), "on purpose");
            self.store.commit(writes)
        }

        fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
            self.store.scan(after, limit)
        }

        fn limits(&self) -> Limits {
            self.store.limits()
        }

        fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
            self.store.touch(used)
        }

        fn renew(&self) -> Result<Epoch, StoreError> {
            self.store.renew()
        }
    }

    fn committer(store: &Arc<Slow>) -> Committer {
        let recorder = Recorder::new(None, Arc::<SystemClock>::default());
        Committer::new(Arc::clone(store) as _, Arc::new(recorder))
    }

    fn put(number: u64) -> Arc<[Write]> {
        let record = Record {
            key: RecordKey::new(Kind::USER, Id::new(number).unwrap()),
            unique: None,
            columns: Columns::default(),
            bytes: [1].into(),
        };
        let expected = Revision::ABSENT;
        [Write::Put { record, expected }].into()
    }

    const CALLERS: u64 = 40;
    const EACH: u64 = 5;
    /// Whoever hears nothing for so long never will.
    const LONG: Duration = Duration::from_secs(60);

    /// How many changes of many callers at once were made, and how many their callers do not know of: by an error, or for
    /// they panicked themselves.
    fn changes_at_once(committer: &Arc<Committer>) -> (u64, u64) {
        let (heard, hear) = mpsc::channel();
        for caller in 0..CALLERS {
            let (committer, heard) = (Arc::clone(committer), heard.clone());
            thread::spawn(move || {
                for number in 1..=EACH {
                    let change = || committer.commit(put(caller * EACH + number), None).answer;
                    let answer = panic::catch_unwind(AssertUnwindSafe(change));
                    heard.send(matches!(answer, Ok(Ok(_)))).unwrap();
                }
            });
        }
        let mut counts = (0, 0);
        for _ in 0..CALLERS * EACH {
            match hear.recv_timeout(LONG).expect("a caller hears nothing") {
                true => counts.0 += 1,
                false => counts.1 += 1,
            }
        }
        counts
    }

    #[test]
    fn a_single_caller_commits_its_own_change() {
        let store = Arc::new(Slow::default());
        let committer = committer(&store);
        for number in 1..=5 {
            assert_eq!(
                committer.commit(put(number), None).answer.unwrap().0,
                number
            );
        }
        assert_eq!(store.commits.load(Ordering::Relaxed), 5);
        assert!(committer.relay.get().is_none());
    }

    #[test]
    fn concurrent_callers_share_commits_and_get_their_results() {
        let store = Arc::new(Slow::default());
        let committer = Arc::new(committer(&store));
        assert_eq!(changes_at_once(&committer), (CALLERS * EACH, 0));
        let commits = store.commits.load(Ordering::Relaxed);
        assert!(commits as u64 * 4 <= CALLERS * EACH, "{commits} commits");
        assert!(committer.relay.get().is_some());
        // It is not led by anybody who is gone.
        committer
            .commit(put(u64::from(u32::MAX)), None)
            .answer
            .unwrap();
    }

    #[test]
    fn a_panicking_store_leaves_no_caller_waiting() {
        let store = Arc::new(Slow {
            panics: true,
            ..Slow::default()
        });
        let committer = Arc::new(committer(&store));
        let (made, lost) = changes_at_once(&committer);
        assert!(made > 0 && lost > 0, "{made} made, {lost} lost");
        let there = store.scan(&Cursor::start(), usize::MAX).unwrap().items;
        assert_eq!(there.len() as u64, made);
    }

    #[test]
    fn without_a_relay_thread_a_caller_commits_for_all() {
        let store = Arc::new(Slow::default());
        let committer = Arc::new(committer(&store));
        committer.relay.set(None).unwrap();
        assert_eq!(changes_at_once(&committer), (CALLERS * EACH, 0));
    }
}
