//! Detection of floods of unknown tokens.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set when a token in this store's format is not found by its id under the current secret. Checks
/// then verify the checksum before they hash, which makes a flood of invalid tokens cheap to
/// refuse. Otherwise they hash at once, because a token that is found by its hash needs no
/// checksum.
#[derive(Debug, Default)]
pub(crate) struct FloodGuard(AtomicBool);

impl FloodGuard {
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Stores only if the flag is not set, so that readers keep sharing the cache line.
    pub(crate) fn activate(&self) {
        if !self.is_active() {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Called about once a second.
    pub(crate) fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
