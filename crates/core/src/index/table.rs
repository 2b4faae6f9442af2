//! The open-addressing table that a check reads: digests to states, by atomics alone.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::id::Id;
use crate::status::Status;
use crate::time::Timestamp;

/// 128 bits of a keyed digest.
pub(crate) type Half = [u64; 2];

/// What a slot says of its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotState {
    /// The digest of a record with this status.
    Known(Status),
    /// The digest counts as unknown: its record was purged, is not genuine, or has another digest by now.
    Void,
}

/// Everything that a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: Id,
    pub(crate) state: SlotState,
    pub(crate) expires: Option<Timestamp>,
    /// Which permission set and which owner, as interned.
    pub(crate) set: u32,
    pub(crate) owner: u32,
}

/// A slot is given to one digest for ever; only a new table drops slots.
#[derive(Debug, Default)]
struct Slot {
    half: [AtomicU64; 2],
    id: AtomicU64,
    /// Nanoseconds since 1970; 0 for never.
    expires: AtomicU64,
    /// State, permission set and owner in one word, so that they change together; 0 while the slot is empty.
    word: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Table {
    slots: Box<[Slot]>,
}

const STATE_BITS: u32 = 3;
const SET_BITS: u32 = 29;
/// One more than the greatest number of an interned permission set.
pub(super) const MAX_SETS: u32 = 1 << SET_BITS;

impl Table {
    /// A table for `count` digests, at most two thirds full.
    pub(super) fn with_room_for(count: usize) -> Self {
        let size = (count.max(16) * 3 / 2).next_power_of_two();
        Self {
            slots: (0..size).map(|_| Slot::default()).collect(),
        }
    }

    pub(super) fn is_full(&self, used: usize) -> bool {
        used * 3 / 2 >= self.slots.len()
    }

    /// The number of the slot of `half`.
    pub(super) fn find(&self, half: Half) -> Option<usize> {
        self.probe(half)
            .find(|(_, slot)| slot.is_empty() || slot.holds(half))
            .filter(|(_, slot)| !slot.is_empty())
            .map(|(at, _)| at)
    }

    /// What the slot says, if it is the one of `half`.
    pub(super) fn read(&self, at: usize, half: Half) -> Option<Entry> {
        let slot = self.slots.get(at)?;
        let word = slot.word.load(Ordering::Acquire);
        if word == 0 || !slot.holds(half) {
            return None;
        }
        slot.entry(word)
    }

    /// Writes the slot of `half`, a new one if there is none. Only one thread writes at a time. False if the
    /// table has no room.
    pub(super) fn write(&self, half: Half, entry: &Entry) -> bool {
        let mut probe = self.probe(half);
        let Some((_, slot)) = probe.find(|(_, slot)| slot.is_empty() || slot.holds(half)) else {
            return false;
        };
        for (to, from) in slot.half.iter().zip(half) {
            to.store(from, Ordering::Relaxed);
        }
        slot.id.store(entry.id.number(), Ordering::Relaxed);
        let expires = entry.expires.map_or(0, |time| time.nanos().max(1));
        slot.expires.store(expires, Ordering::Relaxed);
        slot.word.store(pack(entry), Ordering::Release);
        true
    }

    /// All digests that are not void.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Half, Entry)> {
        self.slots.iter().filter_map(|slot| {
            let entry = slot.entry(slot.word.load(Ordering::Acquire))?;
            let half = slot
                .half
                .each_ref()
                .map(|part| part.load(Ordering::Relaxed));
            (entry.state != SlotState::Void).then_some((half, entry))
        })
    }

    fn probe(&self, [start, _]: Half) -> impl Iterator<Item = (usize, &Slot)> {
        let mask = self.slots.len() - 1;
        let places =
            (0..self.slots.len()).map(move |step| (start as usize).wrapping_add(step) & mask);
        places.filter_map(|at| Some((at, self.slots.get(at)?)))
    }
}

impl Slot {
    fn is_empty(&self) -> bool {
        self.word.load(Ordering::Acquire) == 0
    }

    fn holds(&self, half: Half) -> bool {
        // A plain comparison: whoever presents tokens cannot steer a keyed digest.
        let [low, high] = &self.half;
        [low.load(Ordering::Relaxed), high.load(Ordering::Relaxed)] == half
    }

    fn entry(&self, word: u64) -> Option<Entry> {
        let state = match word & ((1 << STATE_BITS) - 1) {
            1 => SlotState::Known(Status::Active),
            2 => SlotState::Known(Status::Inactive),
            3 => SlotState::Known(Status::Revoked),
            4 => SlotState::Void,
            _ => return None,
        };
        let expires = self.expires.load(Ordering::Relaxed);
        Some(Entry {
            id: Id::new(self.id.load(Ordering::Relaxed))?,
            state,
            expires: Timestamp::from_nanos(expires).filter(|_| expires != 0),
            set: (word >> STATE_BITS) as u32 & (MAX_SETS - 1),
            owner: (word >> (STATE_BITS + SET_BITS)) as u32,
        })
    }
}

fn pack(entry: &Entry) -> u64 {
    let state = match entry.state {
        SlotState::Known(Status::Active) => 1,
        SlotState::Known(Status::Inactive) => 2,
        SlotState::Known(Status::Revoked) => 3,
        SlotState::Void => 4,
    };
    state | u64::from(entry.set) << STATE_BITS | u64::from(entry.owner) << (STATE_BITS + SET_BITS)
}
