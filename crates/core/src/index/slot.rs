//! One slot of the table: 32 bytes that a check reads, and 24 that it does not.

use super::huge_pages::ZeroableAtomics;
use super::sync::{AtomicU32, AtomicU64, Ordering};
use super::{ShortDigest, SlotState};
use crate::id::Id;
use crate::status::Status;
use crate::store::Revision;
use crate::time::{Minute, Timestamp};

/// What a check reads. A slot is given to one digest for ever; only a new table drops slots.
///
/// `word` changes with every writing, for it counts them. So whoever reads the same word before and after `expiry`
/// has read what belongs together: the expiry of the writing that made the word, or the earlier one of two that follow
/// each other, which is as right as either, see [`Slot::write`].
#[derive(Debug, Default)]
#[repr(C, align(32))]
pub(super) struct Slot {
    short_digest: [AtomicU64; 2],
    /// As [`Expiry`].
    expiry: AtomicU32,
    /// As [`LastUsed`]; set by readers.
    used: AtomicU32,
    /// State, count of writings, permission set and owner; 0 while the slot is empty.
    word: AtomicU64,
}

/// What only writers read, and a check of a token that does not carry its id.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct ColdSlot {
    /// 0 once the record is gone.
    id: AtomicU64,
    /// The revision, and above it the upper bits of the rest of the expiry.
    revision: AtomicU64,
    /// How many times the record had been written, the lower bits of the rest, and flags.
    sequence: AtomicU64,
}

// SAFETY: three atomics of 8 bytes and two of 4 in 32, and three of 8 in 24.
unsafe impl ZeroableAtomics for Slot {}
// SAFETY: as above.
unsafe impl ZeroableAtomics for ColdSlot {}

/// What a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotContents {
    pub(super) state: SlotState,
    pub(super) expires: Option<Timestamp>,
    /// Which permission set and which pair of owners, as interned.
    pub(super) set: u32,
    pub(super) owners: u32,
    /// The minute of the last use, for a slot that was none before.
    pub(super) used: LastUsed,
}

/// When it expires, in ticks of 2³¹ nanoseconds, about two seconds, since 1970; 0 for never. Of what expires in the very
/// tick that it is, the rest of the expiry decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expiry(u32);

/// The minute of the last use, counted from 1970; 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LastUsed(pub(crate) u32);

/// What is known of the record of a slot beside what checks read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotRecord {
    pub(super) id: Id,
    pub(super) revision: Revision,
    /// How many times it had been written. Unlike the revision it is under the MAC, so that nobody can make an old
    /// version look new.
    pub(super) sequence: u64,
    pub(super) revoked: bool,
    pub(super) authentic: bool,
    /// Whether the slot is found by the id; else by the digest.
    pub(super) by_id: bool,
    /// The nanoseconds of the expiry that are less than a tick.
    pub(super) rest: u64,
}

/// A word that was read, and is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotWord(u64);

const STATE_BITS: u32 = 3;
const COUNT_BITS: u32 = 9;
const SET_BITS: u32 = 26;
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

impl SlotWord {
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

