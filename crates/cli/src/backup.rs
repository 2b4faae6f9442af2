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

use crate::error::Failure;
use crate::global::Global;
use crate::output;
use crate::progress::Progress;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon backup tokens.backup
  symbolon backup - | age -r … > tokens.backup.age

The backup contains the store as of one commit. A SQLite store may be in use
during the backup. A sled store allows one process only: stop that first. The
backup does not contain the key, and cannot be restored without the key file:
keep a copy of it elsewhere. FILE must not exist, and is readable by you only.")]
pub(crate) struct BackupArgs {
    /// File to create, or - for standard output
    file: PathBuf,
    /// Print results as JSON
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
            BackupError::Write(source) => Failure::Write { path: args.file.clone(), source },
            error => error.into(),
        })?;
        file.finish()?;
        summary
    };
    if summary.left_out > 0 {
        let many = usize::try_from(summary.left_out).unwrap_or(usize::MAX);
        let many = output::count(many, "record");
        output::warning(format!(
            "left out {many} larger than any record that a store writes; run `symbolon fsck`"
        ));
    }
    let seconds = start.elapsed().as_secs_f64();
    let report = match args.json {
        true => format!("{:#}", json(&summary, seconds)),
        false => text(&summary, seconds),
    };
    if to_stdout {
        output::tell(&report);
    } else {
        output::print(format!("{report}\n"))?;
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
