//! The open-addressing hash table that checks read. It consists of atomics alone.

use super::change::{ShortDigest, SlotState};
use super::slot::{ColdSlot, LastUsed, Slot, SlotContents, SlotRecord, SlotWord};
use crate::id::Id;
use crate::primitives::huge_pages::{HugeArray, prefetch};
use crate::primitives::sync::{AtomicUsize, Ordering};

/// Buckets of four slots, two cache lines that a processor fetches together. A digest is in the
/// first bucket, from its own onwards, that had room.
#[derive(Debug)]
pub(super) struct Table {
    slots: HugeArray<Slot>,
    cold: HugeArray<ColdSlot>,
    /// Number of buckets that hashes map to. Further ones behind them take the overflow of the last
    /// ones.
    buckets: usize,
    /// Digests of buckets before this one have moved to another table.
    moved: AtomicUsize,
}

/// Slots in a bucket.
const BUCKET_SLOTS: usize = 4;
/// Slots that are prefetched and compared at once. With three of four slots taken, about 12 % of
/// the digests are not in their own bucket, and 2 % not in the next one either.
const PROBE_SLOTS: usize = 2 * BUCKET_SLOTS;
/// Buckets behind those that hashes map to.
///
/// With four of five slots taken, one digest in 10²⁴ would need more: the overflow of the last
/// bucket is a queue with one server, whose length falls by e^-0.43 a slot.
const MARGIN: usize = if cfg!(shuttle) { 1 } else { 32 };

/// Digests that every table has room for.
const MIN_ENTRIES: usize = if cfg!(shuttle) { 1 } else { 8 };

/// Position of a digest in a table: 64 bits that are as good as random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BucketHash(u64);

impl BucketHash {
    /// Hash for a token that carries this id. Ids are consecutive in time, so they are mixed: both
    /// halves of a 128-bit product, XORed. `seed` is random, so that imported ids cannot be chosen
    /// to collide.
    #[inline(always)]
    pub(crate) fn of_id(number: u64, seed: u64) -> Self {
        const ODD: u128 = 0x9e37_79b9_7f4a_7c15;
        let product = u128::from(number ^ seed) * ODD;
        Self((product as u64) ^ (product >> 64) as u64)
    }

    /// Hash for any other token.
    #[inline(always)]
    pub(crate) fn of_digest(short_digest: ShortDigest) -> Self {
        Self(short_digest[0])
    }
}

/// Result of a search in one table.
pub(super) enum SlotSearch {
    At(usize, SlotWord),
    /// The digest may be in the next table.
    Moved,
    Nowhere,
}

/// Returns the first slot of a bucket that may hold `short_digest`. Branch-free, because a branch
/// on each random digest would be mispredicted half of the time.
#[inline(always)]
fn place_in(bucket: &[Slot], short_digest: ShortDigest) -> Option<usize> {
    let mut places = 0_u32;
    for (offset, slot) in bucket.iter().enumerate() {
        places |= u32::from(slot.may_hold(short_digest)) << offset;
    }
    (places != 0).then(|| places.trailing_zeros() as usize)
}

/// Progress of [`Table::move_some`].
pub(super) enum MoveProgress {
    /// Number of slots taken in the next table by this step.
    Some(usize),
    /// Nothing is left to move.
    All,
    /// The next table is too full in one place, and nothing was moved.
    NoRoom,
}

impl Table {
    /// Creates a table in which `count` digests take `percent` of the slots.
    pub(super) fn with_room_for(count: usize, percent: usize) -> Self {
        let buckets = (count.max(MIN_ENTRIES) * 100).div_ceil(percent * BUCKET_SLOTS);
        let slots = (buckets + MARGIN) * BUCKET_SLOTS;
        Self {
            slots: HugeArray::new(slots),
            cold: HugeArray::new(slots),
            buckets,
            moved: AtomicUsize::new(0),
        }
    }

    /// Returns the number of slots, without those for overflow.
    pub(super) fn len(&self) -> usize {
        self.buckets * BUCKET_SLOTS
    }

    /// Returns the first slot of the bucket.
    #[inline(always)]
    pub(super) fn first(&self, start: BucketHash) -> usize {
        self.bucket(start) * BUCKET_SLOTS
    }

    /// Prefetches the bucket that begins with this slot, and the next one.
    #[inline(always)]
    pub(super) fn prefetch(&self, first: usize) {
        if let Some(near) = self.slots.get(first..first + PROBE_SLOTS) {
            prefetch(near);
        }
    }

