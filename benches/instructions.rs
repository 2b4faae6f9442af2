//! Performs the operation in its argument 2,000 times, for `cargo xtask bench instructions`.
//!
//! Callgrind counts the functions `*_measured`. Texts, ids and keys are the same in every run.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::hint::black_box;

use symbolon::{Grant, Request, Verifier};
use symbolon_benches::{Cast, Presented, World};

const TOKENS: u64 = 1000;
/// Each engine places ids by a random number, so that one engine alone is not representative.
const WORLDS: usize = 25;
/// Operations per world. `ROUNDS` of `cargo xtask bench instructions` is the total.
const ROUNDS: usize = 2000 / WORLDS;
const MANY: usize = 16;

fn main() {
    let case = std::env::args().nth(1).unwrap_or_default();
    for _ in 0..WORLDS {
        measure(&case);
    }
}

fn measure(case: &str) {
    let cast = match case {
        "imported" => Cast::Long,
        _ => Cast::Standard,
    };
    let world = World::timeless(cast, TOKENS);
    let verifier = world.engine.verifier();
    let mut all: Vec<Presented> = (0..TOKENS).map(|number| world.presented(number)).collect();
    match case {
        "check" | "imported" => assert_eq!(checks_measured(&verifier, &all), ROUNDS),
        "malformed" => {
            all.iter_mut().for_each(Presented::damage_checksum);
            assert_eq!(checks_measured(&verifier, &all), 0);
        }
        "unknown" => {
            for (number, one) in (0..).zip(&mut all) {
                world.present_unknown(number, one);
            }
            assert_eq!(checks_measured(&verifier, &all), 0);
        }
        "check-many" => {
            let all = all.into_iter().map(|one| (one.token, one.request));
            let all: Vec<_> = all.collect();
            assert_eq!(batches_measured(&verifier, &all), ROUNDS);
        }
        "grant" => {
            let grant = |one: &Presented| (verifier.authenticate(&one.token).unwrap(), one.request);
            let all: Vec<_> = all.iter().map(grant).collect();
            assert_eq!(grants_measured(&all), ROUNDS);
        }
        other => panic!("`{other}` is not a case"),
    }
}

/// Returns the number of allowed requests.
#[inline(never)]
fn checks_measured(verifier: &Verifier, all: &[Presented]) -> usize {
    let rounds = all.iter().cycle().take(ROUNDS);
    let allowed = rounds.filter(|one| verifier.check(&one.token, &one.request).is_ok());
    black_box(allowed.count())
}

#[inline(never)]
fn batches_measured(verifier: &Verifier, all: &[(String, Request<'_>)]) -> usize {
    let mut answers = Vec::with_capacity(MANY);
    let mut allowed = 0;
    for round in 0..ROUNDS / MANY {
        let from = round * MANY % (all.len() - MANY);
        verifier.check_many(&all[from..from + MANY], &mut answers);
        allowed += answers.iter().filter(|answer| answer.is_ok()).count();
    }
    black_box(allowed)
}

#[inline(never)]
fn grants_measured(all: &[(Grant, Request<'_>)]) -> usize {
    let rounds = all.iter().cycle().take(ROUNDS);
    let allowed = rounds.filter(|(grant, request)| grant.check(request).is_ok());
    black_box(allowed.count())
}
