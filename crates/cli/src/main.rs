//! `symbolon`: the command line of the token store.
#![forbid(unsafe_code)]

mod audit;
mod auth;
mod backup;
mod check;
mod command;
mod completions;
mod duration;
mod error;
mod explain;
mod export;
mod fsck;
mod global;
mod import;
mod key;
mod key_rotation;
mod lookup;
mod man;
mod open;
mod operator_access;
mod org;
mod output;
mod progress;
mod purge;
mod resource;
mod restore;
mod serve;
mod setup;
mod shell;
mod shell_quote;
mod store_url;
mod table;
mod user;
mod write_token;

use std::process::ExitCode;

use command::Cli;

fn main() -> ExitCode {
    let Cli { global, command } = match command::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match command.run(&global) {
        Ok(code) => code,
        Err(failure) => {
            output::error(&failure);
            command.failure_code()
        }
    }
}
