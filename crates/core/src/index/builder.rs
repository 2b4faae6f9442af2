//! The writing side of the index: one thread at a time.

mod compare;
mod numbers;

use std::collections;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::interned::{Interned, NO_OWNER, NO_PAIR, NO_SET};
use super::slot::{LastUsed, SlotContents, SlotRecord, kept_expiry, rest_of};
use super::tables::Tables;
use super::{
    ApplyOutcome, Change, ChangeKind, IndexEntry, ShortDigest, SlotState, TokenLookup, View,
};
use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::{CompiledSet, Permission, PermissionSet, Target};
use crate::record::{Kind, RecordKey};
use crate::status::Status;
use crate::store::Revision;
use crate::time::Timestamp;

/// Its keys may be imported, so that the hash is seeded; what is found is compared.
type HashMap<K, V> = collections::HashMap<K, V, RandomState>;

/// Sets that are told by where they lie. They are forgotten together.
const RECENT_SETS: usize = 512;

/// Of a set: the organization and the user whose ids are written in it as "this organization" and "this user", as far as it
/// names any.
type Owners = (Option<Id>, Option<Id>);

fn owners_of(digest: &IndexEntry) -> Owners {
    let single = |one: &Permission| matches!(one.resource.target, Target::Id(_));
    let singles = digest.permissions.iter().any(single);
    let scoped = |one: &Permission| one.resource.organization.is_some();
    let owned = singles || digest.permissions.iter().any(scoped);
    let organization = owned.then_some(digest.organization);
    (organization, digest.user.filter(|_| singles))
}

/// What is known of a record beside what checks read.
#[derive(Debug, Clone)]
struct KnownRecord {
    revision: Revision,
    /// How many times it had been written. Unlike the revision it is under the MAC, so that nobody can make an
    /// old version look new.
    sequence: u64,
    handle: TokenLookup,
    revoked: bool,
    authentic: bool,
    /// The part of the expiry that slots do not hold.
    rest: u64,
}

const NOT_FOUND: TokenLookup = TokenLookup::ByDigest([None; 2]);

