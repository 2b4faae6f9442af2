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
/// `word` changes with every writing, for it counts them. So whoever reads the same word before and after `times`
/// has read what belongs together: the expiry of the writing that made the word, or the earlier one of two that follow
/// each other, which is as right as either, see [`Slot::write`].
#[derive(Debug, Default)]
#[repr(C, align(32))]
pub(super) struct Slot {
    half: [AtomicU64; 2],
    /// The expiry and the minute of the last use. Readers set the minute.
    times: AtomicU64,
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
    /// How many times the record had been written, flags, and the rest of the expiry.
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
    /// The minute of the last use, for a slot that was none before.
    pub(super) used: Used,
}

/// The expiry, in ticks of 2²⁰ nanoseconds, about a millisecond, since 1970, or 0 for never; and in the lower bits the
/// minute of the last use. Of what expires in the very tick that it is, the rest of the expiry decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times(u64);

/// The lower bits of the minute of the last use; 0 for none. They begin anew every two years, of which nobody takes
/// notice who looks once a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Used(u64);

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
    /// The nanoseconds of the expiry that are less than a tick.
    pub(super) rest: u64,
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

    /// The times that belong to `word`; none if the slot was written since, then it must be read again.
    #[inline(always)]
    pub(super) fn times_with(&self, word: Word) -> Option<Times> {
        let times = self.times.load(Ordering::Acquire);
        (self.word.load(Ordering::Relaxed) == word.0).then_some(Times(times))
    }

    /// Notes the minute of a use, unless somebody writes meanwhile: the next use notes it again.
    #[inline(always)]
    pub(super) fn note_use(&self, times: Times, used: Used) {
        if times.used() != used {
            let noted = times.0 & !MINUTE_MASK | used.0;
            let order = Ordering::Relaxed;
            let _ = self.times.compare_exchange(times.0, noted, order, order);
        }
    }

    /// Whether its last use was in that minute.
    pub(super) fn was_used(&self, used: Used) -> bool {
        Times(self.times.load(Ordering::Relaxed)).used() == used
    }

    /// What the slot says, unless it is in another table by now. For the writer, beside whom nobody writes. `rest` is
    /// that of its record.
    pub(super) fn entry(&self, rest: u64) -> Option<Entry> {
        let word = Word(self.word.load(Ordering::Acquire));
        let times = Times(self.times.load(Ordering::Relaxed));
        (word.0 != 0 && !word.is_moved()).then_some(Entry {
            state: word.state(),
            expires: times.expiry(rest),
            set: word.set(),
            owners: word.owners(),
            used: times.used(),
        })
    }

    /// Only one thread writes at a time, and an empty slot is given to `half` for ever.
    ///
    /// The earlier of the two expiries stands beside either word: before the new word is stored it only makes the old
    /// version expire when the new one does, afterwards the new one when the old one did.
    pub(super) fn write(&self, half: Half, entry: &Entry) {
        let before = self.word.load(Ordering::Relaxed);
        let held = Times(self.times.load(Ordering::Relaxed));
        let times = Times::new(
            entry.expires,
            if before == 0 { entry.used } else { held.used() },
        );
        if before == 0 {
            for (to, from) in self.half.iter().zip(half) {
                to.store(from, Ordering::Relaxed);
            }
            self.times.store(times.0, Ordering::Relaxed);
        } else {
            self.times.store(held.earlier(times).0, Ordering::Relaxed);
        }
        let count = (before >> STATE_BITS) + 1;
        self.word.store(Word::pack(entry, count), Ordering::Release);
        self.times.store(times.0, Ordering::Release);
    }

    /// What was here is in another table from now on.
    pub(super) fn leave(&self) {
        let word = self.word.load(Ordering::Relaxed);
        if word != 0 {
            self.word.store(MOVED, Ordering::Release);
        }
    }
}

const TICK_BITS: u32 = 20;
/// As many bits hold the minute in the times of a slot as the rest of a tick in its record.
const MINUTE_MASK: u64 = (1 << TICK_BITS) - 1;

impl Times {
    fn new(expires: Option<Timestamp>, Used(minute): Used) -> Self {
        let ticks = expires.map_or(0, |time| (time.nanos() >> TICK_BITS).max(1));
        Self(ticks << TICK_BITS | minute)
    }

    #[inline(always)]
    pub(super) fn never_expires(self) -> bool {
        self.ticks() == 0
    }

    /// Whether the time is over at `now`; `rest` gives the part of the expiry that is less than a tick.
    pub(super) fn are_over(self, now: Timestamp, rest: impl FnOnce() -> u64) -> bool {
        let (ticks, passed) = (self.ticks(), now.nanos() >> TICK_BITS);
        match ticks.cmp(&passed) {
            _ if ticks == 0 => false,
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => rest() <= now.nanos() & MINUTE_MASK,
            std::cmp::Ordering::Greater => false,
        }
    }

    fn expiry(self, rest: u64) -> Option<Timestamp> {
        let nanos = self.ticks() << TICK_BITS | rest;
        Timestamp::from_nanos(nanos).filter(|_| !self.never_expires())
    }

