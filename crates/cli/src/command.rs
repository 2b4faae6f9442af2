//! The command line: all commands, and how it is parsed.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use anstream::ColorChoice;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::Failure;
use crate::global::{Global, color};
use crate::{
    audit, auth, backup, check, completions, explain, export, fsck, import, key, man, org, output,
    purge, restore, serve, setup, user,
};

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

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP APIs of InfluxDB
    Serve(serve::ServeArgs),
    /// Create the first organization, its first user and an operator token
    Setup(setup::SetupArgs),
    /// Import organizations, users, buckets and tokens from InfluxDB
    Import(import::ImportArgs),
    /// Check whether a token allows an action
    Check(check::CheckArgs),
    /// Explain why an authorization allows or denies an action
    Explain(explain::ExplainArgs),
    /// Manage authorizations and their tokens
    #[command(visible_alias = "authorization")]
    Auth(auth::AuthArgs),
    /// Manage users
    User(user::UserArgs),
    /// Manage organizations and their members
    Org(org::OrgArgs),
    /// Show and verify the journal
    Audit(audit::AuditArgs),
    /// Verify the store and its records
    Fsck(fsck::FsckArgs),
    /// Back up the store to a file
    Backup(backup::BackupArgs),
    /// Restore a store from a backup
    Restore(restore::RestoreArgs),
    /// Export the store as JSON for `symbolon import`
    Export(export::ExportArgs),
    /// Show or rotate the key of the store
    Key(key::KeyArgs),
    /// Remove records that were revoked or deleted long ago
    Purge(purge::PurgeArgs),
    /// Print a shell completion script
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write the pages of all commands
    Man(man::ManArgs),
}

/// Commands that report a decision by their exit code: 1 means denied or unsound, 2 an error.
const DECIDING: [&str; 3] = ["check", "explain", "audit"];

impl Command {
    pub(crate) fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        match self {
            Self::Serve(args) => serve::run(global, args),
            Self::Setup(args) => setup::run(global, args),
            Self::Import(args) => import::run(global, args),
            Self::Check(args) => check::run(global, args),
            Self::Explain(args) => explain::run(global, args),
            Self::Auth(args) => auth::run(global, args),
            Self::User(args) => user::run(global, args),
            Self::Org(args) => org::run(global, args),
            Self::Audit(args) => audit::run(global, args),
            Self::Fsck(args) => fsck::run(global, args),
            Self::Backup(args) => backup::run(global, args),
            Self::Restore(args) => restore::run(global, args),
            Self::Export(args) => export::run(global, args),
            Self::Key(args) => key::run(global, args),
            Self::Purge(args) => purge::run(global, args),
            Self::Completions(args) => completions::run(args, Cli::command()),
            Self::Man(args) => man::run(args, Cli::command()),
        }
    }

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
}
