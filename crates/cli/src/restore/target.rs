//! Where a restored store shall be, and what is there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use symbolon::{Clock, SystemClock};
use symbolon_files::rename_new;
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;

use crate::error::Failure;
use crate::store_url::StoreUrl;

/// The place of a store.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) url: StoreUrl,
    is_there: bool,
}

/// What SQLite writes beside a file first. Whoever closes the file last takes it away.
pub(super) const LOG: &str = "-wal";

impl Target {
    /// Refuses a place that is taken, unless it shall be replaced and nobody uses it.
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

    /// Makes the place free. What is there gets another name, which is returned.
    pub(super) fn clear(&self) -> Result<Option<PathBuf>, Failure> {
        let path = self.path();
        if !self.is_there {
            if exists(path) {
                // An empty folder.
                fs::remove_dir(path).map_err(cannot("remove", path))?;
            }
            return Ok(None);
        }
        // Once more: the backup took its time.
        self.check_unused()?;
        let replaced = beside(path, &format!(".replaced-{}", stamp()));
        rename_new(path, &replaced)?;
        Ok(Some(replaced))
    }

    /// Refuses what others use, and what is no store. One that is damaged is nobody's.
    fn check_unused(&self) -> Result<(), Failure> {
        use symbolon_sled::OpenError as Sled;
        use symbolon_sqlite::OpenError as Sqlite;
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
                // Missing: the folder of a store that was never finished.
                Ok(_) | Err(Sled::Damaged { .. } | Sled::Missing(_)) => Ok(()),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Refuses logs of a file that is gone: SQLite would take them for those of the new one.
    fn check_logs(&self) -> Result<(), Failure> {
        let StoreUrl::Sqlite(path) = &self.url else {
            return Ok(());
        };
        let mut logs = [LOG, "-journal"]
            .map(|suffix| beside(path, suffix))
            .into_iter();
        match logs.find(|log| exists(log)) {
            Some(log) => Err(symbolon_sqlite::OpenError::Leftover(log).into()),
            None => Ok(()),
        }
    }
}

/// The path itself, behind a link.
fn real(path: &Path) -> Result<PathBuf, Failure> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return fs::canonicalize(path).map_err(cannot("open", path));
    }
    // Without a slash at the end, behind which a suffix would lie inside of it.
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
        let error = symbolon_files::FileError::Io {
            action,
            path,
            source,
        };
        error.into()
    }
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn is_empty_folder(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// The time as a part of a name, as in `20261122T100000.123Z`.
fn stamp() -> String {
    let now = SystemClock::default().now().to_string();
    let digits = now.chars().filter(|c| !matches!(c, '-' | ':' | 'Z'));
    let milliseconds = "20261122T100000.123".len();
    digits.take(milliseconds).chain(['Z']).collect()
}
