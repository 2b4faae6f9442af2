//! Renaming without replacing.

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::{FileError, folder_of, sync_dir};

/// Renames the file or folder `from` to `to`, which must not exist. Syncs both parent folders.
///
/// # Errors
///
/// Fails with [`FileError::Exists`] or [`FileError::Io`].
pub fn rename_new(from: &Path, to: &Path) -> Result<(), FileError> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Err(FileError::Exists(to.into())),
        // Not every file system supports that flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(FileError::Exists(to.into()));
            }
            fs::rename(from, to).map_err(FileError::io("rename", from))?;
        }
        Err(error) => return Err(FileError::io("rename", from)(io::Error::from(error))),
    }
    sync_dir(folder_of(to))?;
    sync_dir(folder_of(from))
}
