//! Keeps authorizations in a sled database: pure Rust, one folder, one process.
//!
//! ```
//! use symbolon::TokenStore;
//! use symbolon_sled::{SledError, SledStore};
//!
//! # let home = tempfile::tempdir()?;
//! # let folder = home.path().join("tokens");
//! let store = SledStore::open(&folder)?;
//! assert_eq!(store.commit(&[])?.0, 0);
//! assert!(matches!(SledStore::open(&folder), Err(SledError::InUse)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Defects of sled 0.34.7 and their workarounds
//!
//! * *Its `flush` is not an fsync on Linux, and its timed flush loses acknowledged writes.* A
//!   commit is one sled transaction, `flush`, and an fsync through a separate handle. A lock blocks
//!   readers until then, and data that a crash left unsynced is synced before sled reads it.
//! * *Large pages go to files that are never synced.* Segments are large enough to keep the fullest
//!   page of the largest records in the log.
//! * *Reads may write: they split pages that a write has overfilled.* Every commit visits its keys
//!   again before it syncs, so that no page is left to split.
//! * *Recovery treats damage as the end of the log*: it silently drops the rest or one segment
//!   (observed: one flipped byte brought back 48 old records). A witness of the newest commit is
//!   stored outside of the log, and a checksum over all keys and revisions inside; a store that
//!   does not match is refused. By then, recovery has overwritten the damaged part: to examine a
//!   damaged store, copy the folder first.
//! * *It panics on some damage.* The panic is caught and becomes an error.
//! * *After a failed write, its memory is ahead of the disk.* The store then refuses every call
//!   until it is reopened, also when the disk is full. To make this rare, a commit fails with
//!   [`StoreError::Full`](symbolon::StoreError::Full) while some space is left.
//!
//! # Files
//!
//! All files have mode 0600, regardless of the umask, in a folder that only its owner can write to.
//! While a store is being opened, a snapshot file briefly has a mode determined by the umask; it
//! only contains page offsets. [`symbolon::backup`] copies an open store; the folder may be copied
//! as a whole while no process has it open.
#![forbid(unsafe_code)]

mod commit;
mod error;
mod find;
mod folder;
mod integrity;
mod layout;
mod store;
mod trees;
mod witness;

pub use error::SledError;
pub use store::SledStore;
