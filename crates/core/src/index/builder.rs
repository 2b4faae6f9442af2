//! The writing side of the index: one thread at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::interned::{Interned, NO_SET, NOBODY};
use super::table::{Entry, Half, SlotState, Table};
use super::{Change, Digest, Outcome, View, What};
use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::PermissionSet;
use crate::record::{Kind, RecordKey};
use crate::status::Status;
use crate::store::Revision;
use crate::time::Timestamp;

/// What is known of a record beside what checks read.
#[derive(Debug, Clone)]
struct Known {
    revision: Revision,
    /// How many times it had been written. Unlike the revision it is under the MAC, so that nobody can make an
    /// old version look new.
    sequence: u64,
    halves: [Option<Half>; 2],
    ended: bool,
    genuine: bool,
}

#[derive(Debug)]
pub(super) struct Builder {
    pub(super) view: Arc<View>,
    known: HashMap<RecordKey, Known>,
    /// The sequences of records that are no more in the store: an old version of one that is put back is told by
    /// it. They are few, for what is purged had ended long ago, and are forgotten with the process.
    gone: HashMap<RecordKey, u64>,
    sets: HashMap<Arc<PermissionSet>, u32>,
    pairs: HashMap<(Option<Id>, Id), u32>,
    owners: HashMap<RecordKey, u32>,
    /// Slots that are taken, void ones too.
    used: usize,
}

