//! Maintenance of a store without a caller, for the holder of its key.

mod import;
mod purge;
mod reseal;
mod setup;
mod unique_keys;

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use crate::admin_error::AdminError;
use crate::backup::{self, BackupError, Summary};
use crate::change::Changes;
use crate::fsck::{self, FsckReport};
use crate::time::Timestamp;

pub use import::{IfRevoked, ImportItem, ImportReport};
pub use purge::{PurgeOptions, PurgeReport};
pub use setup::{IfNameExists, SetUpRequest, SetUpResult};

/// Maintains a store for the holder of its key: set-up, import, export, backup, purge, key rotation
/// and consistency checks. It checks no caller, so never offer it to one.
///
/// Every call blocks; long ones report their progress.
#[derive(Clone)]
pub struct Maintenance {
    pub(crate) changes: Arc<Changes>,
}

impl fmt::Debug for Maintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Maintenance")
    }
}

impl Maintenance {
    pub(crate) fn new(changes: Arc<Changes>) -> Self {
        Self { changes }
    }

    /// Returns true if the store was set up; see [`Maintenance::set_up`].
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`], [`AdminError::Settings`], or [`AdminError::Journal`] if the journal
    /// cannot be read. It is read unless the store says that it was set up.
    pub fn is_set_up(&self) -> Result<bool, AdminError> {
        self.changes.is_set_up()
    }

    /// Revokes every authorization and session that was created before `time`, and returns their
    /// number.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`] or [`AdminError::Journal`]. Some may be revoked by then; the caller
    /// may try again.
    pub fn revoke_created_before(&self, time: Timestamp) -> Result<usize, AdminError> {
        self.changes.revoke_created_before(time)
    }

    /// Writes a backup of the whole store. Calls `progress` now and then with the number of records
    /// written. See [`backup::write()`].
    ///
    /// # Errors
    ///
    /// Those of [`backup::write()`].
    pub fn backup(
        &self,
        out: impl Write,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Summary, BackupError> {
        backup::write(&*self.changes.shared.store, out, progress)
    }

    /// Reads the whole store, and checks it for consistency and against the index. Concurrent
    /// changes may appear as differences, so stop other writers first.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`] if the store cannot be read.
    pub fn fsck(&self) -> Result<FsckReport, AdminError> {
        fsck::run(&self.changes.shared)
    }
}
