//! The current table, and the one that replaces it while it is resized, as the writer sees them.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::change::{ShortDigest, SlotState, TokenLookup};
use super::interned::Interned;
use super::slot::{Slot, SlotContents, SlotRecord};
use super::table::{BucketHash, MoveProgress, Table};
use super::view::View;
use crate::id::Id;

/// Slots are moved a few hundred at a time, so that neither readers nor writers wait for a large
/// table.
#[derive(Debug)]
pub(super) struct Tables {
    table: CountedTable,
    next: Option<CountedTable>,
    /// Records whose slots are found by their ids.
    by_id_count: usize,
    /// True until the whole store has been read: the table is still going to grow.
    loading: bool,
    /// True while readers do not have these tables.
    changed: bool,
    /// Seed of [`BucketHash::of_id`].
    seed: u64,
}

#[derive(Debug)]
struct CountedTable {
    table: Arc<Table>,
    /// Slots that are taken, including void ones.
    used: usize,
    /// Slots that no longer belong to a record.
    lost: usize,
}

/// Largest percentage of slots taken. Above it, lookups need more than two cache lines.
const MAX_FILL_PERCENT: usize = 80;
/// Percentage of slots taken in a new table: while loading, and later, when memory matters more.
const LOADING_FILL_PERCENT: usize = 40;
const SETTLED_FILL_PERCENT: usize = 70;
/// After loading, a table with a smaller percentage of slots taken is resized.
const MIN_FILL_PERCENT: usize = 67;
/// Larger size hints are not trusted.
const MAX_SIZE_HINT: usize = 1 << 24;
/// Tables of at most this many slots are not shrunk.
const SMALL: usize = if cfg!(shuttle) { 8 } else { 1 << 12 };

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            table: CountedTable::with_room_for(0, LOADING_FILL_PERCENT),
            next: None,
            by_id_count: 0,
            loading: true,
            changed: false,
            seed: seed(),
        }
    }

    pub(super) fn view(&self, interned: &Arc<Interned>) -> View {
        View {
            table: Arc::clone(&self.table.table),
            next: self.next.as_ref().map(|next| Arc::clone(&next.table)),
            interned: Arc::clone(interned),
            seed: self.seed,
        }
    }

    /// Returns true if the tables changed since the last call.
    pub(super) fn changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn by_id_count(&self) -> usize {
        self.by_id_count
    }

    /// Percentage of slots taken in the fuller table.
    #[cfg(all(test, not(shuttle)))]
    pub(super) fn fullness(&self) -> usize {
        let all = [Some(&self.table), self.next.as_ref()];
        let all = all.into_iter().flatten();
        let of_hundred = |one: &CountedTable| one.used * 100 / one.table.len();
        all.map(of_hundred).max().unwrap_or_default()
    }

    /// Allocates room for `count` digests if the table is empty.
    pub(super) fn expect(&mut self, count: usize) {
        let count = count.min(MAX_SIZE_HINT);
        if self.table.used == 0 && self.next.is_none() && count > self.table.table.len() {
            self.table = CountedTable::with_room_for(count, SETTLED_FILL_PERCENT);
            self.changed = true;
        }
    }

    /// Prefetches the slots of the digests of an authorization.
    #[inline]
    pub(super) fn prefetch(&self, id: Id, handle: TokenLookup) {
        for (start, _) in self.starts(id, handle) {
            self.side(start).table.prefetch_all(start);
        }
    }

    /// Called after the whole store was read. Shrinks a table that is much too large.
    pub(super) fn finish_loading(&mut self) {
        self.loading = false;
        let (live, len) = (self.table.live(), self.table.table.len());
        let loose = live * 100 < len * MIN_FILL_PERCENT && len > SMALL;
        if loose && self.next.is_none() {
            self.begin(live, SETTLED_FILL_PERCENT);
        }
    }

    /// Moves some slots to the next table; false if there is none.
    pub(super) fn step(&mut self) -> bool {
        let Some(next) = &mut self.next else {
            return false;
        };
        // Readers must have the next table before slots move to it.
        if self.changed {
            return true;
        }
        match self.table.table.move_some(&next.table, self.seed) {
            MoveProgress::Some(taken) => next.used += taken,
            MoveProgress::All => self.finish(),
            MoveProgress::NoRoom => self.enlarge(),
        }
        true
    }

    fn begin(&mut self, live: usize, percent: usize) {
        self.next = Some(CountedTable::with_room_for(live + 1, percent));
        self.changed = true;
    }

    fn finish(&mut self) {
        if let Some(next) = self.next.take() {
            self.table = next;
            self.changed = true;
        }
    }

    /// Returns the digests of an authorization and their bucket hashes.
    pub(super) fn starts(
        &self,
        id: Id,
        handle: TokenLookup,
    ) -> impl Iterator<Item = (BucketHash, ShortDigest)> + use<> {
        let short_digests = match handle {
            TokenLookup::ById(short_digest) => [Some((self.start(id), short_digest)), None],
            TokenLookup::ByDigest(short_digests) => short_digests
                .map(|short_digest| Some((BucketHash::of_digest(short_digest?), short_digest?))),
        };
        short_digests.into_iter().flatten()
    }

    fn start(&self, id: Id) -> BucketHash {
        BucketHash::of_id(id.number(), self.seed)
    }

    /// Returns the slot of `short_digest`, and the state of its record.
    pub(super) fn read(
        &self,
        start: BucketHash,
        short_digest: ShortDigest,
    ) -> Option<(SlotContents, Option<SlotRecord>)> {
        let table = &self.side(start).table;
        let at = table.place(start, short_digest)?;
        Some((table.entry(at)?, table.back(at)))
    }

    /// Returns the digest of the slot that is found by the id, and the state of its record.
    pub(super) fn by_id(&self, id: Id) -> Option<(ShortDigest, SlotRecord)> {
        let start = self.start(id);
        let table = &self.side(start).table;
        let (at, back) = table.by_id(start, id)?;
        Some((table.slot(at)?.short_digest(), back))
    }

    pub(super) fn all_by_id(&self) -> impl Iterator<Item = (ShortDigest, SlotRecord)> {
        let tables = [Some(&self.table), self.next.as_ref()];
        let all = tables.into_iter().flatten().flat_map(|one| one.table.all());
        all.filter_map(|(_, short_digest, _, back)| {
            Some((short_digest, back.filter(|back| back.by_id)?))
        })
    }

    /// Writes the slot of a digest. Returns false if it belongs to another authorization, which
    /// keeps it.
    pub(super) fn insert(
        &mut self,
        (start, short_digest): (BucketHash, ShortDigest),
        entry: &SlotContents,
        back: &SlotRecord,
    ) -> bool {
        let held = self.read(start, short_digest);
        let before = held.as_ref().and_then(|(_, back)| *back);
        if let Some((held, _)) = &held
            && before.is_some_and(|before| before.id != back.id)
            && held.state != SlotState::Void
        {
            return false;
        }
        if held.is_none() {
            self.make_room();
        }
        while !self.put((start, short_digest), entry, back) {
            self.enlarge();
        }
        let was_by_id = before.is_some_and(|before| before.by_id);
        self.by_id_count += usize::from(back.by_id && !was_by_id);
        true
    }

    fn put(
        &mut self,
        (start, short_digest): (BucketHash, ShortDigest),
        entry: &SlotContents,
        back: &SlotRecord,
    ) -> bool {
        let side = self.side_mut(start);
        let Some(at) = side.table.place(start, short_digest) else {
            return false;
        };
        let new = side.table.slot(at).is_some_and(Slot::is_empty);
        let lost = !new && side.table.back(at).is_none();
        side.table.write(at, short_digest, entry, Some(back));
        side.used += usize::from(new);
        // A slot that is taken again is no longer lost.
        side.lost -= usize::from(lost);
        true
    }

    /// Voids the slot of a digest, if it belongs to the authorization.
    pub(super) fn void(&mut self, id: Id, start: BucketHash, short_digest: ShortDigest) {
        let table = &self.side(start).table;
        let held = self.read(start, short_digest);
        if let Some((entry, Some(back))) =
            held.filter(|(_, back)| back.is_some_and(|back| back.id == id))
            && let Some(at) = table.place(start, short_digest)
        {
            let state = SlotState::Void;
            table.write(at, short_digest, &SlotContents { state, ..entry }, Some(&back));
        }
    }

    /// Unbinds the slot of a digest from its record.
    pub(super) fn forget(&mut self, id: Id, start: BucketHash, short_digest: ShortDigest) {
        let side = self.side_mut(start);
        let at = side.table.place(start, short_digest);
        let back = at.and_then(|at| Some((at, side.table.back(at)?)));
        if let Some((at, back)) = back.filter(|(_, back)| back.id == id) {
            side.table.forget(at);
            side.lost += 1;
            self.by_id_count -= usize::from(back.by_id);
        }
    }

    /// Stores the state of a record in the slot that is found by the id. Returns false if there is
    /// none.
    pub(super) fn note(&mut self, id: Id, back: &SlotRecord) -> bool {
        let start = self.start(id);
        let table = &self.side(start).table;
        let by_id = table.by_id(start, id);
        if let Some((at, _)) = by_id {
            table.note(at, back);
        }
        by_id.is_some()
    }

    fn make_room(&mut self) {
        if self.next.is_some() {
            if self.next.as_ref().is_some_and(CountedTable::is_full) {
                self.enlarge();
            }
        } else if self.table.is_full() {
            let percent = match self.loading || self.table.table.len() <= SMALL {
                true => LOADING_FILL_PERCENT,
                false => SETTLED_FILL_PERCENT,
            };
            self.begin(self.table.live(), percent);
        }
    }

    /// Moves everything to a larger table at once, if growing in steps came too late or too many
    /// digests collide. Until readers get the new table, they find everything in those that they
    /// have.
    fn enlarge(&mut self) {
        let former = [Some(&self.table), self.next.as_ref()];
        let last = self.next.as_ref().unwrap_or(&self.table);
        let mut count = last.table.len() * LOADING_FILL_PERCENT / 100;
        loop {
            count = 2 * count + 1;
            let larger = CountedTable::with_room_for(count, LOADING_FILL_PERCENT);
            let mut former = former.iter().flatten();
            let used = former.try_fold(0, |used, former| {
                Some(used + former.table.copy_all(&larger.table, self.seed)?)
            });
            if let Some(used) = used {
                self.table = CountedTable { used, ..larger };
                self.next = None;
                self.changed = true;
                return;
            }
        }
    }

    fn side(&self, start: BucketHash) -> &CountedTable {
        match &self.next {
            Some(next) if self.table.table.has_moved(start) => next,
            _ => &self.table,
        }
    }

    fn side_mut(&mut self, start: BucketHash) -> &mut CountedTable {
        match &mut self.next {
            Some(next) if self.table.table.has_moved(start) => next,
            _ => &mut self.table,
        }
    }
}

