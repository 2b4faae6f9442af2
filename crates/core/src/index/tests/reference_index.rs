//! A simple single-threaded index that the tests compare with the real one.

use std::collections::HashMap;

use super::super::fixtures::*;
use super::super::*;
use crate::authorization::{NotInForce, check_in_force};
use crate::record::Kind;

/// Operations that the tests use on both indexes.
pub(super) trait Tested {
    fn empty() -> Self;
    fn apply_one(&mut self, change: Change) -> ApplyOutcome;
    fn settle_now(&mut self);
    fn start_rebuild(&mut self);
    fn rebuild_with(&mut self, changes: Vec<Change>);
    /// Returns the records whose old versions were refused, in order.
    fn end_rebuild(&mut self) -> Vec<RecordKey>;
    fn find_at(&self, door: TestLookup, now: Timestamp) -> Option<(Id, Result<u64, NotInForce>)>;
    fn count(&self) -> usize;
    fn sequence_of(&self, key: RecordKey) -> u64;
    /// Returns the revoked and deleted records, in order.
    fn all_revoked(&self) -> Vec<RecordKey>;
    fn outlives(&self, key: RecordKey, at: Timestamp) -> bool;
    fn says(&self, change: &Change) -> bool;
}

/// The key under which an authorization is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum TestLookup {
    Id(u64, ShortDigest),
    Digest(ShortDigest),
}

