//! The writing side of the index: one thread at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::chunks::Chunks;
use super::table::{Entry, Half, MAX_SETS, SlotState, Table};
use super::{Change, Digest, Outcome, SameEpoch, View, What};
use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::PermissionSet;
use crate::record::{Kind, RecordKey};
use crate::status::Status;
use crate::store::Revision;

/// What words in the table refer to. Append-only, but for the states of owners.
#[derive(Debug)]
pub(super) struct Interned {
    sets: Chunks<OnceLock<Arc<PermissionSet>>>,
    pairs: Chunks<AtomicU64>,
    owners: Chunks<AtomicU8>,
}

/// Numbers of a user and an organization in the table of owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OwnerPair {
    pub(super) user: u32,
    pub(super) organization: u32,
}

/// The number of the owner that stands for "no user": it is always active.
const NOBODY: u32 = 0;
/// The number that no set ever has: when all others are taken, further sets allow nothing.
const NO_SET: u32 = MAX_SETS - 1;

impl Interned {
    pub(super) fn set(&self, at: u32) -> Option<&PermissionSet> {
        self.sets.get(at)?.get().map(|set| &**set)
    }

    pub(super) fn pair(&self, at: u32) -> Option<OwnerPair> {
        let packed = self.pairs.get(at)?.load(Ordering::Relaxed);
        Some(OwnerPair {
            user: (packed >> 32) as u32,
            organization: packed as u32,
        })
    }

    pub(super) fn owner(&self, at: u32) -> OwnerState {
        match self
            .owners
            .get(at)
            .map(|state| state.load(Ordering::Acquire))
        {
            Some(1) => OwnerState::Active,
            Some(2) => OwnerState::Inactive,
            Some(3) => OwnerState::Deleted,
            _ => OwnerState::Unknown,
        }
    }

    fn set_owner(&self, at: u32, state: OwnerState) {
        if let Some(slot) = self.owners.make(at) {
            slot.store(state as u8, Ordering::Release);
        }
    }
}

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
    sets: HashMap<Arc<PermissionSet>, u32>,
    pairs: HashMap<(Option<Id>, Id), u32>,
    owners: HashMap<RecordKey, u32>,
    /// Slots that are taken, void ones too.
    used: usize,
}

impl Builder {
    pub(super) fn new(generation: u64) -> Self {
        let interned = Interned {
            sets: Chunks::new(),
            pairs: Chunks::new(),
            owners: Chunks::new(),
        };
        interned.set_owner(NOBODY, OwnerState::Active);
        Self {
            view: Arc::new(View {
                table: Table::with_room_for(0),
                interned: Arc::new(interned),
                generation,
            }),
            known: HashMap::new(),
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
            What::Purged => {
                self.deny(change.key, known.as_ref());
                self.known.remove(&change.key);
                Outcome::Applied
            }
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
        if let Some(known) = &known {
            let newer = change.revision > known.revision;
            let backwards = sequence < known.sequence || known.ended && !ended;
            if backwards {
                return if newer {
                    Outcome::Replayed
                } else {
                    Outcome::Known
                };
            }
            if sequence == known.sequence && known.genuine {
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
        let now = Known {
            revision: change.revision,
            sequence,
            halves,
            ended,
            genuine: true,
        };
        self.known.insert(change.key, now);
        outcome
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
        if key.kind != Kind::AUTHORIZATION {
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
    pub(super) fn outlive(
        &mut self,
        old: &Self,
        epoch: SameEpoch,
        mut replayed: impl FnMut(RecordKey),
    ) {
        for (key, before) in &old.known {
            let Some(now) = self.known.get(key).cloned() else {
                continue;
            };
            let fell_back = epoch == SameEpoch::Yes && now.sequence < before.sequence;
            if !fell_back && (!before.ended || now.ended) {
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
                halves: now.halves,
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
