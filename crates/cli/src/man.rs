//! `symbolon man`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::arguments::Cli;
use crate::error::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon man | man -l -
  symbolon man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder, which is made if there is none
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode, Failure> {
    let command = Cli::command();
    match &args.folder {
        Some(folder) => {
            let written =
                fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
            written.map_err(|source| Failure::Write {
                path: folder.clone(),
                source,
            })?;
        }
        None => {
            let mut page = Vec::new();
            let rendered = Man::new(command).render(&mut page);
            rendered.map_err(Failure::Stdout)?;
            output::print(String::from_utf8_lossy(&page))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
