//! The index as it would be if nothing had to be fast: maps, and one thread.

use std::collections::HashMap;

use super::super::samples::{apply, sequence_of};
use super::super::*;
use crate::authorization::{Dead, liveness};
use crate::record::Kind;

/// What the tests ask of an index.
pub(super) trait Tested {
    fn empty() -> Self;
    fn apply_one(&mut self, change: Change) -> Outcome;
    fn settle_now(&mut self);
    fn start_rebuild(&mut self);
    fn rebuild_with(&mut self, changes: Vec<Change>);
    /// The numbers of the authorizations that would have fallen back, in order.
    fn end_rebuild(&mut self) -> Vec<RecordKey>;
    fn find_at(&self, door: Door, now: Timestamp) -> Option<(Id, Result<u64, Dead>)>;
    fn count(&self) -> usize;
    fn sequence_of(&self, key: RecordKey) -> u64;
    /// In order.
    fn all_ended(&self) -> Vec<RecordKey>;
    fn outlives(&self, key: RecordKey, at: Timestamp) -> bool;
    fn says(&self, change: &Change) -> bool;
}

/// Where an authorization is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Door {
    Id(u64, Half),
    Digest(Half),
}

impl Door {
    pub(super) fn of(id: Id, handle: Handle) -> Vec<Self> {
        match handle {
            Handle::Id(half) => vec![Self::Id(id.number(), half)],
            Handle::Digests(halves) => halves.into_iter().flatten().map(Self::Digest).collect(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Plain {
    now: State,
    fresh: Option<State>,
}

#[derive(Debug, Default)]
struct State {
    records: HashMap<RecordKey, Record>,
    gone: HashMap<RecordKey, u64>,
    owners: HashMap<RecordKey, OwnerState>,
    /// Whose token a digest is, and what it said last.
    doors: HashMap<Door, (Id, Digest)>,
}

#[derive(Debug, Clone)]
struct Record {
    revision: Revision,
    sequence: u64,
    ended: bool,
    genuine: bool,
    /// None of an owner, and of what never was genuine.
    digest: Option<Digest>,
}

impl State {
    fn apply(&mut self, change: &Change) -> Outcome {
        let key = change.key;
        let known = self.records.get(&key).cloned();
        let is_old = known
            .as_ref()
            .is_some_and(|known| change.revision < known.revision);
        let (sequence, ended) = match &change.what {
            What::Purged if known.is_none() || is_old => return Outcome::Known,
            What::Purged => {
                self.lose(key);
                return Outcome::Applied;
            }
            What::NotGenuine if is_old => return Outcome::Known,
            What::NotGenuine => {
                self.deny(key);
                let record = self.records.entry(key).or_insert(Record {
                    revision: change.revision,
                    sequence: 0,
                    ended: false,
                    genuine: false,
                    digest: None,
                });
                (record.revision, record.genuine) = (change.revision, false);
                return Outcome::Applied;
            }
            What::Authorization(digest, sequence) => (*sequence, digest.status == Status::Revoked),
            What::Owner(state, sequence) => (*sequence, *state == OwnerState::Deleted),
        };
        if self.gone.get(&key).is_some_and(|gone| sequence <= *gone) {
            return Outcome::Replayed;
        }
        if let Some(known) = &known
            && (!ended || known.ended)
        {
            if sequence < known.sequence || known.ended && !ended {
                return match change.revision > known.revision {
                    true => Outcome::Replayed,
                    false => Outcome::Known,
                };
            }
            if !known.genuine && change.revision < known.revision {
                return Outcome::Known;
            }
            if sequence == known.sequence && known.genuine {
                let record = self.records.get_mut(&key).unwrap();
                record.revision = record.revision.max(change.revision);
                return Outcome::Known;
            }
        }
        self.gone.remove(&key);
        let sequence = sequence.max(known.map_or(0, |known| known.sequence));
        let mut outcome = Outcome::Applied;
        let digest = match &change.what {
            What::Authorization(digest, _) => {
                self.doors.retain(|_, (holder, _)| *holder != key.id);
                for door in Door::of(key.id, digest.handle) {
                    let held = (key.id, digest.clone());
                    let (holder, _) = self.doors.entry(door).or_insert(held);
                    if *holder != key.id {
                        outcome = Outcome::Shadowed;
                    }
                }
                Some(digest.clone())
            }
            What::Owner(state, _) => {
                self.owners.insert(key, *state);
                None
            }
            _ => unreachable!(),
        };
        let (revision, genuine) = (change.revision, true);
        let record = Record {
            revision,
            sequence,
            ended,
            genuine,
            digest,
        };
        self.records.insert(key, record);
        outcome
    }

    fn deny(&mut self, key: RecordKey) {
        match key.kind {
            Kind::AUTHORIZATION => self.doors.retain(|_, (holder, _)| *holder != key.id),
            _ => drop(self.owners.insert(key, OwnerState::Unknown)),
        }
    }

    fn lose(&mut self, key: RecordKey) {
        self.deny(key);
        let lost = self
            .records
            .remove(&key)
            .map_or(0, |record| record.sequence);
        self.bury(key, lost);
    }

    fn bury(&mut self, key: RecordKey, sequence: u64) {
        let gone = self.gone.entry(key).or_default();
        *gone = sequence.max(*gone);
    }

    fn outlive(&mut self, old: Self) -> Vec<RecordKey> {
        let mut fallen = Vec::new();
        for (key, gone) in old.gone {
            match self.records.get(&key) {
                Some(now) if now.sequence > gone => continue,
                Some(_) => {
                    fallen.push(key);
                    self.lose(key);
                }
                None => {}
            }
            self.bury(key, gone);
        }
        for (key, before) in old.records {
            let Some(now) = self.records.get_mut(&key) else {
                self.bury(key, before.sequence);
                continue;
            };
            if now.sequence < before.sequence || before.ended && !now.ended {
                fallen.push(key);
                now.genuine = false;
                (now.sequence, now.ended) = (before.sequence, before.ended);
                self.deny(key);
                if before.ended && key.kind != Kind::AUTHORIZATION {
                    self.owners.insert(key, OwnerState::Deleted);
                }
            }
        }
        in_order(fallen)
    }

    fn owner(&self, kind: Kind, id: Id) -> OwnerState {
        let state = self.owners.get(&RecordKey::new(kind, id));
        state.copied().unwrap_or(OwnerState::Unknown)
    }
}

impl Tested for Index {
    fn empty() -> Self {
        Self::new()
    }

    fn apply_one(&mut self, change: Change) -> Outcome {
        apply(self, change)
    }

    fn settle_now(&mut self) {
        self.settle();
    }

    fn start_rebuild(&mut self) {
        self.begin_rebuild();
    }

    fn rebuild_with(&mut self, changes: Vec<Change>) {
        self.rebuild(changes);
    }

    fn end_rebuild(&mut self) -> Vec<RecordKey> {
        let mut fallen = Vec::new();
        self.finish_rebuild(|key| fallen.push(key));
        in_order(fallen)
    }

    fn find_at(&self, door: Door, now: Timestamp) -> Option<(Id, Result<u64, Dead>)> {
        self.read(|view| {
            let place = match door {
                Door::Id(number, half) => (view.start(number), half),
                Door::Digest(half) => (Start::of_half(half), half),
            };
            self.find(view, place, |found| {
                let live = found.live(|| now);
                (found.id().unwrap(), live.map(|()| sequence_of(&found)))
            })
        })
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn sequence_of(&self, key: RecordKey) -> u64 {
        self.sequence(key)
    }

    fn all_ended(&self) -> Vec<RecordKey> {
        in_order(self.ended())
    }

    fn outlives(&self, key: RecordKey, at: Timestamp) -> bool {
        self.may_outlive(key, at)
    }

    fn says(&self, change: &Change) -> bool {
        self.agrees(change)
    }
}

fn in_order(mut keys: Vec<RecordKey>) -> Vec<RecordKey> {
    keys.sort_by_key(|key| (key.kind, key.id));
    keys
}

impl Plain {
    /// Whether a token of it is found.
    pub(super) fn is_found(&self, key: RecordKey) -> bool {
        let mut holders = self.now.doors.values();
        holders.any(|(holder, _)| key.kind == Kind::AUTHORIZATION && *holder == key.id)
    }
}

impl Tested for Plain {
    fn empty() -> Self {
        Self::default()
    }

    fn apply_one(&mut self, change: Change) -> Outcome {
        if let Some(fresh) = &mut self.fresh {
            fresh.apply(&change);
        }
        self.now.apply(&change)
    }

    fn settle_now(&mut self) {}

    fn start_rebuild(&mut self) {
        self.fresh = Some(State::default());
    }

    fn rebuild_with(&mut self, changes: Vec<Change>) {
        if let Some(fresh) = &mut self.fresh {
            for change in changes {
                fresh.apply(&change);
            }
        }
    }

    fn end_rebuild(&mut self) -> Vec<RecordKey> {
        let Some(fresh) = self.fresh.take() else {
            return Vec::new();
        };
        let old = std::mem::replace(&mut self.now, fresh);
        self.now.outlive(old)
    }

    fn find_at(&self, door: Door, now: Timestamp) -> Option<(Id, Result<u64, Dead>)> {
        let (holder, digest) = self.now.doors.get(&door)?;
        let user = digest.user.map(|user| self.now.owner(Kind::USER, user));
        let organization = self.now.owner(Kind::ORGANIZATION, digest.organization);
        let owners = [user.unwrap_or(OwnerState::Active), organization];
        let expired = || digest.expires.is_some_and(|end| end <= now);
        let version = match digest.permissions[0].resource.target {
            crate::Target::Id(id) => id.number(),
            _ => 0,
        };
        let live = liveness(digest.status, expired, owners);
        Some((*holder, live.map(|()| version)))
    }

    fn count(&self) -> usize {
        self.now.records.len()
    }

    fn sequence_of(&self, key: RecordKey) -> u64 {
        let known = self.now.records.get(&key).map(|record| record.sequence);
        known.max(self.now.gone.get(&key).copied()).unwrap_or(0)
    }

    fn all_ended(&self) -> Vec<RecordKey> {
        let ended = self.now.records.iter().filter(|(_, record)| record.ended);
        in_order(ended.map(|(key, _)| *key).collect())
    }

    fn outlives(&self, key: RecordKey, at: Timestamp) -> bool {
        let known = self.now.records.get(&key).filter(|known| !known.ended);
        let ends = |digest: &Digest| digest.expires.is_some_and(|end| end <= at);
        known.is_some_and(|known| !known.digest.as_ref().is_some_and(ends))
    }

    fn says(&self, change: &Change) -> bool {
        let key = change.key;
        let Some(known) = self.now.records.get(&key) else {
            return matches!(change.what, What::Purged);
        };
        match &change.what {
            What::Purged => false,
            What::NotGenuine => !known.genuine,
            What::Owner(state, sequence) => {
                known.sequence == *sequence && self.now.owner(key.kind, key.id) == *state
            }
            What::Authorization(digest, sequence) => {
                let is_held = |door: &Door| {
                    let held = self.now.doors.get(door);
                    held.is_some_and(|(holder, held)| *holder == key.id && same(held, digest))
                };
                known.sequence == *sequence && Door::of(key.id, digest.handle).iter().all(is_held)
            }
        }
    }
}

fn same(one: &Digest, other: &Digest) -> bool {
    one.handle == other.handle
        && one.status == other.status
        && (one.expires, one.user) == (other.expires, other.user)
        && one.organization == other.organization
        && one.permissions == other.permissions
}
