//! The engine: an opened store.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::admin::{Admin, SignIn};
use crate::admin_error::AdminError;
use crate::caller::Caller;
use crate::change::Changes;
use crate::engine_state::{EngineParts, EngineState};
use crate::follower::Follower;
use crate::integrity::IntegrityFault;
use crate::journal::{self, JournalSummary};
use crate::key::StoreKey;
use crate::maintenance::{Maintenance, SetUpRequest, SetUpResult};
use crate::open_error::OpenError;
use crate::options::{IfStoreMissing, Options};
use crate::random;
use crate::record::StoreId;
use crate::record::{self, Entity, SETTINGS, Sealer, Settings, SetupState};
use crate::rollback::{self, RollbackReport};
use crate::schema::Schema;
use crate::settings::{check_keys, read_settings};
use crate::store::StoreError;
use crate::store::{Cursor, Revision, TokenStore, Write};
use crate::verifier::Verifier;

/// An opened store. Checks go through its [`Verifier`] and changes through an [`Admin`]; a
/// thread follows the changes of other processes.
///
/// ```
/// use std::sync::Arc;
/// use symbolon::{Action, Caller, Engine, MemoryStore, NewAuthorization, Options, Permission};
/// use symbolon::{NewOrganization, Request, ResourceType, Schema, StoreKey};
///
/// let options = Options::new(Schema::influxdb_v2());
/// let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
/// let root = engine.admin(Caller::Root);
/// let org = root.organizations().create(NewOrganization::named("my-org"))?.id;
/// let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(org);
/// let new = NewAuthorization::new(org, [read]);
/// let (token, authorization) = root.authorizations().create(new)?;
///
/// let request = Request::new(Action::READ, ResourceType::BUCKETS).organization(org);
/// assert_eq!(engine.verifier().check(token.reveal(), &request), Ok(authorization.id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Engine {
    shared: Arc<EngineState>,
    changes: Arc<Changes>,
    rollback: Option<RollbackReport>,
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

/// Bounds of the pause between two comparisons in [`Engine::wait_for`].
const SHORTEST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

impl Engine {
    /// Opens an existing store, and returns once it is loaded.
    ///
    /// # Errors
    ///
    /// [`OpenError::Empty`] if the store was never created, [`OpenError::WrongKey`] if it was
    /// created with another key, [`OpenError::RetiredKey`] if it is from before its key was
    /// rotated, [`OpenError::Settings`] if its settings are missing or tampered,
    /// [`OpenError::Store`] if it cannot be read; [`OpenError::NoJournal`],
    /// [`OpenError::ForeignJournal`] or [`OpenError::Journal`] if the journal does not match it.
    pub fn open(
        store: Arc<dyn TokenStore>,
        key: StoreKey,
        options: Options,
    ) -> Result<Self, OpenError> {
        let settings = read_settings(&*store, &key)?.ok_or(OpenError::Empty)?;
        Self::start(store, key, settings, options)
    }

    /// Opens a store, and creates it if it is empty.
    ///
    /// # Errors
    ///
    /// Those of [`Engine::open`] except [`OpenError::Empty`]; [`OpenError::StoreMissing`] if the
    /// store is empty although its journal records changes, see [`Options::if_store_missing`].
    pub fn create(
        store: Arc<dyn TokenStore>,
        key: StoreKey,
        options: Options,
    ) -> Result<Self, OpenError> {
        let settings = match read_settings(&*store, &key)? {
            Some(settings) => settings,
            None => make_settings(&*store, &key, &options)?,
        };
        Self::start(store, key, settings, options)
    }

