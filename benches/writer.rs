//! Readers while a writer runs at full speed: their speed relative to reading alone, and their
//! longest pause.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use symbolon::{Action, Caller, MemoryStore, Request, ResourceType, Transition};
use symbolon_benches::{
    Cast, Figures, Kind, Unit, World, fill, is_quick, large, new_authorization, tokens, world,
};

/// Steps per second, and the longest time between the ends of two steps.
#[derive(Debug, Clone, Copy)]
struct Reading {
    rate: f64,
    longest: Duration,
}

/// Shortest pause for which to find out whether the system ran another thread.
const LONG: Duration = Duration::from_micros(20);
/// Number of tokens before the table grows.
const FEW: u64 = 1000;

fn main() {
    let mut figures = Figures::new("writer");
    let (rounds, time) = if is_quick() {
        (5, Duration::from_millis(200))
    } else {
        (15, Duration::from_secs(1))
    };
    let count = large();
    let (world, of_growth) = while_it_grows(count);
    let of_check = beside_changes(&world, rounds, time);
    drop(world);
    let of_lock = beside_lock(count, rounds, time);
    for (name, n, times) in [
        ("writer/check", count, of_check.beside_writer()),
        ("writer/busy-neighbour", count, of_check.beside_neighbour()),
        ("writer/rwlock-hashmap", count, of_lock.beside_writer()),
        ("writer/growing", count, of_growth.beside_writer()),
        (
            "writer/growing-busy-neighbour",
            count,
            of_growth.beside_neighbour(),
        ),
    ] {
        figures.add(name, Some(n), Kind::Times, times.rate, Unit::One);
        let longest = times.longest.as_nanos() as f64;
        figures.add(name, Some(n), Kind::Longest, longest, Unit::Nanoseconds);
    }
}

/// Readings alone, while an independent thread runs, and while the writer runs.
#[derive(Debug, Default)]
struct Readings {
    alone: Vec<Reading>,
    neighbour: Vec<Reading>,
    writer: Vec<Reading>,
}

impl Readings {
    fn take(
        rounds: usize,
        time: Duration,
        read: &(dyn Fn(u64) + Sync),
        write: &(dyn Fn() + Sync),
    ) -> Self {
        let mut readings = Self::default();
        for _ in 0..rounds {
            readings.alone.push(beside(None, time, read));
            readings.neighbour.push(beside(Some(&busy), time, read));
            readings.writer.push(beside(Some(write), time, read));
        }
        readings
    }

    fn beside_writer(&self) -> Reading {
        self.of(&self.writer)
    }

    fn beside_neighbour(&self) -> Reading {
        self.of(&self.neighbour)
    }

    /// Returns the median speed relative to that alone in the same round, and the longest pause.
    fn of(&self, readings: &[Reading]) -> Reading {
        let rounds = readings.iter().zip(self.alone.iter().cycle());
        let mut parts: Vec<f64> = rounds.map(|(one, alone)| one.rate / alone.rate).collect();
        parts.sort_by(f64::total_cmp);
        Reading {
            rate: parts.get(parts.len() / 2).copied().unwrap(),
            longest: readings.iter().map(|one| one.longest).max().unwrap(),
        }
    }
}

/// Creates, edits and revokes in a loop.
fn beside_changes(world: &World, rounds: usize, time: Duration) -> Readings {
    let issuer = world.engine.issuer();
    let organization = world.tokens.first().unwrap().1;
    let write = || {
        let root = Caller::Root;
        let made = issuer.create(&root, new_authorization(organization));
        let id = made.unwrap().1.id;
        issuer
            .edit(&root, id, Transition::Deactivate.into())
            .unwrap();
        issuer.revoke(&root, id).unwrap();
    };
    Readings::take(rounds, time, &reader(world), &write)
}

/// Returns a step that checks the token of this number.
fn reader(world: &World) -> impl Fn(u64) + Sync {
    let verifier = world.engine.verifier();
    let tokens = &world.tokens;
    let read = Request::new(Action::READ, ResourceType::BUCKETS);
    move |number| {
        let place = number as usize % tokens.len();
        let (token, organization) = tokens.get(place).unwrap();
        let answer = verifier.check(token.reveal(), &read.organization(*organization));
        black_box(answer).unwrap();
    }
}

/// Measures a map with a lock, in which the writer inserts and removes an entry.
fn beside_lock(count: u64, rounds: usize, time: Duration) -> Readings {
    let hash = |number: u64| *blake3::hash(&number.to_le_bytes()).as_bytes();
    let map: RwLock<HashMap<_, _>> =
        RwLock::new((0..count).map(|number| (hash(number), number)).collect());
    let read = |number: u64| {
        let found = map.read().unwrap().get(&hash(number % count)).copied();
        black_box(found);
    };
    let write = || {
        let other = count + 1;
        map.write().unwrap().insert(hash(other), other);
        map.write().unwrap().remove(&hash(other));
    };
    Readings::take(rounds, time, &read, &write)
}

/// Grows a world from 1,000 tokens to `count` while the first ones are checked.
fn while_it_grows(count: u64) -> (World, Readings) {
    let mut world = world(Arc::new(MemoryStore::new()), FEW);
    let mut readings = Readings::default();
    let read = reader(&world);
    for _ in 0..5 {
        let time = Duration::from_millis(200);
        readings.alone.push(beside(None, time, &read));
        readings.neighbour.push(beside(Some(&busy), time, &read));
    }
    readings
        .alone
        .sort_by(|one, other| one.rate.total_cmp(&other.rate));
    readings.alone = readings.alone.get(2).copied().into_iter().collect();
    let stop = AtomicBool::new(false);
    let reading = thread::scope(|scope| {
        let reader = scope.spawn(|| run(&stop, &read));
        fill(&world.engine, Cast::Standard, FEW..count);
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    readings.writer.push(reading);
    drop(read);
    world.tokens.extend(tokens(FEW..count));
    (world, readings)
}

/// Works without sharing data with a reader.
fn busy() {
    let mut hash = [0; 32];
    for _ in 0..100 {
        hash = *blake3::hash(&hash).as_bytes();
    }
    black_box(hash);
}

/// Measures one reader for a while, with another thread if one is given.
fn beside(
    other: Option<&(dyn Fn() + Sync)>,
    time: Duration,
    read: &(dyn Fn(u64) + Sync),
) -> Reading {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| run(&stop, read));
        if let Some(other) = other {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    other();
                }
            });
        }
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    })
}

/// Reads until `stop` is set. A pause in which the system ran another thread on this core is not
/// counted; a reader that waits for a lock yields its core, and that pause is counted.
fn run(stop: &AtomicBool, read: &(dyn Fn(u64) + Sync)) -> Reading {
    let mut draw = fastrand::Rng::with_seed(1);
    let (mut done, mut longest) = (0_u64, Duration::ZERO);
    let mut switches = involuntary_switches();
    let began = Instant::now();
    let mut before = began;
    while !stop.load(Ordering::Relaxed) {
        read(draw.u64(..1 << 32));
        done += 1;
        let now = Instant::now();
        let pause = now - before;
        before = now;
        if pause > LONG {
            let after = involuntary_switches();
            if after == switches {
                longest = longest.max(pause);
            }
            switches = after;
            before = Instant::now();
        }
    }
    let rate = done as f64 / began.elapsed().as_secs_f64();
    Reading { rate, longest }
}

/// Returns how often the system preempted this thread.
fn involuntary_switches() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    let lines = text.lines();
    let mut counts = lines.filter_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    counts.next()?.trim().parse().ok()
}
