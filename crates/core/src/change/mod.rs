//! Changes: each is one read-modify-write, which is retried on a conflict. Concurrent changes share
//! commits.

mod audit_context;
mod authorized;
#[cfg(test)]
mod authorized_tests;
mod background_writes;
mod bulk_revoke;
mod committer;
mod group;
mod guard_cache;
mod key_names;
mod look_up;
mod pages;
mod pending_change;
mod records;
mod setup_status;
mod transaction;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::admin_error::AdminError;
use crate::engine_state::EngineState;
use crate::field::Field;
use crate::integrity::IntegrityFaultKind;
use crate::journal::{Operation, Outcome};
use crate::store::StoreError;
use crate::store::{Revision, Write};

pub(crate) use audit_context::AuditContext;
pub(crate) use authorized::Authorized;
pub(crate) use setup_status::SetupStatus;
pub(crate) use transaction::Transaction;

use committer::Committer;
use guard_cache::GuardCache;
use pending_change::NotCommitted;

/// Commits changes to the store, and looks up what is in it. It checks no caller: that is the task
/// of [`Admin`](crate::Admin).
pub(crate) struct Changes {
    pub(crate) shared: Arc<EngineState>,
    committer: Committer,
    guard_cache: GuardCache,
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changes")
    }
}

/// Maximum number of attempts of a change, if others keep changing the same records.
const ATTEMPTS: u32 = 256;
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

impl Changes {
    pub(crate) fn new(shared: Arc<EngineState>) -> Self {
        let committer = Committer::new(Arc::clone(&shared.store), Arc::clone(&shared.recorder));
        Self { shared, committer, guard_cache: GuardCache::default() }
    }

    /// Runs `rule`, which reads and plans, and commits its plan. If a record that it read was
    /// changed meanwhile, it runs again. Every change goes through this function.
    pub(crate) fn change<T>(
        &self,
        audit_context: AuditContext,
        rule: impl FnMut(&mut Transaction<'_>) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        self.change_with(audit_context, Transaction::new, rule)
    }

    /// Like [`Changes::change`], for rules that depend on the same records again and again. The
    /// first attempt takes those from a cache, and the commit verifies them.
    pub(crate) fn change_with_cache<'s, T>(
        &'s self,
        audit_context: AuditContext,
        rule: impl FnMut(&mut Transaction<'s>) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let first = |shared| Transaction::with_cache(shared, &self.guard_cache);
        self.change_with(audit_context, first, rule)
    }

    fn change_with<'s, T>(
        &'s self,
        audit_context: AuditContext,
        first: impl FnOnce(&'s EngineState) -> Transaction<'s>,
        mut rule: impl FnMut(&mut Transaction<'s>) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let mut change = first(&self.shared);
        for attempt in 0..ATTEMPTS {
            let answer = rule(&mut change);
            let cached = change.cached().to_vec();
            if !cached.is_empty() && (answer.is_err() || change.is_noop()) {
                // Without a commit, the cached records are not verified.
                change = Transaction::new(&self.shared);
                continue;
            }
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    self.note(audit_context, &error);
                    // The answer may tell of a change that the index does not know yet, such as the
                    // revocation of a token that is not found any more.
                    self.learn(change);
                    return Err(error);
                }
            };
            if change.is_noop() {
                // The store already holds the requested state.
                self.learn(change);
                return Ok(answer);
            }
            change.close_setup(audit_context.operation)?;
            match self.commit(audit_context, change) {
                Ok(()) => {
                    if audit_context.operation != Operation::Reseal {
                        self.shared.close_setup();
                    }
                    return Ok(answer);
                }
                Err(RetryDecision::No(error)) => return Err(error),
                Err(RetryDecision::Yes) => {
                    self.guard_cache.forget(&cached);
                    thread::sleep(pause(attempt));
                }
            }
            change = Transaction::new(&self.shared);
        }
        Err(AdminError::Contended)
    }