    fn pack(entry: &SlotContents, count: u64) -> u64 {
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
    pub(super) fn may_hold(&self, short_digest: ShortDigest) -> bool {
        self.short_digest[0].load(Ordering::Relaxed) == short_digest[0]
    }

    /// The word of the slot, if it is the one of `short_digest`.
    #[inline(always)]
    pub(super) fn holds(&self, short_digest: ShortDigest) -> Option<SlotWord> {
        let word = self.word.load(Ordering::Acquire);
        // A plain comparison: whoever presents tokens cannot steer a keyed digest.
        let [low, high] = &self.short_digest;
        let same = [low.load(Ordering::Relaxed), high.load(Ordering::Relaxed)] == short_digest;
        (word != 0 && same).then_some(SlotWord(word))
    }

    pub(super) fn short_digest(&self) -> ShortDigest {
        self.short_digest
            .each_ref()
            .map(|part| part.load(Ordering::Relaxed))
    }

    /// The expiry that belongs to `word`; none if the slot was written since, then it must be read again.
    #[inline(always)]
    pub(super) fn expiry_with(&self, word: SlotWord) -> Option<Expiry> {
        let expiry = self.expiry.load(Ordering::Acquire);
        (self.word.load(Ordering::Relaxed) == word.0).then_some(Expiry(expiry))
    }

    /// Notes the minute of a use. Written once a minute, so that readers share the line.
    #[inline(always)]
    pub(super) fn note_use(&self, used: LastUsed) {
        if self.used.load(Ordering::Relaxed) != used.0 {
            self.used.store(used.0, Ordering::Relaxed);
        }
    }

    /// The minute of its last use, if there was one.
    pub(super) fn used(&self) -> Option<Minute> {
        let minute = self.used.load(Ordering::Relaxed);
        (minute != 0).then_some(Minute(minute))
    }

    /// Whether its last use was in that minute.
    pub(super) fn was_used(&self, used: LastUsed) -> bool {
        self.used.load(Ordering::Relaxed) == used.0
    }

    /// What the slot says, unless it is in another table by now. For the writer, beside whom nobody writes. `rest` is
    /// that of its record.
    pub(super) fn entry(&self, rest: u64) -> Option<SlotContents> {
        let word = SlotWord(self.word.load(Ordering::Acquire));
        let expiry = Expiry(self.expiry.load(Ordering::Relaxed));
        (word.0 != 0 && !word.is_moved()).then_some(SlotContents {
            state: word.state(),
            expires: expiry.with(rest),
            set: word.set(),
            owners: word.owners(),
            used: LastUsed(self.used.load(Ordering::Relaxed)),
        })
    }

    /// Only one thread writes at a time, and an empty slot is given to `short_digest` for ever.
    ///
    /// The earlier of the two expiries stands beside either word: before the new word is stored it only makes the old
    /// version expire when the new one does, afterwards the new one when the old one did.
    pub(super) fn write(&self, short_digest: ShortDigest, entry: &SlotContents) {
        let before = self.word.load(Ordering::Relaxed);
        let expiry = Expiry::of(entry.expires);
        if before == 0 {
            for (to, from) in self.short_digest.iter().zip(short_digest) {
                to.store(from, Ordering::Relaxed);
            }
            self.used.store(entry.used.0, Ordering::Relaxed);
            self.expiry.store(expiry.0, Ordering::Relaxed);
        } else {
            let held = Expiry(self.expiry.load(Ordering::Relaxed));
            self.expiry.store(held.earlier(expiry).0, Ordering::Relaxed);
        }
        let count = (before >> STATE_BITS) + 1;
        self.word
            .store(SlotWord::pack(entry, count), Ordering::Release);
        self.expiry.store(expiry.0, Ordering::Release);
    }

    /// What was here is in another table from now on.
    pub(super) fn mark_moved(&self) {
        let word = self.word.load(Ordering::Relaxed);
        if word != 0 {
            self.word.store(MOVED, Ordering::Release);
        }
    }
}

const TICK_BITS: u32 = 31;
const REST_MASK: u64 = (1 << TICK_BITS) - 1;

impl Expiry {
    fn of(expires: Option<Timestamp>) -> Self {
        let ticks = |time: Timestamp| u32::try_from(time.nanos() >> TICK_BITS);
        Self(expires.map_or(0, |time| ticks(time).unwrap_or(u32::MAX).max(1)))
    }

    #[inline(always)]
    pub(super) fn is_never(self) -> bool {
        self.0 == 0
    }

    /// Whether it is over at `now`; `rest` gives the part of it that is less than a tick.
    pub(super) fn is_over(self, now: Timestamp, rest: impl FnOnce() -> u64) -> bool {
        let passed = now.nanos() >> TICK_BITS;
        match u64::from(self.0).cmp(&passed) {
            _ if self.is_never() => false,
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => rest() <= now.nanos() & REST_MASK,
            std::cmp::Ordering::Greater => false,
        }
    }

    /// The whole of it.
    pub(super) fn with(self, rest: u64) -> Option<Timestamp> {
        let nanos = u64::from(self.0) << TICK_BITS | rest;
        Timestamp::from_nanos(nanos).filter(|_| !self.is_never())
    }

