//! Speed of two threads as a multiple of one: checks, the hash alone, and maps with locks.
//!
//! All are measured in turn, round by round, so that other load on the machine affects all alike.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use dashmap::DashMap;
use fastrand::Rng;
use symbolon::store::Sharing;
use symbolon_benches::{Cast, Figures, Kind, Unit, World, full_or_quick, large, median};

/// A step of one thread with the token of this number.
type Step<'a> = &'a (dyn Fn(u64) + Sync);

fn main() {
    let mut figures = Figures::new("threads");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let world = World::open(Cast::Standard, large(), Sharing::Exclusive);
    let verifier = world.engine.verifier();
    let key = black_box([7; 32]);
    let hash = |number: u64| *blake3::keyed_hash(&key, world.text(number).as_bytes()).as_bytes();
    let all = || (0..world.count).map(|number| (hash(number), number));
    let locked: RwLock<HashMap<_, _>> = RwLock::new(all().collect());
    let dash: DashMap<_, _> = all().collect();
    let check = |number: u64| {
        let answer = verifier.check(world.text(number), &world.request(number));
        black_box(answer).unwrap();
    };
    let bare = |number: u64| {
        black_box(hash(number));
    };
    let in_locked = |number: u64| {
        let found = locked.read().unwrap().get(&hash(number)).copied();
        black_box(found).unwrap();
    };
    let in_dash = |number: u64| {
        let found = dash.get(&hash(number)).map(|found| *found);
        black_box(found).unwrap();
    };
    let steps: [(&str, Step<'_>, u64); 7] = [
        ("threads/bare-hash", &bare, world.count),
        ("threads/check-all", &check, world.count),
        ("threads/check-hot", &check, 1),
        ("threads/rwlock-hashmap", &in_locked, world.count),
        ("threads/rwlock-hashmap-hot", &in_locked, 1),
        ("threads/dashmap", &in_dash, world.count),
        ("threads/dashmap-hot", &in_dash, 1),
    ];
    if cores < 2 {
        for (name, ..) in steps {
            figures.skip(name, "the machine has one core");
        }
        return;
    }
    let (rounds, time) = full_or_quick((31, 200), (7, 60));
    let time = Duration::from_millis(time);
    let mut measured = steps.map(|step| (step, Vec::new(), Vec::new()));
    for _ in 0..rounds {
        for ((_, step, count), scales, rates) in &mut measured {
            let one = rate(1, time, *step, *count);
            let two = rate(2, time, *step, *count);
            scales.push(two / one);
            rates.push(two);
        }
    }
    for ((name, ..), scales, rates) in measured {
        let n = Some(world.count);
        figures.add(name, n, Kind::Times, median(scales), Unit::One);
        figures.add(name, n, Kind::Count, median(rates), Unit::PerSecond);
    }
}

/// Returns the steps per second of all threads together, on random tokens of the first `count`.
fn rate(threads: u64, time: Duration, step: Step<'_>, count: u64) -> f64 {
    let stop = AtomicBool::new(false);
    let start = Barrier::new(threads as usize + 1);
    let run = |seed| {
        let mut draw = Rng::with_seed(seed);
        let mut done = 0_u64;
        start.wait();
        let began = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..100 {
                step(draw.u64(..count));
            }
            done += 100;
        }
        done as f64 / began.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let run = &run;
        let spawn = |seed| scope.spawn(move || run(seed));
        let threads: Vec<_> = (0..threads).map(spawn).collect();
        start.wait();
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        let rates = threads.into_iter().map(|thread| thread.join().unwrap());
        rates.sum()
    })
}
