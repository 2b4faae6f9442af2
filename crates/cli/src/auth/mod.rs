//! `symbolon auth`: authorizations, which tokens stand for.

mod authorization_output;
mod change;
mod create;
mod grants;
mod list;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::arguments::Global;
use crate::error::Failure;

#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  symbolon auth create --org my-org --read-buckets --store sqlite:tokens.db
  symbolon auth list --user me --store sqlite:tokens.db
  symbolon auth delete --id 11ac5b2783f554b6 --store sqlite:tokens.db

The store stands on the command line: whoever can read its key is its operator."
)]
pub(crate) struct AuthArgs {
    #[command(subcommand)]
    command: AuthCommand,
}

#[derive(Debug, Subcommand)]
enum AuthCommand {
    /// Create an authorization, and print its token this once
    Create(Box<create::CreateArgs>),
    /// List authorizations that are not revoked
    #[command(visible_aliases = ["find", "ls"])]
    List(list::ListArgs),
    /// Switch an authorization on
    Active(change::ActiveArgs),
    /// Switch an authorization off; it can be switched on again
    Inactive(change::InactiveArgs),
    /// Revoke an authorization for good
    Delete(change::DeleteArgs),
    /// Replace an authorization by a new one with a new token
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
