//! The target of a restore, and the store already there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use symbolon::{Clock, SystemClock};
use symbolon_files::rename_new;
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;

use crate::error::Failure;
use crate::store_url::StoreUrl;

/// Location to which a store is restored.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) url: StoreUrl,
    is_there: bool,
}

/// Suffix of the write-ahead log of SQLite. The last process to close the database removes it.
pub(super) const LOG: &str = "-wal";

impl Target {
    /// Resolves the target. Fails if something is there already, unless `replace` is `true` and the
    /// store there is not in use.
    pub(super) fn of(url: &StoreUrl, replace: bool) -> Result<Self, Failure> {
        let path = real(url.path())?;
        let url = match url {
            StoreUrl::Sqlite(_) => StoreUrl::Sqlite(path.clone()),
            StoreUrl::Sled(_) => StoreUrl::Sled(path.clone()),
        };
        let is_there = exists(&path) && !is_empty_folder(&path);
        if is_there && !replace {
            return Err(Failure::StoreExists(path));
        }
        let target = Self { url, is_there };
        if is_there {
            target.check_unused()?;
        } else {
            target.check_logs()?;
        }
        Ok(target)
    }

    pub(super) fn path(&self) -> &Path {
        self.url.path()
    }

    /// Frees the target path. Renames a store there, and returns its new path.
    pub(super) fn clear(&self) -> Result<Option<PathBuf>, Failure> {
        let path = self.path();
        if !self.is_there {
            if exists(path) {
                // An empty folder.
                fs::remove_dir(path).map_err(cannot("remove", path))?;
            }
            return Ok(None);
        }
        // Checked again, because a process may have opened it since.
        self.check_unused()?;
        let replaced = beside(path, &format!(".replaced-{}", stamp()));
        rename_new(path, &replaced)?;
        Ok(Some(replaced))
    }

    /// Fails if the store is in use, or if it is not a store. A damaged store counts as unused.
    fn check_unused(&self) -> Result<(), Failure> {
        use symbolon_sled::SledError as Sled;
        use symbolon_sqlite::SqliteError as Sqlite;
        let path = self.path();
        match &self.url {
            StoreUrl::Sqlite(_) => {
                match SqliteStore::open_existing(path) {
                    Ok(_) | Err(Sqlite::Damaged { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
                match exists(&beside(path, LOG)) {
                    true => Err(Failure::InUse(path.into())),
                    false => Ok(()),
                }
            }
            StoreUrl::Sled(_) => match SledStore::open_existing(path) {
                // Missing: the folder of a store whose creation was interrupted.
                Ok(_) | Err(Sled::Damaged { .. } | Sled::Missing(_)) => Ok(()),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Fails if logs of a deleted database are left, which SQLite would apply to the new one.
    fn check_logs(&self) -> Result<(), Failure> {
        let StoreUrl::Sqlite(path) = &self.url else {
            return Ok(());
        };
        let mut logs = [LOG, "-journal"].map(|suffix| beside(path, suffix)).into_iter();
        match logs.find(|log| exists(log)) {
            Some(log) => Err(symbolon_sqlite::SqliteError::Leftover(log).into()),
            None => Ok(()),
        }
    }
}

/// Resolves a symbolic link.
fn real(path: &Path) -> Result<PathBuf, Failure> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return fs::canonicalize(path).map_err(cannot("open", path));
    }
    // Without a trailing slash, after which a suffix would name a file inside the folder.
    Ok(path.components().collect())
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(super) fn cannot(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.to_path_buf();
    move |source| {
        let error = symbolon_files::FileError::Io { action, path, source };
        error.into()
    }
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn is_empty_folder(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// Returns the current time in a form for file names, such as `20261122T100000.123Z`.
fn stamp() -> String {
    let now = SystemClock::default().now().to_string();
    let digits = now.chars().filter(|c| !matches!(c, '-' | ':' | 'Z'));
    let milliseconds = "20261122T100000.123".len();
    digits.take(milliseconds).chain(['Z']).collect()
}
