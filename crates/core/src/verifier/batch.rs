//! Checks of many tokens at once: prefetches their slots and computes their hashes in parallel.

use super::{Verifier, decide};
use crate::denied::Denied;
use crate::freshness::Now;
use crate::id::Id;
use crate::index::{LookupResult, ShortDigest, SlotRef, View};
use crate::permission::Request;
use crate::token::{BLOCK, UncheckedToken};

/// Hashes that the widest vector registers compute at once.
const LANES: usize = 16;

/// A token in the store's own format that is exactly one hash block long.
#[derive(Clone, Copy)]
struct PendingCheck<'v> {
    /// Position in the batch.
    number: usize,
    id_number: u64,
    slot_ref: SlotRef<'v>,
}

impl Verifier {
    /// Checks each token against its request, 16 tokens at a time.
    ///
    /// Clears `answers`, then fills it with one result for each element of `checks`, in the same
    /// order.
    pub fn check_many<T: AsRef<[u8]>>(
        &self,
        checks: &[(T, Request<'_>)],
        answers: &mut Vec<Result<Id, Denied>>,
    ) {
        answers.clear();
        answers.resize(checks.len(), Err(Denied::Unavailable));
        for (checks, answers) in checks.chunks(LANES).zip(answers.chunks_mut(LANES)) {
            self.check_batch(checks, answers);
        }
    }

    fn check_batch<T: AsRef<[u8]>>(
        &self,
        checks: &[(T, Request<'_>)],
        answers: &mut [Result<Id, Denied>],
    ) {
        let state = &*self.state;
        let Ok(now) = state.fresh() else {
            return;
        };
        state.index.read(|view| {
            let mut blocks = [&[0; BLOCK]; LANES];
            let mut lanes = [None; LANES];
            let mut free = blocks.iter_mut().zip(&mut lanes);
            let mut used = 0;
            for (number, ((token, request), answer)) in
                checks.iter().zip(answers.iter_mut()).enumerate()
            {
                // Takes a lane only for a token that needs one, so that the used lanes have no
                // gaps.
                let lane = self.lane(view, number, token.as_ref());
                match lane.and_then(|lane| Some((lane, free.next()?))) {
                    Some(((block, lane), (to, place))) => {
                        (*to, *place) = (block, Some(lane));
                        used += 1;
                    }
                    None => *answer = self.check(token, request),
                }
            }
            let mut short_digests = [[0; 2]; LANES];
            let blocks = blocks.get(..used).unwrap_or_default();
            let key = &state.keys.current().hash;
            key.short_digests(blocks, &mut short_digests);
            for (lane, short_digest) in lanes.iter().zip(short_digests) {
                let Some(lane) = lane else { break };
                let check = checks.get(lane.number).zip(answers.get_mut(lane.number));
                if let Some(((token, request), answer)) = check {
                    let quick = self.check_lane(view, lane, short_digest, now, request);
                    // A token that is not found here may still be found by another lookup.
                    *answer = quick.unwrap_or_else(|| self.check(token, request));
                }
            }
        });
    }

    /// Prefetches the slots of a token. Returns none if the token must be checked alone.
    #[inline(always)]
    fn lane<'t, 'v>(
        &self,
        view: &'v View,
        number: usize,
        text: &'t [u8],
    ) -> Option<(&'t [u8; BLOCK], PendingCheck<'v>)> {
        let block = text.try_into().ok()?;
        let Ok(UncheckedToken::Native(native)) = UncheckedToken::of(self.state.prefix, text) else {
            return None;
        };
        if self.state.flood_guard.is_active() && !native.has_checksum() {
            return None;
        }
        let slot_ref = view.slot_ref(view.start(native.id_number));
        slot_ref.prefetch();
        let id_number = native.id_number;
        let lane = PendingCheck { number, id_number, slot_ref };
        Some((block, lane))
    }

    /// Decides a request if the token is found by its id under the current secret.
    #[inline(always)]
    fn check_lane(
        &self,
        view: &View,
        lane: &PendingCheck<'_>,
        short_digest: ShortDigest,
        now: Now<'_>,
        request: &Request<'_>,
    ) -> Option<Result<Id, Denied>> {
        let id = Id::new(lane.id_number)?;
        match view.find(lane.slot_ref, short_digest) {
            LookupResult::Found(found) => Some(decide(&self.state, id, &found, now, request)),
            LookupResult::Nothing | LookupResult::Stale => None,
        }
    }
}
