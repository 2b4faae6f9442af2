//! One slot of the table: 32 bytes that a check reads, and 24 that it does not.

use super::memory::AllAtomic;
use super::sync::{AtomicU64, Ordering};
use super::{Half, SlotState};
use crate::id::Id;
use crate::status::Status;
use crate::store::Revision;
use crate::time::Timestamp;

/// What a check reads. A slot is given to one digest for ever; only a new table drops slots.
///
/// `word` changes with every writing, for it counts them. So whoever reads the same word before and after `expiry`
/// has read what belongs together: `expiry` of the writing that made the word, or the earlier one of two that follow
/// each other, which is as right as either, see [`Slot::write`].
#[derive(Debug, Default)]
#[repr(C, align(32))]
pub(super) struct Slot {
    half: [AtomicU64; 2],
    /// Nanoseconds since 1970; 0 for never.
    expiry: AtomicU64,
    /// State, count of writings, permission set and owner; 0 while the slot is empty.
    word: AtomicU64,
}

/// What only writers read, and a check of a token that does not carry its id.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Cold {
    /// 0 once the record is gone.
    id: AtomicU64,
    revision: AtomicU64,
    /// How many times the record had been written, and flags.
    sequence: AtomicU64,
}

// SAFETY: four atomics of 8 bytes in 32, and three in 24.
unsafe impl AllAtomic for Slot {}
// SAFETY: as above.
unsafe impl AllAtomic for Cold {}

/// What a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) state: SlotState,
    pub(super) expires: Option<Timestamp>,
    /// Which permission set and which pair of owners, as interned.
    pub(super) set: u32,
    pub(super) owners: u32,
}

/// What is known of the record of a slot beside what checks read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Back {
    pub(super) id: Id,
    pub(super) revision: Revision,
    /// How many times it had been written. Unlike the revision it is under the MAC, so that nobody can make an old
    /// version look new.
    pub(super) sequence: u64,
    pub(super) ended: bool,
    pub(super) genuine: bool,
    /// Whether the slot is found by the id; else by the digest.
    pub(super) home: bool,
}

/// A word that was read, and is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(u64);

const STATE_BITS: u32 = 3;
const COUNT_BITS: u32 = 5;
const SET_BITS: u32 = 28;
const SET_AT: u32 = STATE_BITS + COUNT_BITS;
const OWNERS_AT: u32 = SET_AT + SET_BITS;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
/// One more than the greatest number of a permission set or a pair of owners.
pub(super) const MAX_INTERNED: u32 = 1 << SET_BITS;

const ACTIVE: u64 = 1;
const INACTIVE: u64 = 2;
const REVOKED: u64 = 3;
const VOID: u64 = 4;
const MOVED: u64 = 5;

impl Word {
    #[inline(always)]
    pub(super) fn is_active(self) -> bool {
        self.state_bits() == ACTIVE
    }

    #[inline(always)]
    pub(super) fn is_void(self) -> bool {
        self.state_bits() >= VOID
    }

    /// Whether the slot is in another table by now.
    #[inline(always)]
    pub(super) fn is_moved(self) -> bool {
        self.state_bits() == MOVED
    }

    #[inline(always)]
    pub(super) fn state(self) -> SlotState {
        match self.state_bits() {
            ACTIVE => SlotState::Known(Status::Active),
            INACTIVE => SlotState::Known(Status::Inactive),
            REVOKED => SlotState::Known(Status::Revoked),
            _ => SlotState::Void,
        }
    }

    #[inline(always)]
    pub(super) fn set(self) -> u32 {
        (self.0 >> SET_AT) as u32 & (MAX_INTERNED - 1)
    }

    #[inline(always)]
    pub(super) fn owners(self) -> u32 {
        (self.0 >> OWNERS_AT) as u32
    }

    #[inline(always)]
    fn state_bits(self) -> u64 {
        self.0 & ((1 << STATE_BITS) - 1)
    }

    fn pack(entry: &Entry, count: u64) -> u64 {
        let state = match entry.state {
            SlotState::Known(Status::Active) => ACTIVE,
            SlotState::Known(Status::Inactive) => INACTIVE,
            SlotState::Known(Status::Revoked) => REVOKED,
            SlotState::Void => VOID,
        };
        let count = (count & COUNT_MASK) << STATE_BITS;
        let owners = u64::from(entry.owners) << OWNERS_AT;
        state | count | u64::from(entry.set) << SET_AT | owners
    }
}

