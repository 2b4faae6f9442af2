//! Random operations.

use crate::fresh_store::StoreFactory;
use crate::walk::Walk;

/// Whatever is done, a store answers as [`MemoryStore`](symbolon::MemoryStore) does.
pub fn a_random_walk_agrees_with_memory(factory: StoreFactory<'_>) {
    Walk::from_env().run(factory);
}

/// The same while it is closed and opened now and then, but for last uses that it may lose.
pub fn a_random_walk_with_reopening_agrees_with_memory(factory: StoreFactory<'_>) {
    Walk::from_env().run_reopening(factory);
}
