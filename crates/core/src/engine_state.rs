//! State of one engine, shared by its changes and its follower.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::check_state::CheckState;
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::id::{Id, IdGenerator};
use crate::index::{ApplyOutcome, Change, ChangeKind, IndexEntry};
use crate::integrity::{FaultLog, IntegrityCallback, IntegrityFault, IntegrityFaultKind};
use crate::journal::{Journal, Recorder};
use crate::owner::OwnerState;
use crate::permission::PermissionSet;
use crate::record::{Entity, IntegrityError, Kind, KnownSets, RecordKey, Sealer, VerifiedRecord};
use crate::schema::Schema;
use crate::session::KnownSessions;
use crate::store::StoreError;
use crate::store::{Cursor, Revision, ScannedPages, Stored, TokenStore};
use crate::time::Timestamp;
use crate::token::Prefix;

/// State of one engine, shared by its changes and its follower.
pub(crate) struct EngineState {
    pub(crate) store: Arc<dyn TokenStore>,
    /// State that checks read.
    pub(crate) checks: Arc<CheckState>,
    pub(crate) sealer: Sealer,
    pub(crate) schema: Schema,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) ids: IdGenerator,
    /// Retention time of tombstones.
    pub(crate) retention: Duration,
    /// All commits up to this revision are applied.
    caught_up: AtomicU64,
    /// Newest commit of this engine.
    committed: AtomicU64,
    /// Newest commit by any process that an answer of this engine is based on.
    answered: AtomicU64,
    /// Position up to which the follower has read.
    place: Mutex<Cursor>,
    faults: FaultLog,
    sessions: Mutex<KnownSessions>,
    setup_closed: AtomicBool,
}

/// Records per page when looking for the floor behind the follower's position.
const FLOOR_PAGE: usize = 2000;
/// Records whose MACs are checked together: enough to compute them in parallel, few enough to stay
/// in the cache.
const MAC_BATCH: usize = 64;

impl std::fmt::Debug for EngineState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineState").field("store", &self.store).finish_non_exhaustive()
    }
}

/// The parts of [`EngineState`] that are given when an engine is opened.
pub(crate) struct EngineParts {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) sealer: Sealer,
    pub(crate) prefix: Prefix,
    pub(crate) schema: Schema,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) journal: Option<Arc<dyn Journal>>,
    pub(crate) max_staleness: Duration,
    pub(crate) retention: Duration,
    pub(crate) report: Option<IntegrityCallback>,
}

impl EngineState {
    pub(crate) fn new(parts: EngineParts) -> Self {
        let sharing = parts.store.limits().sharing;
        Self {
            store: parts.store,
            recorder: Arc::new(Recorder::new(parts.journal, Arc::clone(&parts.clock))),
            checks: Arc::new(CheckState::new(
                parts.sealer.key().hash_secrets(),
                parts.prefix,
                parts.clock,
                Freshness::new(sharing, parts.max_staleness),
            )),
            sealer: parts.sealer,
            schema: parts.schema,
            ids: IdGenerator::default(),
            retention: parts.retention,
            caught_up: AtomicU64::new(0),
            committed: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            place: Mutex::new(Cursor::start()),
            faults: FaultLog::new(parts.report),
            sessions: Mutex::default(),
            setup_closed: AtomicBool::new(false),
        }
    }

    /// Converts an entity and its sequence into a change of the index; none if the index does not
    /// hold its kind.
    pub(crate) fn index_entry(&self, opened: (Entity, u64)) -> Option<ChangeKind> {
        self.index_entry_with(opened, Arc::new)
    }

