//! State shared by the verifier, engine and follower of one engine.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use crate::clock::Clock;
use crate::denied::Denied;
use crate::flood_guard::FloodGuard;
use crate::freshness::{Freshness, Now};
use crate::id::{Id, IdGenerator};
use crate::index::{ApplyOutcome, Change, ChangeKind, Index, IndexEntry, ShortDigest, TokenLookup};
use crate::journal::{Journal, Recorder};
use crate::key::KeyId;
use crate::last_used::UsageTracker;
use crate::owner::OwnerState;
use crate::permission::PermissionSet;
use crate::record::{Entity, IntegrityError, Kind, KnownSets, RecordKey, Sealer, VerifiedRecord};
use crate::schema::Schema;
use crate::session::KnownSessions;
use crate::store::StoreError;
use crate::store::{Cursor, Revision, Stored, TokenStore};
use crate::token::{Credential, ForeignHash, Prefix, TokenDigest};

/// A record that failed verification or is inconsistent: the store is damaged, or was modified
/// without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntegrityFault {
    /// Key of the record.
    pub key: RecordKey,
    /// Kind of fault.
    pub problem: IntegrityFaultKind,
}

/// Kind of an [`IntegrityFault`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntegrityFaultKind {
    /// The record was tampered with or is damaged. Everything that depends on it is refused.
    #[error(transparent)]
    Tampered(#[from] IntegrityError),
    /// The store holds an older version of the record than the engine has read. The engine keeps
    /// the newer version.
    #[error("the store holds an older version of the record; the engine keeps the newer one")]
    RolledBack,
    /// The record was changed while the journal could not be written, so the journal lacks the
    /// change.
    #[error(
        "the record was changed while the journal could not be written: the journal has a gap; \
         check its disk"
    )]
    Unwritten,
    /// Another authorization has the same token and takes precedence.
    #[error("another authorization has the same token and takes precedence")]
    DuplicateToken,
}

/// Callback invoked for each fault when it is detected.
pub type IntegrityCallback = Arc<dyn Fn(&IntegrityFault) + Send + Sync>;

pub(crate) struct EngineState {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) index: Index,
    pub(crate) sealer: Sealer,
    pub(crate) prefix: Prefix,
    pub(crate) schema: Schema,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) freshness: Freshness,
    pub(crate) uses: UsageTracker,
    pub(crate) flood_guard: FloodGuard,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) ids: IdGenerator,
    /// Retention time of tombstones.
    pub(crate) retention: Duration,
    /// Tokens found by their foreign hash, to be given a keyed digest. Lossy.
    pub(crate) adoptions: ArrayQueue<Adoption>,
    /// True once any record has a foreign hash; until then, no check computes one.
    has_foreign: AtomicBool,
    /// True once any record is found by a digest alone.
    by_digest: AtomicBool,
    /// All commits up to this revision are applied.
    caught_up: AtomicU64,
    /// Newest commit of this engine.
    committed: AtomicU64,
    /// Newest commit by any process that an answer of this engine is based on.
    answered: AtomicU64,
    /// Position up to which the follower has read.
    place: Mutex<Cursor>,
    pub(crate) report: Option<IntegrityCallback>,
    faults: Mutex<Vec<IntegrityFault>>,
    sessions: Mutex<KnownSessions>,
    setup_closed: AtomicBool,
}

/// Keyed digest of a token whose record has only a foreign hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adoption {
    pub(crate) id: Id,
    pub(crate) key: KeyId,
    pub(crate) hash: TokenDigest,
}

