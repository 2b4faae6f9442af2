//! Backups of a whole store as one stream of bytes, independent of the kind of store.
//!
//! A backup contains the records as stored, sealed under the key of the store. It contains neither
//! the key nor a journal, and reveals as much as the store itself. `docs/format.md` describes it
//! byte by byte.
//!
//! # Consistency
//!
//! A backup is the state of the store at one commit, although [`write()`] does not block other
//! writers. It scans the store once; the end of the scan names the newest commit, the *head*, in
//! one snapshot with the last page. By then, a scan has returned the newest version of every record
//! that exists at the head. Three cases need care:
//!
//! * A record that is written during the scan may also occur in an older version. The versions of a
//!   record occur in order, because a later page never shows an earlier state. Only the newest one
//!   is used.
//! * A name or token that moves from one record to another may occur in both. Then the version of
//!   the first record is an older one, and is not used. Older versions are therefore dropped
//!   *before* anything is restored, rather than overwritten.
//! * A record may be purged after a version of it occurred, while its last version never did. In
//!   this case the newest purge is later than the start of the scan. The scan is repeated with
//!   pages four times as large, and the earlier records are discarded. When the whole store fits
//!   into one page, the scan is one snapshot, so it always succeeds.
//! ```
//! use std::io::Cursor;
//! use std::sync::Arc;
//! use symbolon::backup::{self, Backup};
//! use symbolon::{Caller, Engine, MemoryStore, NewOrganization, Options, Schema, StoreKey};
//! use symbolon::TokenStore;
//!
//! let key = || StoreKey::from_bytes([7; 32]);
//! let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
//! let engine = Engine::create(Arc::clone(&store), key(), Options::new(Schema::influxdb_v2()))?;
//! let root = engine.admin(Caller::Root);
//! let org = root.organizations().create(NewOrganization::named("my-org"))?;
//!
//! let mut file = Vec::new();
//! let written = backup::write(&*store, &mut file, &mut |_| ())?;
//! let mut backup = Backup::read(Cursor::new(file))?;
//! assert_eq!(backup.summary(), written);
//!
//! let other = Arc::new(MemoryStore::new());
//! backup.restore(&*other, &key(), &mut |_| ())?;
//! let engine = Engine::open(other, key(), Options::new(Schema::influxdb_v2()))?;
//! assert_eq!(engine.admin(Caller::Root).organizations().find("my-org")?, org);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod frame;
mod read;
mod restore;
#[cfg(test)]
mod tests;
mod write;

use std::io;

use crate::admin_error::AdminError;
use crate::open_error::OpenError;
use crate::store::StoreError;
use crate::store::{Epoch, Revision};
use crate::time::Timestamp;

pub use read::{Backup, verify};
pub use restore::RestoreReport;
pub use write::write;

/// Summary of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Number of records. A record that was written during the backup may count twice.
    pub records: u64,
    /// Number of records that were omitted because they exceed the limits of every store, which
    /// only an attacker can write.
    pub left_out: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// Newest commit of the store at that time.
    pub head: Revision,
    /// Epoch of the store at that time.
    pub epoch: Epoch,
    /// Time at which the backup was started.
    pub at: Timestamp,
}

/// The reason why a backup failed or could not be restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// Reading the input failed.
    #[error("cannot read the backup")]
    Read(#[source] io::Error),
    /// Writing the output failed.
    #[error("cannot write the backup")]
    Write(#[source] io::Error),
    /// The input is not a backup.
    #[error("the input is not a backup of a symbolon store")]
    Foreign,
    /// The version of the backup is not supported.
    #[error("the backup was created by a newer version of symbolon; use that version")]
    Later,
    /// The backup was changed or truncated.
    #[error("the backup is damaged or truncated: {0}; use another one")]
    Damaged(&'static str),
    /// The target store contains records.
    #[error("the store is not empty; restore the backup into an empty store")]
    NotEmpty,
    /// The key does not belong to the store, its settings are damaged, or it could not be read or
    /// written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The caller may not make a backup, or the journal failed.
    #[error(transparent)]
    Admin(#[from] AdminError),
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Open(error.into())
    }
}
