//! `symbolon`: the command line of the token store.
#![forbid(unsafe_code)]

mod arguments;
mod audit;
mod auth;
mod backup;
mod check;
mod completions;
mod error;
mod explain;
mod export;
mod fsck;
mod import;
mod key;
mod lookup;
mod man;
mod open;
mod operator;
mod org;
mod output;
mod progress;
mod purge;
mod restore;
mod rows;
mod serve;
mod setup;
mod shell;
mod store_url;
mod user;
mod write_token;

use std::process::ExitCode;

use arguments::{Cli, Command};

fn main() -> ExitCode {
    let Cli { global, command } = match arguments::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let done = match &command {
        Command::Serve(args) => serve::run(&global, args),
        Command::Setup(args) => setup::run(&global, args),
        Command::Import(args) => import::run(&global, args),
        Command::Check(args) => check::run(&global, args),
        Command::Explain(args) => explain::run(&global, args),
        Command::Auth(args) => auth::run(&global, args),
        Command::User(args) => user::run(&global, args),
        Command::Org(args) => org::run(&global, args),
        Command::Audit(args) => audit::run(&global, args),
        Command::Fsck(args) => fsck::run(&global, args),
        Command::Backup(args) => backup::run(&global, args),
        Command::Restore(args) => restore::run(&global, args),
        Command::Export(args) => export::run(&global, args),
        Command::Key(args) => key::run(&global, args),
        Command::Purge(args) => purge::run(&global, args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            output::error(&failure);
            command.failure_code()
        }
    }
}
