//! The writing side of the index. Only one thread writes at a time.

mod compare;
mod numbering;

use std::collections;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::change::{
    ApplyOutcome, Change, ChangeKind, IndexEntry, ShortDigest, SlotState, TokenLookup,
};
use super::interned::{Interned, NO_OWNER, NO_PAIR, NO_SET};
use super::slot::{LastUsed, SlotContents, SlotRecord, kept_expiry, rest_of};
use super::tables::Tables;
use super::view::View;
use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::{CompiledSet, Permission, PermissionSet, Target};
use crate::record::{Kind, RecordKey};
use crate::status::Status;
use crate::store::Revision;
use crate::time::Timestamp;

/// The hash is seeded, because keys may be imported and thus chosen by others.
type HashMap<K, V> = collections::HashMap<K, V, RandomState>;

/// Sets recognized by their address. The cache is cleared as a whole when it is full.
const RECENT_SETS: usize = 512;

/// Organization and user whose ids a set contains as "this organization" and "this user", if it
/// contains them.
type Owners = (Option<Id>, Option<Id>);

fn owners_of(digest: &IndexEntry) -> Owners {
    let single = |one: &Permission| matches!(one.resource.target, Target::Id(_));
    let singles = digest.permissions.iter().any(single);
    let scoped = |one: &Permission| one.resource.organization.is_some();
    let owned = singles || digest.permissions.iter().any(scoped);
    let organization = owned.then_some(digest.organization);
    (organization, digest.user.filter(|_| singles))
}

/// State of a record that checks do not read.
#[derive(Debug, Clone)]
struct KnownRecord {
    revision: Revision,
    /// Number of times the record was written. Covered by the MAC, unlike the revision, so that an
    /// old version cannot pass for a newer one.
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
    /// Records without a slot that is found by their id. Those with one keep this state in the
    /// slot.
    known: HashMap<RecordKey, KnownRecord>,
    /// Sequences of purged records, to detect old versions that are written back. Few, because only
    /// revoked and deleted records are purged; not kept across restarts.
    purged: HashMap<RecordKey, u64>,
    sets: HashMap<Arc<CompiledSet>, u32>,
    /// Numbers of sets by address. Each set is held, so that its address is not reused.
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

    /// Returns a view for readers if the tables changed since the last call.
    pub(super) fn view_to_publish(&mut self) -> Option<View> {
        self.tables.changed().then(|| self.view())
    }

    pub(super) fn finish_loading(&mut self) {
        self.recent.clear();
        self.tables.finish_loading();
    }

    /// Moves part of the table to one of another size; false if nothing is left to move.
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

    /// Like [`Builder::apply`], for tables that no reader has yet, so that they may move at any
    /// time.
    pub(super) fn apply_unseen(&mut self, change: &Change) {
        self.apply(change);
        self.tables.changed();
    }

    /// Allocates room for about `count` records if the index is empty.
    pub(super) fn expect(&mut self, count: usize) {
        self.tables.expect(count);
    }

