//! The index under every order of its steps: `cargo xtask model`.
//!
//! shuttle runs each scenario again and again, and chooses before every atomic operation which thread goes on. All
//! operations are taken as sequentially consistent. Tables begin with one bucket and double, so that a few records
//! move all of them.

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

/// Schedules of a scenario, if `SYMBOLON_SCHEDULES` does not say it.
const SCHEDULES: usize = 2_000;
/// How often a thread of a schedule is interrupted, where that is chosen and not left to chance.
const DEPTHS: [usize; 4] = [2, 3, 4, 6];

/// Runs a scenario in many orders, half of them by chance and half with few interruptions, and prints how many.
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

/// What a scenario knows beside the index; no thread is interrupted for it.
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

/// Which version of a record is being written, and which holds.
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

/// The versions that may be seen are those that hold before, or begin until, the look is over.
fn seen<T>(progress: &Progress, look: impl FnOnce() -> T) -> (T, RangeInclusive<u64>) {
    let from = progress.done.get();
    let seen = look();
    (seen, from..=progress.begun.get())
}

fn purged(number: u64, revision: u64) -> Change {
    Change {
        key: key(number),
        revision: Revision(revision),
        what: ChangeKind::Purged,
    }
}
