//! The random walk: the same random operations on a store and on [`MemoryStore`](symbolon::MemoryStore), and the
//! same answers.

mod model;
mod pair;

use std::sync::atomic::Ordering;

use proptest::test_runner::{Config, RngSeed, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

use crate::fresh_store::StoreFactory;
use model::Model;
use pair::Pair;

/// How far to walk. The rules of [`suite!`](crate::suite) and [`durable!`](crate::durable) take what
/// [`Walk::from_env`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    /// Walks, each on a fresh store.
    pub cases: u32,
    /// Operations of a walk.
    pub steps: usize,
    /// What the operations follow from.
    pub seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reopening {
    Never,
    Sometimes,
}

impl Walk {
    /// 3,000 operations that are the same each time, but for what the environment variables `SYMBOLON_WALK_CASES` and
    /// `SYMBOLON_WALK_SEED` say; a case has 250 operations.
    pub fn from_env() -> Self {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let cases = number("SYMBOLON_WALK_CASES").and_then(|cases| u32::try_from(cases).ok());
        Self {
            cases: cases.unwrap_or(12),
            steps: 250,
            seed: number("SYMBOLON_WALK_SEED").unwrap_or(1),
        }
    }

    /// Walks on stores that stay open. Panics at the first difference, with a short walk that leads to it.
    pub fn run(self, make: StoreFactory<'_>) {
        self.walk(make, Reopening::Never);
    }

    /// Walks on stores that are closed and opened again now and then.
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
