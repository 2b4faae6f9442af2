//! Checks, compared with the limit, the hash alone, and look-ups in maps.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::RwLock;

use dashmap::DashMap;
use fastrand::Rng;
use sha2::{Digest, Sha256};
use symbolon::store::Sharing;
use symbolon::{Grant, Id, Request};
use symbolon_benches::{Bench, Cast, Limit, Presented, RING, World, full_or_quick, large, sizes};

/// Tokens in one call of `check_many`.
const MANY: usize = 16;

fn main() {
    let mut bench = Bench::new("check");
    let mut limit = Limit::new(1).unwrap();
    bench.chain("limit/hash", None, || limit.hash());
    for count in sizes() {
        let world = World::open(Cast::Standard, count, Sharing::Exclusive);
        checks(&mut bench, &world);
        if count <= 1_000_000 {
            maps(&mut bench, &world);
        }
        if count == 1000 || count == large() {
            refusals(&mut bench, &world);
            for (name, count) in [("grant/one", 1), ("grant/64", 64), ("grant/all", count)] {
                grants(&mut bench, name, &world, count);
            }
            // Reads the id without a decision: the lower limit of a check.
            let id = |(grant, _): &Connection| zero(grant.id());
            on_connections(&mut bench, "grant/id-alone", &world, 1, id);
            drop(world);
            compared(&mut bench, count);
        }
    }
    // The worst cases take long to create.
    let count = full_or_quick(large(), large().min(100_000));
    for (name, cast) in [
        ("worst/standard", Cast::Standard),
        ("worst/distinct-sets", Cast::Distinct),
        ("worst/88-characters", Cast::Long),
        ("worst/unmigrated", Cast::Hashed),
    ] {
        check(&mut bench, name, cast, count, Sharing::Exclusive);
    }
}

/// Returns 0, computed from the answer. No id of a world has its highest bit set.
fn zero(id: Id) -> u64 {
    id.number() >> 63
}

/// Returns a function that replaces an input by a random token of `world`.
fn random(world: &World) -> impl FnMut(&mut Presented) {
    let mut draw = Rng::with_seed(world.count);
    move |one| world.present(draw.u64(..world.count), one)
}

/// Measures a step on tokens that `ready` prepares.
fn prepared(
    bench: &mut Bench,
    name: &str,
    world: &World,
    ready: impl FnMut(&mut Presented),
    step: impl FnMut(&Presented) -> u64,
) {
    let mut ring = vec![world.presented(0); RING];
    bench.steps(name, Some(world.count), 1, &mut ring, ready, step);
}

/// Measures a step on random tokens of `world`.
fn on_tokens(bench: &mut Bench, name: &str, world: &World, step: impl FnMut(&Presented) -> u64) {
    prepared(bench, name, world, random(world), step);
}

/// Returns a step that checks a token which the engine accepts.
fn accepted(world: &World) -> impl FnMut(&Presented) -> u64 {
    let verifier = world.engine.verifier();
    move |one| zero(verifier.check(&one.token, &one.request).unwrap())
}

/// Returns a step that checks a token which the engine refuses.
fn refused(world: &World) -> impl FnMut(&Presented) -> u64 {
    let verifier = world.engine.verifier();
    move |one| u64::from(verifier.check(&one.token, &one.request).is_ok())
}

/// Measures checks in a world of its own, and returns it.
fn check(bench: &mut Bench, name: &str, cast: Cast, count: u64, sharing: Sharing) -> World {
    let world = World::open(cast, count, sharing);
    on_tokens(bench, name, &world, accepted(&world));
    world
}

/// Measures the checks with the strictest targets right after the limit.
fn checks(bench: &mut Bench, world: &World) {
    let count = world.count;
    let mut limit = Limit::new(count).unwrap();
    bench.chain("limit/line", Some(count), || limit.line());
    bench.chain("limit/hash-and-line", Some(count), || limit.both());
    drop(limit);
    on_tokens(bench, "check/symbolon", world, accepted(world));
    let (key, mask) = (black_box([7; 32]), black_box(0));
    on_tokens(bench, "check/bare-hash", world, |one| {
        let hash = blake3::keyed_hash(&key, one.token.as_bytes());
        u64::from(hash.as_bytes()[0]) & mask
    });
    check_many(bench, world);
    let mut draw = Rng::with_seed(1);
    let ready = |one: &mut Presented| world.present_unknown(draw.u64(..count), one);
    prepared(bench, "check/unknown", world, ready, refused(world));
}

