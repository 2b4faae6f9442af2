//! Stores that fail at chosen calls.
//!
//! A [`FaultyStore`] wraps any other store and passes every call on until a fault is planned. This
//! tests code that uses a store at every call that it makes: one run counts the calls, and further
//! runs fail each call with each [`Fault`].
//!
//! ```
//! use symbolon::{MemoryStore, StoreError, TokenStore};
//! use symbolon_conformance::faults::{Fault, FaultyStore, Method};
//!
//! let store = FaultyStore::new(MemoryStore::new());
//! store.plan(Method::Commit, 2, Fault::After);
//! assert!(store.commit(&[]).is_ok());
//! assert!(matches!(store.commit(&[]), Err(StoreError::Backend(_))));
//! assert_eq!((store.calls(Method::Commit), store.struck()), (2, 1));
//! ```

mod revoke;
mod token_histories;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use symbolon::record::RecordKey;
use symbolon::store::{
    Cursor, Epoch, Limits, Page, Query, Revision, Stored, TokenStore, Wake, Write,
};
use symbolon::{Id, Minute, StoreError};

pub use revoke::revoke_under_faults;
pub use token_histories::histories_under_faults;

/// A method of a store that can fail: all except `limits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the method of that name")]
pub enum Method {
    Get,
    Commit,
    Scan,
    Find,
    Wait,
    Touch,
    Renew,
}

impl Method {
    /// Every method that can fail.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::Commit, Self::Scan, Self::Find, Self::Wait, Self::Touch, Self::Renew];

    /// Returns the faults that the contract of a store allows for this method.
    pub fn faults(self) -> Vec<Fault> {
        let refusals: &[Refusal] = match self {
            Self::Get | Self::Scan | Self::Find => &[Refusal::Corrupt],
            Self::Commit => &[
                Refusal::Conflict(0),
                Refusal::Duplicate(0),
                Refusal::TooLarge,
                Refusal::Full,
                Refusal::Corrupt,
            ],
            Self::Wait => &[],
            Self::Touch => &[Refusal::Full],
            Self::Renew => &[Refusal::Full, Refusal::Corrupt],
        };
        let mut faults = vec![Fault::Before, Fault::Down];
        if matches!(self, Self::Commit | Self::Touch | Self::Renew) {
            faults.extend([Fault::After, Fault::AfterThenUnreadable]);
        }
        faults.extend(refusals.iter().copied().map(Fault::Instead));
        faults
    }

    fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Scan | Self::Find)
    }
}

/// The behaviour of a call that is planned to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Does nothing and returns [`StoreError::Backend`].
    Before,
    /// Performs the call and returns [`StoreError::Backend`]: the caller cannot distinguish this
    /// from [`Fault::Before`].
    After,
    /// Does nothing and returns the given error.
    Instead(Refusal),
    /// Fails like [`Fault::Before`], and so does every later call until [`FaultyStore::heal`].
    Down,
    /// Fails like [`Fault::After`], and every read fails until [`FaultyStore::heal`].
    AfterThenUnreadable,
}

/// An error that guarantees that nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// [`StoreError::Conflict`] of the write with this index.
    Conflict(usize),
    /// [`StoreError::Duplicate`] of the write with this index.
    Duplicate(usize),
    /// [`StoreError::TooLarge`].
    TooLarge,
    /// [`StoreError::Full`].
    Full,
    /// [`StoreError::Corrupt`].
    Corrupt,
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Conflict(at) => Self::Conflict(at),
            Refusal::Duplicate(at) => Self::Duplicate(at),
            Refusal::TooLarge => Self::TooLarge,
            Refusal::Full => Self::Full,
            Refusal::Corrupt => Self::Corrupt("injected".into()),
        }
    }
}

