//! The random walk: the same random operations on a store and on
//! [`MemoryStore`](symbolon::MemoryStore) must give the same results.

mod model;
mod pair;

use std::sync::atomic::Ordering;

use proptest::test_runner::{Config, RngSeed, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

use crate::fresh_store::StoreFactory;
use model::Model;
use pair::Pair;

/// The length and the seed of random walks. The rules of [`suite!`](crate::suite) and
/// [`durable!`](crate::durable) use [`Walk::from_env`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    /// Number of walks, each on a fresh store.
    pub cases: u32,
    /// Number of operations in a walk.
    pub steps: usize,
    /// Seed of the operations.
    pub seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reopening {
    Never,
    Sometimes,
}

impl Walk {
    /// Reads the number of walks from `SYMBOLON_WALK_CASES` (12 if unset) and the seed from
    /// `SYMBOLON_WALK_SEED` (1 if unset). A walk has 250 operations.
    pub fn from_env() -> Self {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let cases = number("SYMBOLON_WALK_CASES").and_then(|cases| u32::try_from(cases).ok());
        Self {
            cases: cases.unwrap_or(12),
            steps: 250,
            seed: number("SYMBOLON_WALK_SEED").unwrap_or(1),
        }
    }

    /// Walks on stores that stay open. Panics at the first difference and prints a shortened walk.
    pub fn run(self, make: StoreFactory<'_>) {
        self.walk(make, Reopening::Never);
    }

    /// Walks on stores that are closed and reopened from time to time.
    pub fn run_reopening(self, make: StoreFactory<'_>) {
        self.walk(make, Reopening::Sometimes);
    }

    fn walk(self, make: StoreFactory<'_>, reopening: Reopening) {
        let config = Config {
            cases: self.cases,
            rng_seed: RngSeed::Fixed(self.seed),
            failure_persistence: None,
            max_shrink_iters: 2000,
            max_shrink_time: 30_000,
            ..Config::default()
        };
        let walks = Model::sequential_strategy(self.steps..=self.steps);
        let walked = TestRunner::new(config).run(&walks, |(mut model, steps, seen)| {
            let mut pair = Pair::new(make.fresh(), reopening);
            for step in steps {
                if let Some(seen) = &seen {
                    seen.fetch_add(1, Ordering::SeqCst);
                }
                model = Model::apply(model, &step);
                pair = pair.follow(&model, &step)?;
            }
            pair.compare_all(&model)
        });
        if let Err(difference) = walked {
            panic!("{self:?}: the store differs from the reference: {difference}");
        }
    }
}