const ADOPTION_QUEUE: usize = 1024;
/// Records per page when looking for the floor behind the follower's position.
const FLOOR_PAGE: usize = 2000;
/// Records whose MACs are checked together: enough to compute them in parallel, few enough to stay
/// in the cache.
const MAC_BATCH: usize = 64;
/// Further faults are reported, but not kept.
const MAX_KEPT_FAULTS: usize = 1000;

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
            index: Index::new(),
            sealer: parts.sealer,
            prefix: parts.prefix,
            schema: parts.schema,
            uses: UsageTracker::default(),
            flood_guard: FloodGuard::default(),
            recorder: Arc::new(Recorder::new(parts.journal, Arc::clone(&parts.clock))),
            clock: parts.clock,
            freshness: Freshness::new(sharing, parts.max_staleness),
            ids: IdGenerator::default(),
            retention: parts.retention,
            adoptions: ArrayQueue::new(ADOPTION_QUEUE),
            has_foreign: AtomicBool::new(false),
            by_digest: AtomicBool::new(false),
            caught_up: AtomicU64::new(0),
            committed: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            place: Mutex::new(Cursor::start()),
            report: parts.report,
            faults: Mutex::new(Vec::new()),
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
                    handle: self.handle(&credential),
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
            Entity::Session(session, _) => {
                let mut sessions = self.sessions();
                sessions.note(session.id, (sequence, session.expires_at), self.clock.now());
                return None;
            }
            Entity::Bucket(_) | Entity::Settings(_) | Entity::SetUp(_) => return None,
        })
    }

    /// Applies changes to the index, and reports faults.
    pub(crate) fn apply(&self, changes: impl AsRef<[Change]>) {
        // Reported after the index lock is released, because the callback may call the engine.
        let mut faults = Vec::new();
        self.index.apply(changes, |change, outcome| {
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
            Ok(opened) => self.index_entry_with(opened?, |_| sets.last()),
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

    pub(crate) fn fault(&self, key: RecordKey, problem: IntegrityFaultKind) {
        let fault = IntegrityFault { key, problem };
        if let Some(report) = &self.report {
            report(&fault);
        }
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() < MAX_KEPT_FAULTS {
            faults.push(fault);
        }
    }

    /// Returns the first faults, at most [`MAX_KEPT_FAULTS`].
    pub(crate) fn faults(&self) -> Vec<IntegrityFault> {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.clone()
    }

    /// Returns how the index finds a credential.
    pub(crate) fn handle(&self, credential: &Credential) -> TokenLookup {
        let has_foreign = credential.foreign_hash();
        if has_foreign.is_some() {
            self.has_foreign.store(true, Ordering::Relaxed);
        }
        match credential {
            Credential::Native(_, hash) => TokenLookup::ById(hash.short_digest()),
            _ => {
                self.by_digest.store(true, Ordering::Relaxed);
                let keyed = credential.keyed().map(|(_, hash)| hash.short_digest());
                let has_foreign =
                    has_foreign.map(|foreign_hash| self.foreign_short_digest(&foreign_hash));
                TokenLookup::ByDigest([keyed, has_foreign])
            }
        }
    }

    /// Hashes a foreign hash again under the key, so that clients cannot influence the digests that
    /// the index compares.
    pub(crate) fn foreign_short_digest(&self, foreign_hash: &ForeignHash) -> ShortDigest {
        // The oldest secret never changes, whichever one is current.
        let oldest = self.sealer.key().newest_first().last();
        let secret = oldest.unwrap_or(self.sealer.key().current());
        secret.hash.foreign_short_digest(foreign_hash)
    }

    /// Returns the highest sequence of a record that the engine has seen; 0 if it has seen none.
    pub(crate) fn known_sequence(&self, key: RecordKey) -> u64 {
        match key.kind {
            Kind::SESSION => self.sessions().sequence(key.id),
            _ => self.index.sequence(key),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, KnownSessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time, if the index is fresh.
    #[inline]
    pub(crate) fn fresh(&self) -> Result<Now<'_>, Denied> {
        self.freshness.fresh(&*self.clock).ok_or(Denied::Unavailable)
    }

    /// Returns true if a token that carries an id can also be found other than by its id under the
    /// current secret.
    #[inline]
    pub(crate) fn has_other_lookups(&self) -> bool {
        self.has_by_digest() || self.sealer.key().former().len() != 0
    }

    /// Returns true if a token that carries an id must also be looked up by its digest, because its
    /// record does not state the token's format.
    pub(crate) fn has_by_digest(&self) -> bool {
        self.by_digest.load(Ordering::Relaxed)
    }

    /// Returns true if a check that finds nothing must also look for a foreign hash.
    pub(crate) fn has_foreign_hashes(&self) -> bool {
        self.has_foreign.load(Ordering::Relaxed)
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
        let mut cursor = place.clone();
        drop(place);
        loop {
            let page = self.store.scan(&cursor, FLOOR_PAGE)?;
            match page.end {
                Some(end) => return Ok(end.floor),
                None => cursor = page.next,
            }
        }
    }

    /// Returns a new id. Its random bits need not be secret.
    pub(crate) fn next_id(&self) -> Id {
        let mut random = [0; 8];
        // Without random bits the id may equal one of another process; the store then refuses the
        // second.
        let _ = getrandom::fill(&mut random);
        self.ids.next(self.clock.now(), u64::from_le_bytes(random))
    }

    /// Locks every lock of the engine, for tests of code that must not need one.
    #[cfg(test)]
    pub(crate) fn lock_everything(&self) -> impl Sized {
        (self.index.hold(), self.faults.lock(), self.sessions())
    }
}
