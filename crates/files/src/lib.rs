//! Private folders, private files, and the key file of a symbolon store.
//!
//! New folders have mode 0700 and new files mode 0600, regardless of the umask. Both they and their
//! names are on disk when the call returns. The modes of existing files and folders are never
//! changed: if other users could read a secret or replace a file, the call fails with an error that
//! names the command to fix it. For Unix systems.
//!
//! ```
//! use symbolon_files::{FileError, KeyFile, private_dir};
//!
//! # let dir = tempfile::tempdir()?;
//! # let store = dir.path().join("data/tokens.db");
//! private_dir(&dir.path().join("data"))?;
//! let path = KeyFile::beside(&store); // data/tokens.db.keys/key
//! KeyFile::create(&path)?;
//! let key = KeyFile::load(&path)?;
//! assert!(matches!(KeyFile::create(&path), Err(FileError::Exists(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod key_file;
mod private_file;
mod rename;

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

pub use error::FileError;
pub use key_file::{KeyFile, KeyLock};
pub use private_file::{PrivateFile, is_unfinished};
pub use rename::rename_new;

/// Creates the folder `path` and its missing parents. The empty path means the current folder.
///
/// An existing folder is not changed, but rejected if its group or others can write to it, since
/// they could replace the files in it. Its parents are not checked.
///
/// # Errors
///
/// Fails with [`FileError::WritableFolder`], [`FileError::SharedFolder`],
/// [`FileError::NotAFolder`] or [`FileError::Io`].
pub fn private_dir(path: &Path) -> Result<(), FileError> {
    let path = or_current(path);
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_dir(path)?;
            fs::metadata(path)
        }
        found => found,
    };
    judge_dir(path, &found.map_err(FileError::io("read", path))?)
}

/// Creates the file `path` with these contents, atomically.
///
/// # Errors
///
/// Fails with [`FileError::Exists`] or [`FileError::Io`].
pub fn create_private(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    let mut file = PrivateFile::create(path)?;
    let written = file.write_all(contents);
    written.map_err(FileError::io("write", path))?;
    file.finish()
}

/// Replaces the contents of the file `path`, atomically.
///
/// # Errors
///
/// Fails with [`FileError::Exposed`] or [`FileError::NotAFile`] if the current file is not a
/// private file, or with [`FileError::Io`].
pub fn replace_private(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    check_secret(path)?;
    let mut file = PrivateFile::begin(path)?;
    let written = file.write_all(contents);
    written.map_err(FileError::io("write", path))?;
    file.replace()
}

/// Opens the file `path` for reading and writing. Creates an empty file if it is missing.
///
/// # Errors
///
/// Fails with [`FileError::Exposed`], [`FileError::NotAFile`] or [`FileError::Io`].
pub fn open_private(path: &Path) -> Result<File, FileError> {
    if fs::symlink_metadata(path).is_err() {
        match create_private(path, b"") {
            Ok(()) | Err(FileError::Exists(_)) => {}
            Err(error) => return Err(error),
        }
    }
    check_secret(path)?;
    let opened = OpenOptions::new().read(true).write(true).open(path);
    opened.map_err(FileError::io("open", path))
}

/// Checks that only its owner can read or write the file `path`.
///
/// Does not open the file, because closing it would release the locks of this process on it.
///
/// # Errors
///
/// Fails with [`FileError::Exposed`], [`FileError::NotAFile`] or [`FileError::Io`].
pub fn check_secret(path: &Path) -> Result<(), FileError> {
    let found = fs::metadata(path).map_err(FileError::io("read", path))?;
    judge_file(path, &found)
}

/// Syncs the folder `path`: waits until created, renamed and removed names in it are on disk.
///
/// # Errors
///
/// Fails with [`FileError::Io`].
pub fn sync_dir(path: &Path) -> Result<(), FileError> {
    let path = or_current(path);
    File::open(path).and_then(|folder| folder.sync_all()).map_err(FileError::io("sync", path))
}

/// Returns the folder that contains `path`.
pub(crate) fn folder_of(path: &Path) -> &Path {
    or_current(path.parent().unwrap_or(path))
}

pub(crate) fn judge_file(path: &Path, found: &Metadata) -> Result<(), FileError> {
    let mode = found.permissions().mode() & 0o7777;
    match found.is_file() {
        false => Err(FileError::NotAFile(path.into())),
        true if mode & 0o077 != 0 => Err(FileError::Exposed { path: path.into(), mode }),
        true => Ok(()),
    }
}

fn judge_dir(path: &Path, found: &Metadata) -> Result<(), FileError> {
    let mode = found.permissions().mode() & 0o7777;
    let path = || path.to_path_buf();
    if !found.is_dir() {
        return Err(FileError::NotAFolder(path()));
    }
    match (mode & 0o022 != 0, mode & 0o1000 != 0) {
        (false, _) => Ok(()),
        (true, false) => Err(FileError::WritableFolder { path: path(), mode }),
        // Such as /tmp. It is meant to be writable, so the error must not suggest another mode.
        (true, true) => Err(FileError::SharedFolder(path())),
    }
}

fn make_dir(path: &Path) -> Result<(), FileError> {
    let folder = folder_of(path);
    if !folder.exists() {
        make_dir(folder)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another process created it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        made => made.map_err(FileError::io("create", path))?,
    }
    // The umask may have removed permissions of the owner.
    fs::set_permissions(path, Permissions::from_mode(0o700))
        .map_err(FileError::io("change the mode of", path))?;
    sync_dir(folder)
}

fn or_current(path: &Path) -> &Path {
    match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    }
}
