//! `--write-token`: a file that is there before the token is, so that no token is made that cannot be kept.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use symbolon::Token;
use symbolon_files::{FileError, create_private};

/// A new file with room for a token. It goes again unless one is written.
#[derive(Debug)]
pub(crate) struct TokenFile {
    path: PathBuf,
    written: bool,
}

/// As long as a token can be, and longer: what replaces it needs no new room on the disk.
const ROOM: [u8; 256] = [b' '; 256];

impl TokenFile {
    pub(crate) fn reserve(path: &Path) -> Result<Self, FileError> {
        create_private(path, &ROOM)?;
        Ok(Self {
            path: path.into(),
            written: false,
        })
    }

    pub(crate) fn write(mut self, token: &Token) -> Result<(), (PathBuf, io::Error)> {
        let written = write(&self.path, token);
        self.written = written.is_ok();
        written.map_err(|error| (self.path.clone(), error))
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        if !self.written {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn write(path: &Path, token: &Token) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let text = token.reveal();
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.set_len(text.len() as u64 + 1)?;
    file.sync_all()
}
