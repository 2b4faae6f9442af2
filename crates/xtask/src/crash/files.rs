//! The files of a crash test with a journal.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon::journal::JournalKeys;
use symbolon::{Engine, Options, Schema, StoreKey, TokenStore};
use symbolon_conformance::crash::Opened;
use symbolon_journal::FileJournal;

use super::backend::Backend;
use crate::failure::Failure;

/// Opens the store with this number; every restored store has a new number.
pub(super) fn store(backend: Backend, dir: &Path, number: u32) -> Opened {
    let dir = dir.join(format!("store-{number}"));
    std::fs::create_dir_all(&dir)?;
    backend.open(&dir)
}

/// Opens an engine with its journal, and creates it in a new store.
pub(super) fn engine(store: Arc<dyn TokenStore>, dir: &Path) -> Result<Engine, Failure> {
    let journal = FileJournal::open(&journal(dir), JournalKeys::new(&key()))?;
    let options =
        Options { journal: Some(Arc::new(journal)), ..Options::new(Schema::influxdb_v2()) };
    Ok(Engine::create(store, key(), options)?)
}

pub(super) fn key() -> StoreKey {
    StoreKey::from_bytes([7; 32])
}

pub(super) fn journal(dir: &Path) -> PathBuf {
    dir.join("journal")
}

/// Returns the path of the backup with this number.
pub(super) fn copy(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("backup-{number}"))
}

/// Returns the path of the ids that can be revoked, one per line.
pub(super) fn live(dir: &Path) -> PathBuf {
    dir.join("live")
}
