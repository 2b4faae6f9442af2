//! What one check sees of the index.

use std::sync::Arc;

use super::interned::{Interned, Pair};
use super::slot::{Expiry, Used, Word};
use super::table::{Look, Start, Table};
use super::{Half, SlotState};
use crate::authorization::{Dead, liveness};
use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::{PermissionSet, Request};
use crate::time::{Minute, Timestamp};

/// The tables that are read now, and what their words refer to.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(super) table: Arc<Table>,
    /// Where everything is being moved to, while the table grows.
    pub(super) next: Option<Arc<Table>>,
    pub(super) interned: Arc<Interned>,
    pub(super) seed: u64,
}

/// An authorization as it is found under a digest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'v> {
    interned: &'v Interned,
    table: &'v Table,
    at: usize,
    word: Word,
    expiry: Expiry,
    pair: &'v Pair,
}

/// Where a digest was found last: a guess that saves looking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) usize);

/// Where a digest is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'v> {
    table: &'v Table,
    first: usize,
    start: Start,
}

/// What a view knows of a digest. [`Index::find`](super::Index::find) goes on where it is stale.
pub(crate) enum Seen<'v> {
    Found(Found<'v>),
    Nothing,
    /// A later view knows it.
    Stale,
}

impl View {
    /// Where the token that carries this id is looked for.
    #[inline(always)]
    pub(crate) fn start(&self, id_number: u64) -> Start {
        Start::of_id(id_number, self.seed)
    }

    /// Where what begins at `start` is looked for.
    #[inline(always)]
    pub(crate) fn spot(&self, start: Start) -> Spot<'_> {
        let table = self.side(start);
        let first = table.first(start);
        Spot {
            table,
            first,
            start,
        }
    }

    #[inline(always)]
    pub(crate) fn find<'v>(&'v self, spot: Spot<'v>, half: Half) -> Seen<'v> {
        match spot.table.look(spot.first, half) {
            Some((at, word)) => match self.found(spot.table, at, word) {
                Some(seen) => seen,
                None => self.find_on(spot, half),
            },
            None => self.find_on(spot, half),
        }
    }

    /// Wherever it may be: in a further bucket, in the table that follows, or written this very moment.
    #[inline(never)]
    fn find_on<'v>(&'v self, spot: Spot<'v>, half: Half) -> Seen<'v> {
        let Spot {
            mut table, start, ..
        } = spot;
        loop {
            match table.look_on(start, half) {
                Look::At(at, word) => match self.found(table, at, word) {
                    Some(seen) => return seen,
                    // It was written meanwhile.
                    None => continue,
                },
                Look::Nowhere => return Seen::Nothing,
                Look::Moved => match &self.next {
                    Some(next) if !std::ptr::eq(&**next, table) => table = next,
                    _ => return Seen::Stale,
                },
            }
        }
    }

    /// What is at the place, if it is still that of `half`.
    #[inline(always)]
    pub(crate) fn at(&self, place: Place, half: Half) -> Option<Found<'_>> {
        let word = self.table.slot(place.0)?.holds(half)?;
        match self.found(&self.table, place.0, word) {
            Some(Seen::Found(found)) => Some(found),
            _ => None,
        }
    }

    #[inline(always)]
    fn found<'v>(&'v self, table: &'v Table, at: usize, word: Word) -> Option<Seen<'v>> {
        let expiry = table.slot(at)?.expiry_with(word)?;
        let interned = &*self.interned;
        let known = !word.is_void();
        let pair = interned.pairs.get(word.owners()).filter(|_| known);
        Some(pair.map_or(Seen::Nothing, |pair| {
            Seen::Found(Found {
                interned,
                table,
                at,
                word,
                expiry,
                pair,
            })
        }))
    }

    /// Calls `use_it` with the ids of those that were last used in that minute, one or more times each.
    pub(crate) fn used_in(&self, used: Used, mut use_it: impl FnMut(Id)) {
        let tables = [Some(&self.table), self.next.as_ref()];
        let tables = tables.into_iter().flatten();
        tables.for_each(|table| table.used_in(used, &mut use_it));
    }

    #[inline(always)]
    fn side(&self, start: Start) -> &Table {
        match &self.next {
            Some(next) if self.table.has_moved(start) => next,
            _ => &self.table,
        }
    }
}

impl Spot<'_> {
    /// Fetches what [`View::find`] will read, while the caller does something else.
    #[inline(always)]
    pub(crate) fn prefetch(&self) {
        self.table.prefetch(self.first);
    }
}

impl Found<'_> {
    /// When it expires; earlier, if it was written since.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.expiry.with(self.rest())
    }

    /// The id of the authorization; none if it was purged meanwhile.
    #[inline(always)]
    pub(crate) fn id(&self) -> Option<Id> {
        self.table.id(self.at)
    }

    #[inline(always)]
    pub(crate) fn place(&self) -> Place {
        Place(self.at)
    }

    /// Whether it is in force whatever the time is, as most are; [`Found::live`] knows of the others.
    #[inline(always)]
    pub(crate) fn is_plainly_live(&self) -> bool {
        self.expiry.is_never() && self.word.is_active() && self.interned.are_active(self.pair)
    }

    /// Whether it is in force. `now` is asked only if it expires.
    #[inline(always)]
    pub(crate) fn live(&self, now: impl FnOnce() -> Timestamp) -> Result<(), Dead> {
        let SlotState::Known(status) = self.word.state() else {
            return Err(Dead::Revoked);
        };
        let expired = || !self.expiry.is_never() && self.expiry.is_over(now(), || self.rest());
        liveness(status, expired, self.interned.owners(self.pair))
    }

    /// The part of the expiry that the slot does not hold; 0, which is over, if it was written since.
    fn rest(&self) -> u64 {
        let rest = self.table.rest(self.at);
        let now = self.table.slot(self.at);
        let now = now.and_then(|slot| slot.expiry_with(self.word));
        if now == Some(self.expiry) { rest } else { 0 }
    }

    /// Whether a permission covers the request.
    #[inline(always)]
    pub(crate) fn covers(&self, request: &Request<'_>) -> bool {
        let (set, organization) = (self.interned.set(self.word.set()), self.pair.organization());
        match (set, organization) {
            (Some(set), Some(organization)) => set.covers(request, organization, self.pair.user()),
            _ => false,
        }
    }

    /// Notes that it was used in this minute.
    #[inline(always)]
    pub(crate) fn note_use(&self, used: Used) {
        if let Some(slot) = self.table.slot(self.at) {
            slot.note_use(used);
        }
    }

    /// The minute of its last use, as far as it was noted here.
    pub(crate) fn used(&self) -> Option<Minute> {
        self.table.slot(self.at)?.used()
    }

    /// Whether its user or organization is deleted.
    pub(crate) fn has_deleted_owner(&self) -> bool {
        let owners = self.interned.owners(self.pair);
        owners.contains(&OwnerState::Deleted)
    }

    /// What it allows, as it was given. It allocates.
    pub(crate) fn permissions(&self) -> PermissionSet {
        let set = self.interned.set(self.word.set());
        let organization = self.pair.organization();
        let both = set.zip(organization);
        both.map(|(set, organization)| set.restore(organization, self.pair.user()))
            .unwrap_or_default()
    }
}
