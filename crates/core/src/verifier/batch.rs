//! Many tokens at once: their places are fetched and their hashes computed side by side.

use super::{Verifier, decide};
use crate::error::Denied;
use crate::freshness::Now;
use crate::id::Id;
use crate::index::{Half, Seen, View};
use crate::permission::Request;
use crate::token::{BLOCK, Draft, Native};

/// How many hashes the widest registers hold.
const LANES: usize = 16;

/// Of the tokens of a batch those that are of our own form and one block long, each with its number in the batch.
struct Lanes<'t> {
    blocks: [&'t [u8; BLOCK]; LANES],
    natives: [Option<(usize, Native<'t>)>; LANES],
    used: usize,
}

impl Verifier {
    /// Checks each token with its request, in order; the answers replace what `answers` held.
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
        let shared = &*self.shared;
        let Ok(now) = shared.fresh() else {
            return;
        };
        shared.index.read(|view| {
            let lanes = Lanes::of(self, view, checks);
            let mut halves = [[0; 2]; LANES];
            lanes.hash(self, &mut halves);
            let mut lanes = lanes.all(&halves).peekable();
            for (number, ((token, request), answer)) in checks.iter().zip(answers).enumerate() {
                let lane = lanes.next_if(|(at, ..)| *at == number);
                let quick = lane.and_then(|(_, native, half)| {
                    self.check_lane(view, (&native, half), now, request)
                });
                // What is not found so may be there in another way.
                *answer = quick.unwrap_or_else(|| self.check(token, request));
            }
        });
    }

    /// Its decision, if the half is the one under which it is found.
    #[inline]
    fn check_lane(
        &self,
        view: &View,
        (native, half): (&Native<'_>, Half),
        now: Now<'_>,
        request: &Request<'_>,
    ) -> Option<Result<Id, Denied>> {
        let Some(id) = native.summed_id() else {
            return Some(Err(Denied::Malformed));
        };
        let shared = &*self.shared;
        match view.find(view.start(native.id_number), half) {
            Seen::Found(found) => Some(decide(shared, id, &found, now, request)),
            Seen::Nothing if !native.is_sound() => Some(Err(Denied::Malformed)),
            Seen::Nothing if !shared.has_other_ways() => Some(Err(Denied::Unknown)),
            Seen::Nothing | Seen::Stale => None,
        }
    }
}

impl<'t> Lanes<'t> {
    /// Their places are being fetched from now on.
    #[inline]
    fn of<T: AsRef<[u8]>>(
        verifier: &Verifier,
        view: &View,
        checks: &'t [(T, Request<'_>)],
    ) -> Self {
        let mut lanes = Self {
            blocks: [&[0; BLOCK]; LANES],
            natives: [None; LANES],
            used: 0,
        };
        let prefix = verifier.shared.prefix;
        for (number, (token, _)) in checks.iter().enumerate() {
            let text = token.as_ref();
            let (Ok(block), Ok(Draft::Native(native))) = (text.try_into(), Draft::of(prefix, text))
            else {
                continue;
            };
            view.prefetch(view.start(native.id_number));
            let places = (lanes.blocks.get_mut(lanes.used)).zip(lanes.natives.get_mut(lanes.used));
            if let Some((to, place)) = places {
                *to = block;
                *place = Some((number, native));
                lanes.used += 1;
            }
        }
        lanes
    }

    #[inline]
    fn hash(&self, verifier: &Verifier, halves: &mut [Half; LANES]) {
        let blocks = self.blocks.get(..self.used).unwrap_or_default();
        let secret = verifier.shared.sealer.key().current();
        secret.hash.halves(blocks, halves);
    }

    /// Number, token and half of each.
    fn all(&self, halves: &[Half; LANES]) -> impl Iterator<Item = (usize, Native<'t>, Half)> {
        let natives = self.natives.iter().zip(halves);
        natives.map_while(|(native, half)| native.map(|(number, native)| (number, native, *half)))
    }
}
