//! Changes: create, edit, end, rotate, list. All of them are one read-modify-write, retried on conflict.

mod adopt;
mod authorizations;
mod back_up;
mod caller;
mod committer;
mod end;
mod errand;
mod explain;
mod group;
mod import;
mod list;
mod owners;
mod pages;
mod purge;
mod recent;
mod reseal;
mod sessions;
mod setup;
mod setup_status;
mod ticket;
mod transaction;
mod unique;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::error::{Error, Field, StoreError};
use crate::journal::{Act, Fate};
use crate::record::{Kind, RecordKey};
use crate::shared::{Problem, Shared};
use crate::store::{Revision, Write};

pub use authorizations::{Edit, IfSame, NewAuthorization, Rotation};
pub use caller::Caller;
pub use explain::{Explanation, Reason};
pub use import::{IfEnded, ImportItem, Imported};
pub use list::{Filter, Revoked, Span};
pub use owners::{OrganizationEdit, UserEdit};
pub use purge::{Purge, Purged};
pub use setup::{FirstUser, IfNameExists, SetUpDone};

use committer::Committer;
use errand::Errand;
use recent::Recent;
use ticket::NotCommitted;
use transaction::Transaction;

/// Makes changes, and lists what there is.
///
/// # Consistency
///
/// A change that returns `Ok` is on disk, and seen by every check of this engine that starts afterwards. One that
/// returns [`Error::Store`] with [`StoreError::Backend`] was not confirmed: it may be there or not. Every other error
/// changed nothing. Changes that run at the same time share a commit.
pub struct Issuer {
    shared: Arc<Shared>,
    committer: Committer,
    recent: Recent,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issuer")
    }
}

/// How often a change is tried while others keep changing the same records.
const ATTEMPTS: u32 = 256;
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

impl Issuer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let committer = Committer::new(Arc::clone(&shared.store), Arc::clone(&shared.recorder));
        Self {
            shared,
            committer,
            recent: Recent::default(),
        }
    }

    /// **The one read-modify-write.** `rule` reads and plans; if anything that it read was changed meanwhile, it
    /// runs again from the start.
    fn change<T>(
        &self,
        errand: Errand,
        rule: impl FnMut(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.change_with(errand, Transaction::new, rule)
    }

    /// The same for a rule that others like it ran a moment ago: what they depended on is not read again at first, but
    /// only compared by the commit.
    fn change_relying<'s, T>(
        &'s self,
        errand: Errand,
        rule: impl FnMut(&mut Transaction<'s>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let first = |shared| Transaction::relying(shared, &self.recent);
        self.change_with(errand, first, rule)
    }

    fn change_with<'s, T>(
        &'s self,
        errand: Errand,
        first: impl FnOnce(&'s Shared) -> Transaction<'s>,
        mut rule: impl FnMut(&mut Transaction<'s>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut change = first(&self.shared);
        for attempt in 0..ATTEMPTS {
            let answer = rule(&mut change);
            let relied = change.relied().to_vec();
            if !relied.is_empty() && (answer.is_err() || change.is_noop()) {
                // Nothing compares what it relied on.
                change = Transaction::new(&self.shared);
                continue;
            }
            let answer = answer.inspect_err(|error| self.note(errand, error))?;
            if change.is_noop() {
                // What was asked for already holds in the store; see to it that it holds in the index.
                let read: Vec<_> = change.into_read().collect();
                self.shared.take(&read);
                let newest = read.iter().map(|stored| stored.revision).max();
                self.shared.answer(newest.unwrap_or(Revision::ABSENT));
                return Ok(answer);
            }
            change.close_setup(errand.act)?;
            match self.commit(errand, change) {
                Ok(()) => {
                    if errand.act != Act::Reseal {
                        self.shared.close_setup();
                    }
                    return Ok(answer);
                }
                Err(Retry::No(error)) => return Err(error),
                Err(Retry::Yes) => {
                    self.recent.forget(&relied);
                    thread::sleep(pause(attempt));
                }
            }
            change = Transaction::new(&self.shared);
        }
        Err(Error::Contended)
    }

    fn commit(&self, errand: Errand, change: Transaction<'_>) -> Result<(), Retry> {
        let writes = change.writes();
        let key = |at: usize| writes.get(at).map(Write::key);
        let told = self.shared.recorder.is_on() && errand.act != Act::EndAgain;
        let intent = told.then(|| change.intent(errand));
        let unwritten = intent.is_some();
        let committed = self.committer.commit(Arc::clone(&writes), intent);
        let done = match committed.answer {
            Ok(revision) => {
                self.shared.commit(revision);
                change.keep_guarded(&self.recent);
                let changes: Vec<_> = change.changes(revision).collect();
                self.shared.apply(changes);
                Ok(())
            }
            Err(NotCommitted::Journal(error)) => Err(Retry::No(Error::Journal(error))),
            Err(NotCommitted::Store(error)) => match &*error {
                StoreError::Conflict(_) => Err(Retry::Yes),
                StoreError::Duplicate(at) => Err(Retry::No(taken(key(*at)))),
                StoreError::TooLarge => Err(Retry::No(Error::TooLarge)),
                StoreError::Backend(_) if self.settle(&change, &writes) => {
                    let found = committed.number.map(|of| (of, Fate::Found));
                    self.shared.recorder.conclude(found.as_slice());
                    Ok(())
                }
                _ => Err(Retry::No(Error::Store(error))),
            },
        };
        if let (Ok(()), true, None, Some(key)) = (&done, unwritten, committed.number, key(0)) {
            self.shared.fault(key, Problem::Unwritten);
        }
        done
    }

    /// Has the journal note a refusal.
    fn note(&self, errand: Errand, error: &Error) {
        if errand.is_denied(error) {
            let Errand { by, act, on } = errand;
            self.shared.recorder.deny(by, act, on, error.to_string());
        }
    }

    /// After a commit of which nobody knows whether it was made: reads back, takes over what is found, and tells
    /// whether it is what was wanted.
    fn settle(&self, change: &Transaction<'_>, writes: &[Write]) -> bool {
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
                    self.shared
                        .answer(found.as_ref().map_or(Revision::ABSENT, |one| one.revision));
                    done &= change.is_done(key, found.as_ref());
                }
                Err(_) => done = false,
            }
        }
        done
    }
}

enum Retry {
    Yes,
    No(Error),
}

/// Doubling from 50 µs on, with half of it at random, so that those who met do not meet again.
fn pause(attempt: u32) -> Duration {
    let mut random = [0; 2];
    // Without random bytes they wait equally long, and merely meet more often.
    let _ = getrandom::fill(&mut random);
    let longest = Duration::from_micros(50 << attempt.min(12)).min(LONGEST_PAUSE);
    longest.mul_f64(0.5 + f64::from(u16::from_le_bytes(random)) / 131_072.0)
}

fn taken(key: Option<RecordKey>) -> Error {
    Error::Exists(match key.map(|key| key.kind) {
        Some(Kind::USER) => Field::UserName,
        Some(Kind::ORGANIZATION) => Field::OrganizationName,
        Some(Kind::BUCKET) => Field::BucketName,
        _ => Field::Token,
    })
}
