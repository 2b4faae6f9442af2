//! The first set-up over HTTP: its code, and instructions for the operator.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use symbolon::Engine;
use symbolon_files::{FileError, check_secret, create_private};
use symbolon_http::SetupCode;
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::global::Global;
use crate::output::{self, BOLD};
use crate::shell;
use crate::shell_quote::quote;

/// Environment variable with the code. There is no option, since others can read arguments.
const VARIABLE: &str = "SYMBOLON_SETUP_CODE";
/// File for a generated code, in the folder of the key.
const FILE: &str = "setup-code";
/// Hexadecimal digits of a generated code.
const DIGITS: usize = 32;
/// Bytes of a code file that are read: more than the longest code.
const LARGEST: u64 = 4096;

/// Code for the first set-up, and its source.
pub(super) struct FirstSetup {
    /// Or why there is none: the operator may have deleted it after the set-up.
    code: Result<SetupCode, Failure>,
    source: Source,
}

enum Source {
    File(PathBuf),
    Variable,
    Generated,
}

impl FirstSetup {
    /// Reads the code from `file` or the environment, or generates one of 128 random bits.
    ///
    /// A file or value that is missing only matters if the store can be set up.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read or others can read it, or if the text is not a valid code.
    pub(super) fn new(global: &Global, file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = file {
            let code = match read(path) {
                Err(Failure::File(FileError::Io { source, .. }))
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    let path = path.to_owned();
                    Err(Failure::Read { path, source })
                }
                text => Ok(code(&text?, &format!("`{}`", path.display()))?),
            };
            let source = Source::File(path.to_owned());
            return Ok(Self { code, source });
        }
        if let Some(text) = std::env::var_os(VARIABLE) {
            let text = Zeroizing::new(text.to_string_lossy().into_owned());
            let code = code(&text, VARIABLE);
            return Ok(Self {
                code: if text.is_empty() { code } else { Ok(code?) },
                source: Source::Variable,
            });
        }
        let text = match generated(&file_of(global)) {
            // Another server of this store may have shown it to the operator.
            Some(text) => text,
            None => {
                let mut random = Zeroizing::new([0; 16]);
                getrandom::fill(&mut *random)
                    .map_err(|_| symbolon::AdminError::Random(symbolon::RandomError))?;
                Zeroizing::new(format!("{:032x}", u128::from_ne_bytes(*random)))
            }
        };
        Ok(Self { code: Ok(code(&text, FILE)?), source: Source::Generated })
    }

    /// Returns the code, if there is one; without it set-up is closed.
    pub(super) fn code(&self) -> Option<SetupCode> {
        self.code.as_ref().ok().cloned()
    }

    /// Prints how to set up the store, unless it is set up or in use.
    ///
    /// A generated code is printed on a terminal only. Otherwise output may be collected and kept,
    /// so the code is written to a file that only the operator can read.
    ///
    /// # Errors
    ///
    /// Fails if the store can be set up and there is no code, or it cannot be written.
    pub(super) fn announce(
        self,
        global: &Global,
        address: SocketAddr,
        engine: &Engine,
    ) -> Result<(), Failure> {
        if !engine.is_setup_open()? {
            forget(global);
            if !engine.maintenance().is_set_up()? {
                tracing::info!(
                    "the store is in use but was not set up; `symbolon setup` creates an operator"
                );
            }
            return Ok(());
        }
        let code = self.code?;
        let header = "X-Symbolon-Setup-Code: ";
        let from = |path: &Path| {
            let path = quote(&shell::absolute(path));
            format!("{{ printf '{header}'; tr -d '\\r\\n' < {path}; }}")
        };
        // `printf` is part of the shell: no other user sees the code among the arguments.
        let header = match &self.source {
            Source::Generated if io::stdout().is_terminal() => {
                format!("printf '{header}{}'", code.reveal())
            }
            Source::Generated => {
                let file = file_of(global);
                write(&file, &code)?;
                tracing::info!(file = %file.display(), "wrote the code for set-up over HTTP");
                from(&file)
            }
            Source::File(path) => from(path),
            Source::Variable => format!("printf '{header}%s' \"${VARIABLE}\""),
        };
        output::print(format!(
            "\nThe store is not set up. Create the first organization, user and operator\n\
             token here:\n\n  \
             {BOLD}symbolon setup --org my-org --user me{}{BOLD:#}\n\n\
             or over HTTP, with a password in place of the dots:\n\n  \
             {BOLD}{header} |\n    \
             curl -H @- -H 'Content-Type: application/json' \\\n    \
             http://{address}/api/v2/setup \\\n    \
             -d '{{\"username\":\"me\",\"password\":\"…\",\"org\":\"my-org\",\
             \"bucket\":\"b\"}}'{BOLD:#}\n\n",
            shell::options(global)
        ))
    }
}

/// Removes the file with a generated code once it is of no use. Any other file of that name stays.
pub(super) fn forget(global: &Global) {
    let file = file_of(global);
    if generated(&file).is_some()
        && let Err(error) = fs::remove_file(&file)
    {
        tracing::warn!(%error, file = %file.display(), "cannot remove the unused set-up code");
    }
}

fn file_of(global: &Global) -> PathBuf {
    global.key_path().with_file_name(FILE)
}

fn code(text: &str, source: &str) -> Result<SetupCode, Failure> {
    SetupCode::new(text)
        .map_err(|error| Failure::SetupCode { place: source.to_owned(), source: error })
}

/// Reads a file that only its owner can read, without the end of its line.
fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    check_secret(path)?;
    let failed = |source| Failure::Read { path: path.to_owned(), source };
    let mut text = Zeroizing::new(String::with_capacity(LARGEST as usize));
    let file = fs::File::open(path).map_err(failed)?;
    file.take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    Ok(text)
}

/// Returns the generated code in `file`; none if anything else is there.
fn generated(file: &Path) -> Option<Zeroizing<String>> {
    let is_file = fs::symlink_metadata(file).is_ok_and(|found| found.is_file());
    let text = is_file.then(|| read(file).ok()).flatten()?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == DIGITS && text.bytes().all(is_digit)).then_some(text)
}

fn write(file: &Path, code: &SetupCode) -> Result<(), Failure> {
    let line = Zeroizing::new(format!("{}\n", code.reveal()));
    match create_private(file, line.as_bytes()) {
        Err(FileError::Exists(path)) => {
            let own = generated(file).is_some_and(|text| *text == code.reveal());
            if own { Ok(()) } else { Err(Failure::NotASetupCode(path)) }
        }
        created => Ok(created?),
    }
}
