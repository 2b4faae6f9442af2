//! What verifier, issuer and follower of one engine share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use crate::clock::Clock;
use crate::error::{Denied, StoreError};
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
use crate::store::{Cursor, Revision, Stored, TokenStore};
use crate::token::{Credential, ForeignHash, Prefix, TokenDigest};

/// Something about a record that should not be: the store was changed by somebody without the key, or is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntegrityFault {
    /// Which record.
    pub key: RecordKey,
    /// What about it.
    pub problem: IntegrityFaultKind,
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntegrityFaultKind {
    /// It is not genuine; what hangs on it is refused.
    #[error(transparent)]
    Tampered(#[from] IntegrityError),
    /// An older, genuine version of it was put back; the newer one still holds.
    #[error("an older version of the record was put back; the newer one still holds")]
    RolledBack,
    /// It was changed, which the journal does not tell, for it could not be written.
    #[error(
        "it was changed while the journal could not be written: the journal has a gap; see to its disk"
    )]
    Unwritten,
    /// It has the same token as another authorization, which holds.
    #[error("another authorization has the same token; that one holds")]
    DuplicateToken,
}

/// Called with every fault as it is noticed.
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
    /// How long what has ended is kept.
    pub(crate) retention: Duration,
    /// Tokens that were found by their locator, to be given a keyed hash. Lossy.
    pub(crate) adoptions: ArrayQueue<Adoption>,
    /// Whether any record has a locator; until there is one, no check hashes for it.
    has_foreign: AtomicBool,
    /// Whether any record is found by a digest alone.
    by_digest: AtomicBool,
    /// All commits up to this one are applied.
    caught_up: AtomicU64,
    /// The newest commit of this engine.
    committed: AtomicU64,
    /// The newest commit that an answer of this engine rests on, by whomever, where it is not one of its own.
    answered: AtomicU64,
    /// Up to where the follower has read.
    place: Mutex<Cursor>,
    pub(crate) report: Option<IntegrityCallback>,
    faults: Mutex<Vec<IntegrityFault>>,
    sessions: Mutex<KnownSessions>,
    setup_closed: AtomicBool,
}

/// The keyed hash of a token whose record has only a locator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adoption {
    pub(crate) id: Id,
    pub(crate) key: KeyId,
    pub(crate) hash: TokenDigest,
}

const ADOPTION_QUEUE: usize = 1024;
/// What was written since the follower read, in pages of so many.
const FLOOR_PAGE: usize = 2000;
/// Records that are checked together: enough that their MACs are computed in parallel, and few enough to stay close.
const MAC_BATCH: usize = 64;
/// Faults beyond these are reported, but not kept.
const MAX_KEPT_FAULTS: usize = 1000;

