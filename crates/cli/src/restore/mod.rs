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
use symbolon::{Engine, OpenError, StoreKey};
use symbolon_files::{KeyFile, KeyLock};

use crate::error::Failure;
use crate::global::Global;
use crate::progress::{CountingReader, Progress};
use crate::{key_rotation, output};
use store_builder::StoreBuilder;
use target::Target;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon restore tokens.backup
  symbolon restore tokens.backup --replace
  symbolon restore tokens.backup --store sled:./tokens --key-file ./key

The whole backup is verified before anything is created, and the store is put
in place atomically. The restore needs the key file of the backed-up store,
which is not part of the backup. A backup of a SQLite store can be restored as a
sled store, and vice versa. Stop every process that uses the store first.

With --replace, the old store is renamed to STORE.replaced-TIME.")]
pub(crate) struct RestoreArgs {
    /// Backup file to restore
    file: PathBuf,
    /// Replace an existing store, which is kept under another name
    #[arg(long)]
    replace: bool,
    /// Copy of the key file from the time of the backup, if the key was rotated since
    #[arg(long, value_name = "PATH")]
    old_key_file: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long)]
    json: bool,
}

impl RestoreArgs {
    /// Loads the key under an exclusive lock, together with the key from the time of the backup if
    /// one is given.
    fn key(&self, global: &Global) -> Result<(StoreKey, KeyLock), Failure> {
        let (key, alone) = global.lock_key_exclusively()?;
        let key = match &self.old_key_file {
            Some(path) => key.with_former(&KeyFile::load(path)?),
            None => key,
        };
        Ok((key, alone))
    }
}

/// Result of a restore.
struct Report {
    backup: Summary,
    restored: RestoreReport,
    /// The rollback that the engine found when opening the store.
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
    report.found = opened
        .map_err(|source| Failure::RestoredUnopened { store: global.store.clone(), source })?;
    report.seconds = start.elapsed().as_secs_f64();
    match args.json {
        true => output::print_json(&report.json())?,
        false => output::print(report.text(global))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn bar(path: &Path) -> Result<Progress, Failure> {
    let found =
        std::fs::metadata(path).map_err(|source| Failure::Read { path: path.into(), source })?;
    Ok(Progress::bytes("Verifying", Some(found.len())))
}

/// Verifies the backup, builds the store in a folder next to its target and moves it there.
fn restore(
    global: &Global,
    args: &RestoreArgs,
    key: &StoreKey,
    target: &Target,
    progress: &Progress,
) -> Result<Report, Failure> {
    let mut backup = verify(&args.file, progress)?;
    let name = backup.check_key(key).map_err(|error| match error {
        OpenError::RetiredKey(key) => Failure::OldBackup(key),
        error => error.into(),
    })?;
    global.check_journal(key, &name)?;
    progress.say("Restoring");
    let store_builder = StoreBuilder::begin(target)?;
    let store = store_builder.open()?;
    let restored = backup.restore(&*store, key, &mut |_| ())?;
    drop(store);
    if key.is_rotating() {
        // On disk before the store that needs it.
        KeyFile::replace(&global.key_path(), key)?;
    }
    let replaced = target.clear()?;
    store_builder.place(target)?;
    Ok(Report { backup: backup.summary(), restored, found: None, replaced, seconds: 0.0 })
}

/// Opens the restored store once, which replays revocations from the journal. Reseals its records
/// if the backup was made under an old key.
fn open(
    global: &Global,
    key: StoreKey,
    alone: KeyLock,
) -> Result<Option<symbolon::RollbackReport>, Failure> {
    let missing = || Failure::NoStore(global.store.clone());
    let store = global.open_store()?.ok_or_else(missing)?;
    if key.is_rotating() {
        return Ok(key_rotation::complete(global, &store, key, alone)?.1);
    }
    let opened = global.start(&store, (key, alone), Engine::open, global.options())?;
    Ok(opened.rollback().copied())
}

fn verify(path: &Path, progress: &Progress) -> Result<Backup<CountingReader<File>>, Failure> {
    let file = File::open(path).map_err(|source| Failure::Read { path: path.into(), source })?;
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
                "{many} of the backup failed verification and deny access; run `symbolon fsck`.\n"
            ));
        }
        match &self.found {
            Some(found) if found.accepted => text.push_str(
                "No journal has entries for this store: tokens revoked after the backup\n\
                 work again. Revoke them, or all tokens created before a time with\n\
                 `--revoke-before`.\n",
            ),
            Some(found) => {
                let replayed = match found.revoked {
                    0 => "The journal has no revocations since the backup.".to_owned(),
                    many => format!(
                        "Replayed revocations of {} from the journal.",
                        output::count(many, "record")
                    ),
                };
                text.push_str(&format!(
                    "{replayed} Other changes since the backup\n\
                     are lost; see `symbolon audit show --since {}`.\n",
                    self.backup.at,
                ));
            }
            None => {}
        }
        if let Some(replaced) = &self.replaced {
            text.push_str(&format!("The old store is kept as `{}`.\n", replaced.display()));
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
