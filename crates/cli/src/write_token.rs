//! Delivering a new token, whose text is stored nowhere: on standard output, or with
//! `--write-token` in a file. The file is created before the token, so that no token is lost.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use symbolon::Token;
use symbolon_files::{FileError, create_private};

use crate::error::Failure;
use crate::output;

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

impl Form {
    pub(crate) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// Writes the token to its file, or prints it: to standard output or, if that fails, to standard
/// error. `show` formats the output with the token, or without it if the file has it.
pub(crate) fn deliver_token(
    token: &Token,
    file: Option<TokenFile>,
    form: Form,
    show: impl Fn(Option<&Token>, Form) -> String,
) -> Result<(), Failure> {
    let unkept = match file.map(|file| file.write(token)) {
        Some(Ok(())) => return output::print(show(None, form)),
        Some(Err(unkept)) => Some(unkept),
        None => None,
    };
    output::print_all(show(Some(token), form))
        .inspect_err(|_| output::tell(&show(Some(token), Form::Text)))?;
    unkept.map_or(Ok(()), |(path, source)| Err(Failure::TokenFile { path, source }))
}

/// A new file with room for a token. Removed when dropped, unless a token was written.
#[derive(Debug)]
pub(crate) struct TokenFile {
    path: PathBuf,
    written: bool,
}

/// Placeholder longer than any token, so that writing the token needs no new disk space.
const ROOM: [u8; 256] = [b' '; 256];

impl TokenFile {
    pub(crate) fn reserve(path: &Path) -> Result<Self, FileError> {
        create_private(path, &ROOM)?;
        Ok(Self { path: path.into(), written: false })
    }

    fn write(mut self, token: &Token) -> Result<(), (PathBuf, io::Error)> {
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
