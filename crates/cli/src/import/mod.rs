//! `symbolon import`.

mod report;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use symbolon::import::{Counts, Defaults, ImportFile, OwnerName, Plan};
use symbolon::{Engine, IfRevoked};
use symbolon_files::KeyFile;

use crate::error::Failure;
use crate::global::Global;
use crate::open;
use crate::progress::Progress;
use report::Report;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon import influxdb.json
  influx auth list --json | symbolon import - --org my-org
  curl -H \"Authorization: Token $T\" \\
    http://localhost:8086/api/v2/authorizations | symbolon import -

FILE holds
  {\"orgs\":[…],\"users\":[…],\"buckets\":[…],\"authorizations\":[…]}
or some of these lists, as returned by the API of InfluxDB, or the array printed
by `influx auth list --json`. IDs are preserved. Nothing is written if a row is
invalid. Importing a file twice changes nothing.

Import the output of `symbolon export --with-hashes` under the same key: pass
the key file of the exported store.")]
pub(crate) struct ImportArgs {
    /// File to read, or - for standard input
    file: PathBuf,
    /// Name or ID of the organization for rows without one
    #[arg(long)]
    org: Option<String>,
    /// Skip invalid rows
    #[arg(long)]
    skip_invalid: bool,
    /// Import rows even if the journal records that they were revoked or deleted and then purged
    #[arg(long)]
    revive: bool,
    /// Show what would be imported without writing anything
    #[arg(long)]
    dry_run: bool,
    /// Print results as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(global: &Global, args: &ImportArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let file = read(&args.file)?;
    let made = global.open_if_exists()?;
    let plan = match &made {
        Some(engine) => plan(file, engine, args)?,
        None if file.has_keyed_hashes() => {
            // Keyed hashes are only valid under their own key.
            plan(file, &open::scratch_engine_with(KeyFile::load(&global.key_path())?)?, args)?
        }
        None => plan(file, &open::scratch_engine()?, args)?,
    };
    let mut report = Report::new(&plan, args.dry_run);
    let refused = !args.skip_invalid && !plan.bad().is_empty();
    if refused {
        report.refuse();
    } else if !args.dry_run {
        let engine = match made {
            Some(engine) => engine,
            None => global.open_or_create()?,
        };
        report.written = write(plan, &engine)?;
    }
    report.seconds = start.elapsed().as_secs_f64();
    report.show(args.json)?;
    match refused {
        true => Err(Failure::BadRows(report.bad.len())),
        false => Ok(ExitCode::SUCCESS),
    }
}

fn read(path: &Path) -> Result<ImportFile, Failure> {
    let failed = |source| Failure::Read { path: path.into(), source };
    if path == Path::new("-") {
        return watch(io::stdin().lock(), None);
    }
    let file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if found.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    watch(file, Some(found.len()).filter(|length| *length > 0))
}

fn watch(input: impl Read, length: Option<u64>) -> Result<ImportFile, Failure> {
    let progress = Progress::bytes("Reading", length);
    let read = ImportFile::read(progress.watch(input));
    progress.finish();
    Ok(read?)
}

fn plan(file: ImportFile, engine: &Engine, args: &ImportArgs) -> Result<Plan, Failure> {
    let defaults = Defaults {
        organization: args.org.as_deref().map(OwnerName::from),
        if_revoked: match args.revive {
            true => IfRevoked::Revive,
            false => IfRevoked::Refuse,
        },
    };
    let progress = Progress::counted("Checking", Some(file.authorizations() as u64));
    let mut tell = |done: usize| progress.set(done as u64);
    let plan = Plan::watched(file, &engine.maintenance(), &defaults, &mut tell);
    progress.finish();
    Ok(plan?)
}

fn write(plan: Plan, engine: &Engine) -> Result<Counts, Failure> {
    let all = plan.new_items().total();
    let progress = Progress::counted("Writing", Some(all as u64));
    let mut done = 0;
    let written = plan.write(&engine.maintenance(), &mut |so_far| {
        done = so_far;
        progress.set(so_far as u64);
    });
    progress.finish();
    written.map_err(|source| Failure::Stopped { done, all, source })
}