impl TestLookup {
    pub(super) fn of(id: Id, handle: TokenLookup) -> Vec<Self> {
        match handle {
            TokenLookup::ById(short_digest) => vec![Self::Id(id.number(), short_digest)],
            TokenLookup::ByDigest(short_digests) => {
                short_digests.into_iter().flatten().map(Self::Digest).collect()
            }
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct ReferenceIndex {
    now: State,
    fresh: Option<State>,
}

#[derive(Debug, Default)]
struct State {
    records: HashMap<RecordKey, Record>,
    purged: HashMap<RecordKey, u64>,
    owners: HashMap<RecordKey, OwnerState>,
    /// The authorization of each digest, and its last contents.
    doors: HashMap<TestLookup, (Id, IndexEntry)>,
}

#[derive(Debug, Clone)]
struct Record {
    revision: Revision,
    sequence: u64,
    revoked: bool,
    authentic: bool,
    /// None for an owner, and for a record without an authentic version.
    digest: Option<IndexEntry>,
}

impl State {
    fn apply(&mut self, change: &Change) -> ApplyOutcome {
        let key = change.key;
        let known = self.records.get(&key).cloned();
        let is_old = known.as_ref().is_some_and(|known| change.revision < known.revision);
        let (sequence, revoked) = match &change.what {
            ChangeKind::Purged if known.is_none() || is_old => return ApplyOutcome::Known,
            ChangeKind::Purged => {
                self.refuse_dependents(key);
                return ApplyOutcome::Applied;
            }
            ChangeKind::Tampered if is_old => return ApplyOutcome::Known,
            ChangeKind::Tampered => {
                self.deny(key);
                let record = self.records.entry(key).or_insert(Record {
                    revision: change.revision,
                    sequence: 0,
                    revoked: false,
                    authentic: false,
                    digest: None,
                });
                (record.revision, record.authentic) = (change.revision, false);
                return ApplyOutcome::Applied;
            }
            ChangeKind::Authorization(digest, sequence) => {
                (*sequence, digest.status == Status::Revoked)
            }
            ChangeKind::Owner(state, sequence) => (*sequence, *state == OwnerState::Deleted),
        };
        if self.purged.get(&key).is_some_and(|purged| sequence <= *purged) {
            return ApplyOutcome::RolledBack;
        }
        if let Some(known) = &known
            && (!revoked || known.revoked)
        {
            if sequence < known.sequence || known.revoked && !revoked {
                return match change.revision > known.revision {
                    true => ApplyOutcome::RolledBack,
                    false => ApplyOutcome::Known,
                };
            }
            if !known.authentic && change.revision < known.revision {
                return ApplyOutcome::Known;
            }
            if sequence == known.sequence && known.authentic {
                let record = self.records.get_mut(&key).unwrap();
                record.revision = record.revision.max(change.revision);
                return ApplyOutcome::Known;
            }
        }
        self.purged.remove(&key);
        let sequence = sequence.max(known.map_or(0, |known| known.sequence));
        let mut outcome = ApplyOutcome::Applied;
        let digest = match &change.what {
            ChangeKind::Authorization(digest, _) => {
                self.doors.retain(|_, (holder, _)| *holder != key.id);
                for door in TestLookup::of(key.id, digest.handle) {
                    let held = (key.id, digest.clone());
                    let (holder, _) = self.doors.entry(door).or_insert(held);
                    if *holder != key.id {
                        outcome = ApplyOutcome::DuplicateToken;
                    }
                }
                Some(digest.clone())
            }
            ChangeKind::Owner(state, _) => {
                self.owners.insert(key, *state);
                None
            }
            _ => unreachable!(),
        };
        let (revision, authentic) = (change.revision, true);
        let record = Record { revision, sequence, revoked, authentic, digest };
        self.records.insert(key, record);
        outcome
    }

    fn deny(&mut self, key: RecordKey) {
        match key.kind {
            Kind::AUTHORIZATION => self.doors.retain(|_, (holder, _)| *holder != key.id),
            _ => drop(self.owners.insert(key, OwnerState::Unknown)),
        }
    }

    fn refuse_dependents(&mut self, key: RecordKey) {
        self.deny(key);
        let lost = self.records.remove(&key).map_or(0, |record| record.sequence);
        self.remember_purged(key, lost);
    }

    fn remember_purged(&mut self, key: RecordKey, sequence: u64) {
        let purged = self.purged.entry(key).or_default();
        *purged = sequence.max(*purged);
    }

    fn keep_newer_from(&mut self, old: Self) -> Vec<RecordKey> {
        let mut fallen = Vec::new();
        for (key, purged) in old.purged {
            match self.records.get(&key) {
                Some(now) if now.sequence > purged => continue,
                Some(_) => {
                    fallen.push(key);
                    self.refuse_dependents(key);
                }
                None => {}
            }
            self.remember_purged(key, purged);
        }
        for (key, before) in old.records {
            let Some(now) = self.records.get_mut(&key) else {
                self.remember_purged(key, before.sequence);
                continue;
            };
            if now.sequence < before.sequence || before.revoked && !now.revoked {
                fallen.push(key);
                now.authentic = false;
                (now.sequence, now.revoked) = (before.sequence, before.revoked);
                self.deny(key);
                if before.revoked && key.kind != Kind::AUTHORIZATION {
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

    fn apply_one(&mut self, change: Change) -> ApplyOutcome {
        apply(self, change)
    }

    fn settle_now(&mut self) {
        self.finish_loading();
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

    fn find_at(&self, door: TestLookup, now: Timestamp) -> Option<(Id, Result<u64, NotInForce>)> {
        self.read(|view| {
            let place = match door {
                TestLookup::Id(number, short_digest) => (view.start(number), short_digest),
                TestLookup::Digest(short_digest) => {
                    (BucketHash::of_digest(short_digest), short_digest)
                }
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

    fn all_revoked(&self) -> Vec<RecordKey> {
        in_order(self.revoked())
    }

    fn outlives(&self, key: RecordKey, at: Timestamp) -> bool {
        self.may_outlast(key, at)
    }

    fn says(&self, change: &Change) -> bool {
        self.agrees(change)
    }
}

fn in_order(mut keys: Vec<RecordKey>) -> Vec<RecordKey> {
    keys.sort_by_key(|key| (key.kind, key.id));
    keys
}

impl ReferenceIndex {
    /// Returns true if a token of the authorization is found.
    pub(super) fn is_found(&self, key: RecordKey) -> bool {
        let mut holders = self.now.doors.values();
        holders.any(|(holder, _)| key.kind == Kind::AUTHORIZATION && *holder == key.id)
    }
}

impl Tested for ReferenceIndex {
    fn empty() -> Self {
        Self::default()
    }

    fn apply_one(&mut self, change: Change) -> ApplyOutcome {
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
        self.now.keep_newer_from(old)
    }

    fn find_at(&self, door: TestLookup, now: Timestamp) -> Option<(Id, Result<u64, NotInForce>)> {
        let (holder, digest) = self.now.doors.get(&door)?;
        let user = digest.user.map(|user| self.now.owner(Kind::USER, user));
        let organization = self.now.owner(Kind::ORGANIZATION, digest.organization);
        let owners = [user.unwrap_or(OwnerState::Active), organization];
        let expired = || digest.expires.is_some_and(|end| end <= now);
        let version = match digest.permissions[0].resource.target {
            crate::Target::Id(id) => id.number(),
            _ => 0,
        };
        let live = check_in_force(digest.status, expired, owners);
        Some((*holder, live.map(|()| version)))
    }

    fn count(&self) -> usize {
        self.now.records.len()
    }

    fn sequence_of(&self, key: RecordKey) -> u64 {
        let known = self.now.records.get(&key).map(|record| record.sequence);
        known.max(self.now.purged.get(&key).copied()).unwrap_or(0)
    }

    fn all_revoked(&self) -> Vec<RecordKey> {
        let revoked = self.now.records.iter().filter(|(_, record)| record.revoked);
        in_order(revoked.map(|(key, _)| *key).collect())
    }

    fn outlives(&self, key: RecordKey, at: Timestamp) -> bool {
        let known = self.now.records.get(&key).filter(|known| !known.revoked);
        let ends = |digest: &IndexEntry| digest.expires.is_some_and(|end| end <= at);
        known.is_some_and(|known| !known.digest.as_ref().is_some_and(ends))
    }

    fn says(&self, change: &Change) -> bool {
        let key = change.key;
        let Some(known) = self.now.records.get(&key) else {
            return matches!(change.what, ChangeKind::Purged);
        };
        match &change.what {
            ChangeKind::Purged => false,
            ChangeKind::Tampered => !known.authentic,
            ChangeKind::Owner(state, sequence) => {
                known.sequence == *sequence && self.now.owner(key.kind, key.id) == *state
            }
            ChangeKind::Authorization(digest, sequence) => {
                let is_held = |door: &TestLookup| {
                    let held = self.now.doors.get(door);
                    held.is_some_and(|(holder, held)| *holder == key.id && same(held, digest))
                };
                known.sequence == *sequence
                    && TestLookup::of(key.id, digest.handle).iter().all(is_held)
            }
        }
    }
}

fn same(one: &IndexEntry, other: &IndexEntry) -> bool {
    one.handle == other.handle
        && one.status == other.status
        && (one.expires, one.user) == (other.expires, other.user)
        && one.organization == other.organization
        && one.permissions == other.permissions
}
