//! `symbolon.toml`: a configuration file with options of `symbolon serve`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command};
use toml::Table;

use crate::error::Failure;

/// Configuration file used if none is named and it exists.
const USUAL: &str = "symbolon.toml";
/// Options accepted in the file.
const KEYS: [&str; 10] = [
    "listen",
    "setup-code-file",
    "allowed-host",
    "store",
    "key-file",
    "journal",
    "max-staleness",
    "token-in-replies",
    "log",
    "log-format",
];

/// Makes the values of the configuration file the defaults of the options of `command`, if
/// `matches` are those of `serve`. The environment and the command line override the file.
///
/// # Errors
///
/// Fails if the file cannot be read or contains an unknown option.
pub(crate) fn defaults(command: Command, matches: &ArgMatches) -> Result<Command, Failure> {
    let Some(("serve", serve)) = matches.subcommand() else {
        return Ok(command);
    };
    let named = serve.get_one::<PathBuf>("config");
    let path = named.map_or(Path::new(USUAL), PathBuf::as_path);
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
            return Ok(command);
        }
        Err(source) => {
            let path = path.to_owned();
            return Err(Failure::Read { path, source });
        }
    };
    let wrong = |reason: String| Failure::Config { path: path.to_owned(), reason };
    let table: Table = text.parse().map_err(|error: toml::de::Error| wrong(error.to_string()))?;
    table.iter().try_fold(command, |command, (key, value)| {
        if !KEYS.contains(&key.as_str()) {
            let known = KEYS.join(", ");
            return Err(wrong(format!("unknown option `{key}`; expected one of {known}")));
        }
        let value = value
            .as_str()
            .ok_or_else(|| wrong(format!("`{key}` must be a string in quotation marks")))?;
        Ok(with_default(command, &key.replace('-', "_"), value))
    })
}

fn with_default(command: Command, id: &str, value: &str) -> Command {
    let value = OsString::from(value);
    let is_global = command.get_arguments().any(|argument| argument.get_id() == id);
    let give = move |argument: Arg| argument.default_value(value);
    match is_global {
        true => command.mut_arg(id, give),
        false => {
            let id = id.to_owned();
            command.mut_subcommand("serve", |serve| serve.mut_arg(id, give))
        }
    }
}
