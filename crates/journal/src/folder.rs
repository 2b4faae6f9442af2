//! The folder of a journal, and the files in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use symbolon_files::{FileError, check_secret, create_private, private_dir};

/// The file of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainFile {
    /// Its number, from 1.
    pub chain: u32,
    /// Its path.
    pub path: PathBuf,
}

impl ChainFile {
    pub(crate) fn new(folder: &Path, chain: u32) -> Self {
        let path = folder.join(format!("chain-{chain:04}.jsonl"));
        Self { chain, path }
    }
}

/// Returns the chains in the folder, by number; none if the folder is missing.
///
/// # Errors
///
/// [`FileError::Io`] if the folder cannot be read.
pub fn chains(folder: &Path) -> Result<Vec<ChainFile>, FileError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed("read", folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed("read", folder))?.file_name();
        let number = name.to_str().and_then(|name| {
            let number = name.strip_prefix("chain-")?.strip_suffix(".jsonl")?;
            number.parse().ok()
        });
        let file = number.map(|chain| ChainFile::new(folder, chain));
        // Other names are manual copies, or leftovers of an interrupted creation.
        found.extend(
            file.filter(|file| file.chain > 0 && file.path.file_name() == Some(name.as_os_str())),
        );
    }
    found.sort_by_key(|file| file.chain);
    Ok(found)
}

/// Returns the chains between 1 and the highest number that have no file.
pub(crate) fn missing(folder: &Path, found: &[ChainFile]) -> Vec<ChainFile> {
    let highest = found.last().map_or(0, |file| file.chain);
    let mut found = found.iter().peekable();
    // A file with a huge number must not create a huge list.
    let gaps = (1..=highest).filter(|chain| found.next_if(|file| file.chain == *chain).is_none());
    gaps.take(10).map(|chain| ChainFile::new(folder, chain)).collect()
}

/// Opens the chain for writing, and locks it while the file is open. Returns none if another
/// process holds it, or if it cannot be written.
pub(crate) fn take(file: &ChainFile) -> Result<Option<File>, FileError> {
    check_secret(&file.path)?;
    let opened = match OpenOptions::new().read(true).write(true).open(&file.path) {
        Err(error) if is_refusal(&error) => return Ok(None),
        opened => opened.map_err(failed("open", &file.path))?,
    };
    match opened.try_lock() {
        Ok(()) => Ok(Some(opened)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed("lock", &file.path)(error)),
    }
}

/// Creates and locks a new chain. Its name is on disk when this returns.
pub(crate) fn make(folder: &Path) -> Result<(ChainFile, File), FileError> {
    private_dir(folder)?;
    for _ in 0..TRIES {
        let highest = chains(folder)?.last().map_or(0, |file| file.chain);
        let file = ChainFile::new(folder, highest.saturating_add(1));
        match create_private(&file.path, b"") {
            Err(FileError::Exists(_)) => continue,
            made => made?,
        }
        // Another process may have found and locked it already.
        if let Some(taken) = take(&file)? {
            return Ok((file, taken));
        }
    }
    let error = io::Error::other("another process took each new file");
    Err(failed("make a chain in", folder)(error))
}

const TRIES: usize = 16;

pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_path_buf();
    move |source| FileError::Io { action, path, source }
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
