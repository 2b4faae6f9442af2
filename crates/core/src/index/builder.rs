//! The writing side of the index: one thread at a time.

mod compare;
mod numbers;

use std::collections;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::interned::{Interned, NO_PAIR, NO_SET, NOBODY};
use super::slot::{Back, Entry, Used, kept_expiry, rest_of};
use super::tables::Tables;
use super::{Change, Digest, Half, Handle, Outcome, SlotState, View, What};
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
const RECENT: usize = 512;

/// Of a set: the organization and the user whose ids are written in it as "this organization" and "this user", as far as it
/// names any.
type Owners = (Option<Id>, Option<Id>);

fn owners_of(digest: &Digest) -> Owners {
    let single = |one: &Permission| matches!(one.resource.target, Target::Id(_));
    let singles = digest.permissions.iter().any(single);
    let scoped = |one: &Permission| one.resource.organization.is_some();
    let owned = singles || digest.permissions.iter().any(scoped);
    let organization = owned.then_some(digest.organization);
    (organization, digest.user.filter(|_| singles))
}

/// What is known of a record beside what checks read.
#[derive(Debug, Clone)]
struct Known {
    revision: Revision,
    /// How many times it had been written. Unlike the revision it is under the MAC, so that nobody can make an
    /// old version look new.
    sequence: u64,
    handle: Handle,
    ended: bool,
    genuine: bool,
    /// The part of the expiry that slots do not hold.
    rest: u64,
}

const NOT_FOUND: Handle = Handle::Digests([None; 2]);

#[derive(Debug)]
pub(super) struct Builder {
    tables: Tables,
    interned: Arc<Interned>,
    /// What is known of records that have no slot which is found by their id: those keep it beside the slot.
    known: HashMap<RecordKey, Known>,
    /// The sequences of records that are no more in the store: an old version of one that is put back is told by
    /// it. They are few, for what is purged had ended long ago, and are forgotten with the process.
    gone: HashMap<RecordKey, u64>,
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
            gone: HashMap::default(),
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

    pub(super) fn settle(&mut self) {
        self.recent.clear();
        self.tables.settle();
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
        self.known.len() + self.tables.homes()
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
            && let What::Authorization(digest, _) = what
        {
            self.tables.prefetch(key.id, digest.handle);
        }
    }

    pub(super) fn apply(&mut self, change: &Change) -> Outcome {
        self.tables.step();
        let known = self.known(change.key);
        match &change.what {
            What::Purged => self.forget(change, known),
            What::NotGenuine => self.refuse(change, known),
            What::Authorization(digest, sequence) => {
                let ended = digest.status == Status::Revoked;
                self.replace(
                    change,
                    (*sequence, ended, digest.handle),
                    known,
                    |builder, known, now| builder.write(change.key.id, digest, known, now),
                )
            }
            What::Owner(state, sequence) => {
                let ended = *state == OwnerState::Deleted;
                self.replace(
                    change,
                    (*sequence, ended, NOT_FOUND),
                    known,
                    |builder, _, _| {
                        let owner = builder.owner(change.key);
                        builder.interned.set_owner(owner, *state);
                        Outcome::Applied
                    },
                )
            }
        }
    }

    /// **Newest wins**: `write` is called only if the change is newer than what is known.
    fn replace(
        &mut self,
        change: &Change,
        (sequence, ended, handle): (u64, bool, Handle),
        known: Option<Known>,
        write: impl FnOnce(&mut Self, Option<&Known>, &Known) -> Outcome,
    ) -> Outcome {
        if self
            .gone
            .get(&change.key)
            .is_some_and(|gone| sequence <= *gone)
        {
            return Outcome::Replayed;
        }
        if let Some(known) = &known {
            let newer = change.revision > known.revision;
            // What ends is later than everything before it, whatever it was counted from.
            let ends = ended && !known.ended;
            let backwards = sequence < known.sequence || known.ended && !ended;
            if backwards && !ends {
                return if newer {
                    Outcome::Replayed
                } else {
                    Outcome::Known
                };
            }
            // A genuine version that came before what is not says nothing of it.
            if !known.genuine && change.revision < known.revision && !ends {
                return Outcome::Known;
            }
            if sequence == known.sequence && known.genuine && !ends {
                let revision = known.revision.max(change.revision);
                self.remember(
                    change.key,
                    Known {
                        revision,
                        ..known.clone()
                    },
                );
                return Outcome::Known;
            }
        }
        let now = Known {
            revision: change.revision,
            sequence: sequence.max(known.as_ref().map_or(0, |known| known.sequence)),
            handle,
            ended,
            genuine: true,
            rest: match &change.what {
                What::Authorization(digest, _) => rest_of(kept_expiry(digest.expires)),
                _ => 0,
            },
        };
        let outcome = write(self, known.as_ref(), &now);
        self.gone.remove(&change.key);
        self.remember(change.key, now);
        outcome
    }

    fn known(&self, key: RecordKey) -> Option<Known> {
        // A record is known in one of the two places. Most authorizations are found by their id.
        if key.kind == Kind::AUTHORIZATION
            && let Some((half, back)) = self.tables.home(key.id)
        {
            return Some(Known::at(half, &back));
        }
        self.known.get(&key).cloned()
    }

    /// Notes it beside the slot that is found by the id, or in the map if there is none.
    fn remember(&mut self, key: RecordKey, known: Known) {
        let at_home =
            matches!(known.handle, Handle::Id(_)) && self.tables.note(key.id, &known.back(key.id));
        if at_home {
            self.known.remove(&key);
        } else {
            self.known.insert(key, known);
        }
    }

