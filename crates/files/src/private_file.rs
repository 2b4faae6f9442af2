//! Files that are written in parts and appear atomically under their name.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::{FileError, folder_of, sync_dir};

/// A new private file, written in parts, that gets its name with [`PrivateFile::finish`].
///
/// It is removed if it is dropped before that. A leftover of a killed process is removed when the
/// same file is created again.
///
/// ```
/// use std::io::Write;
/// use symbolon_files::PrivateFile;
///
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("backup");
/// let mut file = PrivateFile::create(&path)?;
/// file.write_all(b"half, ")?;
/// assert!(!path.exists());
/// file.write_all(b"and whole")?;
/// file.finish()?;
/// assert_eq!(std::fs::read(&path)?, b"half, and whole");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PrivateFile {
    path: PathBuf,
    // Locked while it is being written.
    file: File,
    first_name: TemporaryFile,
}

const UNFINISHED: &str = ".new";
/// Maximum number of names tried, in case another process removes the file as a leftover before it
/// is locked.
const ATTEMPTS: usize = 16;

impl PrivateFile {
    /// Starts writing the new file `path`. Its folder must exist.
    ///
    /// # Errors
    ///
    /// Fails with [`FileError::Exists`] or [`FileError::Io`].
    pub fn create(path: &Path) -> Result<Self, FileError> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(FileError::Exists(path.into()));
        }
        Self::begin(path)
    }

    /// Starts writing a file that may replace the file `path`, with [`PrivateFile::replace`].
    pub(crate) fn begin(path: &Path) -> Result<Self, FileError> {
        remove_left_over(path);
        let mut attempts = 0;
        loop {
            let first_name = TemporaryFile(unused_name(path));
            attempts += 1;
            let made = make(&first_name.0).map_err(FileError::io("create", path))?;
            match made {
                Some(file) => {
                    return Ok(Self { path: path.into(), file, first_name });
                }
                None if attempts < ATTEMPTS => {}
                None => {
                    let busy = io::ErrorKind::ResourceBusy.into();
                    return Err(FileError::io("write", path)(busy));
                }
            }
        }
    }

    /// Syncs the file to disk and gives it its name.
    ///
    /// # Errors
    ///
    /// Fails with [`FileError::Exists`] if another process created the path meanwhile, or with
    /// [`FileError::Io`]. The written file is then removed.
    pub fn finish(self) -> Result<(), FileError> {
        let Self { path, file, first_name } = self;
        file.sync_all().map_err(FileError::io("write", &path))?;
        // A link, unlike a rename, never replaces an existing file.
        fs::hard_link(&first_name.0, &path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists(path.clone()),
            _ => FileError::io("create", &path)(error),
        })?;
        drop(first_name);
        // A process being forked at this moment has the file, and with it the lock, until its
        // `exec`.
        let _ = file.unlock();
        sync_dir(folder_of(&path))
    }
}

impl PrivateFile {
    /// Syncs the file to disk and replaces the existing file with it.
    pub(crate) fn replace(self) -> Result<(), FileError> {
        let Self { path, file, first_name } = self;
        file.sync_all().map_err(FileError::io("write", &path))?;
        fs::rename(&first_name.0, &path).map_err(FileError::io("replace", &path))?;
        sync_dir(folder_of(&path))
    }
}

impl Write for PrivateFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Returns `true` if `name` is that of an unfinished [`PrivateFile`], which can be removed if no
/// process is writing it.
pub fn is_unfinished(name: &OsStr) -> bool {
    finished_name(name).is_some()
}

/// Returns the intended name of an unfinished file.
fn finished_name(name: &OsStr) -> Option<String> {
    let name = name.to_str()?;
    let (start, random) = name.strip_suffix(UNFINISHED)?.rsplit_once('.')?;
    let is_random = random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
    let start = start.strip_prefix('.')?;
    is_random.then(|| start.to_owned())
}

/// Removes leftovers of killed processes that were creating `path`. Ignores errors.
fn remove_left_over(path: &Path) {
    let Ok(entries) = fs::read_dir(folder_of(path)) else {
        return;
    };
    for entry in entries.flatten() {
        let finished = finished_name(&entry.file_name());
        if finished.is_none() || finished.as_deref() != path.file_name().and_then(OsStr::to_str) {
            continue;
        }
        // Opening a pipe, for example, would wait for a reader.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        // A process that is still writing the file holds its lock.
        let Ok(file) = OpenOptions::new().write(true).open(entry.path()) else {
            continue;
        };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(entry.path());
        }
        // Released after the removal, so that a process that has just created the file and locks
        // it now sees that it is gone.
        drop(file);
    }
}

/// Creates and locks a new file. Returns `None` if another process removed it as a leftover first.
fn make(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let new = options.write(true).create_new(true).mode(0o600);
    let file = new.open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        // A file system without locks: no other process can lock and remove it either.
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    Ok((file.metadata()?.nlink() > 0).then_some(file))
}

/// Returns a hidden name in the folder of `path`. It need not be secret, because an existing file
/// is never written to.
fn unused_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let random = RandomState::new().hash_one(std::process::id());
    name.push(format!(".{random:016x}{UNFINISHED}"));
    path.with_file_name(name)
}

/// The temporary name of a file, removed when dropped.
#[derive(Debug)]
struct TemporaryFile(PathBuf);

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