impl std::fmt::Debug for EngineState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineState")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// The parts of [`EngineState`] that whoever opens an engine gives.
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

    /// What an entity that was written so many times means to the index.
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

    /// Takes over changes into the index, and reports what is not as it should be.
    pub(crate) fn apply(&self, changes: impl AsRef<[Change]>) {
        // Told afterwards: whoever hears of a fault may ask the engine in turn.
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

    /// An older version of a record was read than is known. It was put back; unless the record is gone, for then it was
    /// read before its purge and is taken over after it.
    pub(crate) fn replayed(&self, key: RecordKey) {
        if !matches!(self.store.get(&key), Ok(None)) {
            self.fault(key, IntegrityFaultKind::RolledBack);
        }
    }

    /// Reads stored records and takes them over.
    pub(crate) fn take<'a>(&self, stored: impl IntoIterator<Item = &'a Stored>) {
        self.apply(self.read_all(stored, &mut KnownSets::default()));
    }

    /// What stored records mean to the index, decoded before it is locked for them. Those that mean nothing to it are left
    /// out. A record that is not genuine is reported here, and denies whatever hangs on it.
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

    /// The record as it is in the store now; it is taken over as well.
    pub(crate) fn fetch(&self, key: RecordKey) -> Result<Option<Stored>, StoreError> {
        let stored = self.store.get(&key)?;
        self.take(&stored);
        Ok(stored)
    }

    /// The record is gone from the store.
    pub(crate) fn forget(&self, key: RecordKey) {
        self.apply([Change {
            key,
            revision: Revision(u64::MAX),
            what: ChangeKind::Purged,
        }]);
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

    /// The first faults that were noticed.
    pub(crate) fn faults(&self) -> Vec<IntegrityFault> {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.clone()
    }

    /// How the index finds a credential.
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

    /// A locator is hashed once more under the key, so that whoever presents tokens cannot steer what the index
    /// compares.
    pub(crate) fn foreign_short_digest(&self, foreign_hash: &ForeignHash) -> ShortDigest {
        // The first secret stays for ever, whichever is current.
        let oldest = self.sealer.key().newest_first().last();
        let secret = oldest.unwrap_or(self.sealer.key().current());
        secret.hash.foreign_short_digest(foreign_hash)
    }

    /// How many times the newest version that is known of a record had been written; 0 if nothing is known of it.
    pub(crate) fn known_sequence(&self, key: RecordKey) -> u64 {
        match key.kind {
            Kind::SESSION => self.sessions().sequence(key.id),
            _ => self.index.sequence(key),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, KnownSessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time, if the index may be relied on now.
    #[inline]
    pub(crate) fn fresh(&self) -> Result<Now<'_>, Denied> {
        self.freshness
            .fresh(&*self.clock)
            .ok_or(Denied::Unavailable)
    }

    /// Whether a token that carries an id may be found in another way than by it under the current key.
    #[inline]
    pub(crate) fn has_other_lookups(&self) -> bool {
        self.has_by_digest() || self.sealer.key().former().len() != 0
    }

    /// Whether a token that carries an id must be looked for by its digest too: whoever wrote its record did not say what
    /// form it has.
    pub(crate) fn has_by_digest(&self) -> bool {
        self.by_digest.load(Ordering::Relaxed)
    }

    /// Whether a check that found nothing must look for a locator too.
    pub(crate) fn has_foreign_hashes(&self) -> bool {
        self.has_foreign.load(Ordering::Relaxed)
    }

    pub(crate) fn caught_up(&self) -> Revision {
        Revision(self.caught_up.load(Ordering::Acquire))
    }

    pub(crate) fn committed(&self) -> Revision {
        Revision(self.committed.load(Ordering::Acquire))
    }

    /// This engine made the commit `revision`.
    pub(crate) fn commit(&self, revision: Revision) {
        self.committed.fetch_max(revision.0, Ordering::Release);
    }

    /// Every answer so far rests on this commit or an earlier one.
    pub(crate) fn answered(&self) -> Revision {
        let answered = Revision(self.answered.load(Ordering::Acquire));
        answered.max(self.committed())
    }

    /// An answer rests on the commit `revision`.
    pub(crate) fn answer(&self, revision: Revision) {
        self.answered.fetch_max(revision.0, Ordering::Release);
    }

    /// The store was put back to `head`: commits count on from there.
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

    /// All up to `revision` is applied; what was written since stands behind `place`. The follower alone says so, and in
    /// another life of the store it may be less than before.
    pub(crate) fn catch_up(&self, revision: Revision, place: Cursor) {
        self.caught_up.store(revision.0, Ordering::Release);
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    /// The newest purge of the store, by whomever.
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

    /// Random bits for an id, which need not be secret.
    pub(crate) fn next_id(&self) -> Id {
        let mut random = [0; 8];
        // Without random bits ids may meet those of another process; a store then refuses the second.
        let _ = getrandom::fill(&mut random);
        self.ids.next(self.clock.now(), u64::from_le_bytes(random))
    }

    /// Holds every lock of the engine, for tests of what must do without.
    #[cfg(test)]
    pub(crate) fn lock_everything(&self) -> impl Sized {
        (self.index.hold(), self.faults.lock(), self.sessions())
    }
}
