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

use crate::arguments::Global;
use crate::error::Failure;
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
or a part of it, as the API of InfluxDB writes each list, or the array that
`influx auth list --json` prints. All ids are kept. Nothing is written unless
all rows are good. Importing a file a second time changes nothing.

What `symbolon export --with-hashes` writes is taken as it is, under the same
key: give its key file.")]
pub(crate) struct ImportArgs {
    /// The file to read, or - for standard input
    file: PathBuf,
    /// The organization of rows that name none: its id or name
    #[arg(long)]
    org: Option<String>,
    /// Leave out rows that cannot be taken
    #[arg(long)]
    skip_invalid: bool,
    /// Take rows too that had been revoked or deleted here, as the journal knows, and were forgotten since
    #[arg(long)]
    revive: bool,
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
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
            // They mean something under their own key only.
            plan(file, &open::scratch_engine_with(global.load_key()?)?, args)?
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
    let failed = |source| Failure::Read {
        path: path.into(),
        source,
    };
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
    let plan = Plan::watched(file, &engine.issuer(), &defaults, &mut tell);
    progress.finish();
    Ok(plan?)
}

fn write(plan: Plan, engine: &Engine) -> Result<Counts, Failure> {
    let all = plan.new_items().total();
    let progress = Progress::counted("Writing", Some(all as u64));
    let mut done = 0;
    let written = plan.write(&engine.issuer(), &mut |so_far| {
        done = so_far;
        progress.set(so_far as u64);
    });
    progress.finish();
    written.map_err(|source| Failure::Stopped { done, all, source })
}
