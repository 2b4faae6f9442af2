//! The project's own commands: `cargo xtask <command>`.

mod corpus;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What stopped a command.
type Failure = Box<dyn Error + Send + Sync>;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Corpus(corpus::CorpusArgs),
    CorpusCompare(corpus::CompareArgs),
}

impl Command {
    fn run(self) -> Result<(), Failure> {
        match self {
            Self::Corpus(args) => corpus::write(&args),
            Self::CorpusCompare(args) => corpus::compare(&args),
        }
    }
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
