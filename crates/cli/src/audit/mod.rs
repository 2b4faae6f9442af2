//! `symbolon audit`.

mod row;
mod show;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::error::Failure;
use crate::global::Global;

#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  symbolon audit show --since 24h
  symbolon audit verify

Both commands need only the key file, not the store."
)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Show recorded operations, newest last
    Show(show::ShowArgs),
    /// Verify that the journal is intact and as recent as the store
    Verify(verify::VerifyArgs),
}

pub(crate) fn run(global: &Global, args: &AuditArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        AuditCommand::Show(args) => show::run(global, args),
        AuditCommand::Verify(args) => verify::run(global, args),
    }
}