    fn index_entry_with(
        &self,
        (entity, sequence): (Entity, u64),
        share: impl FnOnce(PermissionSet) -> Arc<PermissionSet>,
    ) -> Option<ChangeKind> {
        Some(match entity {
            Entity::Authorization(authorization, credential) => {
                let index_entry = IndexEntry {
                    handle: self.checks.handle(&credential),
                    status: authorization.status,
                    expires: authorization.expires_at,
                    user: authorization.user,
                    organization: authorization.organization,
                    permissions: share(authorization.permissions),
                };
                ChangeKind::Authorization(index_entry, sequence)
            }
            Entity::User(user) => ChangeKind::Owner(OwnerState::from(user.status), sequence),
            Entity::Organization(organization) => {
                ChangeKind::Owner(OwnerState::from(organization.status), sequence)
            }
            Entity::Session(..) | Entity::Bucket(_) | Entity::Settings(_) | Entity::SetUp(_) => {
                return None;
            }
        })
    }

    /// Applies changes to the index, and reports faults.
    pub(crate) fn apply(&self, changes: impl AsRef<[Change]>) {
        // Reported after the index lock is released, because the callback may call the engine.
        let mut faults = Vec::new();
        self.checks.index.apply(changes, |change, outcome| {
            let problem = match outcome {
                ApplyOutcome::Applied | ApplyOutcome::Known => return,
                ApplyOutcome::RolledBack => IntegrityFaultKind::RolledBack,
                ApplyOutcome::DuplicateToken => IntegrityFaultKind::DuplicateToken,
            };
            faults.push((change.key, problem));
        });
        for (key, problem) in faults {
            match problem {
                IntegrityFaultKind::RolledBack => self.replayed(key),
                problem => self.fault(key, problem),
            }
        }
    }

    /// Handles an older version of a record than the engine has read. Reports a rollback, unless
    /// the record no longer exists: then it was read before its purge and is applied after it.
    pub(crate) fn replayed(&self, key: RecordKey) {
        if !matches!(self.store.get(&key), Ok(None)) {
            self.fault(key, IntegrityFaultKind::RolledBack);
        }
    }

