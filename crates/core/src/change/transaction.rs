//! A read-modify-write: the records that were read, and the writes that depend on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::audit_context::AuditContext;
use super::guard_cache::GuardCache;
use crate::admin_error::AdminError;
use crate::engine_state::EngineState;
use crate::id::Id;
use crate::index::{Change, ChangeKind};
use crate::integrity::IntegrityFaultKind;
use crate::journal::{Intent, Revocation, WrittenRecord, mark};
use crate::record::{Entity, IntegrityError, Kind, MAX_RECORD, Record, RecordKey};
use crate::status::Status;
use crate::store::{Revision, Stored, Write};
use crate::time::Timestamp;

/// Reads records, and collects writes that expect the revisions that were read.
pub(crate) struct Transaction<'a> {
    pub(crate) shared: &'a EngineState,
    now: Timestamp,
    read: BTreeMap<RecordKey, Option<Stored>>,
    writes: BTreeMap<RecordKey, Planned>,
    ends: Vec<Revocation>,
    guard_cache: Option<&'a GuardCache>,
    /// Records that were taken from the cache instead of the store.
    cached: Vec<RecordKey>,
}

enum Planned {
    Put {
        record: Record,
        /// Its entry for the index.
        entry: Option<ChangeKind>,
        sequence: u64,
        /// Expiry of a session.
        expires: Option<Timestamp>,
    },
    Purge,
    Guard,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(shared: &'a EngineState) -> Self {
        Self {
            shared,
            now: shared.checks.clock.now(),
            read: BTreeMap::new(),
            writes: BTreeMap::new(),
            ends: Vec::new(),
            guard_cache: None,
            cached: Vec::new(),
        }
    }

    /// Creates a transaction that takes recently guarded records from a cache, and guards them.
    pub(super) fn with_cache(shared: &'a EngineState, guard_cache: &'a GuardCache) -> Self {
        Self { guard_cache: Some(guard_cache), ..Self::new(shared) }
    }