impl Slot {
    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.word.load(Ordering::Acquire) == 0
    }

    /// Whether the first half of the half is this one; [`Slot::holds`] compares all.
    #[inline(always)]
    pub(super) fn may_hold(&self, half: Half) -> bool {
        self.half[0].load(Ordering::Relaxed) == half[0]
    }

    /// The word of the slot, if it is the one of `half`.
    #[inline(always)]
    pub(super) fn holds(&self, half: Half) -> Option<Word> {
        let word = self.word.load(Ordering::Acquire);
        // A plain comparison: whoever presents tokens cannot steer a keyed digest.
        let [low, high] = &self.half;
        let same = [low.load(Ordering::Relaxed), high.load(Ordering::Relaxed)] == half;
        (word != 0 && same).then_some(Word(word))
    }

    pub(super) fn half(&self) -> Half {
        self.half
            .each_ref()
            .map(|part| part.load(Ordering::Relaxed))
    }

    /// The expiry that belongs to `word`; none if the slot was written since, then it must be read again.
    #[inline(always)]
    pub(super) fn expiry_with(&self, word: Word) -> Option<u64> {
        let expiry = self.expiry.load(Ordering::Acquire);
        (self.word.load(Ordering::Relaxed) == word.0).then_some(expiry)
    }

    /// What the slot says, unless it is in another table by now. For the writer, beside whom nobody writes.
    pub(super) fn entry(&self) -> Option<Entry> {
        let word = Word(self.word.load(Ordering::Acquire));
        let expiry = self.expiry.load(Ordering::Relaxed);
        (word.0 != 0 && !word.is_moved()).then_some(Entry {
            state: word.state(),
            expires: Timestamp::from_nanos(expiry).filter(|_| expiry != 0),
            set: word.set(),
            owners: word.owners(),
        })
    }

    /// Only one thread writes at a time, and an empty slot is given to `half` for ever.
    ///
    /// The earlier of the two expiries stands beside either word: before the new word is stored it only makes the old
    /// version expire when the new one does, afterwards the new one when the old one did.
    pub(super) fn write(&self, half: Half, entry: &Entry) {
        let before = self.word.load(Ordering::Relaxed);
        let expiry = entry.expires.map_or(0, |time| time.nanos().max(1));
        if before == 0 {
            for (to, from) in self.half.iter().zip(half) {
                to.store(from, Ordering::Relaxed);
            }
            self.expiry.store(expiry, Ordering::Relaxed);
        } else {
            let held = self.expiry.load(Ordering::Relaxed);
            // 0 is never, which is later than every other.
            let earlier = held.wrapping_sub(1).min(expiry.wrapping_sub(1));
            self.expiry
                .store(earlier.wrapping_add(1), Ordering::Relaxed);
        }
        let count = (before >> STATE_BITS) + 1;
        self.word.store(Word::pack(entry, count), Ordering::Release);
        self.expiry.store(expiry, Ordering::Release);
    }

    /// What was here is in another table from now on.
    pub(super) fn leave(&self) {
        let word = self.word.load(Ordering::Relaxed);
        if word != 0 {
            self.word.store(MOVED, Ordering::Release);
        }
    }
}

const ENDED: u64 = 1 << 63;
const GENUINE: u64 = 1 << 62;
const HOME: u64 = 1 << 61;

impl Cold {
    #[inline(always)]
    pub(super) fn id(&self) -> Option<Id> {
        Id::new(self.id.load(Ordering::Acquire))
    }

    /// None once the record is gone.
    pub(super) fn read(&self) -> Option<Back> {
        let sequence = self.sequence.load(Ordering::Relaxed);
        let has = |flag| sequence & flag != 0;
        Some(Back {
            id: self.id()?,
            revision: Revision(self.revision.load(Ordering::Relaxed)),
            sequence: sequence & (HOME - 1),
            ended: has(ENDED),
            genuine: has(GENUINE),
            home: has(HOME),
        })
    }

    pub(super) fn write(&self, back: &Back) {
        let flag = |set: bool, flag| if set { flag } else { 0 };
        let flags = flag(back.ended, ENDED) | flag(back.genuine, GENUINE) | flag(back.home, HOME);
        self.revision.store(back.revision.0, Ordering::Relaxed);
        let sequence = back.sequence.min(HOME - 1) | flags;
        self.sequence.store(sequence, Ordering::Relaxed);
        self.id.store(back.id.number(), Ordering::Release);
    }

    pub(super) fn forget(&self) {
        self.id.store(0, Ordering::Release);
    }
}
