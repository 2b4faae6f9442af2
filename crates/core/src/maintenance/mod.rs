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
/// Every call blocks; long ones report their progress. It can fail with the errors of
/// [`Admin`](crate::Admin), except those of a caller.
///
/// ```
/// # use std::sync::Arc;
/// # use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey};
/// # let options = Options::new(Schema::influxdb_v2());
/// # let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
/// let maintenance = engine.maintenance();
/// let report = maintenance.fsck(&mut |records| println!("{records} records read"))?;
/// assert!(report.problems.is_empty());
///
/// let mut backup = Vec::new();
/// maintenance.backup(&mut backup, &mut |_| {})?;
/// assert!(backup.starts_with(b"symbolon-backup-"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// number. Calls `progress` regularly with the number so far.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`] or [`AdminError::Journal`]. Some may be revoked by then; the caller
    /// may try again.
    pub fn revoke_created_before(
        &self,
        time: Timestamp,
        progress: &mut dyn FnMut(usize),
    ) -> Result<usize, AdminError> {
        self.changes.revoke_created_before(time, progress)
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
    /// changes may appear as differences, so stop other writers first. Calls `progress` regularly
    /// with the number of records read.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`] if the store cannot be read.
    pub fn fsck(&self, progress: &mut dyn FnMut(usize)) -> Result<FsckReport, AdminError> {
        fsck::run(&self.changes.shared, progress)
    }
}
