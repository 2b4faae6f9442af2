//! The file that holds the key of a store.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use symbolon::{InvalidKey, StoreKey, TokenStore};
use zeroize::Zeroizing;

use crate::{FileError, create_private, folder_of, judge_file, private_dir, replace_private};

/// The key file of a store, with the text of [`StoreKey::to_text`].
#[derive(Debug)]
pub struct KeyFile;

/// Maximum size of a key file in bytes, enough for hundreds of secrets.
const LIMIT: u16 = u16::MAX;

const COMMENT: &str = "\
# The secret key of a symbolon store. Without this file the store cannot be opened; with it,
# tokens can be forged. Keep a copy in a safe place, apart from the backups of the store.
";

impl KeyFile {
    /// Returns the default path of the key of the store at `store`: `<store>.keys/key`.
    ///
    /// If the folder of the store is backed up as a whole, keep the key elsewhere.
    pub fn beside(store: &Path) -> PathBuf {
        // Without a trailing slash, after which `.keys` would name a file inside the store.
        let mut folder = store.components().as_path().as_os_str().to_owned();
        folder.push(".keys");
        Path::new(&folder).join("key")
    }

    /// Reads the key file `path`, or creates it if it is missing and `store` is new.
    ///
    /// Never creates a key for an existing store.
    ///
    /// # Errors
    ///
    /// Fails as [`KeyFile::load`] and [`KeyFile::create`] do, or with [`FileError::Store`] if the
    /// store cannot be read.
    pub fn open(path: &Path, store: &dyn TokenStore) -> Result<StoreKey, FileError> {
        match Self::load(path) {
            Err(FileError::Missing(_)) => {}
            loaded => return loaded,
        }
        if !symbolon::is_new(store)? {
            // Another process may have created both since.
            return Self::load(path);
        }
        match Self::create(path) {
            // Another process created it meanwhile. It is complete as soon as it exists.
            Err(FileError::Exists(_)) => Self::load(path),
            created => created,
        }
    }

    /// Reads the key file `path`.
    ///
    /// # Errors
    ///
    /// Fails with [`FileError::Missing`]; [`FileError::Exposed`] if other users can read or write
    /// it; [`FileError::Key`] if it is damaged; [`FileError::NotAFile`], [`FileError::TooLarge`] or
    /// [`FileError::Io`].
    pub fn load(path: &Path) -> Result<StoreKey, FileError> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FileError::Missing(path.into()),
            _ => FileError::io("open", path)(error),
        })?;
        let found = file.metadata().map_err(FileError::io("read", path))?;
        judge_file(path, &found)?;
        let text = read(file).map_err(FileError::io("read", path))?;
        if text.len() > LIMIT.into() {
            return Err(FileError::TooLarge(path.into()));
        }
        parse(&text).map_err(|source| FileError::Key { path: path.into(), source })
    }

    /// Generates a key and writes it to the new file `path`. Creates its folder with
    /// [`private_dir`].
    ///
    /// # Errors
    ///
    /// Fails with [`FileError::Exists`], [`FileError::Generate`] or [`FileError::Io`], or as
    /// [`private_dir`] does.
    pub fn create(path: &Path) -> Result<StoreKey, FileError> {
        private_dir(folder_of(path))?;
        let key = StoreKey::generate().map_err(FileError::Generate)?;
        create_private(path, text(&key).as_bytes())?;
        Ok(key)
    }

    /// Replaces the contents of the key file `path` with `key`, atomically.
    ///
    /// # Errors
    ///
    /// Fails as [`KeyFile::load`] does if the current file cannot be loaded, or with
    /// [`FileError::Io`].
    pub fn replace(path: &Path, key: &StoreKey) -> Result<(), FileError> {
        drop(Self::load(path)?);
        replace_private(path, text(key).as_bytes())
    }

    /// Takes a shared lock on the key file `path`, held until the returned value is dropped.
    ///
    /// While it is held, no process can take the exclusive lock of [`KeyFile::hold_alone`]. The
    /// folder must exist. If it is not writable and has no lock file, nothing is locked.
    ///
    /// # Errors
    ///
    /// Fails with [`FileError::Busy`] if a process holds the exclusive lock, or with
    /// [`FileError::Io`].
    pub fn hold(path: &Path) -> Result<KeyLock, FileError> {
        KeyLock::take(path, File::try_lock_shared)
    }

    /// Takes an exclusive lock on the key file `path`, held until the returned value is dropped.
    ///
    /// Required to change the key or to replace the store.
    ///
    /// # Errors
    ///
    /// Fails with [`FileError::Busy`] if any other lock is held, or with [`FileError::Io`].
    pub fn hold_alone(path: &Path) -> Result<KeyLock, FileError> {
        KeyLock::take(path, File::try_lock)
    }
}

/// A lock on a key file, released when dropped. See [`KeyFile::hold`].
#[derive(Debug)]
pub struct KeyLock {
    _file: Option<File>,
}

impl KeyLock {
    fn take(path: &Path, lock: fn(&File) -> Result<(), TryLockError>) -> Result<Self, FileError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).mode(0o600);
        let file = match options.open(&name) {
            // If no lock file can be created, no process can replace the key either.
            Err(error) if is_read_only(&error) => match File::open(&name) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self { _file: None });
                }
                Err(error) => return Err(FileError::io("open", Path::new(&name))(error)),
            },
            opened => opened.map_err(FileError::io("open", Path::new(&name)))?,
        };
        match lock(&file) {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(FileError::Busy(path.into())),
            Err(TryLockError::Error(error)) => Err(FileError::io("lock", Path::new(&name))(error)),
        }
    }
}

fn is_read_only(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

fn text(key: &StoreKey) -> Zeroizing<String> {
    let secrets = key.to_text();
    let mut text = Zeroizing::new(String::with_capacity(COMMENT.len() + secrets.len()));
    text.push_str(COMMENT);
    text.push_str(&secrets);
    text
}

fn read(file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    let limit = usize::from(LIMIT) + 1;
    // Allocated once: growing the buffer would leave copies that are not wiped.
    let mut text = Zeroizing::new(Vec::with_capacity(limit));
    file.take(limit as u64).read_to_end(&mut text)?;
    Ok(text)
}

fn parse(text: &[u8]) -> Result<StoreKey, InvalidKey> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let valid = text.iter().take(error.valid_up_to());
        InvalidKey::Form(valid.filter(|byte| **byte == b'\n').count() + 1)
    })?;
    text.parse()
}
