//! `symbolon completions`.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::error::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon completions bash > \\
    ~/.local/share/bash-completion/completions/symbolon
  symbolon completions zsh > ~/.zfunc/_symbolon")]
pub(crate) struct CompletionsArgs {
    /// Shell to generate the script for
    shell: Shell,
}

/// Prints the script for the command line `command`.
pub(crate) fn run(args: &CompletionsArgs, mut command: Command) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "symbolon", &mut script);
    output::print(String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
