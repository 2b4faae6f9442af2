//! Building a restored store in a folder next to its target.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon::TokenStore;
use symbolon_files::{is_unfinished, open_private, private_dir, rename_new, sync_dir};
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;

use super::target::{LOG, Target, beside, cannot};
use crate::error::Failure;
use crate::store_url::StoreUrl;

/// The folder `STORE.restoring`, removed when dropped. A restore removes what an interrupted one
/// left there.
#[derive(Debug)]
pub(super) struct StoreBuilder {
    folder: PathBuf,
    store: StoreUrl,
    /// Held while the folder is in use.
    _lock: File,
}

const LOCK: &str = "lock";
const STORE: &str = "store";

impl StoreBuilder {
    pub(super) fn begin(target: &Target) -> Result<Self, Failure> {
        if let StoreUrl::Sqlite(path) = &target.url {
            // The folder of the target must be private too.
            private_dir(path.parent().unwrap_or(path))?;
        }
        let folder = beside(target.path(), ".restoring");
        private_dir(&folder)?;
        for entry in fs::read_dir(&folder).map_err(cannot("read", &folder))? {
            let name = entry.map_err(cannot("read", &folder))?.file_name();
            let is_ours = name == LOCK || name.as_encoded_bytes().starts_with(STORE.as_bytes());
            if !is_ours && !is_unfinished(&name) {
                return Err(Failure::NotOurs(folder));
            }
        }
        let lock = open_private(&folder.join(LOCK))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(Failure::Restoring),
            Err(TryLockError::Error(error)) => return Err(cannot("lock", &folder)(error)),
            Ok(()) => {}
        }
        for entry in fs::read_dir(&folder).map_err(cannot("read", &folder))? {
            let path = entry.map_err(cannot("read", &folder))?.path();
            if path.file_name() != Some(LOCK.as_ref()) {
                remove(&path).map_err(cannot("remove", &path))?;
            }
        }
        let path = folder.join(STORE);
        let store = match target.url {
            StoreUrl::Sqlite(_) => StoreUrl::Sqlite(path),
            StoreUrl::Sled(_) => StoreUrl::Sled(path),
        };
        Ok(Self { folder, store, _lock: lock })
    }

    /// Creates the empty store. Close it before calling [`StoreBuilder::place`].
    pub(super) fn open(&self) -> Result<Arc<dyn TokenStore>, Failure> {
        Ok(match &self.store {
            StoreUrl::Sqlite(path) => Arc::new(SqliteStore::open(path)?),
            StoreUrl::Sled(path) => Arc::new(SledStore::open(path)?),
        })
    }

    /// Moves the closed store to its target.
    pub(super) fn place(self, target: &Target) -> Result<(), Failure> {
        let store = self.store.path();
        // SQLite leaves its log if it could not write it to the file.
        if beside(store, LOG).exists() {
            return Err(Failure::Unfinished(self.store.clone()));
        }
        sync_all(store).map_err(cannot("sync", store))?;
        sync_dir(&self.folder)?;
        Ok(rename_new(store, target.path())?)
    }
}

impl Drop for StoreBuilder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

/// Syncs a file, or a folder with its contents.
fn sync_all(path: &Path) -> std::io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            sync_all(&entry?.path())?;
        }
    }
    File::open(path)?.sync_all()
}
