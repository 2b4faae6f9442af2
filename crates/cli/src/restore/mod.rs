//! `symbolon restore`.

mod store_builder;
mod target;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use symbolon::backup::{Backup, RestoreReport, Summary};
use symbolon::{Engine, Error, StoreKey};
use symbolon_files::{KeyFile, KeyLock};

use crate::arguments::Global;
use crate::error::Failure;
use crate::output;
use crate::progress::{CountingReader, Progress};
use store_builder::StoreBuilder;
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
    /// The key file as it was when the backup was made, if the key was rotated since
    #[arg(long, value_name = "PATH")]
    old_key_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl RestoreArgs {
    /// The key of the store, with that of the time of the backup if it is given, and that nobody else uses it.
    fn key(&self, global: &Global) -> Result<(StoreKey, KeyLock), Failure> {
        let (key, alone) = global.lock_key_exclusively()?;
        let key = match &self.old_key_file {
            Some(path) => key.with_former(&KeyFile::load(path)?),
            None => key,
        };
        Ok((key, alone))
    }
}

/// What was done.
struct Report {
    backup: Summary,
    restored: RestoreReport,
    /// What the journal said of it.
    found: Option<symbolon::RollbackReport>,
    replaced: Option<PathBuf>,
    seconds: f64,
}

pub(crate) fn run(global: &Global, args: &RestoreArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let target = Target::of(&global.store, args.replace)?;
    let (key, alone) = args.key(global)?;
    let progress = bar(&args.file)?;
    let done = restore(global, args, &key, &target, &progress);
    progress.finish();
    let mut report = done?;
    let opened = open(global, key, alone).map_err(Box::new);
    report.found = opened.map_err(|source| Failure::RestoredUnopened {
        store: global.store.clone(),
        source,
    })?;
    report.seconds = start.elapsed().as_secs_f64();
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

/// Verifies the backup, builds its store beside the place where it shall be, and puts it there.
fn restore(
    global: &Global,
    args: &RestoreArgs,
    key: &StoreKey,
    target: &Target,
    progress: &Progress,
) -> Result<Report, Failure> {
    let mut backup = verify(&args.file, progress)?;
    let name = backup.check_key(key).map_err(|error| match error {
        Error::RetiredKey(key) => Failure::OldBackup(key),
        error => error.into(),
    })?;
    global.check_journal(key, &name)?;
    progress.say("Restoring");
    let store_builder = StoreBuilder::begin(target)?;
    let store = store_builder.open()?;
    let restored = backup.restore(&*store, key, &mut |_| ())?;
    drop(store);
    if key.is_rotating() {
        // On disk before what needs it.
        KeyFile::replace(&global.key_path(), key)?;
    }
    let replaced = target.clear()?;
    store_builder.place(target)?;
    Ok(Report {
        backup: backup.summary(),
        restored,
        found: None,
        replaced,
        seconds: 0.0,
    })
}

/// Opens what was restored once, which ends again what had ended since; seals it anew if it was under an old key.
fn open(
    global: &Global,
    key: StoreKey,
    alone: KeyLock,
) -> Result<Option<symbolon::RollbackReport>, Failure> {
    let missing = || Failure::NoStore(global.store.clone());
    let store = global.open_store()?.ok_or_else(missing)?;
    if key.is_rotating() {
        return Ok(crate::key::complete(global, &store, key, alone)?.1);
    }
    let opened = global.start(&store, (key, alone), Engine::open, global.options())?;
    Ok(opened.rollback().copied())
}

fn verify(path: &Path, progress: &Progress) -> Result<Backup<CountingReader<File>>, Failure> {
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
        if self.restored.tampered > 0 {
            let many = records(self.restored.tampered);
            text.push_str(&format!(
                "{many} of the backup not genuine: what hangs on them is refused; run `symbolon fsck`.\n"
            ));
        }
        match &self.found {
            Some(found) if found.accepted => text.push_str(
                "No journal knows this store: what was revoked since the backup works again. Revoke it again, or all\n\
                 that was made before a time with `--revoke-before`.\n",
            ),
            Some(found) => {
                let ended = match found.revoked {
                    0 => "Nothing had ended since the backup".to_owned(),
                    many => format!(
                        "{} that had ended since the backup ended again",
                        output::count(many, "record")
                    ),
                };
                text.push_str(&format!(
                    "{ended}, as the journal says. What else was changed since\n\
                     then is undone: see `symbolon audit show --since {}`.\n",
                    self.backup.at,
                ));
            }
            None => {}
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
            "endedAgain": self.found.filter(|found| !found.accepted).map(|found| found.revoked),
            "notGenuine": self.restored.tampered,
            "bytes": self.backup.bytes,
            "at": self.backup.at,
            "replaced": self.replaced,
            "seconds": self.seconds,
        })
    }
}
