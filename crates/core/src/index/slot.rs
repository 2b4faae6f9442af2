//! One slot of the table: 32 bytes that a check reads, and 24 that it does not.

use super::change::{ShortDigest, SlotState};
use crate::id::Id;
use crate::primitives::huge_pages::atomics;
use crate::primitives::sync::{AtomicU32, AtomicU64, Ordering};
use crate::status::Status;
use crate::store::Revision;
use crate::time::{Minute, Timestamp};

atomics! {
    /// The part of a slot that checks read. A slot belongs to one digest for ever; only a new table
    /// drops slots.
    ///
    /// `word` contains a counter of writes, so it changes with every write. A reader that sees the
    /// same word before and after it reads `expiry` has a matching pair: the expiry written with
    /// the word, or the earlier one of two consecutive writes, which is equally valid (see
    /// [`Slot::write`]).
    #[derive(Debug, Default)]
    #[repr(C, align(32))]
    pub(super) struct Slot {
        short_digest: [AtomicU64; 2],
        /// Encoded as [`Expiry`].
        expiry: AtomicU32,
        /// Encoded as [`LastUsed`]; set by readers.
        used: AtomicU32,
        /// State, counter of writes, permission set and owners; 0 while the slot is empty.
        word: AtomicU64,
    }
}

atomics! {
    /// The part of a slot that only writers read, and checks of tokens that do not carry their id.
    #[derive(Debug, Default)]
    #[repr(C)]
    pub(super) struct ColdSlot {
        /// 0 if the slot no longer belongs to a record.
        id: AtomicU64,
        /// The revision, and above it the upper bits of the rest of the expiry.
        revision: AtomicU64,
        /// The sequence of the record, the lower bits of the rest of the expiry, and flags.
        sequence: AtomicU64,
    }
}

/// Decoded contents of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotContents {
    pub(super) state: SlotState,
    pub(super) expires: Option<Timestamp>,
    /// Numbers of the interned permission set and pair of owners.
    pub(super) set: u32,
    pub(super) owners: u32,
    /// Minute of the last use. Only written to an empty slot.
    pub(super) used: LastUsed,
}

/// Expiry in ticks of 2³¹ nanoseconds, about two seconds, since 1970; 0 for never. Within the tick
/// of the expiry, its rest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expiry(u32);

/// Minute of the last use, counted from 1970; 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LastUsed(pub(crate) u32);

/// State of a slot's record that checks do not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotRecord {
    pub(super) id: Id,
    pub(super) revision: Revision,
    /// Number of times the record was written. Covered by the MAC, unlike the revision, so that an
    /// old version cannot pass for a newer one.
    pub(super) sequence: u64,
    pub(super) revoked: bool,
    pub(super) authentic: bool,
    /// True if the slot is found by the id, false if by the digest.
    pub(super) by_id: bool,
    /// Rest of the expiry: the nanoseconds below one tick.
    pub(super) rest: u64,
}

/// The word of a slot that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotWord(u64);