fn check_many(bench: &mut Bench, world: &World) {
    type Batch = Vec<(String, Request<'static>)>;
    let verifier = world.engine.verifier();
    let first = world.presented(0);
    let batch: Batch = vec![(first.token, first.request); MANY];
    let mut ring = vec![batch; RING / MANY];
    let mut draw = Rng::with_seed(world.count);
    let ready = |batch: &mut Batch| {
        for (token, request) in batch {
            let number = draw.u64(..world.count);
            token.clear();
            token.push_str(world.text(number));
            *request = world.request(number);
        }
    };
    let mut answers = Vec::with_capacity(MANY);
    let step = |batch: &Batch| {
        verifier.check_many(batch, &mut answers);
        let last = answers.iter().map(|answer| zero(answer.unwrap()));
        last.fold(0, |all, one| all | one)
    };
    let (name, n) = ("check/check-many", Some(world.count));
    bench.steps(name, n, MANY as u32, &mut ring, ready, step);
}

/// Measures malformed tokens, and valid ones during a flood of malformed ones.
///
/// Comes last, because checks are slower for about a second after a malformed token.
fn refusals(bench: &mut Bench, world: &World) {
    // A character in the middle that is not a digit.
    let damage_digit = |one: &mut Presented| one.token.replace_range(31..32, "-");
    let damages: [(_, fn(&mut Presented)); 2] = [
        ("check/malformed-checksum", Presented::damage_checksum),
        ("check/malformed-digit", damage_digit),
    ];
    for (name, damage) in damages {
        let mut ready = random(world);
        let damaged = |one: &mut Presented| {
            ready(one);
            damage(one);
        };
        prepared(bench, name, world, damaged, refused(world));
    }
    let mut garbage = world.presented(0);
    garbage.damage_checksum();
    let (mut ready, mut refuse) = (random(world), refused(world));
    let flooded = |one: &mut Presented| {
        assert_eq!(refuse(&garbage), 0);
        ready(one);
    };
    prepared(bench, "check/beside-garbage", world, flooded, accepted(world));
}

/// An authenticated connection and its request.
type Connection = (Grant, Request<'static>);

/// Checks random connections of `count`.
fn grants(bench: &mut Bench, name: &str, world: &World, count: u64) {
    on_connections(bench, name, world, count, |(grant, request)| {
        zero(grant.check(request).unwrap())
    });
}

fn on_connections(
    bench: &mut Bench,
    name: &str,
    world: &World,
    count: u64,
    step: impl Fn(&Connection) -> u64,
) {
    let verifier = world.engine.verifier();
    let connect = |number| {
        let one = world.presented(number);
        (verifier.authenticate(&one.token).unwrap(), one.request)
    };
    let all: Vec<Connection> = (0..count).map(connect).collect();
    let mut next = random_connection(&all);
    let (n, mut ring) = (Some(world.count), vec![next(); RING]);
    bench.steps(name, n, 1, &mut ring, |one| *one = next(), |one| step(one));
}

/// Returns a function that returns a random connection, which is then in a cache, as that of a
/// request that a server has read.
fn random_connection<'c>(all: &'c [Connection]) -> impl FnMut() -> &'c Connection {
    let mut draw = Rng::with_seed(all.len() as u64);
    move || {
        let one = &all[draw.usize(..all.len())];
        black_box((one.0.id(), one.1));
        one
    }
}

/// Measures checks that must also compare freshness or an expiry.
fn compared(bench: &mut Bench, count: u64) {
    let world = check(bench, "check/shared", Cast::Standard, count, Sharing::Shared);
    grants(bench, "grant/one-shared", &world, 1);
    if count == 1000 {
        let world = check(bench, "check/expiring", Cast::Expiring, count, Sharing::Exclusive);
        grants(bench, "grant/one-expiring", &world, 1);
    }
}

/// Measures look-ups by a hash in a map, without a decision.
fn maps(bench: &mut Bench, world: &World) {
    let sha256 = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
    let all = || (0..world.count).map(|number| (sha256(world.text(number)), 0_u64));
    let locked: RwLock<HashMap<_, _>> = RwLock::new(all().collect());
    on_tokens(bench, "check/sha256-rwlock-hashmap", world, |one| {
        let locked = locked.read().unwrap();
        *locked.get(&sha256(&one.token)).unwrap()
    });
    drop(locked);
    let map: DashMap<_, _> = all().collect();
    on_tokens(bench, "check/sha256-dashmap", world, |one| *map.get(&sha256(&one.token)).unwrap());
    drop(map);
    let map: papaya::HashMap<_, _> = all().collect();
    let map = map.pin();
    on_tokens(bench, "check/sha256-papaya", world, |one| *map.get(&sha256(&one.token)).unwrap());
}
