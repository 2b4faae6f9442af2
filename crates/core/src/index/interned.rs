//! What slots refer to by numbers: permission sets, owners, and pairs of owners.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::chunks::Chunks;
use super::table::MAX_SETS;
use crate::owner::OwnerState;
use crate::permission::PermissionSet;

/// What words in the table refer to. Append-only, but for the states of owners.
#[derive(Debug)]
pub(super) struct Interned {
    pub(super) sets: Chunks<OnceLock<Arc<PermissionSet>>>,
    pub(super) pairs: Chunks<AtomicU64>,
    pub(super) owners: Chunks<AtomicU8>,
}

/// Numbers of a user and an organization in the table of owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OwnerPair {
    pub(super) user: u32,
    pub(super) organization: u32,
}

impl Interned {
    pub(super) fn new() -> Self {
        let interned = Self {
            sets: Chunks::new(),
            pairs: Chunks::new(),
            owners: Chunks::new(),
        };
        interned.set_owner(NOBODY, OwnerState::Active);
        interned
    }

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

    pub(super) fn set_owner(&self, at: u32, state: OwnerState) {
        if let Some(slot) = self.owners.make(at) {
            slot.store(state as u8, Ordering::Release);
        }
    }
}

/// The number of the owner that stands for "no user": it is always active.
pub(super) const NOBODY: u32 = 0;
/// The number that no set ever has: when all others are taken, further sets allow nothing.
pub(super) const NO_SET: u32 = MAX_SETS - 1;