    /// Also prefetches the state of the records in the bucket.
    pub(super) fn prefetch_all(&self, start: BucketHash) {
        self.prefetch(self.first(start));
        let first = self.first(start);
        if let Some(cold) = self.cold.get(first..first + BUCKET_SLOTS) {
            prefetch(cold);
        }
    }

    /// Returns true if digests with this hash have moved to the next table.
    #[inline(always)]
    pub(super) fn has_moved(&self, start: BucketHash) -> bool {
        self.bucket(start) < self.moved.load(Ordering::Acquire)
    }

    /// Looks only in the bucket that begins with this slot and in the next one, which hold most
    /// digests.
    #[inline(always)]
    pub(super) fn look(
        &self,
        first: usize,
        short_digest: ShortDigest,
    ) -> Option<(usize, SlotWord)> {
        let near: &[Slot; PROBE_SLOTS] = self.slots.get(first..)?.first_chunk()?;
        let (here, next) = near.split_at(BUCKET_SLOTS);
        let offset = match place_in(here, short_digest) {
            Some(offset) => offset,
            // Nothing overflows from a bucket that has room. Checked before the next bucket, whose
            // lines arrive later.
            None if here.last().is_none_or(Slot::is_empty) => return None,
            None => BUCKET_SLOTS + place_in(next, short_digest)?,
        };
        let word = near.get(offset)?.holds(short_digest)?;
        (!word.is_moved()).then_some((first + offset, word))
    }

    /// Searches all buckets that may hold the digest.
    pub(super) fn search_further(
        &self,
        start: BucketHash,
        short_digest: ShortDigest,
    ) -> SlotSearch {
        let mut at = self.bucket(start) * BUCKET_SLOTS;
        while let Some(bucket) = self.bucket_at(at) {
            for (offset, slot) in bucket.iter().enumerate() {
                if let Some(word) = slot.holds(short_digest) {
                    return match word.is_moved() {
                        true => SlotSearch::Moved,
                        false => SlotSearch::At(at + offset, word),
                    };
                }
            }
            // A bucket fills from its first slot to its last, and nothing overflows from one that
            // has room.
            if bucket[BUCKET_SLOTS - 1].is_empty() {
                break;
            }
            at += BUCKET_SLOTS;
        }
        match self.has_moved(start) {
            true => SlotSearch::Moved,
            false => SlotSearch::Nowhere,
        }
    }

    /// Returns the slot with this number.
    #[inline(always)]
    pub(super) fn slot(&self, at: usize) -> Option<&Slot> {
        self.slots.get(at)
    }

    /// Returns the id of a slot's record.
    #[inline(always)]
    pub(super) fn id(&self, at: usize) -> Option<Id> {
        self.cold.get(at)?.id()
    }

    /// Returns the state of a slot's record; none if the slot no longer belongs to one.
    pub(super) fn back(&self, at: usize) -> Option<SlotRecord> {
        self.cold.get(at)?.read()
    }

    /// Returns the slot that is found by this id.
    pub(super) fn by_id(&self, start: BucketHash, id: Id) -> Option<(usize, SlotRecord)> {
        let taken = self.places(start);
        let taken = taken.take_while(|at| self.slot(*at).is_some_and(|slot| !slot.is_empty()));
        let mut by_id_count = taken.filter_map(|at| Some((at, self.back(at)?)));
        by_id_count.find(|(_, back)| back.by_id && back.id == id)
    }

    /// Returns the slot of `short_digest`, or the empty one to use for it; none if there is no
    /// room.
    pub(super) fn place(&self, start: BucketHash, short_digest: ShortDigest) -> Option<usize> {
        let mut places = self.places(start);
        places.find(|at| {
            let slot = self.slot(*at);
            slot.is_some_and(|slot| slot.is_empty() || slot.short_digest() == short_digest)
        })
    }

    /// Writes a slot. Only one thread writes at a time.
    pub(super) fn write(
        &self,
        at: usize,
        short_digest: ShortDigest,
        entry: &SlotContents,
        back: Option<&SlotRecord>,
    ) {
        if let (Some(slot), Some(cold)) = (self.slot(at), self.cold.get(at)) {
            let Some(back) = back else {
                cold.forget();
                return slot.write(short_digest, entry);
            };
            // As with the expiry itself, the earlier rest is stored while the word changes.
            let held = if slot.is_empty() { u64::MAX } else { cold.rest() };
            let rest = back.rest.min(held);
            cold.write(&SlotRecord { rest, ..*back });
            slot.write(short_digest, entry);
            cold.write(back);
        }
    }

    /// Stores the state of a slot's record.
    pub(super) fn note(&self, at: usize, back: &SlotRecord) {
        if let Some(cold) = self.cold.get(at) {
            cold.write(back);
        }
    }