/// Returns a random seed; a constant one for the model checker, which must be able to repeat
/// schedules.
fn seed() -> u64 {
    match cfg!(shuttle) {
        true => 0,
        false => RandomState::new().hash_one(0),
    }
}

impl CountedTable {
    fn with_room_for(count: usize, percent: usize) -> Self {
        Self { table: Arc::new(Table::with_room_for(count, percent)), used: 0, lost: 0 }
    }

    fn is_full(&self) -> bool {
        (self.used + 1) * 100 > self.table.len() * MAX_FILL_PERCENT
    }

    fn live(&self) -> usize {
        self.used.saturating_sub(self.lost)
    }
}

#[cfg(test)]
#[cfg(not(shuttle))]
mod tests {
    use super::super::slot::LastUsed;
    use super::*;
    use crate::status::Status;
    use crate::store::Revision;

    fn insert(tables: &mut Tables, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            let id = Id::new(number).unwrap();
            let short_digest = [number, !number];
            let entry = SlotContents {
                state: SlotState::Known(Status::Active),
                expires: None,
                set: 0,
                owners: 0,
                used: LastUsed::default(),
            };
            let back = SlotRecord {
                id,
                revision: Revision(1),
                sequence: 1,
                revoked: false,
                authentic: true,
                by_id: true,
                rest: 0,
            };
            let at = (tables.start(id), short_digest);
            assert!(tables.insert(at, &entry, &back));
            tables.prefetch(id, TokenLookup::ById(short_digest));
        }
    }

    #[test]
    fn expected_records_fit_without_growing() {
        let mut tables = Tables::new();
        tables.expect(10_000);
        assert!(tables.changed());
        let len = tables.table.table.len();
        insert(&mut tables, 1..=10_000);
        tables.finish_loading();
        assert_eq!(tables.table.table.len(), len);
        assert!(tables.next.is_none() && !tables.changed());
    }

    #[test]
    fn wrong_size_hints_are_harmless() {
        let mut tables = Tables::new();
        insert(&mut tables, 1..=10);
        let len = tables.table.table.len();
        tables.expect(10_000);
        assert_eq!((tables.table.table.len(), tables.by_id_count()), (len, 10));
        let mut tables = Tables::new();
        tables.expect(usize::MAX);
        assert!(tables.table.table.len() < 2 * MAX_SIZE_HINT);
        // Fewer records than expected.
        insert(&mut tables, 1..=10);
        tables.finish_loading();
        while tables.changed() | tables.step() {}
        assert!(tables.table.table.len() < SMALL);
        assert_eq!(tables.by_id_count(), 10);
        assert_eq!(tables.all_by_id().count(), 10);
    }
}
