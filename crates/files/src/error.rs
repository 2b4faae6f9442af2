//! What can be wrong with a file or folder, and what sets it right.

use std::io;
use std::path::{Path, PathBuf};

use symbolon::InvalidKey;

/// Why a file or folder cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// There is something under this name, and nothing is ever replaced.
    #[error("`{}` exists already; choose another path, or move it away", .0.display())]
    Exists(PathBuf),
    /// There is no key file under this name.
    #[error(
        "there is no key file `{}`; a store that exists opens only with the key that it was made with: \
         put your copy of it there",
        .0.display()
    )]
    Missing(PathBuf),
    /// A folder is needed, and this is none.
    #[error("`{}` is no folder; choose another path", .0.display())]
    NotAFolder(PathBuf),
    /// A file is needed, and this is none.
    #[error("`{}` is no file; choose another path", .0.display())]
    NotAFile(PathBuf),
    /// Others than the owner can write to the folder, and so replace what is in it.
    #[error(
        "the folder `{0}` can be written to by others than its owner (mode {mode:04o}); \
         run `chmod go-w {0}`, or choose another",
        .path.display()
    )]
    WritableFolder {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The folder belongs to all users, as `/tmp` does.
    #[error("the folder `{}` is shared by all users; choose a folder of its own for the store", .0.display())]
    SharedFolder(PathBuf),
    /// Others than the owner can read or write the file.
    #[error(
        "the file `{0}` can be read or written by others than its owner (mode {mode:04o}); \
         run `chmod go= {0}`",
        .path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is far too large to be a key file.
    #[error("`{}` is too large to be a key file; give the path of the key file", .0.display())]
    TooLarge(PathBuf),
    /// It cannot be told whether the store is new.
    #[error("it cannot be told whether the store is new")]
    Store(#[from] symbolon::Error),
    /// Another process holds the key file, in a way that excludes this one.
    #[error(
        "another process uses the store with the key `{}`; stop it first, or wait for it to end",
        .0.display()
    )]
    Busy(PathBuf),
    /// The contents are no key.
    #[error("the key file `{}` cannot be used", .path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidKey,
    },
    /// No key could be drawn.
    #[error("cannot make a key")]
    Generate(#[source] symbolon::Error),
    /// The operating system refused.
    #[error("cannot {action} `{}`; check that it exists and that you may", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl FileError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