impl Builder {
    pub(super) fn new(generation: u64) -> Self {
        let interned = Interned::new();
        Self {
            view: Arc::new(View {
                table: Table::with_room_for(0),
                interned: Arc::new(interned),
                generation,
            }),
            known: HashMap::new(),
            gone: HashMap::new(),
            sets: HashMap::new(),
            pairs: HashMap::new(),
            owners: HashMap::new(),
            used: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn apply(&mut self, change: &Change) -> Outcome {
        let known = self.known.get(&change.key).cloned();
        match &change.what {
            What::Purged => self.forget(change, known),
            What::NotGenuine => self.refuse(change, known),
            What::Authorization(digest, sequence) => {
                let ended = digest.status == Status::Revoked;
                self.replace(change, *sequence, ended, known, |builder, known| {
                    builder.write(change.key.id, digest, known)
                })
            }
            What::Owner(state, sequence) => {
                let ended = *state == OwnerState::Deleted;
                self.replace(change, *sequence, ended, known, |builder, _| {
                    let owner = builder.owner(change.key);
                    builder.view.interned.set_owner(owner, *state);
                    Outcome::Applied
                })
            }
        }
    }

    /// **Newest wins**: `write` is called only if the change is newer than what is known.
    fn replace(
        &mut self,
        change: &Change,
        sequence: u64,
        ended: bool,
        known: Option<Known>,
        write: impl FnOnce(&mut Self, Option<&Known>) -> Outcome,
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
            if sequence == known.sequence && known.genuine && !ends {
                if let Some(known) = self.known.get_mut(&change.key) {
                    known.revision = known.revision.max(change.revision);
                }
                return Outcome::Known;
            }
        }
        let halves = match &change.what {
            What::Authorization(digest, _) => digest.halves,
            _ => [None; 2],
        };
        let outcome = write(self, known.as_ref());
        self.gone.remove(&change.key);
        let now = Known {
            revision: change.revision,
            sequence: sequence.max(known.map_or(0, |known| known.sequence)),
            halves,
            ended,
            genuine: true,
        };
        self.known.insert(change.key, now);
        outcome
    }

    /// What is gone is unknown from now on; how often it had been written is remembered.
    fn forget(&mut self, change: &Change, known: Option<Known>) -> Outcome {
        let Some(known) = known.filter(|known| change.revision >= known.revision) else {
            return Outcome::Known;
        };
        self.deny(change.key, Some(&known));
        self.known.remove(&change.key);
        self.gone.insert(change.key, known.sequence);
        Outcome::Applied
    }

    pub(super) fn sequence(&self, key: RecordKey) -> u64 {
        let known = self.known.get(&key).map(|known| known.sequence);
        let gone = self.gone.get(&key).copied();
        known.max(gone).unwrap_or_default()
    }

    pub(super) fn ended(&self) -> Vec<RecordKey> {
        let ended = self.known.iter().filter(|(_, known)| known.ended);
        ended.map(|(key, _)| *key).collect()
    }

    /// Of buckets and the like nothing is known here.
    pub(super) fn may_outlive(&self, key: RecordKey, at: Timestamp) -> bool {
        if !matches!(
            key.kind,
            Kind::AUTHORIZATION | Kind::USER | Kind::ORGANIZATION
        ) {
            return true;
        }
        let Some(known) = self.known.get(&key).filter(|known| !known.ended) else {
            return false;
        };
        let table = &self.view.table;
        let entry = |half| table.read(table.find(half)?, half);
        let mut expiries = known
            .halves
            .iter()
            .flatten()
            .filter_map(|half| entry(*half)?.expires);
        !expiries.any(|end| end <= at)
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
            halves: [None; 2],
            ended: false,
            genuine: false,
        });
        let now = Known {
            revision: change.revision,
            genuine: false,
            ..before
        };
        self.known.insert(change.key, now);
        Outcome::Applied
    }

    /// Makes every digest of an authorization void, or an owner unknown.
    fn deny(&mut self, key: RecordKey, known: Option<&Known>) {
        if matches!(key.kind, Kind::USER | Kind::ORGANIZATION) {
            let owner = self.owner(key);
            self.view.interned.set_owner(owner, OwnerState::Unknown);
            return;
        }
        let halves = known.map_or([None; 2], |known| known.halves);
        for half in halves.into_iter().flatten() {
            self.void(key.id, half);
        }
    }

    fn void(&self, id: Id, half: Half) {
        let table = &self.view.table;
        let entry = table.find(half).and_then(|at| table.read(at, half));
        if let Some(entry) = entry.filter(|entry| entry.id == id) {
            let state = SlotState::Void;
            table.write(half, &Entry { state, ..entry });
        }
    }

    /// Writes *every* slot of the id: those of its digests, and voids those that it had and has no more.
    fn write(&mut self, id: Id, digest: &Digest, known: Option<&Known>) -> Outcome {
        let entry = Entry {
            id,
            state: SlotState::Known(digest.status),
            expires: digest.expires,
            set: self.set(&digest.permissions),
            owner: self.pair(digest.user, digest.organization),
        };
        let former = known.map_or([None; 2], |known| known.halves);
        for half in former.into_iter().flatten() {
            if !digest.halves.contains(&Some(half)) {
                self.void(id, half);
            }
        }
        let mut outcome = Outcome::Applied;
        for half in digest.halves.into_iter().flatten() {
            if !self.insert(half, &entry) {
                outcome = Outcome::Shadowed;
            }
        }
        outcome
    }

    /// False if another authorization has this digest.
    fn insert(&mut self, half: Half, entry: &Entry) -> bool {
        let table = &self.view.table;
        match table.find(half).and_then(|at| table.read(at, half)) {
            Some(held) if held.id != entry.id && held.state != SlotState::Void => return false,
            Some(_) => {}
            None => {
                if table.is_full(self.used + 1) {
                    self.grow();
                }
                self.used += 1;
            }
        }
        self.view.table.write(half, entry)
    }

    /// A new table of the entries that are not void, with room for as many again.
    fn grow(&mut self) {
        let live = self.view.table.entries().count();
        let table = Table::with_room_for((live + 1) * 2);
        self.used = self
            .view
            .table
            .entries()
            .filter(|(half, entry)| table.write(*half, entry))
            .count();
        self.view = Arc::new(View {
            table,
            interned: Arc::clone(&self.view.interned),
            generation: self.view.generation + 1,
        });
    }

    fn set(&mut self, permissions: &PermissionSet) -> u32 {
        if let Some(number) = self.sets.get(permissions) {
            return *number;
        }
        let number = intern(self.sets.len());
        if number >= NO_SET {
            return NO_SET;
        }
        let set = Arc::new(permissions.clone());
        if let Some(slot) = self.view.interned.sets.make(number) {
            // It is empty: each number is given out once.
            let _ = slot.set(Arc::clone(&set));
        }
        self.sets.insert(set, number);
        number
    }

    fn pair(&mut self, user: Option<Id>, organization: Id) -> u32 {
        if let Some(number) = self.pairs.get(&(user, organization)) {
            return *number;
        }
        let user_number = user.map_or(NOBODY, |id| self.owner(RecordKey::new(Kind::USER, id)));
        let org_number = self.owner(RecordKey::new(Kind::ORGANIZATION, organization));
        let number = intern(self.pairs.len());
        if let Some(slot) = self.view.interned.pairs.make(number) {
            let packed = u64::from(user_number) << 32 | u64::from(org_number);
            slot.store(packed, Ordering::Relaxed);
        }
        self.pairs.insert((user, organization), number);
        number
    }

    /// The number of a user or organization; it is unknown until its record comes.
    fn owner(&mut self, key: RecordKey) -> u32 {
        // 0 is nobody.
        let next = intern(self.owners.len() + 1);
        let number = *self.owners.entry(key).or_insert(next);
        self.view.interned.owners.make(number);
        number
    }

    /// Sees to it that nothing comes back that `old` knew better.
    pub(super) fn outlive(&mut self, old: &Self, mut replayed: impl FnMut(RecordKey)) {
        for (key, gone) in &old.gone {
            let now = self.known.get(key).cloned();
            if now.as_ref().is_some_and(|now| now.sequence > *gone) {
                continue;
            }
            if now.is_some() {
                replayed(*key);
                self.deny(*key, now.as_ref());
                self.known.remove(key);
            }
            self.gone.insert(*key, *gone);
        }
        for (key, before) in &old.known {
            let Some(now) = self.known.get(key).cloned() else {
                self.gone.insert(*key, before.sequence);
                continue;
            };
            if now.sequence >= before.sequence && (!before.ended || now.ended) {
                continue;
            }
            replayed(*key);
            if before.ended && key.kind != Kind::AUTHORIZATION {
                let owner = self.owner(*key);
                self.view.interned.set_owner(owner, OwnerState::Deleted);
            } else {
                self.deny(*key, Some(&now));
            }
            let kept = Known {
                revision: now.revision,
                halves: now.halves,
                genuine: false,
                ..before.clone()
            };
            self.known.insert(*key, kept);
        }
    }

    pub(super) fn agrees(&self, change: &Change) -> bool {
        let Some(known) = self.known.get(&change.key) else {
            return matches!(change.what, What::Purged);
        };
        match &change.what {
            What::Purged => false,
            What::NotGenuine => !known.genuine,
            What::Owner(state, sequence) => {
                let owner = self.owners.get(&change.key);
                let held = owner.map(|owner| self.view.interned.owner(*owner));
                known.sequence == *sequence && held == Some(*state)
            }
            What::Authorization(digest, sequence) => {
                known.sequence == *sequence
                    && known.halves == digest.halves
                    && digest
                        .halves
                        .into_iter()
                        .flatten()
                        .all(|half| self.entry_agrees(change.key.id, digest, half))
            }
        }
    }

    fn entry_agrees(&self, id: Id, digest: &Digest, half: Half) -> bool {
        let table = &self.view.table;
        let Some(entry) = table.find(half).and_then(|at| table.read(at, half)) else {
            return false;
        };
        entry.id == id
            && entry.state == SlotState::Known(digest.status)
            && entry.expires == digest.expires
            && self.view.interned.set(entry.set) == Some(&digest.permissions)
            && self.pairs.get(&(digest.user, digest.organization)) == Some(&entry.owner)
    }
}

/// The number of the next element. Nothing is interned past 2³² − 1 of a sort, which no memory here holds.
fn intern(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
