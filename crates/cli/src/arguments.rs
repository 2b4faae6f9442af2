//! What can be written on the command line.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anstream::ColorChoice;
use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::backup::BackupArgs;
use crate::check::CheckArgs;
use crate::completions::CompletionsArgs;
use crate::export::ExportArgs;
use crate::fsck::FsckArgs;
use crate::import::ImportArgs;
use crate::output;
use crate::restore::RestoreArgs;
use crate::setup::SetupArgs;
use crate::store_url::StoreUrl;

const EXAMPLES: &str = "\
Examples:
  symbolon setup --org my-org --user me
  symbolon import influxdb.json
  symbolon check --action read --type buckets --org my-org < token.txt";

/// A store of API tokens: may this token do this to that?
#[derive(Debug, Parser)]
#[command(
    name = "symbolon",
    version,
    subcommand_required = true,
    arg_required_else_help = false,
    disable_help_subcommand = true,
    after_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes, before or after its name.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The store: `sqlite:PATH` or `sled:PATH`
    #[arg(
        long, global = true, env = "SYMBOLON_STORE", value_name = "STORE",
        default_value = "sqlite:./symbolon/data/symbolon.db",
        value_parser = OsStringValueParser::new().try_map(StoreUrl::parse)
    )]
    pub(crate) store: StoreUrl,
    /// The file that holds the key of the store [default: STORE.keys/key]
    #[arg(long, global = true, env = "SYMBOLON_KEY_FILE", value_name = "PATH")]
    pub(crate) key_file: Option<PathBuf>,
    /// For how long checks may rely on what is known when the store cannot be read, as in `10s` or `500ms`
    #[arg(long, global = true, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) max_staleness: Duration,
    /// When to color what is printed
    #[arg(
        long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true,
        help = "When to color what is printed: auto, always or never",
        value_parser = PossibleValuesParser::new(["auto", "always", "never"]).map(|when| color(&when))
    )]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the first organization, its first user and an operator token
    Setup(SetupArgs),
    /// Take over organizations, users, buckets and tokens from InfluxDB, with their ids
    Import(ImportArgs),
    /// Ask whether a token may do something
    Check(CheckArgs),
    /// Find out whether the store is sound, and every record genuine
    Fsck(FsckArgs),
    /// Copy the whole store into one file, while it is in use
    Backup(BackupArgs),
    /// Make the store of a backup
    Restore(RestoreArgs),
    /// Write everything that the store says as JSON, which `symbolon import` reads
    Export(ExportArgs),
    /// Print a script that completes commands in a shell
    Completions(CompletionsArgs),
}

const NAMES: [&str; 8] = [
    "setup",
    "import",
    "check",
    "fsck",
    "backup",
    "restore",
    "export",
    "completions",
];

impl Command {
    /// The exit code for an error: a check tells one from a refusal.
    pub(crate) fn failure_code(&self) -> ExitCode {
        ExitCode::from(if matches!(self, Self::Check(_)) { 2 } else { 1 })
    }
}

/// Reads the command line.
///
/// # Errors
///
/// The exit code, once the help or the error is printed.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    Cli::try_parse_from(&arguments)
        .inspect(|cli| cli.global.color.write_global())
        .map_err(|error| refuse(&error, &arguments))
}

fn refuse(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    // Wrong arguments may come after this one, and it counts all the same.
    let choice = color_in(arguments);
    choice.write_global();
    let text = error.render().ansi().to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return match write!(anstream::stdout(), "{text}") {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        };
    }
    output::usage(&error.render().to_string());
    let named = arguments
        .iter()
        .skip(1)
        .find_map(|argument| NAMES.into_iter().find(|name| argument == name));
    ExitCode::from(if named == Some("check") { 2 } else { 1 })
}

fn color_in(arguments: &[OsString]) -> ColorChoice {
    let mut arguments = arguments.iter().filter_map(|argument| argument.to_str());
    let mut choice = ColorChoice::Auto;
    while let Some(argument) = arguments.next() {
        let when = match argument.split_once('=') {
            Some(("--color", when)) => Some(when),
            None if argument == "--color" => arguments.next(),
            _ => None,
        };
        choice = when.map_or(choice, color);
    }
    choice
}

fn color(when: &str) -> ColorChoice {
    match when {
        "always" => ColorChoice::AlwaysAnsi,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// `500ms`, `10s`, `5m` or `1h`, or seconds without a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write it as in `10s` or `500ms`");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "" | "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(60 * 60),
        _ => return Err(wrong()),
    };
    match number {
        0 => Err("at least 1ms is needed".into()),
        number => Ok(unit * number),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_fits_together() {
        Cli::command().debug_assert();
        let command = Cli::command();
        let names: Vec<_> = command
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        assert_eq!(names, NAMES);
    }

    #[test]
    fn times() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for wrong in [
            "",
            "s",
            "-1s",
            "1.5s",
            "1d",
            "0s",
            "99999999999s",
            "1 s",
            "é",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
