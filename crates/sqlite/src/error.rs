//! Errors of opening a store.

use std::error::Error as StdError;
use std::path::PathBuf;

use symbolon::StoreError;
use symbolon_files::FileError;

use crate::open::FORMAT;

/// An error of opening a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// The file or its folder is missing, has an unsafe mode or cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no such file.
    #[error("there is no store at `{}`; check the path, or create one", .0.display())]
    Missing(PathBuf),
    /// There is no store, but a leftover log, which would corrupt a new store.
    #[error(
        "`{}` is left over from a deleted store; restore the store, or move this file away",
        .0.display()
    )]
    Leftover(PathBuf),
    /// The file is empty, or the SQLite database of another program.
    #[error(
        "`{}` is not a symbolon store; check the path, or restore the store from a backup",
        .0.display()
    )]
    Foreign(PathBuf),
    /// A newer version of the program created the store.
    #[error(
        "the store `{0}` has format {version}, but this program supports only format {known}; \
         update this program",
        .path.display(), known = FORMAT
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format version.
        version: i64,
    },
    /// The file is damaged, or is not a SQLite database.
    #[error(
        "`{}` is damaged or not a SQLite database; restore it from a backup, or check the path",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The file or its log cannot be written to.
    #[error(
        "the store `{}` is read-only; check the owner and the mode of the file and its folder",
        .0.display()
    )]
    ReadOnly(PathBuf),
    /// The file system does not allow several processes to share the file.
    #[error(
        "SQLite cannot create its log next to `{}`; put the store on a local disk",
        .0.display()
    )]
    NoLog(PathBuf),
    /// The file was moved or replaced while the store was open.
    #[error(
        "the file `{}` was moved or replaced while it was open; open the store again",
        .0.display()
    )]
    Replaced(PathBuf),
    /// The linked version of SQLite can lose commits.
    #[error("SQLite {0} can lose commits; link version 3.51.3 or later")]
    Library(&'static str),
    /// The operating system provides no random bytes.
    #[error("the operating system provides no random bytes")]
    Random,
    /// Any other error of SQLite.
    #[error(
        "cannot open the store `{}`; check the permissions of the file and its folder",
        .path.display()
    )]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl SqliteError {
    pub(crate) fn into_store(self) -> StoreError {
        match self {
            Self::Damaged { source, .. } => StoreError::Corrupt(source.to_string()),
            other => StoreError::backend(other),
        }
    }
}