    /// What is gone is unknown from now on; how often it had been written is remembered.
    fn forget(&mut self, change: &Change, known: Option<Known>) -> Outcome {
        let Some(known) = known.filter(|known| change.revision >= known.revision) else {
            return Outcome::Known;
        };
        self.lose(change.key, &known);
        self.bury(change.key, known.sequence);
        Outcome::Applied
    }

    /// Remembers how often a record that is gone had been written, which may have been known before.
    fn bury(&mut self, key: RecordKey, sequence: u64) {
        let gone = self.gone.entry(key).or_default();
        *gone = sequence.max(*gone);
    }

    /// Denies what hangs on the record, of which nothing is known any more.
    fn lose(&mut self, key: RecordKey, known: &Known) {
        self.deny(key, Some(known));
        for (start, half) in self.tables.starts(key.id, known.handle) {
            self.tables.forget(key.id, start, half);
        }
        self.known.remove(&key);
    }

    pub(super) fn sequence(&self, key: RecordKey) -> u64 {
        let known = self.known(key).map(|known| known.sequence);
        let gone = self.gone.get(&key).copied();
        known.max(gone).unwrap_or_default()
    }

    pub(super) fn ended(&self) -> Vec<RecordKey> {
        let ended = self.all().filter(|(_, known)| known.ended);
        ended.map(|(key, _)| key).collect()
    }

    fn all(&self) -> impl Iterator<Item = (RecordKey, Known)> {
        let homes = self.tables.all_homes().map(|(half, back)| {
            let key = RecordKey::new(Kind::AUTHORIZATION, back.id);
            (key, Known::at(half, &back))
        });
        let known = self.known.iter().map(|(key, known)| (*key, known.clone()));
        known.chain(homes)
    }

    /// Of buckets and the like nothing is known here.
    pub(super) fn may_outlive(&self, key: RecordKey, at: Timestamp) -> bool {
        if !matches!(
            key.kind,
            Kind::AUTHORIZATION | Kind::USER | Kind::ORGANIZATION
        ) {
            return true;
        }
        let Some(known) = self.known(key).filter(|known| !known.ended) else {
            return false;
        };
        let starts = self.tables.starts(key.id, known.handle);
        // Another's slot says nothing of this record.
        let own = starts.filter_map(|(start, half)| {
            let (entry, back) = self.tables.read(start, half)?;
            entry
                .expires
                .filter(|_| back.is_some_and(|back| back.id == key.id))
        });
        !own.into_iter().any(|end| end <= at)
    }

    /// A record that is not genuine denies whatever hangs on it, and is remembered.
    fn refuse(&mut self, change: &Change, known: Option<Known>) -> Outcome {
        if known
            .as_ref()
            .is_some_and(|known| change.revision < known.revision)
        {
            return Outcome::Known;
        }
        self.deny(change.key, known.as_ref());
        let before = known.unwrap_or(Known {
            revision: change.revision,
            sequence: 0,
            handle: NOT_FOUND,
            ended: false,
            genuine: false,
            rest: 0,
        });
        let now = Known {
            revision: change.revision,
            genuine: false,
            ..before
        };
        self.remember(change.key, now);
        Outcome::Applied
    }

    /// Makes every digest of an authorization void, or an owner unknown.
    fn deny(&mut self, key: RecordKey, known: Option<&Known>) {
        if matches!(key.kind, Kind::USER | Kind::ORGANIZATION) {
            let owner = self.owner(key);
            self.interned.set_owner(owner, OwnerState::Unknown);
            return;
        }
        let handle = known.map_or(NOT_FOUND, |known| known.handle);
        for (start, half) in self.tables.starts(key.id, handle) {
            self.tables.void(key.id, start, half);
        }
    }

    /// Writes *every* slot of the id: those of its digests, and voids those that it had and has no more.
    fn write(&mut self, id: Id, digest: &Digest, known: Option<&Known>, now: &Known) -> Outcome {
        let entry = Entry {
            state: SlotState::Known(digest.status),
            expires: kept_expiry(digest.expires),
            set: self.set(digest),
            owners: self.pair(digest.user, digest.organization),
            used: Used::default(),
        };
        let former = known.map_or(NOT_FOUND, |known| known.handle);
        for former in self.tables.starts(id, former) {
            let mut starts = self.tables.starts(id, digest.handle);
            if starts.all(|now| now != former) {
                self.tables.void(id, former.0, former.1);
                self.tables.forget(id, former.0, former.1);
            }
        }
        let mut outcome = Outcome::Applied;
        for (start, half) in self.tables.starts(id, digest.handle) {
            if !self.tables.insert((start, half), &entry, &now.back(id)) {
                outcome = Outcome::Shadowed;
            }
        }
        outcome
    }
}

impl Known {
    /// Of a record whose slot is found by its id.
    fn at(half: Half, back: &Back) -> Self {
        Self {
            revision: back.revision,
            sequence: back.sequence,
            handle: Handle::Id(half),
            ended: back.ended,
            genuine: back.genuine,
            rest: back.rest,
        }
    }

    fn back(&self, id: Id) -> Back {
        Back {
            id,
            revision: self.revision,
            sequence: self.sequence,
            ended: self.ended,
            genuine: self.genuine,
            rest: self.rest,
            home: matches!(self.handle, Handle::Id(_)),
        }
    }
}

/// The number of the next element, or `full`, which is given to none.
fn intern(len: usize, full: u32) -> u32 {
    u32::try_from(len).map_or(full, |len| len.min(full))
}
