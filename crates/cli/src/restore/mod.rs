//! `symbolon restore`.

mod building;
mod target;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use symbolon::StoreKey;
use symbolon::backup::{Backup, Restored, Summary};
use symbolon_files::KeyFile;

use crate::arguments::Global;
use crate::error::Failure;
use crate::output;
use crate::progress::{Progress, Watched};
use building::Building;
use target::Target;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon restore tokens.backup
  symbolon restore tokens.backup --replace
  symbolon restore tokens.backup --store sled:./tokens --key-file ./key

The whole backup is verified before anything is made. The store appears whole
or not at all. The key file of the store that was backed up must be there: it
is not in the backup. A backup of either kind of store can be restored as
either kind. Stop whatever uses the store first. With --replace the old store
stays beside it as STORE.replaced-TIME.")]
pub(crate) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// Put it in the place of the store that is there, which is kept under another name
    #[arg(long)]
    replace: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was done.
struct Report {
    backup: Summary,
    restored: Restored,
    replaced: Option<PathBuf>,
    seconds: f64,
}

pub(crate) fn run(global: &Global, args: &RestoreArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let target = Target::of(&global.store, args.replace)?;
    let key = global.load_key()?;
    let alone = KeyFile::hold_alone(&global.key_path())?;
    let progress = bar(&args.file)?;
    let done = fill(&args.file, &key, &target, &progress);
    progress.finish();
    let (backup, restored, building) = done?;
    let replaced = target.clear()?;
    building.place(&target)?;
    drop(alone);
    // Opened once as every command does: it tells what is not as it should be.
    let opened = global.open().map_err(Box::new);
    opened.map_err(|source| Failure::RestoredUnopened {
        store: global.store.clone(),
        source,
    })?;
    let report = Report {
        backup,
        restored,
        replaced,
        seconds: start.elapsed().as_secs_f64(),
    };
    match args.json {
        true => output::print_json(&report.json())?,
        false => output::print(report.text(global))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn bar(path: &Path) -> Result<Progress, Failure> {
    let found = std::fs::metadata(path).map_err(|source| Failure::Read {
        path: path.into(),
        source,
    })?;
    Ok(Progress::bytes("Verifying", Some(found.len())))
}

/// Verifies the backup, and builds its store beside the place where it shall be.
fn fill(
    path: &Path,
    key: &StoreKey,
    target: &Target,
    progress: &Progress,
) -> Result<(Summary, Restored, Building), Failure> {
    let mut backup = verify(path, progress)?;
    backup.check_key(key)?;
    progress.say("Restoring");
    let building = Building::begin(target)?;
    let store = building.open()?;
    let restored = backup.restore(&*store, key, &mut |_| ())?;
    drop(store);
    Ok((backup.summary(), restored, building))
}

fn verify(path: &Path, progress: &Progress) -> Result<Backup<Watched<File>>, Failure> {
    let file = File::open(path).map_err(|source| Failure::Read {
        path: path.into(),
        source,
    })?;
    Ok(Backup::read(progress.watch(file))?)
}

impl Report {
    fn text(&self, global: &Global) -> String {
        let records = |many| output::count(usize::try_from(many).unwrap_or(usize::MAX), "record");
        let mut text = format!(
            "Restored {} to {} in {:.2} s, from a backup of {}.\n",
            records(self.restored.records),
            global.store,
            self.seconds,
            self.backup.at,
        );
        if self.restored.not_genuine > 0 {
            let many = records(self.restored.not_genuine);
            text.push_str(&format!(
                "{many} of the backup not genuine: what hangs on them is refused; run `symbolon fsck`.\n"
            ));
        }
        if let Some(replaced) = &self.replaced {
            text.push_str(&format!(
                "The old store is kept as `{}`.\n",
                replaced.display()
            ));
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "records": self.restored.records,
            "notGenuine": self.restored.not_genuine,
            "bytes": self.backup.bytes,
            "at": self.backup.at,
            "replaced": self.replaced,
            "seconds": self.seconds,
        })
    }
}
