//! The first set-up over HTTP: its code, and instructions for the operator.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use symbolon::Engine;
use symbolon_files::{FileError, check_secret, create_private, replace_private};
use symbolon_http::SetupCode;
use zeroize::Zeroizing;

use crate::arguments::Global;
use crate::error::Failure;
use crate::output::{self, BOLD};

/// Environment variable with the code. There is no option, since others can read arguments.
const VARIABLE: &str = "SYMBOLON_SETUP_CODE";
/// File for a generated code, in the folder of the key.
const FILE: &str = "setup-code";

/// Code for the first set-up, and its source.
pub(super) struct FirstSetup {
    code: SetupCode,
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
    /// # Errors
    ///
    /// Fails if the file cannot be read or others can read it, or if the text is not a valid code.
    pub(super) fn new(file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = file {
            check_secret(path)?;
            let text = std::fs::read_to_string(path).map(Zeroizing::new);
            let text = text.map_err(|source| Failure::Read {
                path: path.to_owned(),
                source,
            })?;
            return Ok(Self {
                code: SetupCode::new(text.trim_end_matches(['\r', '\n']))?,
                source: Source::File(path.to_owned()),
            });
        }
        if let Some(text) = std::env::var_os(VARIABLE) {
            let text = Zeroizing::new(text.to_string_lossy().into_owned());
            return Ok(Self {
                code: SetupCode::new(&text)?,
                source: Source::Variable,
            });
        }
        let mut random = Zeroizing::new([0; 16]);
        getrandom::fill(&mut *random).map_err(|_| symbolon::Error::Random)?;
        let text = Zeroizing::new(format!("{:032x}", u128::from_ne_bytes(*random)));
        Ok(Self {
            code: SetupCode::new(&text)?,
            source: Source::Generated,
        })
    }

    pub(super) fn code(&self) -> SetupCode {
        self.code.clone()
    }

    /// Prints how to set up the store, unless it is set up or in use.
    ///
    /// A generated code is printed on a terminal only. Otherwise output may be collected and kept,
    /// so the code is written to a file that only the operator can read.
    pub(super) fn announce(
        &self,
        global: &Global,
        address: SocketAddr,
        engine: &Engine,
    ) -> Result<(), Failure> {
        let file = global.key_path().with_file_name(FILE);
        let issuer = engine.issuer();
        if !issuer.is_setup_open()? {
            self.forget(global)?;
            if !issuer.is_set_up()? {
                tracing::info!(
                    "the store is in use but was not set up; `symbolon setup` creates an operator"
                );
            }
            return Ok(());
        }
        let header = "X-Symbolon-Setup-Code:";
        let header = match &self.source {
            Source::Generated if io::stdout().is_terminal() => {
                format!("'{header} {}'", self.code.reveal())
            }
            Source::Generated => {
                write(&file, &self.code)?;
                tracing::info!(file = %file.display(), "wrote the code for set-up over HTTP");
                format!("\"{header} $(cat {})\"", file.display())
            }
            Source::File(path) => format!("\"{header} $(cat {})\"", path.display()),
            Source::Variable => format!("\"{header} ${VARIABLE}\""),
        };
        output::print(format!(
            "\nThe store is not set up. Create the first organization, user and operator\n\
             token here:\n\n  \
             {BOLD}symbolon setup --org my-org --user me --store {}{BOLD:#}\n\n\
             or over HTTP:\n\n  \
             {BOLD}curl http://{address}/api/v2/setup \\\n    \
             -H 'Content-Type: application/json' \\\n    \
             -H {header} \\\n    \
             -d '{{\"username\":\"me\",\"password\":\"…\",\"org\":\"my-org\",\
             \"bucket\":\"b\"}}'{BOLD:#}\n\n",
            global.store
        ))
    }

    /// Removes the file with a generated code, which is no longer valid.
    pub(super) fn forget(&self, global: &Global) -> Result<(), Failure> {
        match self.source {
            Source::Generated => remove(&global.key_path().with_file_name(FILE)),
            Source::File(_) | Source::Variable => Ok(()),
        }
    }
}

fn write(file: &Path, code: &SetupCode) -> Result<(), Failure> {
    let line = Zeroizing::new(format!("{}\n", code.reveal()));
    match create_private(file, line.as_bytes()) {
        // Left by an earlier start.
        Err(FileError::Exists(_)) => Ok(replace_private(file, line.as_bytes())?),
        created => Ok(created?),
    }
}

fn remove(file: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(file) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Failure::Write {
            path: file.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
