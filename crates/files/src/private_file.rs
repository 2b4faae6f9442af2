//! A file that is written piece by piece, and appears whole under its name or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::{FileError, folder_of, sync_dir};

/// A new private file that is being written. It has its name once [`PrivateFile::finish`] returns; without that it goes
/// when it is dropped. What a process left that was killed meanwhile goes when the same file is made again.
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
    // Its lock says that somebody still writes to it.
    file: File,
    first_name: TemporaryFile,
}

const UNFINISHED: &str = ".new";
/// How often another name is tried, should somebody take the file for a left-over before it is locked.
const ATTEMPTS: usize = 16;

impl PrivateFile {
    /// Begins the file `path`, in a folder that exists.
    ///
    /// # Errors
    ///
    /// [`FileError::Exists`] or [`FileError::Io`].
    pub fn create(path: &Path) -> Result<Self, FileError> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(FileError::Exists(path.into()));
        }
        Self::begin(path)
    }

    /// Begins a file that shall take the place of the file `path`, with [`PrivateFile::replace`].
    pub(crate) fn begin(path: &Path) -> Result<Self, FileError> {
        remove_left_over(path);
        let mut attempts = 0;
        loop {
            let first_name = TemporaryFile(unused_name(path));
            attempts += 1;
            let made = make(&first_name.0).map_err(FileError::io("make", path))?;
            match made {
                Some(file) => {
                    return Ok(Self {
                        path: path.into(),
                        file,
                        first_name,
                    });
                }
                None if attempts < ATTEMPTS => {}
                None => {
                    let busy = io::ErrorKind::ResourceBusy.into();
                    return Err(FileError::io("write", path)(busy));
                }
            }
        }
    }

    /// Gives it its name, when all of it is on disk.
    ///
    /// # Errors
    ///
    /// [`FileError::Exists`] if somebody else made it meanwhile, or [`FileError::Io`]; then it is gone.
    pub fn finish(self) -> Result<(), FileError> {
        let Self {
            path,
            file,
            first_name,
        } = self;
        file.sync_all().map_err(FileError::io("write", &path))?;
        // A link, unlike a rename, never replaces what is there.
        fs::hard_link(&first_name.0, &path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists(path.clone()),
            _ => FileError::io("make", &path)(error),
        })?;
        drop(first_name);
        // A process that is being forked at this moment holds the file until its `exec`, and the lock with it.
        let _ = file.unlock();
        sync_dir(folder_of(&path))
    }
}

impl PrivateFile {
    /// Puts it in the place of what is there, when all of it is on disk.
    pub(crate) fn replace(self) -> Result<(), FileError> {
        let Self {
            path,
            file,
            first_name,
        } = self;
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

/// Whether a file of this name was left by a process that was killed while it made a [`PrivateFile`], before the file had
/// its own name. It can be removed.
pub fn is_unfinished(name: &OsStr) -> bool {
    finished_name(name).is_some()
}

/// The name that an unfinished file was to get.
fn finished_name(name: &OsStr) -> Option<String> {
    let name = name.to_str()?;
    let (start, random) = name.strip_suffix(UNFINISHED)?.rsplit_once('.')?;
    let is_random = random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
    let start = start.strip_prefix('.')?;
    is_random.then(|| start.to_owned())
}

/// Removes what a process left that was killed while it made `path`. What cannot be removed is left.
fn remove_left_over(path: &Path) {
    let Ok(entries) = fs::read_dir(folder_of(path)) else {
        return;
    };
    for entry in entries.flatten() {
        let finished = finished_name(&entry.file_name());
        if finished.is_none() || finished.as_deref() != path.file_name().and_then(OsStr::to_str) {
            continue;
        }
        // A pipe, say, would wait for a reader.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        // Whoever still writes to it holds its lock.
        let Ok(file) = OpenOptions::new().write(true).open(entry.path()) else {
            continue;
        };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(entry.path());
        }
        // Not before: who made it a moment ago and locks it now must find that it is gone.
        drop(file);
    }
}

/// A new file, locked; none if somebody took it for a left-over before it was.
fn make(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let new = options.write(true).create_new(true).mode(0o600);
    let file = new.open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        // A file system without locks: nobody else can lock and remove it either.
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    Ok((file.metadata()?.nlink() > 0).then_some(file))
}

/// A hidden name beside `path`. Whoever guesses it gains nothing: a file that is there is not written to.
fn unused_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let random = RandomState::new().hash_one(std::process::id());
    name.push(format!(".{random:016x}{UNFINISHED}"));
    path.with_file_name(name)
}

/// The first name of a file, which goes when it has its own or will never have it.
#[derive(Debug)]
struct TemporaryFile(PathBuf);

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
