//! Whether garbage comes.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether texts came lately that are no tokens here. Then checks compare the checksum before they hash, so that a flood
/// of garbage costs little; else they hash at once, for what is found by its hash needs no checksum.
#[derive(Debug, Default)]
pub(crate) struct FloodGuard(AtomicBool);

impl FloodGuard {
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Written only if it is not set, so that readers share the line.
    pub(crate) fn activate(&self) {
        if !self.is_active() {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// About once a second.
    pub(crate) fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
