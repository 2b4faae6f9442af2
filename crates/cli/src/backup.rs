//! `symbolon backup`.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use symbolon::TokenStore;
use symbolon::backup::{self, BackupError, Summary};
use symbolon_files::PrivateFile;

use crate::arguments::Global;
use crate::error::Failure;
use crate::output;
use crate::progress::Progress;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon backup tokens.backup
  symbolon backup - | age -r … > tokens.backup.age

It is the state of the store at one commit. A SQLite store may be in use
meanwhile; a sled store has one process, so stop that first. The key is not in
it, and without the key file nothing can be restored: keep a copy of that
elsewhere. FILE can be read by you alone, and nothing is ever replaced.")]
pub(crate) struct BackupArgs {
    /// The file to make, or - for standard output
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(global: &Global, args: &BackupArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let to_stdout = args.file == Path::new("-");
    if to_stdout && io::stdout().is_terminal() {
        return Err(Failure::Terminal);
    }
    let store = global.open_store()?;
    let store = store.ok_or_else(|| Failure::NoStore(global.store.clone()))?;
    let store = &*store.shared();
    let summary = if to_stdout {
        write(store, io::stdout().lock()).map_err(|error| match error {
            BackupError::Write(source) => Failure::Stdout(source),
            error => error.into(),
        })?
    } else {
        let mut file = PrivateFile::create(&args.file)?;
        let summary = write(store, &mut file).map_err(|error| match error {
            BackupError::Write(source) => Failure::Write {
                path: args.file.clone(),
                source,
            },
            error => error.into(),
        })?;
        file.finish()?;
        summary
    };
    if summary.left_out > 0 {
        let many = output::number(usize::try_from(summary.left_out).unwrap_or(usize::MAX));
        output::warning(format!(
            "{many} planted, for no store writes anything so large; left out; run `symbolon fsck`"
        ));
    }
    let seconds = start.elapsed().as_secs_f64();
    let told = match args.json {
        true => format!("{:#}", json(&summary, seconds)),
        false => text(&summary, seconds),
    };
    if to_stdout {
        output::tell(&told);
    } else {
        output::print(format!("{told}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write(store: &dyn TokenStore, out: impl Write) -> Result<Summary, BackupError> {
    let progress = Progress::counted("Reading", None);
    let written = backup::write(store, out, &mut |done| progress.set(done as u64));
    progress.finish();
    written
}

fn text(summary: &Summary, seconds: f64) -> String {
    let records = usize::try_from(summary.records).unwrap_or(usize::MAX);
    format!(
        "Backed up {} ({}) in {seconds:.2} s, as of commit {}.",
        output::count(records, "record"),
        output::bytes(summary.bytes),
        output::number(usize::try_from(summary.head.0).unwrap_or(usize::MAX)),
    )
}

fn json(summary: &Summary, seconds: f64) -> serde_json::Value {
    json!({
        "records": summary.records,
        "leftOut": summary.left_out,
        "bytes": summary.bytes,
        "commit": summary.head.0,
        "at": summary.at,
        "seconds": seconds,
    })
}
