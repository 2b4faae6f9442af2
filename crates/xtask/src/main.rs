//! The project's own commands: `cargo xtask <command>`.
#![forbid(unsafe_code)]

mod bench;
mod check;
mod contract;
mod corpus;
mod crash;
mod end_to_end;
mod failure;
mod format;
mod fuzz;
mod model;
mod programs;
mod sanitize;
mod shell;
mod standalone;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckArgs),
    Test(test::TestArgs),
    Bench(bench::BenchArgs),
    E2e(end_to_end::EndToEndArgs),
    Contract(contract::ContractArgs),
    Crash(crash::CrashArgs),
    Fuzz(fuzz::FuzzArgs),
    Model(model::ModelArgs),
    Sanitize(sanitize::SanitizeArgs),
    #[command(hide = true)]
    CrashChild(crash::ChildArgs),
}

impl Command {
    fn run(self) -> Result<(), Failure> {
        match self {
            Self::Check(args) => check::run_parts(&args),
            Self::Test(args) => test::run_groups(&args, run_line),
            Self::Bench(args) => bench::all(&args),
            Self::E2e(args) => end_to_end::run_all(&args),
            Self::Contract(args) => contract::run_all(&args),
            Self::Crash(args) => crash::run(&args),
            Self::Fuzz(args) => fuzz::all(&args),
            Self::Model(args) => model::run(&args),
            Self::Sanitize(args) => sanitize::all(&args),
            Self::CrashChild(args) => crash::run_child(&args),
        }
    }
}

/// Runs a command from words separated by spaces, as in `crash --backend sled`.
fn run_line(line: &str) -> Result<(), Failure> {
    Cli::try_parse_from(["xtask"].into_iter().chain(line.split(' ')))?.command.run()
}

fn main() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("Error: {failure}");
            ExitCode::FAILURE
        }
    }
}
