//! `symbolon man`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use clap::{Args, Command};
use clap_mangen::Man;

use crate::error::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon man | man -l -
  symbolon man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Write a page for each command into the directory DIR, creating it if needed
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints or writes the pages of the command line `command`.
pub(crate) fn run(args: &ManArgs, mut command: Command) -> Result<ExitCode, Failure> {
    command.build();
    match &args.folder {
        Some(folder) => {
            let written = fs::create_dir_all(folder).and_then(|()| write(&command, folder));
            written.map_err(|source| Failure::Write { path: folder.clone(), source })?;
        }
        None => {
            let mut page = Vec::new();
            let rendered = page_of(&command).render(&mut page);
            rendered.map_err(Failure::Stdout)?;
            output::print(String::from_utf8_lossy(&page))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(command: &Command, folder: &Path) -> io::Result<()> {
    page_of(command).generate_to(folder)?;
    let mut below = command.get_subcommands();
    below.try_for_each(|command| write(command, folder))
}

fn page_of(command: &Command) -> Man {
    let version = concat!("symbolon ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(version)
}
