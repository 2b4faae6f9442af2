//! Readers while a writer runs at full speed: their speed relative to reading alone, and their
//! longest pause.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use symbolon::{Caller, Engine, MemoryStore, Transition};
use symbolon_benches::{
    Cast, Figures, Kind, Unit, World, fill, full_or_quick, key, large, median, new_authorization,
    options, owners,
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
    let (rounds, time) = full_or_quick((15, 1000), (5, 200));
    let time = Duration::from_millis(time);
    let count = large();
    let engine = Engine::create(Arc::new(MemoryStore::new()), key(), options()).unwrap();
    let organization = owners(&engine, Cast::Standard, count);
    fill(&engine, Cast::Standard, 0..FEW);
    let world = World::of(engine, Cast::Standard, count);
    let of_growth = while_it_grows(&world);
    // Creates, edits and revokes in a loop.
    let engine = &world.engine;
    let write = || {
        let root = Caller::Root;
        let made = engine.admin(root).authorizations().create(new_authorization(organization));
        let id = made.unwrap().1.id;
        let inactive = Transition::Deactivate.into();
        engine.admin(root).authorizations().edit(id, inactive).unwrap();
        engine.admin(root).authorizations().revoke(id).unwrap();
    };
    let of_check = Readings::take(rounds, time, &reader(&world, count), &write);
    drop(world);
    let of_lock = beside_lock(count, rounds, time);
    for (name, readings, beside) in [
        ("writer/check", &of_check, &of_check.writer),
        ("writer/busy-neighbour", &of_check, &of_check.neighbour),
        ("writer/rwlock-hashmap", &of_lock, &of_lock.writer),
        ("writer/growing", &of_growth, &of_growth.writer),
        ("writer/growing-busy-neighbour", &of_growth, &of_growth.neighbour),
    ] {
        let Reading { rate, longest } = readings.of(beside);
        figures.add(name, Some(count), Kind::Times, rate, Unit::One);
        let longest = longest.as_nanos() as f64;
        figures.add(name, Some(count), Kind::Longest, longest, Unit::Nanoseconds);
    }
}

/// A step of the reader with a random number.
type Read<'a> = &'a (dyn Fn(u64) + Sync);

/// Readings while an independent thread runs and while the writer runs, and the speed alone.
#[derive(Debug, Default)]
struct Readings {
    alone: Vec<f64>,
    neighbour: Vec<Reading>,
    writer: Vec<Reading>,
}

impl Readings {
    fn take(rounds: usize, time: Duration, read: Read<'_>, write: &dyn Fn()) -> Self {
        let mut readings = Self::default();
        for _ in 0..rounds {
            readings.take_without_writer(time, read);
            readings.writer.push(beside(&|| repeat(time, write), read));
        }
        readings
    }

    fn take_without_writer(&mut self, time: Duration, read: Read<'_>) {
        self.alone.push(beside(&|| thread::sleep(time), read).rate);
        self.neighbour.push(beside(&|| repeat(time, &busy), read));
    }

    /// Returns the median speed relative to that alone in the same round, and the longest pause.
    fn of(&self, readings: &[Reading]) -> Reading {
        let rounds = readings.iter().zip(self.alone.iter().cycle());
        Reading {
            rate: median(rounds.map(|(one, alone)| one.rate / alone).collect()),
            longest: readings.iter().map(|one| one.longest).max().unwrap(),
        }
    }
}

/// Returns a step that checks one of the first `count` tokens.
fn reader(world: &World, count: u64) -> impl Fn(u64) + Sync {
    let verifier = world.engine.verifier();
    move |number| {
        let number = number % count;
        let answer = verifier.check(world.text(number), &world.request(number));
        black_box(answer).unwrap();
    }
}

/// Measures a map with a lock, in which the writer inserts and removes an entry.
fn beside_lock(count: u64, rounds: usize, time: Duration) -> Readings {
    let hash = |number: u64| *blake3::hash(&number.to_le_bytes()).as_bytes();
    let map: HashMap<_, _> = (0..count).map(|number| (hash(number), number)).collect();
    let map = RwLock::new(map);
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

/// Grows a world from its first tokens to all, while the first ones are checked.
fn while_it_grows(world: &World) -> Readings {
    let mut readings = Readings::default();
    let read = reader(world, FEW);
    for _ in 0..5 {
        readings.take_without_writer(Duration::from_millis(200), &read);
    }
    readings.alone = vec![median(readings.alone)];
    let grow = || fill(&world.engine, Cast::Standard, FEW..world.count);
    readings.writer.push(beside(&grow, &read));
    readings
}

/// Works without sharing data with a reader.
fn busy() {
    let mut hash = [0; 32];
    for _ in 0..100 {
        hash = *blake3::hash(&hash).as_bytes();
    }
    black_box(hash);
}

fn repeat(time: Duration, step: &dyn Fn()) {
    let began = Instant::now();
    while began.elapsed() < time {
        step();
    }
}

/// Measures one reader in a thread of its own while this thread does `work`.
fn beside(work: &dyn Fn(), read: Read<'_>) -> Reading {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| run(&stop, read));
        work();
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    })
}

/// Reads until `stop` is set. A pause in which the system ran another thread on this core is not
/// counted; a reader that waits for a lock yields its core, and that pause is counted.
fn run(stop: &AtomicBool, read: Read<'_>) -> Reading {
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
