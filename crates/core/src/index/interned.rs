//! Interned values that slots refer to by number: permission sets, owners, and pairs of owners.

use std::sync::OnceLock;

use super::chunks::Chunks;
use super::slot::MAX_INTERNED;
use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::CompiledSet;
use crate::primitives::sync::{AtomicU8, AtomicU64, Ordering};
use std::sync::Arc;

/// Values that slots refer to by number. Append-only, except for the states of owners.
#[derive(Debug)]
pub(super) struct Interned {
    pub(super) sets: Chunks<OnceLock<Arc<CompiledSet>>>,
    pub(super) pairs: Chunks<Pair>,
    pub(super) owners: Chunks<AtomicU8>,
}

/// A user and an organization, by their ids and by their numbers in the table of owners.
#[derive(Debug, Default)]
pub(super) struct Pair {
    /// 0 for no user.
    user: AtomicU64,
    organization: AtomicU64,
    numbers: AtomicU64,
}

/// Number of the owner that stands for "no user". It is always active.
pub(super) const NO_OWNER: u32 = 0;
/// Number of no set. Used when all other numbers are taken; such a set allows nothing.
pub(super) const NO_SET: u32 = MAX_INTERNED - 1;
/// Number of no pair. Used when all other numbers are taken; its authorizations allow nothing.
pub(super) const NO_PAIR: u32 = MAX_INTERNED - 1;

impl Interned {
    pub(super) fn new() -> Self {
        let interned = Self { sets: Chunks::new(), pairs: Chunks::new(), owners: Chunks::new() };
        interned.set_owner(NO_OWNER, OwnerState::Active);
        interned
    }

    #[inline(always)]
    pub(super) fn set(&self, at: u32) -> Option<&CompiledSet> {
        self.sets.get(at)?.get().map(|set| &**set)
    }

    #[inline(always)]
    pub(super) fn owner(&self, at: u32) -> OwnerState {
        match self.owners.get(at).map(|state| state.load(Ordering::Acquire)) {
            Some(1) => OwnerState::Active,
            Some(2) => OwnerState::Inactive,
            Some(3) => OwnerState::Deleted,
            _ => OwnerState::Unknown,
        }
    }

    /// Returns the states of user and organization.
    #[inline(always)]
    pub(super) fn owners(&self, pair: &Pair) -> [OwnerState; 2] {
        let numbers = pair.numbers.load(Ordering::Relaxed);
        [self.owner((numbers >> 32) as u32), self.owner(numbers as u32)]
    }

    /// Returns true if user and organization are active. Fast path for most checks.
    #[inline(always)]
    pub(super) fn are_active(&self, pair: &Pair) -> bool {
        let numbers = pair.numbers.load(Ordering::Relaxed);
        let is_active = |at: u32| match self.owners.get(at) {
            Some(state) => state.load(Ordering::Acquire) == OwnerState::Active as u8,
            None => false,
        };
        is_active((numbers >> 32) as u32) && is_active(numbers as u32)
    }

    pub(super) fn set_owner(&self, at: u32, state: OwnerState) {
        if let Some(slot) = self.owners.make(at) {
            slot.store(state as u8, Ordering::Release);
        }
    }
}

impl Pair {
    pub(super) fn write(&self, (user, user_at): (Option<Id>, u32), (organization, at): (Id, u32)) {
        let user = user.map_or(0, Id::number);
        self.user.store(user, Ordering::Relaxed);
        let numbers = u64::from(user_at) << 32 | u64::from(at);
        self.numbers.store(numbers, Ordering::Relaxed);
        self.organization.store(organization.number(), Ordering::Release);
    }

    #[inline(always)]
    pub(super) fn user(&self) -> Option<Id> {
        Id::new(self.user.load(Ordering::Relaxed))
    }

    /// None if the pair was never written.
    #[inline(always)]
    pub(super) fn organization(&self) -> Option<Id> {
        Id::new(self.organization.load(Ordering::Acquire))
    }
}