    /// The one that comes first.
    fn earlier(self, other: Self) -> Self {
        // 0 is never, which is later than every other.
        let ticks = self.0.wrapping_sub(1).min(other.0.wrapping_sub(1));
        Self(ticks.wrapping_add(1))
    }
}

/// An expiry as it is kept: nothing expires in the first two seconds of 1970.
pub(super) fn kept_expiry(expires: Option<Timestamp>) -> Option<Timestamp> {
    let first = Timestamp::from_nanos(1 << TICK_BITS);
    expires.map(|time| first.map_or(time, |first| time.max(first)))
}

/// The part of an expiry that a slot does not hold.
pub(super) fn rest_of(expires: Option<Timestamp>) -> u64 {
    expires.map_or(0, |time| time.nanos() & REST_MASK)
}

/// Of the bits of the rest so many stand in the word of the sequence, and the others in that of the revision.
const LOW_BITS: u32 = 20;
const LOW_MASK: u64 = (1 << LOW_BITS) - 1;
const REVISION_BITS: u32 = 64 - (TICK_BITS - LOW_BITS);
const REVISION_MASK: u64 = (1 << REVISION_BITS) - 1;
const REVOKED_BIT: u64 = 1 << 63;
const AUTHENTIC: u64 = 1 << 62;
const BY_ID: u64 = 1 << 61;
const SEQUENCE_BITS: u32 = 61 - LOW_BITS;
const SEQUENCE_MASK: u64 = (1 << SEQUENCE_BITS) - 1;

impl ColdSlot {
    #[inline(always)]
    pub(super) fn id(&self) -> Option<Id> {
        Id::new(self.id.load(Ordering::Acquire))
    }

    /// The part of the expiry that the slot does not hold.
    pub(super) fn rest(&self) -> u64 {
        let low = self.sequence.load(Ordering::Acquire) >> SEQUENCE_BITS & LOW_MASK;
        let high = self.revision.load(Ordering::Acquire) >> REVISION_BITS;
        high << LOW_BITS | low
    }

    /// None once the record is gone.
    pub(super) fn read(&self) -> Option<SlotRecord> {
        let sequence = self.sequence.load(Ordering::Relaxed);
        let has = |flag| sequence & flag != 0;
        Some(SlotRecord {
            id: self.id()?,
            revision: Revision(self.revision.load(Ordering::Relaxed) & REVISION_MASK),
            sequence: sequence & SEQUENCE_MASK,
            rest: self.rest(),
            revoked: has(REVOKED_BIT),
            authentic: has(AUTHENTIC),
            by_id: has(BY_ID),
        })
    }

    pub(super) fn write(&self, back: &SlotRecord) {
        let flag = |set: bool, flag| if set { flag } else { 0 };
        let flags = flag(back.revoked, REVOKED_BIT)
            | flag(back.authentic, AUTHENTIC)
            | flag(back.by_id, BY_ID);
        let low = (back.rest & LOW_MASK) << SEQUENCE_BITS;
        let high = back.rest >> LOW_BITS << REVISION_BITS;
        let revision = back.revision.0.min(REVISION_MASK) | high;
        self.revision.store(revision, Ordering::Relaxed);
        let sequence = back.sequence.min(SEQUENCE_MASK) | low | flags;
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
        fn expiry_is_exact_to_the_nanosecond(
            end in (1_u64 << TICK_BITS)..=Timestamp::MAX.nanos(),
            off in -2_i64..=2,
            coarse in prop_oneof![Just(1_i64), Just(1_000_000), Just(1 << TICK_BITS)],
        ) {
            let end = Timestamp::from_nanos(end).unwrap();
            let now = end.nanos().saturating_add_signed(off * coarse);
            let now = Timestamp::from_nanos(now).unwrap_or(Timestamp::MAX);
            let (expiry, rest) = (Expiry::of(Some(end)), rest_of(Some(end)));
            prop_assert!(!expiry.is_never());
            prop_assert_eq!(expiry.is_over(now, || rest), end <= now);
            prop_assert_eq!(expiry.with(rest), Some(end));
            prop_assert_eq!(Expiry::of(None).with(0), None);
            prop_assert!(!Expiry::of(None).is_over(now, || 0));
            prop_assert_eq!(Expiry::of(None).earlier(expiry), expiry);
        }

        #[test]
        fn slot_records_round_trip(
            id in 1..u64::MAX,
            revision in 0..REVISION_MASK,
            sequence in 0..SEQUENCE_MASK,
            flags: [bool; 3],
            rest in 0..REST_MASK,
        ) {
            let [revoked, authentic, by_id] = flags;
            let id = Id::new(id).unwrap();
            let revision = Revision(revision);
            let back = SlotRecord { id, revision, sequence, revoked, authentic, by_id, rest };
            let cold = ColdSlot::default();
            cold.write(&back);
            prop_assert_eq!(cold.read(), Some(back));
            prop_assert_eq!(cold.rest(), rest);
        }
    }
}
