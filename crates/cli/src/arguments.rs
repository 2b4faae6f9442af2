//! The command line: global options, commands and their parsing.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anstream::ColorChoice;
use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use symbolon::Timestamp;

use crate::audit::AuditArgs;
use crate::auth::AuthArgs;
use crate::backup::BackupArgs;
use crate::check::CheckArgs;
use crate::completions::CompletionsArgs;
use crate::explain::ExplainArgs;
use crate::export::ExportArgs;
use crate::fsck::FsckArgs;
use crate::import::ImportArgs;
use crate::key::KeyArgs;
use crate::man::ManArgs;
use crate::org::OrgArgs;
use crate::output;
use crate::purge::PurgeArgs;
use crate::restore::RestoreArgs;
use crate::serve::{self, ServeArgs};
use crate::setup::SetupArgs;
use crate::store_url::StoreUrl;
use crate::user::UserArgs;

/// Default of `--store`.
pub(crate) const DEFAULT_STORE: &str = "sqlite:./symbolon/data/symbolon.db";

const EXAMPLES: &str = "\
Examples:
  symbolon serve
  symbolon setup --org my-org --user me
  symbolon import influxdb.json
  symbolon check --action read --type buckets --org my-org < token.txt
  symbolon auth create --org my-org --read-buckets --store sqlite:tokens.db

See `symbolon COMMAND --help` for more information on a command.";

/// Store API tokens and check what they may do
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

/// Options that every command accepts, before or after its name.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Store to use: `sqlite:PATH` or `sled:PATH`
    #[arg(
        long, global = true, env = "SYMBOLON_STORE", value_name = "STORE",
        default_value = DEFAULT_STORE,
        value_parser = OsStringValueParser::new().try_map(StoreUrl::parse)
    )]
    pub(crate) store: StoreUrl,
    /// Source of `store`: the command line, the environment or the default.
    #[arg(skip)]
    pub(crate) store_source: Option<ValueSource>,
    /// Key file of the store [default: STORE.keys/key]
    #[arg(long, global = true, env = "SYMBOLON_KEY_FILE", value_name = "PATH")]
    pub(crate) key_file: Option<PathBuf>,
    /// Directory of the journal [default: KEY_FILE.journal]
    #[arg(long, global = true, env = "SYMBOLON_JOURNAL", value_name = "PATH")]
    pub(crate) journal: Option<PathBuf>,
    /// Open a restored store without its journal; tokens revoked after the backup may work again
    #[arg(long, global = true)]
    pub(crate) accept_restore: bool,
    /// Create a store even if the journal records changes of a previous one, which is abandoned
    #[arg(long, global = true)]
    pub(crate) accept_new_store: bool,
    /// Revoke all tokens created before TIME, such as `2026-01-31T12:00:00Z`, on opening the store
    #[arg(long, global = true, value_name = "TIME")]
    pub(crate) revoke_before: Option<Timestamp>,
    /// Maximum time to answer checks from memory if the store is unreadable, such as `500ms`
    #[arg(
        long, global = true, env = "SYMBOLON_MAX_STALENESS", value_name = "TIME",
        default_value = "10s", value_parser = duration
    )]
    pub(crate) max_staleness: Duration,
    /// Choice of color for the output.
    #[arg(
        long, global = true, value_name = "WHEN", default_value = "auto",
        hide_possible_values = true, help = "When to color the output: auto, always or never",
        value_parser = PossibleValuesParser::new(["auto", "always", "never"])
            .map(|when| color(&when))
    )]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP APIs of InfluxDB
    Serve(ServeArgs),
    /// Create the first organization, its first user and an operator token
    Setup(SetupArgs),
    /// Import organizations, users, buckets and tokens from InfluxDB
    Import(ImportArgs),
    /// Check whether a token allows an action
    Check(CheckArgs),
    /// Explain why an authorization allows or denies an action
    Explain(ExplainArgs),
    /// Manage authorizations and their tokens
    #[command(visible_alias = "authorization")]
    Auth(AuthArgs),
    /// Manage users
    User(UserArgs),
    /// Manage organizations and their members
    Org(OrgArgs),
    /// Show and verify the journal
    Audit(AuditArgs),
    /// Verify the store and its records
    Fsck(FsckArgs),
    /// Back up the store to a file
    Backup(BackupArgs),
    /// Restore a store from a backup
    Restore(RestoreArgs),
    /// Export the store as JSON for `symbolon import`
    Export(ExportArgs),
    /// Show or rotate the key of the store
    Key(KeyArgs),
    /// Remove records that were revoked or deleted long ago
    Purge(PurgeArgs),
    /// Print a shell completion script
    Completions(CompletionsArgs),
    /// Print the manual page, or write the pages of all commands
    Man(ManArgs),
}

