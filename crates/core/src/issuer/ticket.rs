//! One change on its way through a group: its writes, and its answer.

use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

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
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    Waiting,
    /// It is this change's turn to commit for all that wait.
    Lead,
    Answered,
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

impl Ticket {
    pub(super) fn new(writes: Arc<[Write]>, intent: Option<Intent>) -> Self {
        Self {
            writes,
            intent,
            number: OnceLock::new(),
            answer: OnceLock::new(),
            state: Mutex::new(State::Waiting),
            changed: Condvar::new(),
        }
    }

    /// Decides the answer; whoever waits hears of it from [`Ticket::tell`].
    pub(super) fn answer(&self, answer: Answer) {
        let _ = self.answer.set(answer);
    }

    pub(super) fn tell(&self) {
        self.set(State::Answered);
    }

    pub(super) fn set(&self, new: State) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*state, State::Answered) {
            *state = new;
            self.changed.notify_all();
        }
    }

    /// The answer; none if it is this change's turn to lead.
    pub(super) fn wait(&self) -> Option<Answer> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_while(state, |state| matches!(state, State::Waiting));
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Answered => self.answer.get().cloned(),
            State::Waiting | State::Lead => {
                *state = State::Waiting;
                None
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