#[derive(Debug)]
pub(super) struct Builder {
    tables: Tables,
    interned: Arc<Interned>,
    /// What is known of records that have no slot which is found by their id: those keep it beside the slot.
    known: HashMap<RecordKey, KnownRecord>,
    /// The sequences of records that are no more in the store: an old version of one that is put back is told by
    /// it. They are few, for what is purged had ended long ago, and are forgotten with the process.
    purged: HashMap<RecordKey, u64>,
    sets: HashMap<Arc<CompiledSet>, u32>,
    /// The numbers of sets by where they lie, each held so that nothing else comes to lie there.
    recent: HashMap<usize, (Arc<PermissionSet>, Owners, u32)>,
    pairs: HashMap<(Option<Id>, Id), u32>,
    owners: HashMap<RecordKey, u32>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            tables: Tables::new(),
            interned: Arc::new(Interned::new()),
            known: HashMap::default(),
            purged: HashMap::default(),
            sets: HashMap::default(),
            recent: HashMap::default(),
            pairs: HashMap::default(),
            owners: HashMap::default(),
        }
    }

    pub(super) fn view(&self) -> View {
        self.tables.view(&self.interned)
    }

    /// What readers are to see, if the tables are others than at the last call.
    pub(super) fn view_to_publish(&mut self) -> Option<View> {
        self.tables.changed().then(|| self.view())
    }

    pub(super) fn finish_loading(&mut self) {
        self.recent.clear();
        self.tables.finish_loading();
    }

    /// Moves a part of the table on, if it is to have another size; false once there is nothing to move.
    pub(super) fn step(&mut self) -> bool {
        self.tables.step()
    }

    #[cfg(all(test, not(shuttle)))]
    pub(super) fn fullness(&self) -> usize {
        self.tables.fullness()
    }

    pub(super) fn len(&self) -> usize {
        self.known.len() + self.tables.by_id_count()
    }

    /// As [`Builder::apply`], where no reader has the tables yet, so that they may move at any time.
    pub(super) fn apply_unseen(&mut self, change: &Change) {
        self.apply(change);
        self.tables.changed();
    }

    /// Makes room for about so many records, if none is known.
    pub(super) fn expect(&mut self, count: usize) {
        self.tables.expect(count);
    }

    /// Fetches what applying the change will read.
    pub(super) fn prefetch(&self, change: Option<&Change>) {
        if let Some(Change { key, what, .. }) = change
            && let ChangeKind::Authorization(digest, _) = what
        {
            self.tables.prefetch(key.id, digest.handle);
        }
    }

    pub(super) fn apply(&mut self, change: &Change) -> ApplyOutcome {
        self.tables.step();
        let known = self.known(change.key);
        match &change.what {
            ChangeKind::Purged => self.forget(change, known),
            ChangeKind::Tampered => self.apply_tampered(change, known),
            ChangeKind::Authorization(digest, sequence) => {
                let revoked = digest.status == Status::Revoked;
                self.replace(
                    change,
                    (*sequence, revoked, digest.handle),
                    known,
                    |builder, known, now| builder.write(change.key.id, digest, known, now),
                )
            }
            ChangeKind::Owner(state, sequence) => {
                let revoked = *state == OwnerState::Deleted;
                self.replace(
                    change,
                    (*sequence, revoked, NOT_FOUND),
                    known,
                    |builder, _, _| {
                        let owner = builder.owner(change.key);
                        builder.interned.set_owner(owner, *state);
                        ApplyOutcome::Applied
                    },
                )
            }
        }
    }

    /// **Newest wins**: `write` is called only if the change is newer than what is known.
    fn replace(
        &mut self,
        change: &Change,
        (sequence, revoked, handle): (u64, bool, TokenLookup),
        known: Option<KnownRecord>,
        write: impl FnOnce(&mut Self, Option<&KnownRecord>, &KnownRecord) -> ApplyOutcome,
    ) -> ApplyOutcome {
        if self
            .purged
            .get(&change.key)
            .is_some_and(|purged| sequence <= *purged)
        {
            return ApplyOutcome::RolledBack;
        }
        if let Some(known) = &known {
            let newer = change.revision > known.revision;
            // What ends is later than everything before it, whatever it was counted from.
            let ends = revoked && !known.revoked;
            let backwards = sequence < known.sequence || known.revoked && !revoked;
            if backwards && !ends {
                return if newer {
                    ApplyOutcome::RolledBack
                } else {
                    ApplyOutcome::Known
                };
            }
            // A genuine version that came before what is not says nothing of it.
            if !known.authentic && change.revision < known.revision && !ends {
                return ApplyOutcome::Known;
            }
            if sequence == known.sequence && known.authentic && !ends {
                let revision = known.revision.max(change.revision);
                self.remember(
                    change.key,
                    KnownRecord {
                        revision,
                        ..known.clone()
                    },
                );
                return ApplyOutcome::Known;
            }
        }
        let now = KnownRecord {
            revision: change.revision,
            sequence: sequence.max(known.as_ref().map_or(0, |known| known.sequence)),
            handle,
            revoked,
            authentic: true,
            rest: match &change.what {
                ChangeKind::Authorization(digest, _) => rest_of(kept_expiry(digest.expires)),
                _ => 0,
            },
        };
        let outcome = write(self, known.as_ref(), &now);
        self.purged.remove(&change.key);
        self.remember(change.key, now);
        outcome
    }

    fn known(&self, key: RecordKey) -> Option<KnownRecord> {
        // A record is known in one of the two places. Most authorizations are found by their id.
        if key.kind == Kind::AUTHORIZATION
            && let Some((short_digest, back)) = self.tables.by_id(key.id)
        {
            return Some(KnownRecord::at(short_digest, &back));
        }
        self.known.get(&key).cloned()
    }

    /// Notes it beside the slot that is found by the id, or in the map if there is none.
    fn remember(&mut self, key: RecordKey, known: KnownRecord) {
        let at_home = matches!(known.handle, TokenLookup::ById(_))
            && self.tables.note(key.id, &known.back(key.id));
        if at_home {
            self.known.remove(&key);
        } else {
            self.known.insert(key, known);
        }
    }

    /// What is gone is unknown from now on; how often it had been written is remembered.
    fn forget(&mut self, change: &Change, known: Option<KnownRecord>) -> ApplyOutcome {
        let Some(known) = known.filter(|known| change.revision >= known.revision) else {
            return ApplyOutcome::Known;
        };
        self.refuse_dependents(change.key, &known);
        self.remember_purged(change.key, known.sequence);
        ApplyOutcome::Applied
    }

    /// Remembers how often a record that is gone had been written, which may have been known before.
    fn remember_purged(&mut self, key: RecordKey, sequence: u64) {
        let purged = self.purged.entry(key).or_default();
        *purged = sequence.max(*purged);
    }

    /// Denies what hangs on the record, of which nothing is known any more.
    fn refuse_dependents(&mut self, key: RecordKey, known: &KnownRecord) {
        self.deny(key, Some(known));
        for (start, short_digest) in self.tables.starts(key.id, known.handle) {
            self.tables.forget(key.id, start, short_digest);
        }
        self.known.remove(&key);
    }

    pub(super) fn sequence(&self, key: RecordKey) -> u64 {
        let known = self.known(key).map(|known| known.sequence);
        let purged = self.purged.get(&key).copied();
        known.max(purged).unwrap_or_default()
    }

    pub(super) fn revoked(&self) -> Vec<RecordKey> {
        let revoked = self.all().filter(|(_, known)| known.revoked);
        revoked.map(|(key, _)| key).collect()
    }

    fn all(&self) -> impl Iterator<Item = (RecordKey, KnownRecord)> {
        let by_id_count = self.tables.all_by_id().map(|(short_digest, back)| {
            let key = RecordKey::new(Kind::AUTHORIZATION, back.id);
            (key, KnownRecord::at(short_digest, &back))
        });
        let known = self.known.iter().map(|(key, known)| (*key, known.clone()));
        known.chain(by_id_count)
    }

    /// Of buckets and the like nothing is known here.
    pub(super) fn may_outlast(&self, key: RecordKey, at: Timestamp) -> bool {
        if !matches!(
            key.kind,
            Kind::AUTHORIZATION | Kind::USER | Kind::ORGANIZATION
        ) {
            return true;
        }
        let Some(known) = self.known(key).filter(|known| !known.revoked) else {
            return false;
        };
        let starts = self.tables.starts(key.id, known.handle);
        // Another's slot says nothing of this record.
        let own = starts.filter_map(|(start, short_digest)| {
            let (entry, back) = self.tables.read(start, short_digest)?;
            entry
                .expires
                .filter(|_| back.is_some_and(|back| back.id == key.id))
        });
        !own.into_iter().any(|end| end <= at)
    }

    /// A record that is not genuine denies whatever hangs on it, and is remembered.
    fn apply_tampered(&mut self, change: &Change, known: Option<KnownRecord>) -> ApplyOutcome {
        if known
            .as_ref()
            .is_some_and(|known| change.revision < known.revision)
        {
            return ApplyOutcome::Known;
        }
        self.deny(change.key, known.as_ref());
        let before = known.unwrap_or(KnownRecord {
            revision: change.revision,
            sequence: 0,
            handle: NOT_FOUND,
            revoked: false,
            authentic: false,
            rest: 0,
        });
        let now = KnownRecord {
            revision: change.revision,
            authentic: false,
            ..before
        };
        self.remember(change.key, now);
        ApplyOutcome::Applied
    }

    /// Makes every digest of an authorization void, or an owner unknown.
    fn deny(&mut self, key: RecordKey, known: Option<&KnownRecord>) {
        if matches!(key.kind, Kind::USER | Kind::ORGANIZATION) {
            let owner = self.owner(key);
            self.interned.set_owner(owner, OwnerState::Unknown);
            return;
        }
        let handle = known.map_or(NOT_FOUND, |known| known.handle);
        for (start, short_digest) in self.tables.starts(key.id, handle) {
            self.tables.void(key.id, start, short_digest);
        }
    }

    /// Writes *every* slot of the id: those of its digests, and voids those that it had and has no more.
    fn write(
        &mut self,
        id: Id,
        digest: &IndexEntry,
        known: Option<&KnownRecord>,
        now: &KnownRecord,
    ) -> ApplyOutcome {
        let entry = SlotContents {
            state: SlotState::Known(digest.status),
            expires: kept_expiry(digest.expires),
            set: self.set(digest),
            owners: self.pair(digest.user, digest.organization),
            used: LastUsed::default(),
        };
        let former = known.map_or(NOT_FOUND, |known| known.handle);
        for former in self.tables.starts(id, former) {
            let mut starts = self.tables.starts(id, digest.handle);
            if starts.all(|now| now != former) {
                self.tables.void(id, former.0, former.1);
                self.tables.forget(id, former.0, former.1);
            }
        }
        let mut outcome = ApplyOutcome::Applied;
        for (start, short_digest) in self.tables.starts(id, digest.handle) {
            if !self
                .tables
                .insert((start, short_digest), &entry, &now.back(id))
            {
                outcome = ApplyOutcome::DuplicateToken;
            }
        }
        outcome
    }
}

impl KnownRecord {
    /// Of a record whose slot is found by its id.
    fn at(short_digest: ShortDigest, back: &SlotRecord) -> Self {
        Self {
            revision: back.revision,
            sequence: back.sequence,
            handle: TokenLookup::ById(short_digest),
            revoked: back.revoked,
            authentic: back.authentic,
            rest: back.rest,
        }
    }

    fn back(&self, id: Id) -> SlotRecord {
        SlotRecord {
            id,
            revision: self.revision,
            sequence: self.sequence,
            revoked: self.revoked,
            authentic: self.authentic,
            rest: self.rest,
            by_id: matches!(self.handle, TokenLookup::ById(_)),
        }
    }
}

/// The number of the next element, or `full`, which is given to none.
fn intern(len: usize, full: u32) -> u32 {
    u32::try_from(len).map_or(full, |len| len.min(full))
}