    fn start(
        store: Arc<dyn TokenStore>,
        key: StoreKey,
        settings: Settings,
        options: Options,
    ) -> Result<Self, OpenError> {
        check_keys(&settings, &key)?;
        // Before the store is read: otherwise commits in between would look as if the store lacked
        // them.
        let summary = options.journal.as_deref().map(JournalSummary::of).transpose()?;
        let shared = Arc::new(EngineState::new(EngineParts {
            store,
            journal: options.journal,
            sealer: Sealer::new(settings.store, key),
            prefix: settings.prefix,
            schema: options.schema,
            clock: options.clock,
            max_staleness: options.max_staleness,
            retention: options.retention,
            report: options.report,
        }));
        if settings.setup >= SetupState::Closed {
            shared.close_setup();
        }
        let changes = Arc::new(Changes::new(Arc::clone(&shared)));
        let mut follower = Follower::new(Arc::clone(&shared));
        follower.catch_up()?;
        // The first pass may have taken longer than the staleness limit allows.
        follower.catch_up()?;
        let rollback = rollback::replay_revocations(
            &shared,
            &changes,
            &mut follower,
            summary,
            options.unjournaled_store,
        )?;
        let current = shared.sealer.key().current().id;
        if !settings.keys.contains(&current) {
            // A rotation was interrupted. From here on records are sealed under this key, too.
            changes.name_keys()?;
        }
        if let Some(time) = options.revoke_created_before {
            changes.revoke_created_before(time, &mut |_| {})?;
        }
        changes.flush_last_uses();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (stop, changes) = (Arc::clone(&stop), Arc::clone(&changes));
            let run = move || follow(&mut follower, &changes, &stop);
            let thread = std::thread::Builder::new().name("symbolon-follower".into());
            thread.spawn(run).map_err(StoreError::backend)?
        };
        Ok(Self { shared, changes, rollback, thread: Some(thread), stop })
    }

    /// Returns a handle for checks.
    pub fn verifier(&self) -> Verifier {
        Verifier::new(Arc::clone(&self.shared.checks))
    }

    /// Returns the administration of the store on behalf of `caller`.
    pub fn admin(&self, caller: Caller) -> Admin {
        Admin::new(Arc::clone(&self.changes), caller)
    }

    /// Returns the authentication by password and by session.
    pub fn sign_in(&self) -> SignIn {
        SignIn::new(Arc::clone(&self.changes))
    }

    /// Returns the maintenance of the store, which checks no caller.
    pub fn maintenance(&self) -> Maintenance {
        Maintenance::new(Arc::clone(&self.changes))
    }

    /// Returns true if [`Engine::set_up_unused`] is possible: the store was never written to.
    ///
    /// # Errors
    ///
    /// Those of [`Maintenance::is_set_up`].
    pub fn is_setup_open(&self) -> Result<bool, AdminError> {
        self.changes.is_setup_open()
    }

    /// Sets the store up like [`Maintenance::set_up`], for a caller that does not hold the key. It
    /// fails if the store was ever written to.
    ///
    /// # Errors
    ///
    /// Those of [`Maintenance::set_up`]; [`AdminError::SetUpClosed`] if the store is in use.
    pub fn set_up_unused(&self, first: &SetUpRequest) -> Result<SetUpResult, AdminError> {
        self.maintenance().set_up_unused(first)
    }

    /// Returns the store itself, for example for a backup.
    pub fn store(&self) -> Arc<dyn TokenStore> {
        Arc::clone(&self.shared.store)
    }

    /// Reads from the store, to determine whether it can be read.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`] if it cannot.
    pub fn check_store(&self) -> Result<(), AdminError> {
        Ok(self.shared.store.get(&SETTINGS).map(drop)?)
    }

    /// Returns the schema with which the engine was opened.
    pub fn schema(&self) -> &Schema {
        &self.shared.schema
    }

    /// Returns the revision up to which checks see all commits.
    pub fn caught_up(&self) -> Revision {
        self.shared.caught_up()
    }

    /// Returns a commit that includes every change for which this engine has returned `Ok`,
    /// including changes that found nothing left to do. An engine whose
    /// [`Engine::caught_up`] has reached it, in this process or another, sees them all.
    pub fn committed(&self) -> Revision {
        self.shared.answered()
    }

    /// Waits until checks see all commits up to `revision`, but no longer than `timeout`. Returns
    /// true if they do.
    pub fn wait_for(&self, revision: Revision, timeout: Duration) -> bool {
        let start = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        while self.caught_up() < revision {
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            // The follower does not watch a store without other writers, and may learn late of
            // writes to one that has them.
            self.wake();
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        true
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Returns the number of authorizations, users and organizations in the index.
    pub fn len(&self) -> usize {
        self.shared.checks.index.len()
    }

    /// Returns true if the index is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the first 1,000 integrity faults that were found.
    pub fn faults(&self) -> Vec<IntegrityFault> {
        self.shared.faults()
    }

    /// Returns a report if the store was found to be rolled back when it was opened.
    pub fn rollback(&self) -> Option<&RollbackReport> {
        self.rollback.as_ref()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // A panic of the follower leaves nothing to clean up.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("shared", &self.shared).finish_non_exhaustive()
    }
}

fn make_settings(
    store: &dyn TokenStore,
    key: &StoreKey,
    options: &Options,
) -> Result<Settings, OpenError> {
    if let Some(journal) = &options.journal
        && options.if_store_missing == IfStoreMissing::Refuse
        && !journal::is_unused(&**journal)?
    {
        // Another process may have created the store since it was found empty.
        return read_settings(store, key)?.ok_or(OpenError::StoreMissing);
    }
    let mut id = StoreId::default();
    random::fill(&mut id.0)?;
    let settings = Settings {
        store: id,
        prefix: options.prefix,
        keys: key.ids().collect(),
        created_at: options.clock.now(),
        setup: SetupState::Open,
    };
    let record = record::seal(key, StoreId::default(), &Entity::Settings(settings.clone()), 1);
    if let Some(journal) = &options.journal
        && let Some(end) = store.scan(&Cursor::start(), 1)?.end
    {
        rollback::journal_new_store(&**journal, settings.created_at, id.to_string(), end)?;
    }
    let write = Write::Put { record, expected: Revision::ABSENT };
    match store.commit(&[write]) {
        Ok(_) => Ok(settings),
        // Another process created it at the same moment, or this commit was written and not
        // confirmed.
        Err(StoreError::Conflict(_)) => read_settings(store, key)?.ok_or(OpenError::Settings),
        Err(error @ StoreError::Backend(_)) => read_settings(store, key)?.ok_or(error.into()),
        Err(error) => Err(error.into()),
    }
}

fn follow(follower: &mut Follower, changes: &Changes, stop: &AtomicBool) {
    let stopped = || stop.load(Ordering::Acquire);
    while !stopped() {
        follower.sleep(&stopped);
        // After an error the index stays as fresh as it was; checks become unavailable once it is
        // too old.
        let _ = follower.catch_up();
        if follower.is_replay_pending() && changes.revoke_reappeared().is_ok() {
            follower.mark_replayed();
        }
        changes.adopt_pending();
        changes.flush_last_uses();
    }
    changes.flush_last_uses_now();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NewOrganization;
    use crate::{Action, Caller, Denied, MemoryStore, NewAuthorization, Permission};
    use crate::{Request, ResourceType};

    /// Holds every lock in this thread, which cannot take one a second time: a check that took a
    /// lock would hang.
    #[test]
    fn a_million_checks_take_no_lock() {
        let options = Options::new(Schema::influxdb_v2());
        let key = StoreKey::generate().unwrap();
        let engine = Engine::create(Arc::new(MemoryStore::new()), key, options).unwrap();
        let org = engine
            .admin(Caller::Root)
            .organizations()
            .create(NewOrganization::named("org"))
            .unwrap()
            .id;
        let read = Permission::new(Action::READ, ResourceType::BUCKETS);
        let made =
            engine.admin(Caller::Root).authorizations().create(NewAuthorization::new(org, [read]));
        let (token, authorization) = made.unwrap();
        let verifier = engine.verifier();
        let grant = verifier.authenticate(token.reveal()).unwrap();
        let (read, write) = (
            Request::new(Action::READ, ResourceType::BUCKETS),
            Request::new(Action::WRITE, ResourceType::BUCKETS),
        );
        let id = authorization.id;
        let locks = engine.shared.lock_everything();
        for _ in 0..250_000 {
            assert_eq!(verifier.check(token.reveal(), &read), Ok(id));
            assert_eq!(grant.check(&read), Ok(id));
            assert_eq!(verifier.check(token.reveal(), &write), Err(Denied::Forbidden(id)));
            assert_eq!(verifier.check("x".repeat(40), &read), Err(Denied::Unknown));
        }
        drop(locks);
    }
}
