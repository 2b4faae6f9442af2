//! Errors of opening and of using a store.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use symbolon::StoreError;
use symbolon_files::FileError;

/// An error of opening a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SledError {
    /// Another process, or another store in this process, has the folder open.
    #[error(
        "the store is in use by another process, and a sled store allows only one; \
         stop that process, or use SQLite or the HTTP API"
    )]
    InUse,
    /// There is no store, and none may be created.
    #[error("there is no store at `{}`; check the path, or create one", .0.display())]
    Missing(PathBuf),
    /// The folder contains other files.
    #[error("`{}` contains files but no symbolon store; choose an empty folder", .0.display())]
    Foreign(PathBuf),
    /// A later version created the store.
    #[error("a later version created the store at `{}`; update this program", .0.display())]
    Later(PathBuf),
    /// The store has lost data or is inconsistent.
    #[error("the store at `{}` is damaged: {what}; restore it from a backup", .path.display())]
    Damaged {
        /// Its folder.
        path: PathBuf,
        /// Description of the damage.
        what: String,
    },
    /// The folder or a file in it cannot be used.
    #[error("cannot open the store: its folder or a file in it cannot be used")]
    Folder(#[from] FileError),
    /// Any other error of sled.
    #[error("cannot open the store at `{}`", .path.display())]
    Failed {
        /// Its folder.
        path: PathBuf,
        /// The error of sled.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl SledError {
    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        let (path, what) = (path.into(), what.into());
        Self::Damaged { path, what }
    }

    pub(crate) fn failed(path: &Path, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let (path, source) = (path.into(), error.into());
        Self::Failed { path, source }
    }

    pub(crate) fn broken(path: &Path, error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(what) => Self::damaged(path, what),
            other => Self::failed(path, other),
        }
    }
}

/// An error of an open store, inside of [`StoreError::Backend`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the write may not be on disk; reopen the store to see its state")]
    Unconfirmed(#[source] Box<dyn Error + Send + Sync>),
    #[error("an earlier write may not be on disk; reopen the store to see its state")]
    Poisoned,
    #[error("sled panicked: {0}; reopen the store to see its state")]
    Panicked(String),
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Panicked(text) => Self::Corrupt(format!("sled panicked: {text}")),
            fault => Self::backend(fault),
        }
    }
}

/// Converts the error of a read.
pub(crate) fn unreadable(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { at: Some(at), .. } => {
            StoreError::Corrupt(format!("sled cannot read the page at {at:?}"))
        }
        sled::Error::Corruption { at: None, .. } => {
            StoreError::Corrupt("sled cannot read its files".into())
        }
        sled::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            StoreError::Corrupt("its file `db` is too short".into())
        }
        sled::Error::ReportableBug(what) => StoreError::Corrupt(what),
        other => StoreError::backend(other),
    }
}

/// Turns a panic of sled into an error. sled panics if its file is inconsistent, which a damaged
/// disk can cause and input of this library cannot.
pub(crate) fn caught<T, E: From<Fault>>(run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    // Only sled's own state, which its destructors protect, or the poisoned state can be half
    // changed.
    let run = std::panic::AssertUnwindSafe(run);
    std::panic::catch_unwind(run).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        // Some messages continue with the contents of a page.
        let line: String = text.unwrap_or("no text").chars().take(80).collect();
        Err(Fault::Panicked(line).into())
    })
}
