//! Read access to the index for one check.

use std::sync::Arc;

use super::change::{ShortDigest, SlotState};
use super::interned::{Interned, Pair};
use super::slot::{Expiry, LastUsed, SlotWord};
use super::table::{BucketHash, SlotSearch, Table};
use crate::authorization::{NotInForce, check_in_force};
use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::{PermissionSet, Request};
use crate::time::{Minute, Timestamp};

/// The current tables and the interned values that their slots refer to.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(super) table: Arc<Table>,
    /// The table that slots are being moved to, while the table is resized.
    pub(super) next: Option<Arc<Table>>,
    pub(super) interned: Arc<Interned>,
    pub(super) seed: u64,
}

/// An authorization found by a digest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'v> {
    interned: &'v Interned,
    table: &'v Table,
    at: usize,
    word: SlotWord,
    expiry: Expiry,
    pair: &'v Pair,
}

/// Slot where a digest was found last: a hint that saves a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotHint(pub(crate) usize);

/// The bucket in which a digest is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlotRef<'v> {
    table: &'v Table,
    first: usize,
    start: BucketHash,
}

/// Result of a lookup. If it is stale, [`Index::find`](super::Index::find) repeats the lookup.
pub(crate) enum LookupResult<'v> {
    Found(Found<'v>),
    Nothing,
    /// The digest must be looked for in a later view.
    Stale,
}

impl View {
    /// Returns the bucket hash for a token that carries this id.
    #[inline(always)]
    pub(crate) fn start(&self, id_number: u64) -> BucketHash {
        BucketHash::of_id(id_number, self.seed)
    }

    /// Returns the bucket in which digests with this hash are looked for.
    #[inline(always)]
    pub(crate) fn slot_ref(&self, start: BucketHash) -> SlotRef<'_> {
        let table = self.side(start);
        let first = table.first(start);
        SlotRef { table, first, start }
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

    /// Looks in further buckets and in the next table, and repeats if the slot is being written.
    #[inline(never)]
    fn find_further<'v>(
        &'v self,
        slot_ref: SlotRef<'v>,
        short_digest: ShortDigest,
    ) -> LookupResult<'v> {
        let SlotRef { mut table, start, .. } = slot_ref;
        loop {
            match table.search_further(start, short_digest) {
                SlotSearch::At(at, word) => match self.found(table, at, word) {
                    Some(seen) => return seen,
                    // The slot was written meanwhile; look again.
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

    /// Returns the authorization at `place`, if that slot still belongs to `short_digest`.
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
            LookupResult::Found(Found { interned, table, at, word, expiry, pair })
        }))
    }

    /// Calls `use_it` with the ids of authorizations last used in that minute, one or more times
    /// each.
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
    /// Prefetches the slots that [`View::find`] reads.
    #[inline(always)]
    pub(crate) fn prefetch(&self) {
        self.table.prefetch(self.first);
    }
}

impl Found<'_> {
    /// Returns the expiry; an earlier time if the slot was written since.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.expiry.with(self.rest())
    }

    /// Returns the id of the authorization; none if it was purged meanwhile.
    #[inline(always)]
    pub(crate) fn id(&self) -> Option<Id> {
        self.table.id(self.at)
    }

    #[inline(always)]
    pub(crate) fn slot_hint(&self) -> SlotHint {
        SlotHint(self.at)
    }

    /// Fast path: returns true if the authorization is in force at any time. [`Found::live`]
    /// decides the others.
    #[inline(always)]
    pub(crate) fn is_unconditionally_in_force(&self) -> bool {
        self.expiry.is_never() && self.word.is_active() && self.interned.are_active(self.pair)
    }

    /// Returns why the authorization is not in force, if it is not. Calls `now` only if it expires.
    #[inline(always)]
    pub(crate) fn live(&self, now: impl FnOnce() -> Timestamp) -> Result<(), NotInForce> {
        let SlotState::Known(status) = self.word.state() else {
            return Err(NotInForce::Revoked);
        };
        let expired = || !self.expiry.is_never() && self.expiry.is_over(now(), || self.rest());
        check_in_force(status, expired, self.interned.owners(self.pair))
    }

    /// Returns the part of the expiry that the slot does not hold; 0, the earliest, if the slot was
    /// written since.
    fn rest(&self) -> u64 {
        let rest = self.table.rest(self.at);
        let now = self.table.slot(self.at);
        let now = now.and_then(|slot| slot.expiry_with(self.word));
        if now == Some(self.expiry) { rest } else { 0 }
    }

    /// Returns true if a permission covers the request.
    #[inline(always)]
    pub(crate) fn covers(&self, request: &Request<'_>) -> bool {
        let (set, organization) = (self.interned.set(self.word.set()), self.pair.organization());
        match (set, organization) {
            (Some(set), Some(organization)) => set.covers(request, organization, self.pair.user()),
            _ => false,
        }
    }

    /// Records a use in this minute.
    #[inline(always)]
    pub(crate) fn note_use(&self, used: LastUsed) {
        if let Some(slot) = self.table.slot(self.at) {
            slot.note_use(used);
        }
    }

    /// Returns the minute of the last use that the index has recorded.
    pub(crate) fn used(&self) -> Option<Minute> {
        self.table.slot(self.at)?.used()
    }

    /// Returns true if the user or the organization is deleted.
    pub(crate) fn has_deleted_owner(&self) -> bool {
        let owners = self.interned.owners(self.pair);
        owners.contains(&OwnerState::Deleted)
    }

    /// Returns the permissions as they were granted. Allocates.
    pub(crate) fn permissions(&self) -> PermissionSet {
        let set = self.interned.set(self.word.set());
        let organization = self.pair.organization();
        let both = set.zip(organization);
        both.map(|(set, organization)| set.decompile(organization, self.pair.user()))
            .unwrap_or_default()
    }
}