/// Commands that report a decision by their exit code: 1 means denied or unsound, 2 an error.
const DECIDING: [&str; 3] = ["check", "explain", "audit"];

impl Command {
    /// Returns the exit code for an error: 2 for the commands in [`DECIDING`], otherwise 1.
    pub(crate) fn failure_code(&self) -> ExitCode {
        let deciding = matches!(self, Self::Check(_) | Self::Explain(_) | Self::Audit(_));
        ExitCode::from(if deciding { 2 } else { 1 })
    }
}

/// Parses the command line.
///
/// # Errors
///
/// Returns the exit code after printing the help or the error.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    let arguments = helped(std::env::args_os().collect());
    let mut command = Cli::command();
    let parsed = command.try_get_matches_from_mut(&arguments);
    if let Ok(matches) = &parsed {
        // A value in the configuration file of `serve` replaces the default of its option.
        command = serve::defaults(Cli::command(), matches).map_err(|failure| {
            output::error(&failure);
            ExitCode::FAILURE
        })?;
    }
    let parsed = parsed
        .and_then(|_| command.try_get_matches_from_mut(&arguments))
        .and_then(|matches| {
            let mut cli = Cli::from_arg_matches(&matches)?;
            cli.global.store_source = matches.value_source("store");
            Ok(cli)
        })
        .map_err(|error| error.format(&mut command));
    parsed
        .inspect(|cli| cli.global.color.write_global())
        .map_err(|error| refuse(&error, &arguments))
}

/// Rewrites `symbolon help auth` to `symbolon auth --help`.
fn helped(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|first| first == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
}

fn refuse(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    // Parsing stopped at the first invalid argument; `--color` may come after it.
    let choice = color_in(arguments);
    choice.write_global();
    let text = error.render().ansi().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match write!(anstream::stdout(), "{text}") {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        };
    }
    output::usage(&error.render().to_string());
    let command = Cli::command();
    let names = || command.get_subcommands().map(clap::Command::get_name);
    let named = arguments.iter().skip(1).find_map(|argument| names().find(|name| argument == name));
    let deciding = named.is_some_and(|name| DECIDING.contains(&name));
    ExitCode::from(if deciding { 2 } else { 1 })
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

/// Parses a duration as [`span`] does. Fails if it is zero.
fn duration(text: &str) -> Result<Duration, String> {
    match span(text)? {
        Duration::ZERO => Err("must be at least 1ms".into()),
        duration => Ok(duration),
    }
}

/// Parses a duration such as `500ms`, `10s`, `5m`, `1h` or `30d`; without a unit, seconds.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!("invalid duration `{text}`; give a number and a unit: ms, s, m, h or d, as `30d`")
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "" | "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(60 * 60),
        "d" => Duration::from_secs(24 * 60 * 60),
        _ => return Err(wrong()),
    };
    Ok(unit * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_definition_is_valid() {
        Cli::command().debug_assert();
        for name in DECIDING {
            assert!(Cli::command().find_subcommand(name).is_some(), "{name}");
        }
    }

    /// Terminals of 80 columns break longer lines at arbitrary places.
    #[test]
    fn help_fits_in_80_columns() {
        fn assert_fits(command: &mut clap::Command, below: &str) {
            let name = format!("{below} {}", command.get_name());
            let after = command.get_after_help().map(ToString::to_string);
            let after = after.unwrap_or_default();
            for line in after.lines() {
                assert!(line.chars().count() <= 80, "{name}: {line}");
            }
            if !command.has_subcommands() {
                assert!(after.contains("Example"), "{name}");
            }
            let commands: Vec<_> = command.get_subcommands().cloned().collect();
            for mut command in commands {
                assert_fits(&mut command, &name);
            }
        }
        assert_fits(&mut Cli::command(), "");
    }

    #[test]
    fn durations_are_parsed_with_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(2_592_000)));
        assert_eq!(span("0"), Ok(Duration::ZERO));
        for wrong in ["", "s", "-1s", "1.5s", "1w", "0s", "99999999999s", "1 s", "é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
