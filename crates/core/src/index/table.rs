//! The open-addressing table that a check reads, by atomics alone.

use super::huge_pages::{HugeArray, prefetch};
use super::slot::{ColdSlot, LastUsed, Slot, SlotContents, SlotRecord, SlotWord};
use super::sync::{AtomicUsize, Ordering};
use super::{ShortDigest, SlotState};
use crate::id::Id;

/// Buckets of four slots, which are two cache lines that a processor fetches together. A digest is in the first bucket
/// from the one where its place begins that had room.
#[derive(Debug)]
pub(super) struct Table {
    slots: HugeArray<Slot>,
    cold: HugeArray<ColdSlot>,
    /// Places begin in one of so many; some more behind take what finds no room in the last ones.
    buckets: usize,
    /// What begins before this bucket is in another table by now.
    moved: AtomicUsize,
}

/// Slots in a bucket.
const BUCKET_SLOTS: usize = 4;
/// Slots that are fetched and compared at once: of a hundred digests about twelve are not in the bucket where their
/// place begins if three of four slots are taken, and two not in the next one either.
const PROBE_SLOTS: usize = 2 * BUCKET_SLOTS;
/// Buckets behind those in which places begin.
///
/// With four of five slots taken, one digest in 10²⁴ would need more: what overflows the last bucket is a queue with one
/// server, whose length falls by e^-0.43 a slot.
const MARGIN: usize = if cfg!(shuttle) { 1 } else { 32 };

/// Digests that every table has room for.
const MIN_ENTRIES: usize = if cfg!(shuttle) { 1 } else { 8 };

/// Where a digest is looked for: 64 bits that are as good as random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BucketHash(u64);

impl BucketHash {
    /// For a token that carries this id. Ids follow each other in time, so that they are mixed: the two halves of a
    /// product of 128 bits, one over the other. `seed` is random, so that nobody can import ids that meet.
    #[inline(always)]
    pub(crate) fn of_id(number: u64, seed: u64) -> Self {
        const ODD: u128 = 0x9e37_79b9_7f4a_7c15;
        let product = u128::from(number ^ seed) * ODD;
        Self((product as u64) ^ (product >> 64) as u64)
    }

    /// For every other token.
    #[inline(always)]
    pub(crate) fn of_digest(short_digest: ShortDigest) -> Self {
        Self(short_digest[0])
    }
}

/// Whether and where a digest was found.
pub(super) enum SlotSearch {
    At(usize, SlotWord),
    /// It may be in the table that follows.
    Moved,
    Nowhere,
}

/// Which of a bucket's slots may hold `short_digest`. That is as good as random, so that a branch on each would be guessed wrong
/// half of the time.
#[inline(always)]
fn place_in(bucket: &[Slot], short_digest: ShortDigest) -> Option<usize> {
    let mut places = 0_u32;
    for (offset, slot) in bucket.iter().enumerate() {
        places |= u32::from(slot.may_hold(short_digest)) << offset;
    }
    (places != 0).then(|| places.trailing_zeros() as usize)
}

/// How far [`Table::move_some`] has come.
pub(super) enum MoveProgress {
    /// So many slots were taken in the next table.
    Some(usize),
    /// Nothing is left to be moved.
    All,
    /// The next table is too full in one place, and nothing has moved.
    NoRoom,
}

impl Table {
    /// A table with room for `count` digests, so many of a hundred slots being taken then.
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

    /// How many slots there are for places to begin.
    pub(super) fn len(&self) -> usize {
        self.buckets * BUCKET_SLOTS
    }

    /// The slot with which the bucket begins.
    #[inline(always)]
    pub(super) fn first(&self, start: BucketHash) -> usize {
        self.bucket(start) * BUCKET_SLOTS
    }

    /// Fetches the lines of the bucket that begins with this slot.
    #[inline(always)]
    pub(super) fn prefetch(&self, first: usize) {
        if let Some(near) = self.slots.get(first..first + PROBE_SLOTS) {
            prefetch(near);
        }
    }

    /// The same, and those of what is known of the records.
    pub(super) fn prefetch_all(&self, start: BucketHash) {
        self.prefetch(self.first(start));
        let first = self.first(start);
        if let Some(cold) = self.cold.get(first..first + BUCKET_SLOTS) {
            prefetch(cold);
        }
    }

    /// Whether what begins here is in the table that follows.
    #[inline(always)]
    pub(super) fn has_moved(&self, start: BucketHash) -> bool {
        self.bucket(start) < self.moved.load(Ordering::Acquire)
    }

