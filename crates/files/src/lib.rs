//! The files of a symbolon store: private folders, private files, and the key file, each rule in one place.
//!
//! What is made here has mode 0700 (folders) or 0600 (files), whatever the umask, and is on disk, name and all,
//! when the call returns. What exists is never changed: if others than its owner could read a secret or replace
//! a file, the call refuses and says which command sets it right. For Unix systems.
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

/// Makes the folder `path`, and those above it that are missing. The empty path is the current folder.
///
/// A folder that exists is left as it is, and refused if its group or others can write to it: they could replace
/// the files in it. The folders above it are not judged.
///
/// # Errors
///
/// [`FileError::WritableFolder`], [`FileError::SharedFolder`], [`FileError::NotAFolder`] or [`FileError::Io`].
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

/// Makes the file `path` with these contents. It appears whole or not at all, and replaces nothing.
///
/// # Errors
///
/// [`FileError::Exists`] or [`FileError::Io`].
pub fn create_private(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    let mut file = PrivateFile::create(path)?;
    let written = file.write_all(contents);
    written.map_err(FileError::io("write", path))?;
    file.finish()
}

/// Puts these contents in the place of those of the file `path`: whoever opens it meets the old ones or the new ones,
/// whole.
///
/// # Errors
///
/// [`FileError::Exposed`] or [`FileError::NotAFile`] if what is there is none of ours, [`FileError::Io`].
pub fn replace_private(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    check_secret(path)?;
    let mut file = PrivateFile::begin(path)?;
    let written = file.write_all(contents);
    written.map_err(FileError::io("write", path))?;
    file.replace()
}

/// Opens the file `path` to read and write, and makes it, empty, if there is none.
///
/// # Errors
///
/// [`FileError::Exposed`], [`FileError::NotAFile`] or [`FileError::Io`].
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

/// Refuses the file `path` if its group or others can read or write it.
///
/// It is only looked at, never opened: to close a file would drop the locks that this process holds on it.
///
/// # Errors
///
/// [`FileError::Exposed`], [`FileError::NotAFile`] or [`FileError::Io`].
pub fn check_secret(path: &Path) -> Result<(), FileError> {
    let found = fs::metadata(path).map_err(FileError::io("read", path))?;
    judge_file(path, &found)
}

/// Waits until the names in the folder `path` are on disk: what was made, renamed or removed in it.
///
/// # Errors
///
/// [`FileError::Io`].
pub fn sync_dir(path: &Path) -> Result<(), FileError> {
    let path = or_current(path);
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(FileError::io("sync", path))
}

/// The folder that `path` lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    or_current(path.parent().unwrap_or(path))
}

pub(crate) fn judge_file(path: &Path, found: &Metadata) -> Result<(), FileError> {
    let mode = found.permissions().mode() & 0o7777;
    match found.is_file() {
        false => Err(FileError::NotAFile(path.into())),
        true if mode & 0o077 != 0 => Err(FileError::Exposed {
            path: path.into(),
            mode,
        }),
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
        // Such as /tmp: it belongs to everyone, so that a change of its mode would be wrong.
        (true, true) => Err(FileError::SharedFolder(path())),
    }
}

fn make_dir(path: &Path) -> Result<(), FileError> {
    let folder = folder_of(path);
    if !folder.exists() {
        make_dir(folder)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        made => made.map_err(FileError::io("make", path))?,
    }
    // The umask may have taken rights of the owner away.
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