const STATE_BITS: u32 = 3;
const COUNT_BITS: u32 = 9;
const SET_BITS: u32 = 26;
const SET_AT: u32 = STATE_BITS + COUNT_BITS;
const OWNERS_AT: u32 = SET_AT + SET_BITS;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
/// Number of possible permission sets or pairs of owners.
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

    /// Returns true if the slot was moved to another table.
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

    /// Compares only the first half of the digest; [`Slot::holds`] compares all of it.
    #[inline(always)]
    pub(super) fn may_hold(&self, short_digest: ShortDigest) -> bool {
        self.short_digest[0].load(Ordering::Relaxed) == short_digest[0]
    }

    /// Returns the word of the slot, if the slot belongs to `short_digest`.
    #[inline(always)]
    pub(super) fn holds(&self, short_digest: ShortDigest) -> Option<SlotWord> {
        let word = self.word.load(Ordering::Acquire);
        // Not constant-time: clients cannot influence a keyed digest.
        let [low, high] = &self.short_digest;
        let same = [low.load(Ordering::Relaxed), high.load(Ordering::Relaxed)] == short_digest;
        (word != 0 && same).then_some(SlotWord(word))
    }

    pub(super) fn short_digest(&self) -> ShortDigest {
        self.short_digest.each_ref().map(|part| part.load(Ordering::Relaxed))
    }

    /// Returns the expiry that matches `word`; none if the slot was written since and must be read
    /// again.
    #[inline(always)]
    pub(super) fn expiry_with(&self, word: SlotWord) -> Option<Expiry> {
        let expiry = self.expiry.load(Ordering::Acquire);
        (self.word.load(Ordering::Relaxed) == word.0).then_some(Expiry(expiry))
    }

    /// Records the minute of a use. Stores once a minute at most, so that readers share the cache
    /// line.
    #[inline(always)]
    pub(super) fn note_use(&self, used: LastUsed) {
        if self.used.load(Ordering::Relaxed) != used.0 {
            self.used.store(used.0, Ordering::Relaxed);
        }
    }

    /// Returns the minute of the last use, if there was one.
    pub(super) fn used(&self) -> Option<Minute> {
        let minute = self.used.load(Ordering::Relaxed);
        (minute != 0).then_some(Minute(minute))
    }

    /// Returns true if the last use was in that minute.
    pub(super) fn was_used(&self, used: LastUsed) -> bool {
        self.used.load(Ordering::Relaxed) == used.0
    }

    /// Returns the contents of the slot, unless it is empty or was moved to another table. Only for
    /// the writing thread. `rest` is that of the slot's record.
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

    /// Writes the slot. Only one thread writes at a time, and an empty slot is bound to
    /// `short_digest` for ever.
    ///
    /// While the word changes, the slot holds the earlier of the two expiries. Before the new word
    /// is stored, the old version can only expire early, when the new one does. Afterwards the new
    /// version can only expire early, when the old one did.
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
        self.word.store(SlotWord::pack(entry, count), Ordering::Release);
        self.expiry.store(expiry.0, Ordering::Release);
    }

    /// Marks the slot as moved to another table.
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

    /// Returns true if it has passed at `now`; `rest` returns the part below one tick.
    pub(super) fn is_over(self, now: Timestamp, rest: impl FnOnce() -> u64) -> bool {
        let passed = now.nanos() >> TICK_BITS;
        match u64::from(self.0).cmp(&passed) {
            _ if self.is_never() => false,
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => rest() <= now.nanos() & REST_MASK,
            std::cmp::Ordering::Greater => false,
        }
    }

    /// Returns the full expiry.
    pub(super) fn with(self, rest: u64) -> Option<Timestamp> {
        let nanos = u64::from(self.0) << TICK_BITS | rest;
        Timestamp::from_nanos(nanos).filter(|_| !self.is_never())
    }

    /// Returns the earlier of the two.
    fn earlier(self, other: Self) -> Self {
        // 0 means never; subtracting 1 makes it the latest.
        let ticks = self.0.wrapping_sub(1).min(other.0.wrapping_sub(1));
        Self(ticks.wrapping_add(1))
    }
}

/// Clamps an expiry to the range that a slot can hold: none is in the first two seconds of 1970.
pub(super) fn kept_expiry(expires: Option<Timestamp>) -> Option<Timestamp> {
    let first = Timestamp::from_nanos(1 << TICK_BITS);
    expires.map(|time| first.map_or(time, |first| time.max(first)))
}

/// Returns the part of an expiry that a slot does not hold.
pub(super) fn rest_of(expires: Option<Timestamp>) -> u64 {
    expires.map_or(0, |time| time.nanos() & REST_MASK)
}

/// Bits of the rest that are kept in the word of the sequence; the others are in that of the
/// revision.
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

    /// Returns the part of the expiry that the slot does not hold.
    pub(super) fn rest(&self) -> u64 {
        let low = self.sequence.load(Ordering::Acquire) >> SEQUENCE_BITS & LOW_MASK;
        let high = self.revision.load(Ordering::Acquire) >> REVISION_BITS;
        high << LOW_BITS | low
    }

    /// Returns none if the slot no longer belongs to a record.
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
        /// The expiry is exact to the nanosecond, although a slot holds only ticks and the record
        /// the rest.
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
