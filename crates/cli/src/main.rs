//! `symbolon`: a store of API tokens from the command line.

mod arguments;
mod backup;
mod check;
mod completions;
mod error;
mod export;
mod fsck;
mod import;
mod open;
mod output;
mod progress;
mod restore;
mod setup;
mod store_url;
mod write_token;

use std::process::ExitCode;

use arguments::{Cli, Command};

fn main() -> ExitCode {
    let Cli { global, command } = match arguments::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let done = match &command {
        Command::Setup(args) => setup::run(&global, args),
        Command::Import(args) => import::run(&global, args),
        Command::Check(args) => check::run(&global, args),
        Command::Fsck(args) => fsck::run(&global, args),
        Command::Backup(args) => backup::run(&global, args),
        Command::Restore(args) => restore::run(&global, args),
        Command::Export(args) => export::run(&global, args),
        Command::Completions(args) => completions::run(args),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            output::error(&failure);
            command.failure_code()
        }
    }
}