    /// Applies what a change has read to the index, so that checks know at least as much as the
    /// answer of the change.
    fn learn(&self, change: Transaction<'_>) {
        let read: Vec<_> = change.into_read().collect();
        self.shared.take(&read);
        let newest = read.iter().map(|stored| stored.revision).max();
        self.shared.answer(newest.unwrap_or(Revision::ABSENT));
    }

    fn commit(
        &self,
        audit_context: AuditContext,
        change: Transaction<'_>,
    ) -> Result<(), RetryDecision> {
        let writes = change.writes();
        let key = |at: usize| writes.get(at).map(Write::key);
        let journaled =
            self.shared.recorder.is_on() && audit_context.operation != Operation::ReplayRevocations;
        let intent = journaled.then(|| change.intent(audit_context));
        let unwritten = intent.is_some();
        let committed = self.committer.commit(Arc::clone(&writes), intent);
        let done = match committed.answer {
            Ok(revision) => {
                self.shared.commit(revision);
                change.cache_guarded(&self.guard_cache);
                change.note_sessions();
                let changes: Vec<_> = change.changes(revision).collect();
                self.shared.apply(changes);
                Ok(())
            }
            Err(NotCommitted::Journal(error)) => Err(RetryDecision::No(AdminError::Journal(error))),
            Err(NotCommitted::Store(error)) => match &*error {
                StoreError::Conflict(_) => Err(RetryDecision::Yes),
                StoreError::Duplicate(at) => {
                    let field = key(*at).map_or(Field::Token, |key| key.kind.unique_field());
                    Err(RetryDecision::No(AdminError::Exists(field)))
                }
                StoreError::TooLarge => Err(RetryDecision::No(AdminError::TooLarge)),
                StoreError::Backend(_) if self.resolve_unknown(&change, &writes) => {
                    let found = committed.number.map(|of| (of, Outcome::Found));
                    self.shared.recorder.journal_outcomes(found.as_slice());
                    Ok(())
                }
                _ => Err(RetryDecision::No(AdminError::Store(error))),
            },
        };
        if let (Ok(()), true, None, Some(key)) = (&done, unwritten, committed.number, key(0)) {
            self.shared.fault(key, IntegrityFaultKind::Unwritten);
        }
        done
    }

    /// Records a denial in the journal.
    fn note(&self, audit_context: AuditContext, error: &AdminError) {
        if audit_context.is_denied(error) {
            let AuditContext { actor, operation, on } = audit_context;
            self.shared.recorder.record_denial(actor, operation, on, error.to_string());
        }
    }

    /// Reads the records of a commit with an unknown result, and updates the index. Returns true if
    /// the commit was written.
    fn resolve_unknown(&self, change: &Transaction<'_>, writes: &[Write]) -> bool {
        let mut done = true;
        for write in writes {
            let key = write.key();
            match self.shared.fetch(key) {
                Ok(found) => {
                    if found.is_none() && matches!(write, Write::Purge { .. }) {
                        self.shared.forget(key);
                        done &= self.shared.floor().is_ok_and(|floor| {
                            self.shared.answer(floor);
                            true
                        });
                    }
                    self.shared.answer(found.as_ref().map_or(Revision::ABSENT, |one| one.revision));
                    done &= change.is_done(key, found.as_ref());
                }
                Err(_) => done = false,
            }
        }
        done
    }
}

enum RetryDecision {
    Yes,
    No(AdminError),
}

/// Returns a pause that doubles from 50 µs on. Half of it is random, so that the same callers do
/// not collide again.
fn pause(attempt: u32) -> Duration {
    let mut random = [0; 2];
    // Without random bytes all wait equally long, and only collide more often.
    let _ = getrandom::fill(&mut random);
    let longest = Duration::from_micros(50 << attempt.min(12)).min(LONGEST_PAUSE);
    longest.mul_f64(0.5 + f64::from(u16::from_le_bytes(random)) / 131_072.0)
}
