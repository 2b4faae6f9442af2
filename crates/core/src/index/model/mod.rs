//! Model checking of the index: `cargo xtask model`.
//!
//! shuttle runs each scenario many times, and chooses before every atomic operation which thread
//! continues. All operations are treated as sequentially consistent. Tables begin with one bucket
//! and double, so that a few records move all of them.

mod changes;
mod rcu;
mod tables;

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};

use super::fixtures::*;
use super::*;
use crate::authorization::NotInForce;
use crate::record::Kind;

/// Schedules of a scenario, unless `SYMBOLON_SCHEDULES` is set.
const SCHEDULES: usize = 2_000;
/// Preemptions per schedule, for the schedules that are not random.
const DEPTHS: [usize; 4] = [2, 3, 4, 6];

/// Runs a scenario under many schedules, half of them random and half with few preemptions, and
/// prints their number.
fn explore(name: &str, scenario: fn()) {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    let wanted = number("SYMBOLON_SCHEDULES").unwrap_or(SCHEDULES);
    let seed = number("SYMBOLON_SEED").unwrap_or(1) as u64;
    let each = wanted.div_ceil(2 * DEPTHS.len());
    let random = RandomScheduler::new_from_seed(seed, each * DEPTHS.len());
    let mut schedules = Runner::new(random, config()).run(scenario);
    for depth in DEPTHS {
        let few = PctScheduler::new_from_seed(seed, depth, each);
        schedules += Runner::new(few, config()).run(scenario);
    }
    println!("\nscenario={name} schedules={schedules}");
}

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    config.silence_warnings = true;
    config
}

/// A counter that the model checker does not see, for what a scenario tracks outside of the index.
#[derive(Debug, Default)]
struct UntrackedCounter(AtomicU64);

impl UntrackedCounter {
    fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn set(&self, value: u64) {
        self.0.store(value, Ordering::SeqCst);
    }
}

/// Newest version of a record that is being written, and newest that is in effect.
#[derive(Debug, Default)]
struct Progress {
    begun: UntrackedCounter,
    done: UntrackedCounter,
}

impl Progress {
    /// Applies the `sequence`-th version.
    fn apply(&self, index: &Index, change: Change, sequence: u64) {
        self.begun.set(sequence);
        assert_eq!(apply(index, change), ApplyOutcome::Applied);
        self.done.set(sequence);
    }
}

/// Returns what `look` returns, and the versions that it may have seen: from the one in effect
/// before it to the newest begun until it returned.
fn seen<T>(progress: &Progress, look: impl FnOnce() -> T) -> (T, RangeInclusive<u64>) {
    let from = progress.done.get();
    let seen = look();
    (seen, from..=progress.begun.get())
}

fn purged(number: u64, revision: u64) -> Change {
    Change { key: key(number), revision: Revision(revision), what: ChangeKind::Purged }
}
