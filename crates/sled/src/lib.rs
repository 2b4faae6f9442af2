//! Keeps authorizations in a sled database: pure Rust, one folder, one process.
//!
//! ```
//! use symbolon::TokenStore;
//! use symbolon_sled::{OpenError, SledStore};
//!
//! # let home = tempfile::tempdir()?;
//! # let folder = home.path().join("tokens");
//! let store = SledStore::open(&folder)?;
//! assert_eq!(store.commit(&[])?.0, 0);
//! assert!(matches!(SledStore::open(&folder), Err(OpenError::InUse)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What sled 0.34.7 does, and what is done about it
//!
//! * *Its `flush` is no fsync on Linux, and its timed flush loses what was acknowledged.* A commit is one sled
//!   transaction, `flush`, and an fsync through a handle of our own. A lock keeps readers away until then,
//!   and what a crash left unsynced is synced before sled reads it.
//! * *Large pages go to files that are never synced.* A segment is so large that the fullest page of the largest
//!   records stays in the log.
//! * *Reads may write: they split the pages that a write has overfilled.* Every commit visits its keys once more
//!   before it syncs, so that nothing is left to split.
//! * *Recovery takes damage for the end of the log*: it drops what follows, or one segment of it, without a word
//!   (seen: one flipped byte brought back 48 old records). A witness of the newest commit stands outside the
//!   log, and a checksum over all keys and revisions inside it; a store that does not match is refused. Recovery
//!   has overwritten the damaged part by then: to examine a damaged store, copy the folder first.
//! * *It panics on some damage.* That is caught and becomes an error.
//! * *After a failed write its memory is ahead of the disk.* The store then refuses every call until it is opened
//!   again, also when the disk is full; to make that rare, a commit is refused in time, with
//!   [`StoreError::Full`](symbolon::StoreError::Full), while space is still left.
//!
//! # Files
//!
//! All have mode 0600, whatever the umask, in a folder that nobody else can write to. For a moment of each opening a
//! snapshot file has the mode that the umask leaves; it holds page offsets only. [`symbolon::backup`] copies an open
//! store; the folder itself may be copied as a whole while no process has it open.
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

pub use error::OpenError;
pub use store::SledStore;