    /// Prefetches the slots that applying the change reads.
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
                self.replace(change, (*sequence, revoked, NOT_FOUND), known, |builder, _, _| {
                    let owner = builder.owner(change.key);
                    builder.interned.set_owner(owner, *state);
                    ApplyOutcome::Applied
                })
            }
        }
    }

    /// Calls `write` only if the change is newer than the known version: **newest wins**.
    fn replace(
        &mut self,
        change: &Change,
        (sequence, revoked, handle): (u64, bool, TokenLookup),
        known: Option<KnownRecord>,
        write: impl FnOnce(&mut Self, Option<&KnownRecord>, &KnownRecord) -> ApplyOutcome,
    ) -> ApplyOutcome {
        if self.purged.get(&change.key).is_some_and(|purged| sequence <= *purged) {
            return ApplyOutcome::RolledBack;
        }
        if let Some(known) = &known {
            let newer = change.revision > known.revision;
            // A revocation or deletion is later than every other version, whatever its sequence.
            let ends = revoked && !known.revoked;
            let backwards = sequence < known.sequence || known.revoked && !revoked;
            if backwards && !ends {
                return if newer { ApplyOutcome::RolledBack } else { ApplyOutcome::Known };
            }
            // An authentic version that was committed before a tampered one does not restore the
            // record.
            if !known.authentic && change.revision < known.revision && !ends {
                return ApplyOutcome::Known;
            }
            if sequence == known.sequence && known.authentic && !ends {
                let revision = known.revision.max(change.revision);
                self.remember(change.key, KnownRecord { revision, ..known.clone() });
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
        // A record is in one of the two places. Most authorizations are found by their id.
        if key.kind == Kind::AUTHORIZATION
            && let Some((short_digest, back)) = self.tables.by_id(key.id)
        {
            return Some(KnownRecord::at(short_digest, &back));
        }
        self.known.get(&key).cloned()
    }

    /// Stores the state in the slot that is found by the id, or in the map if there is none.
    fn remember(&mut self, key: RecordKey, known: KnownRecord) {
        let in_slot = matches!(known.handle, TokenLookup::ById(_))
            && self.tables.note(key.id, &known.back(key.id));
        if in_slot {
            self.known.remove(&key);
        } else {
            self.known.insert(key, known);
        }
    }

    /// Removes a purged record. Its sequence is remembered.
    fn forget(&mut self, change: &Change, known: Option<KnownRecord>) -> ApplyOutcome {
        let Some(known) = known.filter(|known| change.revision >= known.revision) else {
            return ApplyOutcome::Known;
        };
        self.refuse_dependents(change.key, &known);
        self.remember_purged(change.key, known.sequence);
        ApplyOutcome::Applied
    }

    /// Remembers the sequence of a purged record, unless a higher one is remembered already.
    fn remember_purged(&mut self, key: RecordKey, sequence: u64) {
        let purged = self.purged.entry(key).or_default();
        *purged = sequence.max(*purged);
    }

    /// Refuses everything that depends on the record, and removes it.
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

    /// Always true for kinds that the index does not hold, such as buckets.
    pub(super) fn may_outlast(&self, key: RecordKey, at: Timestamp) -> bool {
        if !matches!(key.kind, Kind::AUTHORIZATION | Kind::USER | Kind::ORGANIZATION) {
            return true;
        }
        let Some(known) = self.known(key).filter(|known| !known.revoked) else {
            return false;
        };
        let starts = self.tables.starts(key.id, known.handle);
        // A slot of another authorization says nothing about this record.
        let own = starts.filter_map(|(start, short_digest)| {
            let (entry, back) = self.tables.read(start, short_digest)?;
            entry.expires.filter(|_| back.is_some_and(|back| back.id == key.id))
        });
        !own.into_iter().any(|end| end <= at)
    }

    /// Refuses everything that depends on a tampered record, and remembers it.
    fn apply_tampered(&mut self, change: &Change, known: Option<KnownRecord>) -> ApplyOutcome {
        if known.as_ref().is_some_and(|known| change.revision < known.revision) {
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
        let now = KnownRecord { revision: change.revision, authentic: false, ..before };
        self.remember(change.key, now);
        ApplyOutcome::Applied
    }

    /// Voids every slot of an authorization, or marks an owner as unknown.
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

    /// Writes *every* slot of the record's digests, and voids those of digests that it no longer
    /// has.
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
            if !self.tables.insert((start, short_digest), &entry, &now.back(id)) {
                outcome = ApplyOutcome::DuplicateToken;
            }
        }
        outcome
    }
}

impl KnownRecord {
    /// State of a record whose slot is found by its id.
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

/// Returns the number for the next element, or `full`, which stands for no element.
fn intern(len: usize, full: u32) -> u32 {
    u32::try_from(len).map_or(full, |len| len.min(full))
}
