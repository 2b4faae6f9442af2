//! `symbolon auth`: management of authorizations.

mod authorization_output;
mod change;
mod create;
mod list;
mod permission_options;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::error::Failure;
use crate::global::Global;

#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  symbolon auth create --org my-org --read-buckets --store sqlite:tokens.db
  symbolon auth list --user me --store sqlite:tokens.db
  symbolon auth delete --id 11ac5b2783f554b6 --store sqlite:tokens.db

The store must be named on the command line. You need read access to its key."
)]
pub(crate) struct AuthArgs {
    #[command(subcommand)]
    command: AuthCommand,
}

#[derive(Debug, Subcommand)]
enum AuthCommand {
    /// Create an authorization and print its token
    Create(Box<create::CreateArgs>),
    /// List authorizations
    #[command(visible_aliases = ["find", "ls"])]
    List(list::ListArgs),
    /// Activate an authorization
    Active(change::ActiveArgs),
    /// Deactivate an authorization until it is activated again
    Inactive(change::InactiveArgs),
    /// Revoke an authorization permanently
    Delete(change::DeleteArgs),
    /// Replace an authorization with a new one and a new token
    Rotate(change::RotateArgs),
}

pub(crate) fn run(global: &Global, args: &AuthArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        AuthCommand::Create(args) => create::run(global, args),
        AuthCommand::List(args) => list::run(global, args),
        AuthCommand::Active(args) => change::activate(global, args),
        AuthCommand::Inactive(args) => change::deactivate(global, args),
        AuthCommand::Delete(args) => change::delete(global, args),
        AuthCommand::Rotate(args) => change::rotate(global, args),
    }?;
    Ok(ExitCode::SUCCESS)
}
