//! `symbolon audit`.

mod row;
mod show;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::arguments::Global;
use crate::error::Failure;

#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  symbolon audit show --since 24h
  symbolon audit verify

Both need the key file alone, not the store."
)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Show who did what, the newest last
    Show(show::ShowArgs),
    /// Find out whether the journal is as it was written, and goes as far as the store
    Verify(verify::VerifyArgs),
}

pub(crate) fn run(global: &Global, args: &AuditArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        AuditCommand::Show(args) => show::run(global, args),
        AuditCommand::Verify(args) => verify::run(global, args),
    }
}