    /// The one whose expiry is earlier, with the minute of `later`.
    fn earlier(self, later: Self) -> Self {
        // 0 is never, which is later than every other.
        let ticks = self
            .ticks()
            .wrapping_sub(1)
            .min(later.ticks().wrapping_sub(1));
        Self(ticks.wrapping_add(1) << TICK_BITS | later.used().0)
    }

    #[inline(always)]
    fn ticks(self) -> u64 {
        self.0 >> TICK_BITS
    }

    #[inline(always)]
    fn used(self) -> Used {
        Used(self.0 & MINUTE_MASK)
    }
}

impl Used {
    /// For the minute with this number, counted from 1970.
    #[inline(always)]
    pub(crate) fn within(minute: u64) -> Self {
        Self(minute & MINUTE_MASK)
    }
}

/// An expiry as it is kept: nothing expires in the first millisecond of 1970.
pub(super) fn kept_expiry(expires: Option<Timestamp>) -> Option<Timestamp> {
    let first = Timestamp::from_nanos(1 << TICK_BITS);
    expires.map(|time| first.map_or(time, |first| time.max(first)))
}

/// The part of an expiry that a slot does not hold.
pub(super) fn rest_of(expires: Option<Timestamp>) -> u64 {
    expires.map_or(0, |time| time.nanos() & MINUTE_MASK)
}

const ENDED: u64 = 1 << 63;
const GENUINE: u64 = 1 << 62;
const HOME: u64 = 1 << 61;
const SEQUENCE_BITS: u32 = 61 - TICK_BITS;
const SEQUENCE_MASK: u64 = (1 << SEQUENCE_BITS) - 1;

impl Cold {
    #[inline(always)]
    pub(super) fn id(&self) -> Option<Id> {
        Id::new(self.id.load(Ordering::Acquire))
    }

    /// The part of the expiry that the slot does not hold.
    pub(super) fn rest(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed) >> SEQUENCE_BITS & MINUTE_MASK
    }

    /// None once the record is gone.
    pub(super) fn read(&self) -> Option<Back> {
        let sequence = self.sequence.load(Ordering::Relaxed);
        let has = |flag| sequence & flag != 0;
        Some(Back {
            id: self.id()?,
            revision: Revision(self.revision.load(Ordering::Relaxed)),
            sequence: sequence & SEQUENCE_MASK,
            rest: sequence >> SEQUENCE_BITS & MINUTE_MASK,
            ended: has(ENDED),
            genuine: has(GENUINE),
            home: has(HOME),
        })
    }

    pub(super) fn write(&self, back: &Back) {
        let flag = |set: bool, flag| if set { flag } else { 0 };
        let flags = flag(back.ended, ENDED) | flag(back.genuine, GENUINE) | flag(back.home, HOME);
        self.revision.store(back.revision.0, Ordering::Relaxed);
        let rest = (back.rest & MINUTE_MASK) << SEQUENCE_BITS;
        let sequence = back.sequence.min(SEQUENCE_MASK) | rest | flags;
        self.sequence.store(sequence, Ordering::Relaxed);
        self.id.store(back.id.number(), Ordering::Release);
    }

    pub(super) fn forget(&self) {
        self.id.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The expiry is exact to the nanosecond, though a slot holds ticks and the record the rest.
        #[test]
        fn an_expiry_is_over_from_its_very_nanosecond_on(
            end in (1_u64 << TICK_BITS)..=Timestamp::MAX.nanos(),
            off in -2_i64..=2,
            coarse in prop_oneof![Just(1_i64), Just(1_000_000), Just(1 << TICK_BITS)],
            minute: u32,
        ) {
            let end = Timestamp::from_nanos(end).unwrap();
            let now = end.nanos().saturating_add_signed(off * coarse);
            let now = Timestamp::from_nanos(now).unwrap_or(Timestamp::MAX);
            let used = Used::within(minute.into());
            let times = Times::new(Some(end), used);
            prop_assert!(!times.never_expires());
            prop_assert_eq!(times.used(), used);
            prop_assert_eq!(times.are_over(now, || rest_of(Some(end))), end <= now);
            prop_assert_eq!(times.expiry(rest_of(Some(end))), Some(end));
            prop_assert_eq!(Times::new(None, used).expiry(0), None);
        }

        #[test]
        fn what_is_known_of_a_record_reads_back(
            id in 1..u64::MAX,
            revision: u64,
            sequence in 0..SEQUENCE_MASK,
            flags: [bool; 3],
            rest in 0..MINUTE_MASK,
        ) {
            let [ended, genuine, home] = flags;
            let id = Id::new(id).unwrap();
            let revision = Revision(revision);
            let back = Back { id, revision, sequence, ended, genuine, home, rest };
            let cold = Cold::default();
            cold.write(&back);
            prop_assert_eq!(cold.read(), Some(back));
            prop_assert_eq!(cold.rest(), rest);
        }
    }
}
