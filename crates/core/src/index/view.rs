//! What one check sees of the index.

use std::sync::Arc;

use super::interned::{Interned, Pair};
use super::slot::{Expiry, LastUsed, SlotWord};
use super::table::{BucketHash, SlotSearch, Table};
use super::{ShortDigest, SlotState};
use crate::authorization::{NotInForce, check_in_force};
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
    word: SlotWord,
    expiry: Expiry,
    pair: &'v Pair,
}

/// Where a digest was found last: a guess that saves looking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotHint(pub(crate) usize);

/// Where a digest is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlotRef<'v> {
    table: &'v Table,
    first: usize,
    start: BucketHash,
}

/// What a view knows of a digest. [`Index::find`](super::Index::find) goes on where it is stale.
pub(crate) enum LookupResult<'v> {
    Found(Found<'v>),
    Nothing,
    /// A later view knows it.
    Stale,
}

impl View {
    /// Where the token that carries this id is looked for.
    #[inline(always)]
    pub(crate) fn start(&self, id_number: u64) -> BucketHash {
        BucketHash::of_id(id_number, self.seed)
    }

    /// Where what begins at `start` is looked for.
    #[inline(always)]
    pub(crate) fn slot_ref(&self, start: BucketHash) -> SlotRef<'_> {
        let table = self.side(start);
        let first = table.first(start);
        SlotRef {
            table,
            first,
            start,
        }
    }

    #[inline(always)]
    pub(crate) fn find<'v>(
        &'v self,
        slot_ref: SlotRef<'v>,
        short_digest: ShortDigest,
    ) -> LookupResult<'v> {
        match slot_ref.table.look(slot_ref.first, short_digest) {
            Some((at, word)) => match self.found(slot_ref.table, at, word) {
                Some(seen) => seen,
                None => self.find_further(slot_ref, short_digest),
            },
            None => self.find_further(slot_ref, short_digest),
        }
    }

    /// Wherever it may be: in a further bucket, in the table that follows, or written this very moment.
    #[inline(never)]
    fn find_further<'v>(
        &'v self,
        slot_ref: SlotRef<'v>,
        short_digest: ShortDigest,
    ) -> LookupResult<'v> {
        let SlotRef {
            mut table, start, ..
        } = slot_ref;
        loop {
            match table.search_further(start, short_digest) {
                SlotSearch::At(at, word) => match self.found(table, at, word) {
                    Some(seen) => return seen,
                    // It was written meanwhile.
                    None => continue,
                },
                SlotSearch::Nowhere => return LookupResult::Nothing,
                SlotSearch::Moved => match &self.next {
                    Some(next) if !std::ptr::eq(&**next, table) => table = next,
                    _ => return LookupResult::Stale,
                },
            }
        }
    }

    /// What is at the place, if it is still that of `short_digest`.
    #[inline(always)]
    pub(crate) fn at(&self, place: SlotHint, short_digest: ShortDigest) -> Option<Found<'_>> {
        let word = self.table.slot(place.0)?.holds(short_digest)?;
        match self.found(&self.table, place.0, word) {
            Some(LookupResult::Found(found)) => Some(found),
            _ => None,
        }
    }

    #[inline(always)]
    fn found<'v>(
        &'v self,
        table: &'v Table,
        at: usize,
        word: SlotWord,
    ) -> Option<LookupResult<'v>> {
        let expiry = table.slot(at)?.expiry_with(word)?;
        let interned = &*self.interned;
        let known = !word.is_void();
        let pair = interned.pairs.get(word.owners()).filter(|_| known);
        Some(pair.map_or(LookupResult::Nothing, |pair| {
            LookupResult::Found(Found {
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
    pub(crate) fn used_in(&self, used: LastUsed, mut use_it: impl FnMut(Id)) {
        let tables = [Some(&self.table), self.next.as_ref()];
        let tables = tables.into_iter().flatten();
        tables.for_each(|table| table.used_in(used, &mut use_it));
    }

    #[inline(always)]
    fn side(&self, start: BucketHash) -> &Table {
        match &self.next {
            Some(next) if self.table.has_moved(start) => next,
            _ => &self.table,
        }
    }
}

impl SlotRef<'_> {
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
    pub(crate) fn slot_hint(&self) -> SlotHint {
        SlotHint(self.at)
    }

    /// Whether it is in force whatever the time is, as most are; [`Found::live`] knows of the others.
    #[inline(always)]
    pub(crate) fn is_unconditionally_in_force(&self) -> bool {
        self.expiry.is_never() && self.word.is_active() && self.interned.are_active(self.pair)
    }

    /// Whether it is in force. `now` is asked only if it expires.
    #[inline(always)]
    pub(crate) fn live(&self, now: impl FnOnce() -> Timestamp) -> Result<(), NotInForce> {
        let SlotState::Known(status) = self.word.state() else {
            return Err(NotInForce::Revoked);
        };
        let expired = || !self.expiry.is_never() && self.expiry.is_over(now(), || self.rest());
        check_in_force(status, expired, self.interned.owners(self.pair))
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
    pub(crate) fn note_use(&self, used: LastUsed) {
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
        both.map(|(set, organization)| set.decompile(organization, self.pair.user()))
            .unwrap_or_default()
    }
}
