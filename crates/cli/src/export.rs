//! `symbolon export`.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use symbolon::{Engine, ExportError, ExportReport, ExportSecrets};
use symbolon_files::PrivateFile;

use crate::arguments::Global;
use crate::error::Failure;
use crate::output;
use crate::progress::Progress;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon export
  symbolon export tokens.json --with-hashes
  symbolon export | jq '.authorizations[].description'

It is the form that `symbolon import` reads. What was revoked or deleted is in
it too, with that status. There is no token in it, for the store has none: each
would have to be added before the file can be imported.

With --with-hashes it holds the hashes of tokens and passwords: imported under
the same key file, every token works as before. Such a file is a secret: whoever
has it and the key file holds the store, and whoever has it alone can try
passwords against their hashes.

FILE can be read by you alone, and nothing is ever replaced. Stop whatever
writes to the store if the export shall be exact.")]
pub(crate) struct ExportArgs {
    /// The file to make, or - for standard output
    #[arg(default_value = "-", hide_default_value = true)]
    file: PathBuf,
    /// Write hashes of tokens and passwords too: the file is a secret then
    #[arg(long)]
    with_hashes: bool,
}

pub(crate) fn run(global: &Global, args: &ExportArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let secrets = match args.with_hashes {
        true => ExportSecrets::Hashes,
        false => ExportSecrets::LeftOut,
    };
    let to_stdout = args.file == Path::new("-");
    if to_stdout && secrets == ExportSecrets::Hashes && io::stdout().is_terminal() {
        return Err(Failure::Terminal);
    }
    let engine = global.open()?;
    let done = if to_stdout {
        write(&engine, io::stdout().lock(), secrets).map_err(|error| match error {
            ExportError::Write(source) => Failure::Stdout(source),
            error => error.into(),
        })?
    } else {
        let mut file = PrivateFile::create(&args.file)?;
        let done = write(&engine, &mut file, secrets).map_err(|error| match error {
            ExportError::Write(source) => Failure::Write {
                path: args.file.clone(),
                source,
            },
            error => error.into(),
        })?;
        file.finish()?;
        done
    };
    if done.left_out > 0 {
        let many = output::count(done.left_out, "record");
        output::warning(format!("{many} left out, not genuine; run `symbolon fsck`"));
    }
    if !to_stdout {
        let items = output::count(done.written.total(), "item");
        let seconds = start.elapsed().as_secs_f64();
        output::print(format!("Exported {items} in {seconds:.2} s.\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write(
    engine: &Engine,
    out: impl Write,
    secrets: ExportSecrets,
) -> Result<ExportReport, ExportError> {
    let progress = Progress::counted("Writing", Some(engine.len() as u64));
    let tell = &mut |done| progress.set(done as u64);
    let written = engine.issuer().export(out, secrets, tell);
    progress.finish();
    written
}
