//! The file that holds the key of a store.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use symbolon::{InvalidKey, StoreKey, TokenStore};
use zeroize::Zeroizing;

use crate::{FileError, create_private, folder_of, judge_file, private_dir, replace_private};

/// The key file of a store: its text is that of [`StoreKey::to_text`].
#[derive(Debug)]
pub struct KeyFile;

/// In bytes; hundreds of secrets fit.
const LIMIT: u16 = u16::MAX;

const COMMENT: &str = "\
# The secret key of a symbolon store: without it the store cannot be opened, and whoever has it can forge
# tokens. Keep a copy in a safe place, apart from the backups of the store.
";

impl KeyFile {
    /// Where the key of the store at `store` lies, unless it is said otherwise: `<store>.keys/key`. A store in a
    /// folder that is backed up as a whole should have its key elsewhere.
    pub fn beside(store: &Path) -> PathBuf {
        // The components leave out a slash at the end, behind which `.keys` would lie inside of the store.
        let mut folder = store.components().as_path().as_os_str().to_owned();
        folder.push(".keys");
        Path::new(&folder).join("key")
    }

    /// The key of `store`: reads the key file `path`, or makes it if there is none and the store is new. The key of a
    /// store that exists is never made anew.
    ///
    /// # Errors
    ///
    /// Those of [`KeyFile::load`] and [`KeyFile::create`]; [`FileError::Store`] if the store cannot be read.
    pub fn open(path: &Path, store: &dyn TokenStore) -> Result<StoreKey, FileError> {
        match Self::load(path) {
            Err(FileError::Missing(_)) => {}
            loaded => return loaded,
        }
        if !symbolon::is_new(store)? {
            // Or another process has made both since.
            return Self::load(path);
        }
        match Self::create(path) {
            // Another process made it at the same moment; it is whole once it is there.
            Err(FileError::Exists(_)) => Self::load(path),
            created => created,
        }
    }

    /// Reads the key file `path`.
    ///
    /// # Errors
    ///
    /// [`FileError::Missing`]; [`FileError::Exposed`] if others than the owner can read or write it;
    /// [`FileError::Key`] if it is damaged; [`FileError::NotAFile`], [`FileError::TooLarge`] or [`FileError::Io`].
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
        parse(&text).map_err(|source| FileError::Key {
            path: path.into(),
            source,
        })
    }

    /// Draws a key and writes it to the new file `path`, in a folder that [`private_dir`] makes.
    ///
    /// # Errors
    ///
    /// [`FileError::Exists`], those of [`private_dir`], [`FileError::Generate`] or [`FileError::Io`].
    pub fn create(path: &Path) -> Result<StoreKey, FileError> {
        private_dir(folder_of(path))?;
        let key = StoreKey::generate().map_err(FileError::Generate)?;
        create_private(path, text(&key).as_bytes())?;
        Ok(key)
    }

    /// Puts `key` in the place of what the key file `path` holds: at every moment there is one of them, whole.
    ///
    /// # Errors
    ///
    /// [`FileError::Missing`] if there is no key file; [`FileError::Exposed`], [`FileError::NotAFile`] or
    /// [`FileError::Io`].
    pub fn replace(path: &Path, key: &StoreKey) -> Result<(), FileError> {
        drop(Self::load(path)?);
        replace_private(path, text(key).as_bytes())
    }

    /// Holds the key file `path`, in a folder that exists, as one of those who use its key, until what is returned goes:
    /// so long nobody holds it alone. In a folder that cannot be written to there is nothing to hold.
    ///
    /// # Errors
    ///
    /// [`FileError::Busy`] if somebody holds it alone; [`FileError::Io`].
    pub fn hold(path: &Path) -> Result<KeyLock, FileError> {
        KeyLock::take(path, File::try_lock_shared)
    }

    /// Holds the key file `path` alone, as whoever changes the key or the store as a whole must.
    ///
    /// # Errors
    ///
    /// [`FileError::Busy`] if anybody else holds it; [`FileError::Io`].
    pub fn hold_alone(path: &Path) -> Result<KeyLock, FileError> {
        KeyLock::take(path, File::try_lock)
    }
}

/// That a key file is held; see [`KeyFile::hold`].
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
            // Where no lock can be made, nobody can replace the key either.
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
    // All of it at once: a buffer that grows leaves copies behind, which are not wiped.
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