    /// Unbinds a slot from its record.
    pub(super) fn forget(&self, at: usize) {
        if let Some(cold) = self.cold.get(at) {
            cold.forget();
        }
    }

    /// Returns all slots that are taken, with their contents.
    pub(super) fn all(
        &self,
    ) -> impl Iterator<Item = (usize, ShortDigest, SlotContents, Option<SlotRecord>)> {
        (0..self.slots.len()).filter_map(|at| self.full(at))
    }

    fn full(&self, at: usize) -> Option<(usize, ShortDigest, SlotContents, Option<SlotRecord>)> {
        Some((at, self.slot(at)?.short_digest(), self.entry(at)?, self.back(at)))
    }

    /// Returns the contents of a slot, if it is taken and was not moved to another table.
    pub(super) fn entry(&self, at: usize) -> Option<SlotContents> {
        self.slot(at)?.entry(self.rest(at))
    }

    /// Returns the part of the expiry that the slot does not hold.
    pub(super) fn rest(&self, at: usize) -> u64 {
        self.cold.get(at).map_or(0, ColdSlot::rest)
    }

    /// Calls `use_it` with the ids of authorizations last used in that minute, once or twice each.
    pub(super) fn used_in(&self, used: LastUsed, mut use_it: impl FnMut(Id)) {
        for (at, slot) in self.slots.iter().enumerate() {
            if slot.was_used(used)
                && let Some(id) = self.id(at)
            {
                use_it(id);
            }
        }
    }

    /// Moves the digests of some hundred slots to `next`. Readers find every digest at any time, in
    /// one of the two.
    pub(super) fn move_some(&self, next: &Self, seed: u64) -> MoveProgress {
        let from = self.moved.load(Ordering::Relaxed);
        if from >= self.buckets + MARGIN {
            return MoveProgress::All;
        }
        let mut taken = 0;
        let mut to = from;
        // Up to the next bucket that has room: no digest of an earlier bucket is behind it.
        while let Some(bucket) = self.bucket_at(to * BUCKET_SLOTS) {
            let Some(copied) = self.copy(to, next, seed) else {
                return MoveProgress::NoRoom;
            };
            taken += copied;
            to += 1;
            if to - from >= STEP && bucket[BUCKET_SLOTS - 1].is_empty() {
                break;
            }
        }
        self.moved.store(to, Ordering::Release);
        for slot in self.slots.get(from * BUCKET_SLOTS..to * BUCKET_SLOTS).unwrap_or_default() {
            slot.mark_moved();
        }
        MoveProgress::Some(taken)
    }

    /// Copies all slots that have not moved to `next`. Returns the number of slots; none if there
    /// was no room.
    pub(super) fn copy_all(&self, next: &Self, seed: u64) -> Option<usize> {
        let buckets = 0..self.slots.len() / BUCKET_SLOTS;
        buckets
            .map(|bucket| self.copy(bucket, next, seed))
            .try_fold(0, |sum, taken| Some(sum + taken?))
    }

    /// Copies one bucket to `next`, except void slots that are not found by an id.
    fn copy(&self, bucket: usize, next: &Self, seed: u64) -> Option<usize> {
        let places = bucket * BUCKET_SLOTS..(bucket + 1) * BUCKET_SLOTS;
        let full = places.filter_map(|at| self.full(at));
        let kept = full.filter(|(_, _, entry, back)| {
            entry.state != SlotState::Void || back.is_some_and(|back| back.by_id)
        });
        let mut copied = 0;
        for (_, short_digest, entry, back) in kept {
            let by_id = back.filter(|back| back.by_id);
            let start = by_id.map_or(BucketHash::of_digest(short_digest), |back| {
                BucketHash::of_id(back.id.number(), seed)
            });
            next.write(next.place(start, short_digest)?, short_digest, &entry, back.as_ref());
            copied += 1;
        }
        Some(copied)
    }

    #[inline(always)]
    fn bucket(&self, BucketHash(start): BucketHash) -> usize {
        ((u128::from(start) * self.buckets as u128) >> 64) as usize
    }

    #[inline(always)]
    fn bucket_at(&self, at: usize) -> Option<&[Slot; BUCKET_SLOTS]> {
        self.slots.get(at..)?.first_chunk()
    }

    /// Returns the slots that digests with this hash may be in, in order.
    fn places(&self, start: BucketHash) -> impl Iterator<Item = usize> {
        self.bucket(start) * BUCKET_SLOTS..self.slots.len()
    }
}

/// Least number of buckets moved at once.
const STEP: usize = if cfg!(shuttle) {
    1
} else if cfg!(test) {
    2
} else {
    64
};
