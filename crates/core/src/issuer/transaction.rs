//! One read-modify-write: what was read, and what shall be written if nothing of it changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::audit_context::AuditContext;
use super::guard_cache::GuardCache;
use crate::authorization::Authorization;
use crate::engine_state::{EngineState, IntegrityFaultKind};
use crate::error::{Error, Field};
use crate::id::Id;
use crate::index::{Change, ChangeKind};
use crate::journal::{Intent, Revocation, WrittenRecord, mark};
use crate::owner::{Bucket, Organization, OwnerState, User};
use crate::permission::BucketNames;
use crate::record::{
    Entity, IntegrityError, Kind, MAX_RECORD, Record, RecordKey, SETTINGS, Settings,
};
use crate::session::{Session, SessionDigest};
use crate::status::Status;
use crate::store::{Revision, Stored, Write};
use crate::time::Timestamp;
use crate::token::Credential;

/// Reads records, and gathers writes that expect just what was read.
pub(super) struct Transaction<'a> {
    pub(super) shared: &'a EngineState,
    now: Timestamp,
    read: BTreeMap<RecordKey, Option<Stored>>,
    writes: BTreeMap<RecordKey, Planned>,
    ends: Vec<Revocation>,
    guard_cache: Option<&'a GuardCache>,
    /// What was not read, but taken from there.
    cached: Vec<RecordKey>,
}

enum Planned {
    /// The record, what it means to the index, and how many times it has been written with it.
    Put(Record, Option<ChangeKind>, u64),
    Purge,
    Guard,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(shared: &'a EngineState) -> Self {
        Self {
            shared,
            now: shared.clock.now(),
            read: BTreeMap::new(),
            writes: BTreeMap::new(),
            ends: Vec::new(),
            guard_cache: None,
            cached: Vec::new(),
        }
    }

    /// One that takes what changes lately depended on as it was then, and guards it.
    pub(super) fn with_cache(shared: &'a EngineState, guard_cache: &'a GuardCache) -> Self {
        Self {
            guard_cache: Some(guard_cache),
            ..Self::new(shared)
        }
    }