/// A store that passes calls on to another store, counts them, and fails as planned.
#[derive(Debug)]
pub struct FaultyStore<S> {
    store: S,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: BTreeMap<Method, u64>,
    plans: Vec<Plan>,
    struck: u64,
    down: bool,
    unreadable: bool,
    only: Option<ThreadId>,
    pause: Duration,
}

#[derive(Debug)]
struct Plan {
    method: Method,
    /// The number of the call, counted from 1.
    call: u64,
    fault: Fault,
}

impl<S: TokenStore> FaultyStore<S> {
    /// Wraps `store` without any planned faults.
    pub fn new(store: S) -> Self {
        Self { store, state: Mutex::default() }
    }

    /// Returns the wrapped store, which never fails as planned.
    pub fn inner(&self) -> &S {
        &self.store
    }

    /// Plans `fault` for the `nth` call of `method` from now on; 1 is the next call.
    pub fn plan(&self, method: Method, nth: u64, fault: Fault) {
        let mut state = self.state();
        let call = state.calls.get(&method).copied().unwrap_or_default() + nth;
        state.plans.push(Plan { method, call, fault });
    }

    /// Removes all plans. Every later call is passed on.
    pub fn heal(&self) {
        let mut state = self.state();
        state.plans.clear();
        state.down = false;
        state.unreadable = false;
    }

    /// Limits counting and faults to calls of the current thread, which excludes the engine's
    /// threads.
    pub fn only_this_thread(&self) {
        self.state().only = Some(thread::current().id());
    }

    /// Delays each later commit by `pause`, so that other commits queue behind it.
    pub fn slow_commits(&self, pause: Duration) {
        self.state().pause = pause;
    }

    /// Returns the number of calls of `method`.
    pub fn calls(&self, method: Method) -> u64 {
        self.state().calls.get(&method).copied().unwrap_or_default()
    }

    /// Returns the number of planned faults that have occurred.
    pub fn struck(&self) -> u64 {
        self.state().struck
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass<T>(
        &self,
        method: Method,
        call: impl FnOnce(&S) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let injected = || Err(StoreError::backend("injected"));
        let fault = match self.state().next(method) {
            Next::Passes => return call(&self.store),
            Next::Fails(fault) => fault,
        };
        match fault {
            Fault::Before | Fault::Down => injected(),
            Fault::Instead(refusal) => Err(refusal.into()),
            Fault::After | Fault::AfterThenUnreadable => {
                // A refusal of the store takes precedence.
                call(&self.store)?;
                injected()
            }
        }
    }
}

enum Next {
    Passes,
    Fails(Fault),
}

impl State {
    /// Counts a call and decides whether it fails.
    fn next(&mut self, method: Method) -> Next {
        if self.only.is_some_and(|only| only != thread::current().id()) {
            return Next::Passes;
        }
        let count = self.calls.entry(method).or_default();
        *count += 1;
        let is_due = |plan: &Plan| plan.method == method && plan.call == *count;
        if self.down || self.unreadable && method.reads() {
            return Next::Fails(Fault::Down);
        }
        let Some(at) = self.plans.iter().position(is_due) else {
            return Next::Passes;
        };
        let fault = self.plans.swap_remove(at).fault;
        self.struck += 1;
        self.down = fault == Fault::Down;
        self.unreadable = fault == Fault::AfterThenUnreadable;
        Next::Fails(fault)
    }
}

impl<S: TokenStore> TokenStore for FaultyStore<S> {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.pass(Method::Get, |store| store.get(key))
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let pause = self.state().pause;
        thread::sleep(pause);
        self.pass(Method::Commit, |store| store.commit(writes))
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        self.pass(Method::Scan, |store| store.scan(after, limit))
    }

    fn limits(&self) -> Limits {
        self.store.limits()
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        self.pass(Method::Touch, |store| store.touch(used))
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        self.pass(Method::Renew, TokenStore::renew)
    }

    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        self.pass(Method::Find, |store| store.find(query))
    }

    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        self.pass(Method::Wait, |store| store.wait(after, timeout))
    }
}
