//! Group commit: the first caller commits, then a thread of its own while others wait.

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

/// Hands groups of changes to a store. Changes that wait at the same time share one commit, and so
/// one sync of the disk.
///
/// A caller that finds no commit running commits its own change, so a single caller pays for no
/// other thread. Changes that arrive during the commit are left to a relay thread, which runs until
/// none waits. A waiting caller could not take over as well: it would first have to be woken, after
/// all those whose changes were just committed.
#[derive(Debug)]
pub(super) struct Committer {
    commit_loop: Arc<CommitLoop>,
    /// The relay thread, started on first use; none if it could not be started.
    relay: OnceLock<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct CommitLoop {
    store: Arc<dyn TokenStore>,
    recorder: Arc<Recorder>,
    queue: Mutex<Queue>,
    /// True if the relay must commit.
    called: AtomicBool,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<PendingChange>>,
    /// True while a thread commits for those that wait.
    has_leader: bool,
    /// Estimated number of active callers: those of the last group, and those that arrived while it
    /// was committed.
    callers: usize,
    /// Duration of the last commit.
    took: Duration,
}

/// The next commit waits for returning callers for at most the duration of the last one divided by
/// this.
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
        Self { commit_loop: Arc::new(commit_loop), relay: OnceLock::new() }
    }

    /// Commits `writes`, alone or with others, and records it in the journal if there is an intent.
    /// The index in a conflict or duplicate refers to `writes`.
    pub(super) fn commit(&self, writes: Arc<[Write]>, intent: Option<Intent>) -> Committed {
        let pending_change = Arc::new(PendingChange::new(writes, intent));
        if self.commit_loop.queue().join(&pending_change) {
            // Runs also if the store panics, so that no caller waits forever.
            let _then = RelayHandover(self);
            self.commit_loop.commit_some();
        }
        let answer = pending_change.wait();
        let number = pending_change.number.get().copied();
        Committed { answer, number }
    }

    /// Lets the relay commit for those that wait now.
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
            // Without a relay, this thread commits for all.
            None => commit_loop.commit_all(),
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.commit_loop.closed.store(true, Ordering::Release);
        if let Some(Some(relay)) = self.relay.take() {
            relay.thread().unpark();
            // The relay catches panics of the store itself.
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
    /// Runs the relay: commits whenever it is called.
    fn relay(&self) {
        while !self.closed.load(Ordering::Acquire) {
            match self.called.swap(false, Ordering::AcqRel) {
                true => self.commit_all(),
                false => thread::park(),
            }
        }
    }

    /// Commits until no change waits.
    fn commit_all(&self) {
        loop {
            self.wait_for_more_changes();
            if self.queue().is_over() {
                return;
            }
            // The callers in the group have been notified of the panic.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| self.commit_some()));
        }
    }

    /// Commits one group of the waiting changes.
    fn commit_some(&self) {
        let mut group = CommitGroup::gather(&mut self.queue().waiting, &self.store.limits());
        let start = Instant::now();
        group.commit(&*self.store, &self.recorder);
        self.queue().note(group.len(), start.elapsed());
    }

    /// Waits briefly for the callers that were just answered. They often return at once, and if a
    /// sync is slow they had better share the next commit.
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
    /// Adds a change. Returns true if its caller must commit.
    fn join(&mut self, pending_change: &Arc<PendingChange>) -> bool {
        self.waiting.push_back(Arc::clone(pending_change));
        !std::mem::replace(&mut self.has_leader, true)
    }

    /// Returns true if no change waits; the caller then stops committing.
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

    /// A store that is slow, counts commits, and panics at every other one if `panics` is set.
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
    /// A caller without a result after this time is stuck.
    const LONG: Duration = Duration::from_secs(60);

    /// Runs changes of many callers at once. Returns how many succeeded, and how many failed or
    /// panicked.
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
            match hear.recv_timeout(LONG).expect("a caller got no result") {
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
            assert_eq!(committer.commit(put(number), None).answer.unwrap().0, number);
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
        // No leader is left over from before.
        committer.commit(put(u64::from(u32::MAX)), None).answer.unwrap();
    }

    #[test]
    fn a_panicking_store_leaves_no_caller_waiting() {
        let store = Arc::new(Slow { panics: true, ..Slow::default() });
        let committer = Arc::new(committer(&store));
        let (committed, lost) = changes_at_once(&committer);
        assert!(committed > 0 && lost > 0, "{committed} committed, {lost} lost");
        let there = store.scan(&Cursor::start(), usize::MAX).unwrap().items;
        assert_eq!(there.len() as u64, committed);
    }

    #[test]
    fn without_a_relay_thread_a_caller_commits_for_all() {
        let store = Arc::new(Slow::default());
        let committer = Arc::new(committer(&store));
        committer.relay.set(None).unwrap();
        assert_eq!(changes_at_once(&committer), (CALLERS * EACH, 0));
    }
}