    /// What was not read, but taken as it was a moment ago: whatever else than a commit came of it may be wrong.
    pub(super) fn cached(&self) -> &[RecordKey] {
        &self.cached
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Tampered`] or [`Error::Store`], as for the others below.
    pub(super) fn authorization(&mut self, id: Id) -> Result<(Authorization, Credential), Error> {
        match self.entity(
            RecordKey::new(Kind::AUTHORIZATION, id),
            Field::Authorization,
        )? {
            Entity::Authorization(authorization, credential) => Ok((authorization, credential)),
            _ => Err(Error::NotFound(Field::Authorization)),
        }
    }

    /// The authorization as it is shown: with its last use, which is no part of the record.
    pub(super) fn shown(
        &mut self,
        authorization: Authorization,
        credential: &Credential,
    ) -> Result<Authorization, Error> {
        let key = RecordKey::new(Kind::AUTHORIZATION, authorization.id);
        let stored = self.read(key)?.and_then(|stored| stored.last_used);
        let noted = self
            .shared
            .indexed_state(authorization.id, credential)
            .last_used;
        Ok(Authorization {
            last_used: stored.max(noted),
            ..authorization
        })
    }

    pub(super) fn user(&mut self, id: Id) -> Result<User, Error> {
        match self.entity(RecordKey::new(Kind::USER, id), Field::User)? {
            Entity::User(user) => Ok(user),
            _ => Err(Error::NotFound(Field::User)),
        }
    }

    pub(super) fn organization(&mut self, id: Id) -> Result<Organization, Error> {
        match self.entity(RecordKey::new(Kind::ORGANIZATION, id), Field::Organization)? {
            Entity::Organization(organization) => Ok(organization),
            _ => Err(Error::NotFound(Field::Organization)),
        }
    }

    pub(super) fn bucket(&mut self, id: Id) -> Result<Bucket, Error> {
        match self.entity(RecordKey::new(Kind::BUCKET, id), Field::Bucket)? {
            Entity::Bucket(bucket) => Ok(bucket),
            _ => Err(Error::NotFound(Field::Bucket)),
        }
    }

    pub(super) fn session(&mut self, id: Id) -> Result<(Session, SessionDigest), Error> {
        match self.entity(RecordKey::new(Kind::SESSION, id), Field::Session)? {
            Entity::Session(session, hash) => Ok((session, hash)),
            _ => Err(Error::NotFound(Field::Session)),
        }
    }

    /// The state of a user; unknown if there is no genuine record of it.
    pub(super) fn user_state(&mut self, id: Id) -> Result<OwnerState, Error> {
        state(self.user(id).map(|user| user.status))
    }

    /// The state of an organization; unknown if there is no genuine record of it.
    pub(super) fn organization_state(&mut self, id: Id) -> Result<OwnerState, Error> {
        state(
            self.organization(id)
                .map(|organization| organization.status),
        )
    }

    /// Names of registered buckets, for [`crate::PermissionSet::includes`].
    pub(super) fn buckets(&self) -> impl BucketNames {
        Buckets(self.shared)
    }

    /// An id that nothing of this kind has or had, as far as is known here. The commit finds out whether it is so, and if
    /// it is not the rule runs again and draws another.
    pub(super) fn new_id(&mut self, kind: Kind) -> Id {
        loop {
            let id = self.shared.next_id();
            if self.assume_absent(RecordKey::new(kind, id)) {
                return id;
            }
        }
    }

    /// Takes it that the store holds nothing under `key`, and leaves it to the commit to compare that. False, and then
    /// nothing is presumed, if the record was read, or is or was known to the index.
    pub(super) fn assume_absent(&mut self, key: RecordKey) -> bool {
        let unknown = !self.read.contains_key(&key) && self.shared.known_sequence(key) == 0;
        if unknown {
            self.read.insert(key, None);
        }
        unknown
    }

    /// The commit fails if the record is not as it was read.
    pub(super) fn guard(&mut self, key: RecordKey) -> Result<(), Error> {
        if self.is_outdated(key)? {
            return Err(Error::Tampered(key));
        }
        self.writes.entry(key).or_insert(Planned::Guard);
        Ok(())
    }

    /// Writes `entity` in the place of what was read under its key, or as a new record. It is counted from the newest
    /// version that is known, whether the store has it or an older one that was put back; such a one is refused, but
    /// for being ended.
    pub(super) fn put(&mut self, entity: Entity) -> Result<(), Error> {
        let key = entity.key();
        let ends = entity.status() == Some(Status::Revoked);
        if !ends && self.is_outdated(key)? {
            return Err(Error::Tampered(key));
        }
        let sequence = self.sequence(key)?.max(self.shared.known_sequence(key)) + 1;
        let record = self.shared.sealer.seal(&entity, sequence);
        if record.size() > MAX_RECORD {
            return Err(Error::TooLarge);
        }
        if ends {
            self.ends(&entity, self.now);
        }
        let what = self.shared.index_entry((entity, sequence));
        self.writes
            .insert(key, Planned::Put(record, what, sequence));
        Ok(())
    }

    /// Writes the record under `key` as it is under the current key, and tells whether it was under another.
    pub(super) fn reseal(&mut self, key: RecordKey) -> Result<bool, Error> {
        if self.is_outdated(key)? {
            return Err(Error::Tampered(key));
        }
        let Some(stored) = self.read(key)?.cloned() else {
            return Ok(false);
        };
        let resealed = self.shared.sealer.reseal(&stored.record);
        let Some((record, sequence)) = resealed.map_err(|error| self.tampered(key, error))? else {
            return Ok(false);
        };
        let entity = self.open(&stored)?.map(|(entity, _)| entity);
        let what = entity.and_then(|entity| self.shared.index_entry((entity, sequence)));
        self.writes
            .insert(key, Planned::Put(record, what, sequence));
        Ok(true)
    }

    /// What the store says of itself.
    pub(super) fn settings(&mut self) -> Result<Settings, Error> {
        match self.entity(SETTINGS, Field::Authorization) {
            Ok(Entity::Settings(settings)) => Ok(settings),
            Ok(_) | Err(Error::NotFound(_) | Error::Tampered(_)) => Err(Error::Settings),
            Err(error) => Err(error),
        }
    }

    /// The journal shall say that `entity` has ended from `at` on.
    pub(super) fn ends(&mut self, entity: &Entity, at: Timestamp) {
        let mark = match entity {
            Entity::Authorization(_, credential) => Some(mark(&credential.unique_key())),
            _ => None,
        };
        let key = entity.key();
        self.ends.push(Revocation { key, at, mark });
    }

    /// What the journal says of this transaction.
    pub(super) fn intent(&self, audit_context: AuditContext) -> Intent {
        let target = |(key, planned): (&RecordKey, &Planned)| {
            let sequence = match planned {
                Planned::Put(.., sequence) => *sequence,
                Planned::Purge => 0,
                Planned::Guard => return None,
            };
            Some(WrittenRecord {
                key: *key,
                sequence,
            })
        };
        Intent {
            actor: audit_context.actor,
            operation: audit_context.operation,
            writes: self.writes.iter().filter_map(target).collect(),
            ends: self.ends.clone(),
        }
    }

    /// Whether an authorization is there.
    pub(super) fn has_authorization(&mut self, id: Id) -> Result<bool, Error> {
        Ok(self
            .read(RecordKey::new(Kind::AUTHORIZATION, id))?
            .is_some())
    }

    /// Whether a user or organization is there, or will be after this transaction. One that is known and has not ended is
    /// there: it is not forgotten before it has ended for long.
    pub(super) fn has_owner(&mut self, key: RecordKey) -> Result<bool, Error> {
        let has = self.plans(key) || self.shared.index.may_outlast(key, self.now);
        Ok(has || self.read(key)?.is_some())
    }

    /// Whether this transaction writes a record under `key`.
    pub(super) fn plans(&self, key: RecordKey) -> bool {
        matches!(self.writes.get(&key), Some(Planned::Put(..)))
    }

    /// Forgets the record under `key`, if there is one.
    pub(super) fn purge(&mut self, key: RecordKey) -> Result<(), Error> {
        let Some(stored) = self.read(key)?.cloned() else {
            return Ok(());
        };
        // What ended with its owner is in the journal from here on, for the owner may be made again.
        if let Ok(Some((entity, _))) = self.shared.sealer.open(&stored.record)
            && entity.status() != Some(Status::Revoked)
            && !is_over(&entity, self.now)
        {
            self.ends(&entity, self.now);
        }
        self.writes.insert(key, Planned::Purge);
        Ok(())
    }

    /// Whether there is anything to write.
    pub(super) fn is_noop(&self) -> bool {
        self.writes
            .values()
            .all(|planned| matches!(planned, Planned::Guard))
    }

    pub(super) fn writes(&self) -> Arc<[Write]> {
        let each = |(key, planned): (&RecordKey, &Planned)| {
            let read = self.read.get(key).and_then(Option::as_ref);
            let expected = read.map_or(Revision::ABSENT, |stored| stored.revision);
            let key = *key;
            match planned {
                Planned::Put(record, ..) => Write::Put {
                    record: record.clone(),
                    expected,
                },
                Planned::Purge => Write::Purge { key, expected },
                Planned::Guard => Write::Guard { key, expected },
            }
        };
        self.writes.iter().map(each).collect()
    }

    /// Has `guard_cache` keep what was read and guarded, after a commit that found it so.
    pub(super) fn cache_guarded(&self, guard_cache: &GuardCache) {
        let guarded = self.read.iter().filter_map(|(key, stored)| {
            let guarded = matches!(self.writes.get(key), Some(Planned::Guard));
            stored
                .clone()
                .filter(|_| guarded && !self.cached.contains(key))
        });
        guard_cache.keep(guarded, self.now);
    }

    /// What the commit at `revision` means to the index.
    pub(super) fn changes(self, revision: Revision) -> impl Iterator<Item = Change> {
        self.writes.into_iter().filter_map(move |(key, planned)| {
            let what = match planned {
                Planned::Put(_, what, _) => what?,
                Planned::Purge => ChangeKind::Purged,
                Planned::Guard => return None,
            };
            Some(Change {
                key,
                revision,
                what,
            })
        })
    }

    /// Whether what is stored under `key` is what this transaction wanted there.
    pub(super) fn is_done(&self, key: RecordKey, stored: Option<&Stored>) -> bool {
        match self.writes.get(&key) {
            Some(Planned::Put(record, ..)) => stored.is_some_and(|stored| stored.record == *record),
            Some(Planned::Purge) => stored.is_none(),
            Some(Planned::Guard) | None => true,
        }
    }

    /// Everything that was read, as it was.
    pub(super) fn into_read(self) -> impl Iterator<Item = Stored> {
        self.read.into_values().flatten()
    }

    fn entity(&mut self, key: RecordKey, field: Field) -> Result<Entity, Error> {
        let stored = self.read(key)?.cloned().ok_or(Error::NotFound(field))?;
        let opened = self.open(&stored)?;
        opened
            .map(|(entity, _)| entity)
            .ok_or(Error::NotFound(field))
    }

    /// How many times the record that was read had been written; 0 if there is none.
    fn sequence(&mut self, key: RecordKey) -> Result<u64, Error> {
        let Some(stored) = self.read(key)?.cloned() else {
            return Ok(0);
        };
        Ok(self.open(&stored)?.map_or(0, |(_, sequence)| sequence))
    }

    /// Whether the store holds an older version of a record than the index knows: somebody put it back.
    fn is_outdated(&mut self, key: RecordKey) -> Result<bool, Error> {
        let known = self.shared.known_sequence(key);
        let Some(revision) = self.read(key)?.map(|stored| stored.revision) else {
            return Ok(false);
        };
        if self.sequence(key)? >= known {
            return Ok(false);
        }
        // Or it was changed since it was read; then this transaction meets a conflict, and begins anew.
        let now = self.shared.store.get(&key)?;
        let replayed = now.is_some_and(|now| now.revision == revision);
        if replayed {
            self.shared.fault(key, IntegrityFaultKind::RolledBack);
        }
        Ok(replayed)
    }

    fn open(&self, stored: &Stored) -> Result<Option<(Entity, u64)>, Error> {
        let opened = self.shared.sealer.open(&stored.record);
        opened.map_err(|error| self.tampered(stored.record.key, error))
    }

    fn tampered(&self, key: RecordKey, error: IntegrityError) -> Error {
        self.shared.fault(key, error.into());
        Error::Tampered(key)
    }

    pub(super) fn read(&mut self, key: RecordKey) -> Result<Option<&Stored>, Error> {
        if let std::collections::btree_map::Entry::Vacant(vacant) = self.read.entry(key) {
            let guard_cache = self
                .guard_cache
                .and_then(|guard_cache| guard_cache.get(key, self.now));
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

fn state(status: Result<crate::Status, Error>) -> Result<OwnerState, Error> {
    match status {
        Ok(status) => Ok(status.into()),
        Err(Error::NotFound(_) | Error::Tampered(_)) => Ok(OwnerState::Unknown),
        Err(error) => Err(error),
    }
}

/// Whether nothing brings a session back, for it has expired, and its earlier versions before that.
fn is_over(entity: &Entity, now: Timestamp) -> bool {
    matches!(entity, Entity::Session(session, _) if session.expires_at <= now)
}

struct Buckets<'a>(&'a EngineState);

impl BucketNames for Buckets<'_> {
    fn bucket(&self, id: Id) -> Option<(Id, Box<str>)> {
        let mut lookup = Transaction::new(self.0);
        let bucket = lookup.bucket(id).ok()?;
        let known = bucket.status != crate::Status::Revoked;
        known.then(|| (bucket.organization, bucket.name.into()))
    }
}
