//! Copies of a whole store as one stream of bytes, the same for every kind of store.
//!
//! A backup holds the records as they are, sealed under the key of the store: neither the key nor a journal is in it, and
//! whoever reads it learns what whoever reads the store learns. `docs/format.md` describes it byte by byte.
//!
//! # Why a backup is the state at one commit
//!
//! [`write()`] reads the store from the start of a scan to its end, while others write. The end names the newest commit,
//! the *head*, and comes from one snapshot with the last page. By then the scan has met the newest version of every
//! record that is there at the head, for that is what a scan promises. Three things could still be wrong with what it met:
//!
//! * A record that was written meanwhile may have been met in an older version too. The versions of one record are
//!   met in their order, because a later page never comes from an earlier state. So only the newest counts.
//! * A name or token that moved from one record to another may have been met in both. The older version of the first
//!   record does not count, and at one commit no two records share a unique key. So older versions are dropped *before*
//!   anything is restored, not overwritten.
//! * A record may have been met and purged afterwards, and its last version before the purge never been met. That shows:
//!   the newest purge is then younger than the commit that was newest when the scan began. The scan begins anew, and
//!   what came before does not count. Each time its pages are four times as large, until the whole store fits
//!   into one, which is one snapshot. So it ends, however often others purge.
//!
//! ```
//! use std::io::Cursor;
//! use std::sync::Arc;
//! use symbolon::backup::{self, Backup};
//! use symbolon::{Caller, Engine, MemoryStore, Options, Schema, StoreKey, TokenStore};
//!
//! let key = || StoreKey::from_bytes([7; 32]);
//! let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
//! let engine = Engine::create(Arc::clone(&store), key(), Options::new(Schema::influxdb_v2()))?;
//! let org = engine.issuer().create_organization(&Caller::Root, "my-org", "")?;
//!
//! let mut file = Vec::new();
//! let written = backup::write(&*store, &mut file, &mut |_| ())?;
//! let mut backup = Backup::read(Cursor::new(file))?;
//! assert_eq!(backup.summary(), written);
//!
//! let other = Arc::new(MemoryStore::new());
//! backup.restore(&*other, &key(), &mut |_| ())?;
//! let engine = Engine::open(other, key(), Options::new(Schema::influxdb_v2()))?;
//! assert_eq!(engine.issuer().organization_named(&Caller::Root, "my-org")?, org);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod frame;
mod read;
mod restore;
#[cfg(test)]
mod tests;
mod write;

use std::io;

use crate::error::{Error, StoreError};
use crate::store::{Epoch, Revision};
use crate::time::Timestamp;

pub use read::{Backup, verify};
pub use restore::RestoreReport;
pub use write::write;

/// What a backup says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Records in it. One that was written while the backup was made may count twice.
    pub records: u64,
    /// Records that were left out, for they are larger than any store takes: somebody planted them.
    pub left_out: u64,
    /// All of its bytes.
    pub bytes: u64,
    /// The newest commit of the store at that moment.
    pub head: Revision,
    /// Which life of the store it was.
    pub epoch: Epoch,
    /// When it was begun.
    pub at: Timestamp,
}

/// Why a backup was not made or not restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// It cannot be read.
    #[error("the backup cannot be read")]
    Read(#[source] io::Error),
    /// It cannot be written.
    #[error("the backup cannot be written")]
    Write(#[source] io::Error),
    /// It is something else.
    #[error("it is no backup of a symbolon store")]
    Foreign,
    /// It has a version that this program does not know.
    #[error("the backup was made by a later version of symbolon; use that one")]
    Later,
    /// It is not as it was written, or it ends too early.
    #[error("the backup is damaged or cut off: {0}; use another one")]
    Damaged(&'static str),
    /// There are records in the store that it shall be restored into.
    #[error("the store is not empty; a backup is restored into an empty one")]
    NotEmpty,
    /// The key is not that of the store, or a store failed.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}
