//! The table as its writer has it, with the one that takes its place while it grows or shrinks.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::interned::Interned;
use super::slot::{Back, Entry, Slot};
use super::table::{Moved, Start, Table};
use super::{Half, Handle, SlotState, View};
use crate::id::Id;

/// Slots are moved a few hundred at a time, so that neither a reader nor a writer waits for a large table.
#[derive(Debug)]
pub(super) struct Tables {
    table: Filled,
    next: Option<Filled>,
    /// Records whose slots are found by their ids.
    homes: usize,
    /// Not everything was read yet, so that the table will still grow much.
    loading: bool,
    /// Readers have not got these tables yet.
    changed: bool,
    /// What the places of ids are mixed with.
    seed: u64,
}

#[derive(Debug)]
struct Filled {
    table: Arc<Table>,
    /// Slots that are taken, void ones too.
    used: usize,
    /// Slots that are void for good.
    lost: usize,
}

/// How many of a hundred slots are taken at the most: beyond, looking for a digest takes more than its two lines.
const FULL: usize = 80;
/// The same right after a table was made: while loading, and later, when memory counts more.
const LOADING: usize = 40;
const SETTLED: usize = 70;
/// A table that is emptier than this is given another size when all is loaded.
const LOOSE: usize = 67;
/// More than this is not believed before it is seen.
const MOST_EXPECTED: usize = 1 << 24;
/// So few slots are not worth saving.
const SMALL: usize = if cfg!(shuttle) { 8 } else { 1 << 12 };

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            table: Filled::with_room_for(0, LOADING),
            next: None,
            homes: 0,
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

    pub(super) fn homes(&self) -> usize {
        self.homes
    }

    /// Of the table that is fuller.
    #[cfg(all(test, not(shuttle)))]
    pub(super) fn fullness(&self) -> usize {
        let all = [Some(&self.table), self.next.as_ref()];
        let all = all.into_iter().flatten();
        let of_hundred = |one: &Filled| one.used * 100 / one.table.len();
        all.map(of_hundred).max().unwrap_or_default()
    }

    /// Makes room for so many digests, if there is none yet.
    pub(super) fn expect(&mut self, count: usize) {
        let count = count.min(MOST_EXPECTED);
        if self.table.used == 0 && self.next.is_none() && count > self.table.table.len() {
            self.table = Filled::with_room_for(count, SETTLED);
            self.changed = true;
        }
    }

    /// Fetches the lines in which the digests of an authorization are, or will be.
    #[inline]
    pub(super) fn prefetch(&self, id: Id, handle: Handle) {
        for (start, _) in self.starts(id, handle) {
            self.side(start).table.prefetch_all(start);
        }
    }

    /// All that there is has been read: a table that is much too large is given another size.
    pub(super) fn settle(&mut self) {
        self.loading = false;
        let (live, len) = (self.table.live(), self.table.table.len());
        let loose = live * 100 < len * LOOSE && len > SMALL;
        if loose && self.next.is_none() {
            self.begin(live, SETTLED);
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
            Moved::Some(taken) => next.used += taken,
            Moved::All => self.finish(),
            Moved::NoRoom => self.enlarge(),
        }
        true
    }

    fn begin(&mut self, live: usize, percent: usize) {
        self.next = Some(Filled::with_room_for(live + 1, percent));
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
        handle: Handle,
    ) -> impl Iterator<Item = (Start, Half)> + use<> {
        let halves = match handle {
            Handle::Id(half) => [Some((self.start(id), half)), None],
            Handle::Digests(halves) => halves.map(|half| Some((Start::of_half(half?), half?))),
        };
        halves.into_iter().flatten()
    }

    fn start(&self, id: Id) -> Start {
        Start::of_id(id.number(), self.seed)
    }

    /// What the slot of `half` says, and what is known of its record.
    pub(super) fn read(&self, start: Start, half: Half) -> Option<(Entry, Option<Back>)> {
        let table = &self.side(start).table;
        let at = table.place(start, half)?;
        Some((table.entry(at)?, table.back(at)))
    }

    /// The slot that is found by the id: its digest, and what is known of its record.
    pub(super) fn home(&self, id: Id) -> Option<(Half, Back)> {
        let start = self.start(id);
        let table = &self.side(start).table;
        let (at, back) = table.home(start, id)?;
        Some((table.slot(at)?.half(), back))
    }

    pub(super) fn all_homes(&self) -> impl Iterator<Item = (Half, Back)> {
        let tables = [Some(&self.table), self.next.as_ref()];
        let all = tables.into_iter().flatten().flat_map(|one| one.table.all());
        all.filter_map(|(_, half, _, back)| Some((half, back.filter(|back| back.home)?)))
    }

    /// Writes the slot of a digest. False if it is that of another authorization, which keeps it.
    pub(super) fn insert(
        &mut self,
        (start, half): (Start, Half),
        entry: &Entry,
        back: &Back,
    ) -> bool {
        let held = self.read(start, half);
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
        while !self.put((start, half), entry, back) {
            self.enlarge();
        }
        let was_home = before.is_some_and(|before| before.home);
        self.homes += usize::from(back.home && !was_home);
        true
    }

    fn put(&mut self, (start, half): (Start, Half), entry: &Entry, back: &Back) -> bool {
        let side = self.side_mut(start);
        let Some(at) = side.table.place(start, half) else {
            return false;
        };
        let new = side.table.slot(at).is_some_and(Slot::is_empty);
        let lost = !new && side.table.back(at).is_none();
        side.table.write(at, half, entry, Some(back));
        side.used += usize::from(new);
        // Void for good it was not, if it is taken again.
        side.lost -= usize::from(lost);
        true
    }

    /// Makes the slot of a digest void, if it is that of the authorization.
    pub(super) fn void(&mut self, id: Id, start: Start, half: Half) {
        let table = &self.side(start).table;
        let held = self.read(start, half);
        if let Some((entry, Some(back))) =
            held.filter(|(_, back)| back.is_some_and(|back| back.id == id))
            && let Some(at) = table.place(start, half)
        {
            let state = SlotState::Void;
            table.write(at, half, &Entry { state, ..entry }, Some(&back));
        }
    }

    /// Of the record of a slot nothing is known from now on.
    pub(super) fn forget(&mut self, id: Id, start: Start, half: Half) {
        let side = self.side_mut(start);
        let at = side.table.place(start, half);
        let back = at.and_then(|at| Some((at, side.table.back(at)?)));
        if let Some((at, back)) = back.filter(|(_, back)| back.id == id) {
            side.table.forget(at);
            side.lost += 1;
            self.homes -= usize::from(back.home);
        }
    }

    /// Notes what is known of the record of the slot that is found by the id. False if there is none.
    pub(super) fn note(&mut self, id: Id, back: &Back) -> bool {
        let start = self.start(id);
        let table = &self.side(start).table;
        let home = table.home(start, id);
        if let Some((at, _)) = home {
            table.note(at, back);
        }
        home.is_some()
    }

    fn make_room(&mut self) {
        if self.next.is_some() {
            if self.next.as_ref().is_some_and(Filled::is_full) {
                self.enlarge();
            }
        } else if self.table.is_full() {
            let percent = match self.loading || self.table.table.len() <= SMALL {
                true => LOADING,
                false => SETTLED,
            };
            self.begin(self.table.live(), percent);
        }
    }

    /// At once, whatever it takes: where a growing in steps came too late, or digests meet as if somebody chose them.
    /// Readers find what there was in the tables that they have until they get the new one.
    fn enlarge(&mut self) {
        let former = [Some(&self.table), self.next.as_ref()];
        let last = self.next.as_ref().unwrap_or(&self.table);
        let mut count = last.table.len() * LOADING / 100;
        loop {
            count = 2 * count + 1;
            let larger = Filled::with_room_for(count, LOADING);
            let mut former = former.iter().flatten();
            let used = former.try_fold(0, |used, former| {
                Some(used + former.table.copy_all(&larger.table, self.seed)?)
            });
            if let Some(used) = used {
                self.table = Filled { used, ..larger };
                self.next = None;
                self.changed = true;
                return;
            }
        }
    }

    fn side(&self, start: Start) -> &Filled {
        match &self.next {
            Some(next) if self.table.table.has_moved(start) => next,
            _ => &self.table,
        }
    }

    fn side_mut(&mut self, start: Start) -> &mut Filled {
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

impl Filled {
    fn with_room_for(count: usize, percent: usize) -> Self {
        Self {
            table: Arc::new(Table::with_room_for(count, percent)),
            used: 0,
            lost: 0,
        }
    }

    fn is_full(&self) -> bool {
        (self.used + 1) * 100 > self.table.len() * FULL
    }

    fn live(&self) -> usize {
        self.used.saturating_sub(self.lost)
    }
}

#[cfg(test)]
#[cfg(not(shuttle))]
mod tests {
    use super::super::slot::Used;
    use super::*;
    use crate::status::Status;
    use crate::store::Revision;

    fn insert(tables: &mut Tables, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            let id = Id::new(number).unwrap();
            let half = [number, !number];
            let entry = Entry {
                state: SlotState::Known(Status::Active),
                expires: None,
                set: 0,
                owners: 0,
                used: Used::default(),
            };
            let back = Back {
                id,
                revision: Revision(1),
                sequence: 1,
                ended: false,
                genuine: true,
                home: true,
                rest: 0,
            };
            let at = (tables.start(id), half);
            assert!(tables.insert(at, &entry, &back));
            tables.prefetch(id, Handle::Id(half));
        }
    }

    #[test]
    fn what_is_expected_has_room_at_once() {
        let mut tables = Tables::new();
        tables.expect(10_000);
        assert!(tables.changed());
        let len = tables.table.table.len();
        insert(&mut tables, 1..=10_000);
        tables.settle();
        assert_eq!(tables.table.table.len(), len);
        assert!(tables.next.is_none() && !tables.changed());
    }

    #[test]
    fn a_hint_loses_nothing_and_is_not_believed_too_far() {
        let mut tables = Tables::new();
        insert(&mut tables, 1..=10);
        let len = tables.table.table.len();
        tables.expect(10_000);
        assert_eq!((tables.table.table.len(), tables.homes()), (len, 10));
        let mut tables = Tables::new();
        tables.expect(usize::MAX);
        assert!(tables.table.table.len() < 2 * MOST_EXPECTED);
        // Fewer came than were expected.
        insert(&mut tables, 1..=10);
        tables.settle();
        while tables.changed() | tables.step() {}
        assert!(tables.table.table.len() < SMALL);
        assert_eq!(tables.homes(), 10);
        assert_eq!(tables.all_homes().count(), 10);
    }
}