    /// Looks only into the bucket that begins with this slot and into the next one, where mostly it is.
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
            // Nothing is behind a bucket that has room, and the lines of the next one come later: few wait for them.
            None if here.last().is_none_or(Slot::is_empty) => return None,
            None => BUCKET_SLOTS + place_in(next, short_digest)?,
        };
        let word = near.get(offset)?.holds(short_digest)?;
        (!word.is_moved()).then_some((first + offset, word))
    }

    /// Wherever it may be.
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
            // A bucket fills from its first slot to its last, and nothing is behind one that has room.
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

    /// The slot with this number.
    #[inline(always)]
    pub(super) fn slot(&self, at: usize) -> Option<&Slot> {
        self.slots.get(at)
    }

    /// The id of the record of a slot.
    #[inline(always)]
    pub(super) fn id(&self, at: usize) -> Option<Id> {
        self.cold.get(at)?.id()
    }

    /// What is known of the record of a slot; none if it is gone.
    pub(super) fn back(&self, at: usize) -> Option<SlotRecord> {
        self.cold.get(at)?.read()
    }

    /// The slot that is found by this id.
    pub(super) fn by_id(&self, start: BucketHash, id: Id) -> Option<(usize, SlotRecord)> {
        let taken = self.places(start);
        let taken = taken.take_while(|at| self.slot(*at).is_some_and(|slot| !slot.is_empty()));
        let mut by_id_count = taken.filter_map(|at| Some((at, self.back(at)?)));
        by_id_count.find(|(_, back)| back.by_id && back.id == id)
    }

    /// The slot of `short_digest`, a new one if there is none. None if there is no room.
    pub(super) fn place(&self, start: BucketHash, short_digest: ShortDigest) -> Option<usize> {
        let mut places = self.places(start);
        places.find(|at| {
            let slot = self.slot(*at);
            slot.is_some_and(|slot| slot.is_empty() || slot.short_digest() == short_digest)
        })
    }

    /// Only one thread writes at a time.
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
            // As with the expiry itself, the earlier rest stands beside either word.
            let held = if slot.is_empty() {
                u64::MAX
            } else {
                cold.rest()
            };
            let rest = back.rest.min(held);
            cold.write(&SlotRecord { rest, ..*back });
            slot.write(short_digest, entry);
            cold.write(back);
        }
    }

    /// Notes what is known of the record of a slot.
    pub(super) fn note(&self, at: usize, back: &SlotRecord) {
        if let Some(cold) = self.cold.get(at) {
            cold.write(back);
        }
    }

    /// Nothing is known of the record of a slot any more.
    pub(super) fn forget(&self, at: usize) {
        if let Some(cold) = self.cold.get(at) {
            cold.forget();
        }
    }

    /// All slots that are taken, with what they say.
    pub(super) fn all(
        &self,
    ) -> impl Iterator<Item = (usize, ShortDigest, SlotContents, Option<SlotRecord>)> {
        (0..self.slots.len()).filter_map(|at| self.full(at))
    }

    fn full(&self, at: usize) -> Option<(usize, ShortDigest, SlotContents, Option<SlotRecord>)> {
        Some((
            at,
            self.slot(at)?.short_digest(),
            self.entry(at)?,
            self.back(at),
        ))
    }

    /// What a slot says, if it is taken and not in another table by now.
    pub(super) fn entry(&self, at: usize) -> Option<SlotContents> {
        self.slot(at)?.entry(self.rest(at))
    }

    /// The part of the expiry that the slot does not hold.
    pub(super) fn rest(&self, at: usize) -> u64 {
        self.cold.get(at).map_or(0, ColdSlot::rest)
    }

    /// Calls `use_it` with the ids of those that were last used in that minute, one or two for each.
    pub(super) fn used_in(&self, used: LastUsed, mut use_it: impl FnMut(Id)) {
        for (at, slot) in self.slots.iter().enumerate() {
            if slot.was_used(used)
                && let Some(id) = self.id(at)
            {
                use_it(id);
            }
        }
    }

    /// Moves what begins in some hundred slots on into `next`. A reader finds everything all the time, here or there.
    pub(super) fn move_some(&self, next: &Self, seed: u64) -> MoveProgress {
        let from = self.moved.load(Ordering::Relaxed);
        if from >= self.buckets + MARGIN {
            return MoveProgress::All;
        }
        let mut taken = 0;
        let mut to = from;
        // To the next bucket that has room: nothing that begins before it is behind it.
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
        for slot in self
            .slots
            .get(from * BUCKET_SLOTS..to * BUCKET_SLOTS)
            .unwrap_or_default()
        {
            slot.mark_moved();
        }
        MoveProgress::Some(taken)
    }

    /// Copies what is still here into `next`, and says how many slots that took; none if there was no room.
    pub(super) fn copy_all(&self, next: &Self, seed: u64) -> Option<usize> {
        let buckets = 0..self.slots.len() / BUCKET_SLOTS;
        buckets
            .map(|bucket| self.copy(bucket, next, seed))
            .try_fold(0, |sum, taken| Some(sum + taken?))
    }

    /// Copies one bucket into `next`, but for what counts as unknown and belongs to no record any more.
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
            next.write(
                next.place(start, short_digest)?,
                short_digest,
                &entry,
                back.as_ref(),
            );
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

    /// The slots in which what begins at `start` may be, in order.
    fn places(&self, start: BucketHash) -> impl Iterator<Item = usize> {
        self.bucket(start) * BUCKET_SLOTS..self.slots.len()
    }
}

/// Buckets that are moved at once, at the least.
const STEP: usize = if cfg!(shuttle) {
    1
} else if cfg!(test) {
    2
} else {
    64
};
