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
use symbolon_benches::{Bench, Cast, Limit, Presented, RING, Served, is_quick, large, sizes};

/// Tokens in one call of `check_many`.
const MANY: usize = 16;

fn main() {
    let mut bench = Bench::new("check");
    let mut limit = Limit::new(1).unwrap();
    bench.chain("limit/hash", None, || limit.hash());
    for count in sizes() {
        let world = Served::open(Cast::Standard, count, Sharing::Exclusive);
        checks(&mut bench, &world);
        if count <= 1_000_000 {
            maps(&mut bench, &world);
        }
        if count == 1000 || count == large() {
            refusals(&mut bench, &world);
            for (name, count) in [("grant/one", 1), ("grant/64", 64), ("grant/all", count)] {
                grants(&mut bench, name, &world, count);
            }
            ids(&mut bench, &world);
            drop(world);
            compared(&mut bench, count);
        }
    }
    // The worst cases take long to create.
    let count = if is_quick() {
        100_000.min(large())
    } else {
        large()
    };
    for (name, cast) in [
        ("worst/standard", Cast::Standard),
        ("worst/distinct-sets", Cast::Distinct),
        ("worst/88-characters", Cast::Long),
        ("worst/unmigrated", Cast::Hashed),
    ] {
        let world = Served::open(cast, count, Sharing::Exclusive);
        check(&mut bench, name, &world);
    }
}

fn limits(bench: &mut Bench, count: u64) {
    let mut limit = Limit::new(count).unwrap();
    bench.chain("limit/line", Some(count), || limit.line());
    bench.chain("limit/hash-and-line", Some(count), || limit.both());
}

/// Returns 0, computed from the answer. No id of a world has its highest bit set.
fn zero(id: Id) -> u64 {
    id.number() >> 63
}

/// Returns a ring of inputs, and a function that replaces one by a random token of `world`.
fn presented(world: &Served) -> (Vec<Presented>, impl FnMut(&mut Presented)) {
    let ring = vec![world.presented(0); RING];
    let mut draw = Rng::with_seed(world.count);
    (ring, move |presented: &mut Presented| {
        world.present(draw.u64(..world.count), presented);
    })
}

fn check(bench: &mut Bench, name: &str, world: &Served) {
    let verifier = world.engine.verifier();
    let (mut ring, ready) = presented(world);
    bench.steps(name, Some(world.count), 1, &mut ring, ready, |one| {
        zero(verifier.check(&one.token, &one.request).unwrap())
    });
}

/// Measures the checks with the strictest targets right after the limit.
fn checks(bench: &mut Bench, world: &Served) {
    let count = world.count;
    limits(bench, count);
    check(bench, "check/symbolon", world);
    bare_hash(bench, world);
    check_many(bench, world);
    let verifier = world.engine.verifier();
    let (mut ring, _) = presented(world);
    let mut draw = Rng::with_seed(1);
    let ready = |one: &mut Presented| world.present_unknown(draw.u64(..count), one);
    bench.steps("check/unknown", Some(count), 1, &mut ring, ready, |one| {
        u64::from(verifier.check(&one.token, &one.request).is_ok())
    });
}

fn bare_hash(bench: &mut Bench, world: &Served) {
    let key = black_box([7; 32]);
    let (mut ring, ready) = presented(world);
    let mask = black_box(0);
    bench.steps(
        "check/bare-hash",
        Some(world.count),
        1,
        &mut ring,
        ready,
        |one| {
            let hash = blake3::keyed_hash(&key, one.token.as_bytes());
            u64::from(hash.as_bytes()[0]) & mask
        },
    );
}

fn check_many(bench: &mut Bench, world: &Served) {
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
    let name = "check/check-many";
    bench.steps(
        name,
        Some(world.count),
        MANY as u32,
        &mut ring,
        ready,
        |batch| {
            verifier.check_many(batch, &mut answers);
            let last = answers.iter().map(|answer| zero(answer.unwrap()));
            last.fold(0, |all, one| all | one)
        },
    );
}

