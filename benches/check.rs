//! Checks, beside the bare hash and a SHA-256 look-up behind a lock.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, RwLock};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use sha2::{Digest, Sha256};
use symbolon::{Action, Id, MemoryStore, Request, ResourceType};
use symbolon_benches::{World, world};

/// Walks over `count` places in an order that no prefetcher guesses, each step waiting for the one before.
struct Walk {
    at: usize,
    count: usize,
}

impl Walk {
    fn new(count: usize) -> Self {
        Self { at: 1, count }
    }

    /// The next place; `last` is what the step before brought, and is always 0.
    fn next(&mut self, last: u64) -> usize {
        let last = usize::try_from(black_box(last)).unwrap_or_default();
        let mixed = (self.at + last)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(1);
        self.at = mixed ^ (mixed >> 29);
        (self.at >> 8) % self.count
    }
}

fn request(organization: Id) -> Request<'static> {
    Request::new(Action::READ, ResourceType::BUCKETS).organization(organization)
}

fn checks(criterion: &mut Criterion) {
    for count in [1_000, 100_000, 1_000_000] {
        let world = world(Arc::new(MemoryStore::new()), count);
        let mut group = criterion.benchmark_group("check");
        let tokens = &world.tokens;
        let verifier = world.engine.verifier();
        group.bench_function(BenchmarkId::new("symbolon", count), |bencher| {
            let (mut walk, mut last) = (Walk::new(tokens.len()), 0);
            bencher.iter(|| {
                let (token, organization) = &tokens[walk.next(last)];
                let id = verifier
                    .check(token.reveal(), &request(*organization))
                    .unwrap();
                last = id.number() >> 63;
                id
            });
        });
        group.bench_function(BenchmarkId::new("bare-hash", count), |bencher| {
            let (mut walk, mut last) = (Walk::new(tokens.len()), 0);
            bencher.iter(|| {
                let (token, _) = &tokens[walk.next(last)];
                let hash = blake3::keyed_hash(&[7; 32], token.reveal().as_bytes());
                last = u64::from(hash.as_bytes()[0]) >> 63;
                hash
            });
        });
        peer(&mut group, &world, count);
        refusals(&mut group, &world, count);
        group.finish();
    }
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// What most servers do: SHA-256 and a map behind a lock, without any decision.
fn peer(group: &mut Group<'_>, world: &World, count: u64) {
    let hash = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
    let tokens = &world.tokens;
    let map: HashMap<[u8; 32], u64> = tokens
        .iter()
        .map(|(token, _)| (hash(token.reveal()), 1))
        .collect();
    let map = RwLock::new(map);
    group.bench_function(
        BenchmarkId::new("sha256-rwlock-hashmap", count),
        |bencher| {
            let (mut walk, mut last) = (Walk::new(tokens.len()), 0);
            bencher.iter(|| {
                let (token, _) = &tokens[walk.next(last)];
                let found = map
                    .read()
                    .unwrap()
                    .get(&hash(token.reveal()))
                    .copied()
                    .unwrap();
                last = found >> 63;
                found
            });
        },
    );
}

/// Tokens that are refused, and connections that were authenticated before.
fn refusals(group: &mut Group<'_>, world: &World, count: u64) {
    let verifier = world.engine.verifier();
    let wanted = request(world.organizations[0]);
    let unknown: Vec<String> = (0..1000).map(|number| format!("{number:064}")).collect();
    group.bench_function(BenchmarkId::new("unknown", count), |bencher| {
        let (mut walk, mut last) = (Walk::new(unknown.len()), 0);
        bencher.iter(|| {
            let refused = verifier.check(&unknown[walk.next(last)], &wanted).is_err();
            last = u64::from(refused) >> 63;
            refused
        });
    });
    let mut malformed = world.tokens[0].0.reveal().to_owned();
    malformed.pop();
    malformed.push('!');
    group.bench_function(BenchmarkId::new("malformed", count), |bencher| {
        bencher.iter(|| verifier.check(black_box(&malformed), &wanted));
    });
    let (token, organization) = &world.tokens[0];
    let grant = verifier.authenticate(token.reveal()).unwrap();
    let wanted = request(*organization);
    group.bench_function(BenchmarkId::new("grant", count), |bencher| {
        bencher.iter(|| grant.check(black_box(&wanted)).unwrap());
    });
}

criterion_group!(benches, checks);
criterion_main!(benches);
