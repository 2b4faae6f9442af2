//! A change in a commit group: its writes and its result.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

use crate::journal::{Intent, JournalError, Outcome};
use crate::store::StoreError;
use crate::store::{Revision, Write};

/// A change. Its writes are committed together or not at all.
#[derive(Debug)]
pub(super) struct PendingChange {
    pub(super) writes: Arc<[Write]>,
    /// Entry for the journal; none without a journal.
    pub(super) intent: Option<Intent>,
    /// Number of the intent in the journal, once it is written.
    pub(super) number: OnceLock<u64>,
    /// The result; only the first one is kept.
    answer: OnceLock<Answer>,
    /// The thread that waits for the result.
    caller: Thread,
    /// The threads that this one wakes when it is notified.
    wakes: OnceLock<[Option<Thread>; 2]>,
    notified: AtomicBool,
}

/// Result of a change. An error is shared by all changes of the group that met it.
pub(super) type Answer = Result<Revision, NotCommitted>;

/// The error of a change that was not committed, or may not have been.
#[derive(Debug, Clone)]
pub(super) enum NotCommitted {
    Store(Arc<StoreError>),
    /// The journal could not be written, so no commit was tried.
    Journal(Arc<JournalError>),
}

impl From<StoreError> for NotCommitted {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Result of a change, and its number in the journal.
pub(super) struct Committed {
    pub(super) answer: Answer,
    pub(super) number: Option<u64>,
}

impl PendingChange {
    /// Creates a change of the calling thread, which must then call [`PendingChange::wait`].
    pub(super) fn new(writes: Arc<[Write]>, intent: Option<Intent>) -> Self {
        Self {
            writes,
            intent,
            number: OnceLock::new(),
            answer: OnceLock::new(),
            caller: thread::current(),
            wakes: OnceLock::new(),
            notified: AtomicBool::new(false),
        }
    }

    /// Sets the result. The caller is notified by [`notify`].
    pub(super) fn answer(&self, answer: Answer) {
        let _ = self.answer.set(answer);
    }

    /// Waits for the result.
    pub(super) fn wait(&self) -> Answer {
        while !self.notified.load(Ordering::Acquire) {
            thread::park();
        }
        self.wakes.get().into_iter().flatten().flatten().for_each(Thread::unpark);
        let answer = self.answer.get().cloned();
        answer.unwrap_or_else(|| Err(StoreError::backend("the commit has no result").into()))
    }

    /// Returns the outcome for the journal.
    pub(super) fn outcome(&self) -> Outcome {
        match self.answer.get() {
            Some(Ok(Revision(revision))) => Outcome::Done { revision: *revision },
            Some(Err(NotCommitted::Store(error))) if error.is_definite() => Outcome::Failed,
            Some(Err(NotCommitted::Journal(_))) => Outcome::Failed,
            Some(Err(NotCommitted::Store(_))) | None => Outcome::Unknown,
        }
    }
}

/// Notifies the callers of `pending_changes`, each of which has its result. Waking a thread costs
/// microseconds, so only the first is woken here, and each wakes two others, as in a binary heap.
pub(super) fn notify(pending_changes: &[Arc<PendingChange>]) {
    let caller =
        |at: usize| pending_changes.get(at).map(|pending_change| pending_change.caller.clone());
    for (at, pending_change) in pending_changes.iter().enumerate() {
        let _ = pending_change.wakes.set([caller(2 * at + 1), caller(2 * at + 2)]);
    }
    for pending_change in pending_changes {
        pending_change.notified.store(true, Ordering::Release);
    }
    if let Some(first) = pending_changes.first() {
        first.caller.unpark();
    }
}
