//! The journal of a symbolon store in files: the audit log, and the list of revocations.
//!
//! A folder contains one file per chain, to which one process at a time appends. A line is a JSON
//! object. Its MAC covers the line and the MAC of the previous line, under a key derived from the
//! store's key: without the key, every added, changed, moved or removed line is detected, except
//! the removal of the last lines. `docs/format.md` specifies the lines. For Unix systems.
//!
//! ```
//! use symbolon::StoreKey;
//! use symbolon::journal::{Durability, Event, Journal, JournalKeys};
//! use symbolon_journal::{FileJournal, verify};
//!
//! # let dir = tempfile::tempdir()?;
//! # let folder = dir.path().join("key.journal");
//! let key = StoreKey::generate()?;
//! let journal = FileJournal::open(&folder, JournalKeys::new(&key))?;
//! let opened = Event::Opened { store: "00".repeat(16), epoch: 1, head: 0 };
//! journal.append(symbolon::Timestamp::MIN, &[opened], Durability::Synced)?;
//! assert_eq!(journal.recent()?.len(), 1);
//!
//! let report = verify(&folder, &JournalKeys::new(&key))?;
//! assert!(report.is_sound());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod backward;
mod examine;
mod file_journal;
mod finding;
mod folder;
mod line;
mod reader;
mod report;
mod writer;

pub use file_journal::FileJournal;
pub use finding::Finding;
pub use folder::{ChainFile, chains};
pub use reader::{ChainReader, Item};
pub use report::{ChainReport, Report, read_chain, verify, verify_bytes};
