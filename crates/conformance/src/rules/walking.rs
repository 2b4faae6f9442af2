//! Random sequences of operations.

use crate::fresh_store::StoreFactory;
use crate::walk::Walk;

/// The store gives the same results as [`MemoryStore`](symbolon::MemoryStore) for random
/// operations.
pub fn a_random_walk_agrees_with_memory(factory: StoreFactory<'_>) {
    Walk::from_env().run(factory);
}

/// The same with reopening from time to time, except for last uses, which the store may lose.
pub fn a_random_walk_with_reopening_agrees_with_memory(factory: StoreFactory<'_>) {
    Walk::from_env().run_reopening(factory);
}
