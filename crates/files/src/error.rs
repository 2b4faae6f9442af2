//! Errors of files and folders, each with its remedy.

use std::io;
use std::path::{Path, PathBuf};

use symbolon::InvalidKey;

/// An error of creating or using a file or folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The path exists already. Existing files are never replaced.
    #[error("`{}` exists already; choose another path, or move it away", .0.display())]
    Exists(PathBuf),
    /// The key file does not exist.
    #[error(
        "there is no key file `{}`; an existing store opens only with its own key: \
         put your copy of the key file there",
        .0.display()
    )]
    Missing(PathBuf),
    /// The path is not a folder.
    #[error("`{}` is not a folder; choose another path", .0.display())]
    NotAFolder(PathBuf),
    /// The path is not a regular file.
    #[error("`{}` is not a file; choose another path", .0.display())]
    NotAFile(PathBuf),
    /// Other users can write to the folder, and so replace the files in it.
    #[error(
        "the folder `{}` is writable by other users (mode {mode:04o}); \
         make it writable only by its owner, or choose another folder",
        .path.display()
    )]
    WritableFolder {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The folder is shared by all users, such as `/tmp`.
    #[error(
        "the folder `{}` is shared by all users; create a folder for the store",
        .0.display()
    )]
    SharedFolder(PathBuf),
    /// Other users can read or write the file.
    #[error(
        "the file `{}` is accessible to other users (mode {mode:04o}); \
         make it accessible only to its owner",
        .path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is too large for a key file.
    #[error("`{}` is too large for a key file; check the path", .0.display())]
    TooLarge(PathBuf),
    /// The store cannot be read to determine whether it is new.
    #[error("cannot determine whether the store has been initialised")]
    Store(#[from] symbolon::OpenError),
    /// Another process holds a lock on the key file that excludes this one.
    #[error(
        "another process uses the store with the key `{}`; stop it first, or wait until it exits",
        .0.display()
    )]
    Busy(PathBuf),
    /// The key file is damaged or in an unknown format.
    #[error("invalid key file `{}`", .path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// The error in its contents.
        source: InvalidKey,
    },
    /// No key could be generated.
    #[error("cannot generate a key")]
    Generate(#[source] symbolon::RandomError),
    /// The operating system reported an error.
    #[error(
        "cannot {action} `{}`; check that the path exists and that you have permission",
        .path.display()
    )]
    Io {
        /// The attempted action, such as `open`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl FileError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}
