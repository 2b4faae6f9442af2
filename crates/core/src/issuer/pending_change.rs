//! One change on its way through a group: its writes, and its answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

use crate::error::StoreError;
use crate::journal::{Intent, JournalError, Outcome};
use crate::store::{Revision, Write};

/// One change: its writes stand or fall together.
#[derive(Debug)]
pub(super) struct PendingChange {
    pub(super) writes: Arc<[Write]>,
    /// What the journal says of it; none without a journal.
    pub(super) intent: Option<Intent>,
    /// The number of the intent in the journal, once it is written.
    pub(super) number: OnceLock<u64>,
    /// The first answer stands.
    answer: OnceLock<Answer>,
    /// Who waits for it.
    caller: Thread,
    /// Whom that one wakes when it hears.
    wakes: OnceLock<[Option<Thread>; 2]>,
    notified: AtomicBool,
}

/// An error is shared by all changes of the group that met it.
pub(super) type Answer = Result<Revision, NotCommitted>;

/// Why there was no commit, or nobody knows of it.
#[derive(Debug, Clone)]
pub(super) enum NotCommitted {
    Store(Arc<StoreError>),
    /// It could not be written down before, and so was not tried.
    Journal(Arc<JournalError>),
}

impl From<StoreError> for NotCommitted {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// A change that was handed in: its answer, and its number in the journal.
pub(super) struct Committed {
    pub(super) answer: Answer,
    pub(super) number: Option<u64>,
}

impl PendingChange {
    /// A change of the thread that calls this, which then is to [`PendingChange::wait`].
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

    /// Decides the answer; whoever waits hears of it from [`notify`].
    pub(super) fn answer(&self, answer: Answer) {
        let _ = self.answer.set(answer);
    }

    /// The answer, when it is told.
    pub(super) fn wait(&self) -> Answer {
        while !self.notified.load(Ordering::Acquire) {
            thread::park();
        }
        self.wakes
            .get()
            .into_iter()
            .flatten()
            .flatten()
            .for_each(Thread::unpark);
        let answer = self.answer.get().cloned();
        answer.unwrap_or_else(|| Err(StoreError::backend("there is no answer").into()))
    }

    /// What the journal says of the answer.
    pub(super) fn outcome(&self) -> Outcome {
        match self.answer.get() {
            Some(Ok(Revision(revision))) => Outcome::Done {
                revision: *revision,
            },
            Some(Err(NotCommitted::Store(error))) if error.is_definite() => Outcome::Failed,
            Some(Err(NotCommitted::Journal(_))) => Outcome::Failed,
            Some(Err(NotCommitted::Store(_))) | None => Outcome::Unknown,
        }
    }
}

/// Tells all who wait for `pending_changes`, each of which has its answer. Only the first is woken here, for to wake one costs
/// microseconds: each wakes two others, as in a heap.
pub(super) fn notify(pending_changes: &[Arc<PendingChange>]) {
    let caller = |at: usize| {
        pending_changes
            .get(at)
            .map(|pending_change| pending_change.caller.clone())
    };
    for (at, pending_change) in pending_changes.iter().enumerate() {
        let _ = pending_change
            .wakes
            .set([caller(2 * at + 1), caller(2 * at + 2)]);
    }
    for pending_change in pending_changes {
        pending_change.notified.store(true, Ordering::Release);
    }
    if let Some(first) = pending_changes.first() {
        first.caller.unpark();
    }
}