    /// Returns the records from the cache. They may be out of date, which only a commit verifies.
    pub(crate) fn cached(&self) -> &[RecordKey] {
        &self.cached
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Signs the session with this id out, unless it is signed out or expired.
    pub(crate) fn end_session(&mut self, id: Id) -> Result<(), AdminError> {
        let (mut session, digest) = self.session(id)?;
        let now = self.now;
        if session.over_at() > now {
            session.ended_at = Some(now);
            self.put(Entity::Session(session, digest))?;
        }
        Ok(())
    }

    /// Draws an id that no record of this kind has or had, as far as the index knows. If a record
    /// exists after all, the commit fails and the rule runs again with another id.
    pub(crate) fn new_id(&mut self, kind: Kind) -> Id {
        loop {
            let id = self.shared.next_id();
            if self.assume_absent(RecordKey::new(kind, id)) {
                return id;
            }
        }
    }

    /// Assumes that the store has no record under `key`, which the commit verifies. Returns false
    /// and assumes nothing if the record was read, or if the index knows or knew it.
    pub(crate) fn assume_absent(&mut self, key: RecordKey) -> bool {
        let unknown = !self.read.contains_key(&key) && self.shared.known_sequence(key) == 0;
        if unknown {
            self.read.insert(key, None);
        }
        unknown
    }

    /// Lets the commit fail if the record is not as it was read.
    pub(crate) fn guard(&mut self, key: RecordKey) -> Result<(), AdminError> {
        if self.is_outdated(key)? {
            return Err(AdminError::Tampered(key));
        }
        self.writes.entry(key).or_insert(Planned::Guard);
        Ok(())
    }

    /// Writes `entity` over the record that was read, or as a new record, with the next sequence
    /// after the newest known version. A record that was rolled back can only be revoked.
    pub(crate) fn put(&mut self, entity: Entity) -> Result<(), AdminError> {
        let key = entity.key();
        let ends = entity.status() == Some(Status::Revoked);
        if !ends && self.is_outdated(key)? {
            return Err(AdminError::Tampered(key));
        }
        let sequence = self.sequence(key)?.max(self.shared.known_sequence(key)) + 1;
        let record = self.shared.sealer.seal(&entity, sequence);
        if record.size() > MAX_RECORD {
            return Err(AdminError::TooLarge);
        }
        if ends {
            self.ends(&entity, self.now);
        }
        let expires = session_expiry(&entity);
        let entry = self.shared.index_entry((entity, sequence));
        self.writes.insert(key, Planned::Put { record, entry, sequence, expires });
        Ok(())
    }

    /// Seals the record under the current secret. Returns true if it was sealed under another.
    pub(crate) fn reseal(&mut self, key: RecordKey) -> Result<bool, AdminError> {
        if self.is_outdated(key)? {
            return Err(AdminError::Tampered(key));
        }
        let Some(stored) = self.read(key)?.cloned() else {
            return Ok(false);
        };
        let resealed = self.shared.sealer.reseal(&stored.record);
        let Some((record, sequence)) = resealed.map_err(|error| self.tampered(key, error))? else {
            return Ok(false);
        };
        let entity = self.open(&stored)?.map(|(entity, _)| entity);
        let expires = entity.as_ref().and_then(session_expiry);
        let entry = entity.and_then(|entity| self.shared.index_entry((entity, sequence)));
        self.writes.insert(key, Planned::Put { record, entry, sequence, expires });
        Ok(true)
    }

    /// Records in the journal that `entity` is revoked from `at` on.
    pub(crate) fn ends(&mut self, entity: &Entity, at: Timestamp) {
        let mark = match entity {
            Entity::Authorization(_, credential) => Some(mark(&credential.unique_key())),
            _ => None,
        };
        let key = entity.key();
        self.ends.push(Revocation { key, at, mark });
    }

    /// Returns the intent of this transaction for the journal.
    pub(crate) fn intent(&self, audit_context: AuditContext) -> Intent {
        let target = |(key, planned): (&RecordKey, &Planned)| {
            let sequence = match planned {
                Planned::Put { sequence, .. } => *sequence,
                Planned::Purge => 0,
                Planned::Guard => return None,
            };
            Some(WrittenRecord { key: *key, sequence })
        };
        Intent {
            actor: audit_context.actor,
            operation: audit_context.operation,
            writes: self.writes.iter().filter_map(target).collect(),
            ends: self.ends.clone(),
        }
    }

    /// Returns true if this transaction writes a record under `key`.
    pub(crate) fn plans(&self, key: RecordKey) -> bool {
        matches!(self.writes.get(&key), Some(Planned::Put { .. }))
    }

    /// Purges the record under `key`, if there is one.
    pub(crate) fn purge(&mut self, key: RecordKey) -> Result<(), AdminError> {
        let Some(stored) = self.read(key)?.cloned() else {
            return Ok(());
        };
        // List the records of a deleted owner as revoked: its id may be created again.
        if let Ok(Some((entity, _))) = self.shared.sealer.open(&stored.record)
            && entity.status() != Some(Status::Revoked)
            && !is_over(&entity, self.now)
        {
            self.ends(&entity, self.now);
        }
        self.writes.insert(key, Planned::Purge);
        Ok(())
    }

    /// Returns true if there is nothing to write.
    pub(crate) fn is_noop(&self) -> bool {
        self.writes.values().all(|planned| matches!(planned, Planned::Guard))
    }

    pub(crate) fn writes(&self) -> Arc<[Write]> {
        let each = |(key, planned): (&RecordKey, &Planned)| {
            let read = self.read.get(key).and_then(Option::as_ref);
            let expected = read.map_or(Revision::ABSENT, |stored| stored.revision);
            let key = *key;
            match planned {
                Planned::Put { record, .. } => Write::Put { record: record.clone(), expected },
                Planned::Purge => Write::Purge { key, expected },
                Planned::Guard => Write::Guard { key, expected },
            }
        };
        self.writes.iter().map(each).collect()
    }

    /// Caches the records that were read and guarded, after their commit.
    pub(super) fn cache_guarded(&self, guard_cache: &GuardCache) {
        let guarded = self.read.iter().filter_map(|(key, stored)| {
            let guarded = matches!(self.writes.get(key), Some(Planned::Guard));
            stored.clone().filter(|_| guarded && !self.cached.contains(key))
        });
        guard_cache.keep(guarded, self.now);
    }

    /// Remembers the sessions that were committed.
    pub(super) fn note_sessions(&self) {
        for (key, planned) in &self.writes {
            if let Planned::Put { sequence, expires: Some(expires), .. } = planned {
                self.shared.note_session(key.id, *sequence, *expires);
            }
        }
    }

    /// Returns the changes that the commit at `revision` makes to the index.
    pub(crate) fn changes(self, revision: Revision) -> impl Iterator<Item = Change> {
        self.writes.into_iter().filter_map(move |(key, planned)| {
            let what = match planned {
                Planned::Put { entry, .. } => entry?,
                Planned::Purge => ChangeKind::Purged,
                Planned::Guard => return None,
            };
            Some(Change { key, revision, what })
        })
    }

    /// Returns true if the store holds under `key` what this transaction writes there.
    pub(crate) fn is_done(&self, key: RecordKey, stored: Option<&Stored>) -> bool {
        match self.writes.get(&key) {
            Some(Planned::Put { record, .. }) => {
                stored.is_some_and(|stored| stored.record == *record)
            }
            Some(Planned::Purge) => stored.is_none(),
            Some(Planned::Guard) | None => true,
        }
    }

    /// Returns all records that were read.
    pub(crate) fn into_read(self) -> impl Iterator<Item = Stored> {
        self.read.into_values().flatten()
    }

    pub(super) fn entity(&mut self, key: RecordKey) -> Result<Entity, AdminError> {
        let missing = || AdminError::NotFound(key.kind.field());
        let stored = self.read(key)?.cloned().ok_or_else(missing)?;
        let opened = self.open(&stored)?;
        opened.map(|(entity, _)| entity).ok_or_else(missing)
    }

    /// Returns the sequence of the record that was read; 0 if there is none.
    fn sequence(&mut self, key: RecordKey) -> Result<u64, AdminError> {
        let Some(stored) = self.read(key)?.cloned() else {
            return Ok(0);
        };
        Ok(self.open(&stored)?.map_or(0, |(_, sequence)| sequence))
    }

    /// Returns true if the record was rolled back: the index has a newer version than the store.
    fn is_outdated(&mut self, key: RecordKey) -> Result<bool, AdminError> {
        let known = self.shared.known_sequence(key);
        let Some(revision) = self.read(key)?.map(|stored| stored.revision) else {
            return Ok(false);
        };
        if self.sequence(key)? >= known {
            return Ok(false);
        }
        // A record that was changed since it was read causes a conflict, and the rule runs again.
        let now = self.shared.store.get(&key)?;
        let replayed = now.is_some_and(|now| now.revision == revision);
        if replayed {
            self.shared.fault(key, IntegrityFaultKind::RolledBack);
        }
        Ok(replayed)
    }

    fn open(&self, stored: &Stored) -> Result<Option<(Entity, u64)>, AdminError> {
        let opened = self.shared.sealer.open(&stored.record);
        opened.map_err(|error| self.tampered(stored.record.key, error))
    }

    fn tampered(&self, key: RecordKey, error: IntegrityError) -> AdminError {
        self.shared.fault(key, error.into());
        AdminError::Tampered(key)
    }

    pub(crate) fn read(&mut self, key: RecordKey) -> Result<Option<&Stored>, AdminError> {
        if let std::collections::btree_map::Entry::Vacant(vacant) = self.read.entry(key) {
            let guard_cache =
                self.guard_cache.and_then(|guard_cache| guard_cache.get(key, self.now));
            if guard_cache.is_some() {
                self.cached.push(key);
                self.writes.entry(key).or_insert(Planned::Guard);
            }
            let read = match guard_cache {
                Some(stored) => Some(stored),
                None => self.shared.store.get(&key)?,
            };
            vacant.insert(read);
        }
        Ok(self.read.get(&key).and_then(Option::as_ref))
    }
}

/// Returns true if a session has expired, and with it all its earlier versions.
fn is_over(entity: &Entity, now: Timestamp) -> bool {
    matches!(entity, Entity::Session(session, _) if session.expires_at <= now)
}

/// Returns the expiry of a session; none for other records.
fn session_expiry(entity: &Entity) -> Option<Timestamp> {
    match entity {
        Entity::Session(session, _) => Some(session.expires_at),
        _ => None,
    }
}