/// Measures malformed tokens, and valid ones during a flood of malformed ones.
///
/// Comes last, because checks are slower for about a second after a malformed token.
fn refusals(bench: &mut Bench, world: &Served) {
    let verifier = world.engine.verifier();
    let n = Some(world.count);
    for (name, damage) in [
        ("check/malformed-checksum", Damage::Checksum),
        ("check/malformed-digit", Damage::Digit),
    ] {
        let (mut ring, mut ready) = presented(world);
        let damaged = |one: &mut Presented| {
            ready(one);
            damage.make(&mut one.token);
        };
        bench.steps(name, n, 1, &mut ring, damaged, |one| {
            u64::from(verifier.check(&one.token, &one.request).is_ok())
        });
    }
    let mut garbage = world.presented(0);
    Damage::Checksum.make(&mut garbage.token);
    let (mut ring, mut ready) = presented(world);
    let flooded = |one: &mut Presented| {
        let refused = verifier.check(&garbage.token, &garbage.request);
        assert!(refused.is_err());
        ready(one);
    };
    let name = "check/beside-garbage";
    bench.steps(name, n, 1, &mut ring, flooded, |one| {
        zero(verifier.check(&one.token, &one.request).unwrap())
    });
}

/// A mistake in a token.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// Another last digit of the checksum.
    Checksum,
    /// A character in the middle that is not a digit.
    Digit,
}

impl Damage {
    fn make(self, token: &mut String) {
        match self {
            Self::Checksum => {
                let last = token.pop();
                token.push(if last == Some('7') { '8' } else { '7' });
            }
            Self::Digit => token.replace_range(31..32, "-"),
        }
    }
}

/// An authenticated connection and its request.
type Connection = (Grant, Request<'static>);

fn connections(world: &Served, count: u64) -> Vec<Connection> {
    let verifier = world.engine.verifier();
    let one = |number| {
        let one = world.presented(number);
        (verifier.authenticate(&one.token).unwrap(), one.request)
    };
    (0..count).map(one).collect()
}

/// Checks random connections of `count`.
fn grants(bench: &mut Bench, name: &str, world: &Served, count: u64) {
    measure_connections(
        bench,
        (name, world.count),
        &connections(world, count),
        |(grant, request)| zero(grant.check(request).unwrap()),
    );
}

/// Reads the id of a connection without a decision: the lower limit of a check.
fn ids(bench: &mut Bench, world: &Served) {
    measure_connections(
        bench,
        ("grant/id-alone", world.count),
        &connections(world, 1),
        |(grant, _)| zero(grant.id()),
    );
}

fn measure_connections<'c>(
    bench: &mut Bench,
    (name, n): (&str, u64),
    all: &'c [Connection],
    step: impl Fn(&Connection) -> u64,
) {
    let mut ring: Vec<&'c Connection> = vec![&all[0]; RING];
    let mut draw = Rng::with_seed(n);
    let ready = |one: &mut &'c Connection| {
        let next = &all[draw.usize(..all.len())];
        // A server that has read a request has the state of its connection in a cache.
        black_box((next.0.id(), next.1));
        *one = next;
    };
    bench.steps(name, Some(n), 1, &mut ring, ready, |one| step(one));
}

/// Measures checks that must also compare freshness or an expiry.
fn compared(bench: &mut Bench, count: u64) {
    let world = Served::open(Cast::Standard, count, Sharing::Shared);
    check(bench, "check/shared", &world);
    grants(bench, "grant/one-shared", &world, 1);
    if count == 1000 {
        let world = Served::open(Cast::Expiring, count, Sharing::Exclusive);
        check(bench, "check/expiring", &world);
        grants(bench, "grant/one-expiring", &world, 1);
    }
}

/// Measures look-ups by a hash in a map, without a decision.
fn maps(bench: &mut Bench, world: &Served) {
    let count = world.count;
    let sha256 = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
    let all = || (0..count).map(|number| (sha256(world.text(number)), 0_u64));
    let n = Some(count);
    let locked: RwLock<HashMap<_, _>> = RwLock::new(all().collect());
    let (mut ring, ready) = presented(world);
    bench.steps(
        "check/sha256-rwlock-hashmap",
        n,
        1,
        &mut ring,
        ready,
        |one| {
            let locked = locked.read().unwrap();
            *locked.get(&sha256(&one.token)).unwrap()
        },
    );
    drop(locked);
    let map: DashMap<_, _> = all().collect();
    let (mut ring, ready) = presented(world);
    bench.steps("check/sha256-dashmap", n, 1, &mut ring, ready, |one| {
        *map.get(&sha256(&one.token)).unwrap()
    });
    drop(map);
    let map: papaya::HashMap<_, _> = all().collect();
    let map = map.pin();
    let (mut ring, ready) = presented(world);
    bench.steps("check/sha256-papaya", n, 1, &mut ring, ready, |one| {
        *map.get(&sha256(&one.token)).unwrap()
    });
}
