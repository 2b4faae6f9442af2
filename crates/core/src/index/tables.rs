//! The table as its writer has it, with the one that takes its place while it grows or shrinks.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::interned::Interned;
use super::slot::{Slot, SlotContents, SlotRecord};
use super::table::{BucketHash, MoveProgress, Table};
use super::{ShortDigest, SlotState, TokenLookup, View};
use crate::id::Id;

/// Slots are moved a few hundred at a time, so that neither a reader nor a writer waits for a large table.
#[derive(Debug)]
pub(super) struct Tables {
    table: CountedTable,
    next: Option<CountedTable>,
    /// Records whose slots are found by their ids.
    by_id_count: usize,
    /// Not everything was read yet, so that the table will still grow much.
    loading: bool,
    /// Readers have not got these tables yet.
    changed: bool,
    /// What the places of ids are mixed with.
    seed: u64,
}

#[derive(Debug)]
struct CountedTable {
    table: Arc<Table>,
    /// Slots that are taken, void ones too.
    used: usize,
    /// Slots that are void for good.
    lost: usize,
}

/// How many of a hundred slots are taken at the most: beyond, looking for a digest takes more than its two lines.
const MAX_FILL_PERCENT: usize = 80;
/// The same right after a table was made: while loading, and later, when memory counts more.
const LOADING_FILL_PERCENT: usize = 40;
const SETTLED_FILL_PERCENT: usize = 70;
/// A table that is emptier than this is given another size when all is loaded.
const MIN_FILL_PERCENT: usize = 67;
/// More than this is not believed before it is seen.
const MAX_SIZE_HINT: usize = 1 << 24;
/// So few slots are not worth saving.
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

    /// Whether the tables are others than at the last call.
    pub(super) fn changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn by_id_count(&self) -> usize {
        self.by_id_count
    }

    /// Of the table that is fuller.
    #[cfg(all(test, not(shuttle)))]
    pub(super) fn fullness(&self) -> usize {
        let all = [Some(&self.table), self.next.as_ref()];
        let all = all.into_iter().flatten();
        let of_hundred = |one: &CountedTable| one.used * 100 / one.table.len();
        all.map(of_hundred).max().unwrap_or_default()
    }

    /// Makes room for so many digests, if there is none yet.
    pub(super) fn expect(&mut self, count: usize) {
        let count = count.min(MAX_SIZE_HINT);
        if self.table.used == 0 && self.next.is_none() && count > self.table.table.len() {
            self.table = CountedTable::with_room_for(count, SETTLED_FILL_PERCENT);
            self.changed = true;
        }
    }

    /// Fetches the lines in which the digests of an authorization are, or will be.
    #[inline]
    pub(super) fn prefetch(&self, id: Id, handle: TokenLookup) {
        for (start, _) in self.starts(id, handle) {
            self.side(start).table.prefetch_all(start);
        }
    }

    /// All that there is has been read: a table that is much too large is given another size.
    pub(super) fn finish_loading(&mut self) {
        self.loading = false;
        let (live, len) = (self.table.live(), self.table.table.len());
        let loose = live * 100 < len * MIN_FILL_PERCENT && len > SMALL;
        if loose && self.next.is_none() {
            self.begin(live, SETTLED_FILL_PERCENT);
        }
    }

    /// Moves some slots on, if there is a next table; false if not.
    pub(super) fn step(&mut self) -> bool {
        let Some(next) = &mut self.next else {
            return false;
        };
        // Not before readers have the next table: they would look for it in vain.
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

    /// Where the digests of an authorization are looked for.
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

    /// What the slot of `short_digest` says, and what is known of its record.
    pub(super) fn read(
        &self,
        start: BucketHash,
        short_digest: ShortDigest,
    ) -> Option<(SlotContents, Option<SlotRecord>)> {
        let table = &self.side(start).table;
        let at = table.place(start, short_digest)?;
        Some((table.entry(at)?, table.back(at)))
    }

    /// The slot that is found by the id: its digest, and what is known of its record.
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

    /// Writes the slot of a digest. False if it is that of another authorization, which keeps it.
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
        let was_home = before.is_some_and(|before| before.by_id);
        self.by_id_count += usize::from(back.by_id && !was_home);
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
        // Void for good it was not, if it is taken again.
        side.lost -= usize::from(lost);
        true
    }

    /// Makes the slot of a digest void, if it is that of the authorization.
    pub(super) fn void(&mut self, id: Id, start: BucketHash, short_digest: ShortDigest) {
        let table = &self.side(start).table;
        let held = self.read(start, short_digest);
        if let Some((entry, Some(back))) =
            held.filter(|(_, back)| back.is_some_and(|back| back.id == id))
            && let Some(at) = table.place(start, short_digest)
        {
            let state = SlotState::Void;
            table.write(
                at,
                short_digest,
                &SlotContents { state, ..entry },
                Some(&back),
            );
        }
    }

    /// Of the record of a slot nothing is known from now on.
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

    /// Notes what is known of the record of the slot that is found by the id. False if there is none.
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

    /// At once, whatever it takes: where a growing in steps came too late, or digests meet as if somebody chose them.
    /// Readers find what there was in the tables that they have until they get the new one.
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

/// Random, but for the model checker, which must be able to repeat a schedule.
fn seed() -> u64 {
    match cfg!(shuttle) {
        true => 0,
        false => RandomState::new().hash_one(0),
    }
}

impl CountedTable {
    fn with_room_for(count: usize, percent: usize) -> Self {
        Self {
            table: Arc::new(Table::with_room_for(count, percent)),
            used: 0,
            lost: 0,
        }
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
        // Fewer came than were expected.
        insert(&mut tables, 1..=10);
        tables.finish_loading();
        while tables.changed() | tables.step() {}
        assert!(tables.table.table.len() < SMALL);
        assert_eq!(tables.by_id_count(), 10);
        assert_eq!(tables.all_by_id().count(), 10);
    }
}
