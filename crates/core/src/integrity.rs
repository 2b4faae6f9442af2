//! Integrity faults: records that were tampered with, rolled back or damaged.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::record::{IntegrityError, RecordKey};

/// A record that failed verification or is inconsistent: the store is damaged, or was modified
/// without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntegrityFault {
    /// Key of the record.
    pub key: RecordKey,
    /// Kind of fault.
    pub problem: IntegrityFaultKind,
}

/// Kind of an [`IntegrityFault`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntegrityFaultKind {
    /// The record was tampered with or is damaged. Everything that depends on it is refused.
    #[error(transparent)]
    Tampered(#[from] IntegrityError),
    /// The store holds an older version of the record than the engine has read. The engine keeps
    /// the newer version.
    #[error("the store holds an older version of the record; the engine keeps the newer one")]
    RolledBack,
    /// The record was changed while the journal could not be written, so the journal lacks the
    /// change.
    #[error(
        "the record was changed while the journal could not be written: the journal has a gap; \
         check its disk"
    )]
    Unwritten,
    /// Another authorization has the same token and takes precedence.
    #[error("another authorization has the same token and takes precedence")]
    DuplicateToken,
}

/// Callback invoked for each fault when it is detected.
pub type IntegrityCallback = Arc<dyn Fn(&IntegrityFault) + Send + Sync>;

/// Faults are reported, and the first ones are kept.
pub(crate) struct FaultLog {
    report: Option<IntegrityCallback>,
    first: Mutex<Vec<IntegrityFault>>,
}

/// Further faults are reported, but not kept.
const MAX_KEPT: usize = 1000;

impl FaultLog {
    pub(crate) fn new(report: Option<IntegrityCallback>) -> Self {
        Self { report, first: Mutex::default() }
    }

    /// Reports and keeps a fault. The callback may call the engine, so no lock is held.
    pub(crate) fn add(&self, fault: IntegrityFault) {
        if let Some(report) = &self.report {
            report(&fault);
        }
        let mut first = self.lock();
        if first.len() < MAX_KEPT {
            first.push(fault);
        }
    }

    /// Returns the first faults, at most [`MAX_KEPT`].
    pub(crate) fn first(&self) -> Vec<IntegrityFault> {
        self.lock().clone()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<IntegrityFault>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
