//! One change on its way through a group: its writes, and its answer.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

use crate::error::StoreError;
use crate::journal::{Fate, Intent, JournalError};
use crate::store::{Revision, Write};

/// One change: its writes stand or fall together.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) writes: Arc<[Write]>,
    /// What the journal says of it; none without a journal.
    pub(super) intent: Option<Intent>,
    /// The number of the intent in the journal, once it is written.
    pub(super) number: OnceLock<u64>,
    /// The first answer stands.
    answer: OnceLock<Answer>,
    /// Who waits for it.
    caller: Thread,
    /// One of the three below.
    state: AtomicU8,
}

const WAITING: u8 = 0;
/// It is this change's turn to commit for all that wait.
const LEAD: u8 = 1;
const ANSWERED: u8 = 2;

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

impl Ticket {
    /// A change of the thread that calls this, which then is to [`Ticket::wait`].
    pub(super) fn new(writes: Arc<[Write]>, intent: Option<Intent>) -> Self {
        Self {
            writes,
            intent,
            number: OnceLock::new(),
            answer: OnceLock::new(),
            caller: thread::current(),
            state: AtomicU8::new(WAITING),
        }
    }

    /// Decides the answer; whoever waits hears of it from [`Ticket::tell`].
    pub(super) fn answer(&self, answer: Answer) {
        let _ = self.answer.set(answer);
    }

    pub(super) fn tell(&self) {
        self.set(ANSWERED);
    }

    /// Makes it this change's turn to lead.
    pub(super) fn hand_lead(&self) {
        self.set(LEAD);
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::Release);
        self.caller.unpark();
    }

    /// The answer; none if it is this change's turn to lead.
    pub(super) fn wait(&self) -> Option<Answer> {
        loop {
            match self.state.load(Ordering::Acquire) {
                ANSWERED => return self.answer.get().cloned(),
                LEAD => {
                    self.state.store(WAITING, Ordering::Relaxed);
                    return None;
                }
                _ => thread::park(),
            }
        }
    }

    /// What the journal says of the answer.
    pub(super) fn fate(&self) -> Fate {
        match self.answer.get() {
            Some(Ok(Revision(revision))) => Fate::Done {
                revision: *revision,
            },
            Some(Err(NotCommitted::Store(error))) if error.is_definite() => Fate::Failed,
            Some(Err(NotCommitted::Journal(_))) => Fate::Failed,
            Some(Err(NotCommitted::Store(_))) | None => Fate::Unknown,
        }
    }
}
