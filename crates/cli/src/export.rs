//! `symbolon export`.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use symbolon::{Engine, ExportError, ExportReport, ExportSecrets};
use symbolon_files::PrivateFile;

use crate::error::Failure;
use crate::global::Global;
use crate::output;
use crate::progress::Progress;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon export
  symbolon export tokens.json --with-hashes
  symbolon export | jq '.authorizations[].description'

The output has the format that `symbolon import` reads, and includes revoked and
deleted records. It contains no tokens, because the store has none: add a token
to each authorization before importing the file.

With --with-hashes it contains the hashes of tokens and passwords, so that every
token works after an import under the same key file. Keep such a file secret:
together with the key file it is a copy of the store, and without it passwords
can still be guessed from their hashes.

FILE must not exist, and is readable by you only. For an exact snapshot, stop
all writers first.")]
pub(crate) struct ExportArgs {
    /// File to create, or - for standard output
    #[arg(default_value = "-", hide_default_value = true)]
    file: PathBuf,
    /// Include hashes of tokens and passwords; keep the output secret
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
            ExportError::Write(source) => Failure::Write { path: args.file.clone(), source },
            error => error.into(),
        })?;
        file.finish()?;
        done
    };
    if done.left_out > 0 {
        let many = output::count(done.left_out, "record");
        output::warning(format!("left out {many} that failed verification; run `symbolon fsck`"));
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
    let written = engine.maintenance().export(out, secrets, tell);
    progress.finish();
    written
}
