//! Why a store cannot be opened.

use std::error::Error as StdError;
use std::path::PathBuf;

use symbolon::StoreError;
use symbolon_files::FileError;

use crate::open::FORMAT;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file, or the folder that it lies in, is not as it must be.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no such file.
    #[error("there is no store at `{}`; check the path, or create one", .0.display())]
    Missing(PathBuf),
    /// There is no store, but the log of one, which would spoil a new one.
    #[error(
        "`{}` is left of a store that is gone; put the store back, or move this file away",
        .0.display()
    )]
    Leftover(PathBuf),
    /// The file is empty, or the SQLite database of another program.
    #[error(
        "`{}` is no symbolon store; give another path, or restore the store from a backup",
        .0.display()
    )]
    Foreign(PathBuf),
    /// A newer version of the program has made the store.
    #[error(
        "the store `{0}` has format {version}, and this program knows only format {known}; update it",
        .path.display(), known = FORMAT
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: i64,
    },
    /// The file is damaged, or no SQLite database.
    #[error(
        "`{}` is damaged, or no SQLite database; restore it from a backup, or give another path",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The file, or the log beside it, cannot be written to.
    #[error(
        "the store `{}` is read-only; check the owner and the mode of the file and its folder",
        .0.display()
    )]
    ReadOnly(PathBuf),
    /// Several processes could not share the file.
    #[error(
        "SQLite cannot keep its log beside `{}`; put the store on a local disk",
        .0.display()
    )]
    NoLog(PathBuf),
    /// While the store was open, its file was moved or replaced.
    #[error(
        "the file `{}` was moved or replaced while it was open; restart with the right one",
        .0.display()
    )]
    Replaced(PathBuf),
    /// The SQLite that was linked can lose commits.
    #[error("SQLite {0} can lose commits; link version 3.51.3 or later")]
    Library(&'static str),
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes")]
    Random,
    /// Anything else that SQLite says.
    #[error("cannot open the store `{}`; check that you may write to it and its folder", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl OpenError {
    pub(crate) fn into_store(self) -> StoreError {
        match self {
            Self::Damaged { source, .. } => StoreError::Corrupt(source.to_string()),
            other => StoreError::backend(other),
        }
    }
}