    /// Reads stored records and applies them.
    pub(crate) fn take<'a>(&self, stored: impl IntoIterator<Item = &'a Stored>) {
        self.apply(self.read_all(stored, &mut KnownSets::default()));
    }

    /// Decodes stored records into changes before the index is locked for them. Leaves out records
    /// that the index does not hold. A tampered record is reported here, and its change refuses
    /// everything that depends on it.
    pub(crate) fn read_all<'a>(
        &self,
        stored: impl IntoIterator<Item = &'a Stored>,
        sets: &mut KnownSets,
    ) -> Vec<Change> {
        let mut stored = stored.into_iter();
        let mut changes = Vec::with_capacity(stored.size_hint().0);
        loop {
            let some: Vec<_> = stored.by_ref().take(MAC_BATCH).collect();
            if some.is_empty() {
                return changes;
            }
            let records: Vec<_> = some.iter().map(|stored| &stored.record).collect();
            let checked = self.sealer.check_all(&records);
            changes.extend(some.iter().zip(checked).filter_map(|(stored, authentic)| {
                Some(Change {
                    key: stored.record.key,
                    revision: stored.revision,
                    what: self.meaning(stored.record.key, authentic, sets)?,
                })
            }));
        }
    }

    fn meaning(
        &self,
        key: RecordKey,
        authentic: Result<VerifiedRecord<'_>, IntegrityError>,
        sets: &mut KnownSets,
    ) -> Option<ChangeKind> {
        match authentic.and_then(|authentic| authentic.open(Some(sets))) {
            Ok(opened) => {
                let opened = opened?;
                if let (Entity::Session(session, _), sequence) = &opened {
                    self.note_session(session.id, *sequence, session.expires_at);
                }
                self.index_entry_with(opened, |_| sets.last())
            }
            Err(error) => {
                self.fault(key, IntegrityFaultKind::Tampered(error));
                Some(ChangeKind::Tampered)
            }
        }
    }

    /// Returns the stored record, and applies it.
    pub(crate) fn fetch(&self, key: RecordKey) -> Result<Option<Stored>, StoreError> {
        let stored = self.store.get(&key)?;
        self.take(&stored);
        Ok(stored)
    }

    /// Removes a record from the index after its purge.
    pub(crate) fn forget(&self, key: RecordKey) {
        self.apply([Change { key, revision: Revision(u64::MAX), what: ChangeKind::Purged }]);
    }

    /// Reports and keeps a fault.
    pub(crate) fn fault(&self, key: RecordKey, problem: IntegrityFaultKind) {
        self.faults.add(IntegrityFault { key, problem });
    }

    /// Returns the first faults.
    pub(crate) fn faults(&self) -> Vec<IntegrityFault> {
        self.faults.first()
    }

    /// Returns the highest sequence of a record that the engine has seen; 0 if it has seen none.
    pub(crate) fn known_sequence(&self, key: RecordKey) -> u64 {
        match key.kind {
            Kind::SESSION => self.sessions().sequence(key.id),
            _ => self.checks.index.sequence(key),
        }
    }

    /// Remembers a version of a session that is in the store. Earlier ones are refused from now on.
    pub(crate) fn note_session(&self, id: Id, sequence: u64, expires: Timestamp) {
        self.sessions().note(id, (sequence, expires), self.checks.clock.now());
    }

    fn sessions(&self) -> MutexGuard<'_, KnownSessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn caught_up(&self) -> Revision {
        Revision(self.caught_up.load(Ordering::Acquire))
    }

    pub(crate) fn committed(&self) -> Revision {
        Revision(self.committed.load(Ordering::Acquire))
    }

    /// Records that this engine committed `revision`.
    pub(crate) fn commit(&self, revision: Revision) {
        self.committed.fetch_max(revision.0, Ordering::Release);
    }

    /// Returns the newest commit that any answer so far is based on.
    pub(crate) fn answered(&self) -> Revision {
        let answered = Revision(self.answered.load(Ordering::Acquire));
        answered.max(self.committed())
    }

    /// Records that an answer is based on the commit `revision`.
    pub(crate) fn answer(&self, revision: Revision) {
        self.answered.fetch_max(revision.0, Ordering::Release);
    }

    /// Records that the store was rolled back to `head`: revisions continue from there.
    pub(crate) fn roll_back(&self, head: Revision) {
        self.answered.store(head.0, Ordering::Release);
        self.committed.store(head.0, Ordering::Release);
    }

    /// Returns true once this engine knows that the store can no longer be set up without its key.
    pub(crate) fn is_setup_closed(&self) -> bool {
        self.setup_closed.load(Ordering::Relaxed)
    }

    /// Remembers that the store can no longer be set up without its key.
    pub(crate) fn close_setup(&self) {
        self.setup_closed.store(true, Ordering::Relaxed);
    }

    /// Records that everything up to `revision` is applied, and that newer records follow `place`.
    /// Only called by the follower. In another epoch, `revision` may be lower than before.
    pub(crate) fn catch_up(&self, revision: Revision, place: Cursor) {
        self.caught_up.store(revision.0, Ordering::Release);
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    /// Returns the floor of the store: the revision of the newest purge by any process.
    pub(crate) fn floor(&self) -> Result<Revision, StoreError> {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let cursor = place.clone();
        drop(place);
        let mut floor = Revision::ABSENT;
        for page in ScannedPages::new(&*self.store, cursor, FLOOR_PAGE) {
            floor = page?.end.map_or(floor, |end| end.floor);
        }
        Ok(floor)
    }

    /// Returns a new id. Its random bits need not be secret.
    pub(crate) fn next_id(&self) -> Id {
        let mut random = [0; 8];
        // Without random bits the id may equal one of another process; the store then refuses the
        // second.
        let _ = getrandom::fill(&mut random);
        self.ids.next(self.checks.clock.now(), u64::from_le_bytes(random))
    }

    /// Locks every lock of the engine, for tests of code that must not need one.
    #[cfg(test)]
    pub(crate) fn lock_everything(&self) -> impl Sized {
        (self.checks.index.hold(), self.faults.lock(), self.sessions())
    }
}
