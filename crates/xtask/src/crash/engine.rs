//! `cargo xtask crash --journal`: kills an engine with its journal, and restores backups.
//!
//! A child process creates, revokes and rotates tokens from several threads, reports each on its
//! standard output, and writes a backup. After the kill, the parent opens the engine and checks
//! that every acknowledged token works, every revoked one is refused, the store is not considered
//! rolled back, and the journal is intact. It then restores a random backup elsewhere, with a copy
//! of the journal, and checks that every revocation since then holds. Sometimes the next child
//! opens a restored store.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use symbolon::backup::Backup;
use symbolon::journal::JournalKeys;
use symbolon::{Caller, Engine, ErrorChain};
use symbolon_conformance::crash::{Crash, Opened, Report};
use symbolon_files::private_dir;
use symbolon_oracle::random::Rng;
use tempfile::TempDir;

use super::backend::Backend;
use super::expected::{Copy, Expected};
use super::{child, files};
use crate::failure::Failure;
use crate::shell::wait_for;

/// Kills one child after another.
pub(super) fn run(backend: Backend, crash: Crash<'_>) -> Result<Report, Failure> {
    let mut rng = Rng::with_seed(!crash.seed);
    let mut report = Report::default();
    let mut kept: Option<Trial> = None;
    for cycle in 0..crash.cycles {
        let mut trial = match kept.take() {
            Some(trial) if !cycle.is_multiple_of(crash.cycles_per_store) => trial,
            _ => Trial::new(backend, &crash)?,
        };
        trial.cycle = cycle;
        let acknowledged = trial.expected.acknowledged;
        let mut lost = Vec::new();
        let result = trial.run(&mut rng, &mut lost);
        let is_clean = lost.is_empty() && result.is_ok();
        report.lost.extend(lost.iter().map(|fault| trial.locate(fault)));
        if let Err(error) = result {
            report.unopenable.push(trial.locate(&ErrorChain(&*error).to_string()));
        }
        report.cycles += 1;
        report.acknowledged += trial.expected.acknowledged - acknowledged;
        if is_clean {
            kept = Some(trial);
        } else {
            trial.dir.disable_cleanup(true);
        }
        (crash.progress)(&report);
    }
    Ok(report)
}

/// A store with its journal, its backups and the expected state of its tokens.
struct Trial {
    backend: Backend,
    seed: u64,
    dir: TempDir,
    cycle: u32,
    /// Number of the store in use.
    store: u32,
    /// Set if the store was restored and no engine has finished opening it.
    restored: bool,
    expected: Expected,
}

impl Trial {
    fn new(backend: Backend, crash: &Crash<'_>) -> Result<Self, Failure> {
        Ok(Self {
            backend,
            seed: crash.seed,
            dir: tempfile::tempdir_in(crash.dir)?,
            cycle: 0,
            store: 0,
            restored: false,
            expected: Expected::default(),
        })
    }

    fn run(&mut self, rng: &mut Rng, lost: &mut Vec<String>) -> Result<(), Failure> {
        let live = self.expected.live().into_iter();
        let live: String = live.map(|id| format!("{id}\n")).collect();
        fs::write(files::live(self.dir.path()), live)?;
        for line in self.kill_child(rng)?.lines() {
            self.expected.read(line);
        }
        self.reopen(lost)?;
        let Some(copy) = rng.choice(&self.expected.copies).cloned() else {
            return Ok(());
        };
        self.restore_elsewhere(&copy, lost)?;
        if rng.u8(..5) == 0 {
            self.store += 1;
            self.restored = true;
            self.expected.restore(&copy);
            drop(self.restore(&copy, self.dir.path(), self.store)?);
        }
        Ok(())
    }

    /// Starts a child, kills it at a random moment, and returns its output.
    fn kill_child(&self, rng: &mut Rng) -> Result<String, Failure> {
        let printed = self.dir.path().join("printed");
        let mut child = self.backend.child(&std::env::current_exe()?);
        child.arg("--dir").arg(self.dir.path());
        child.args(["--store", &self.store.to_string()]);
        child.args(["--copy", &self.cycle.to_string()]);
        child.args(["--seed", &self.seed.to_string()]);
        child.stdin(Stdio::null()).stdout(File::create(&printed)?);
        let mut child = child.spawn()?;
        // Some children are killed while opening, which takes longer after a restore because the
        // engine replays revocations.
        let opening = if self.restored { 50 } else { 15 };
        let (word, micros) = if rng.u8(..100) < opening {
            ("opening", rng.u64(..30_000))
        } else {
            ("opened", rng.u64(..150_000))
        };
        let word = format!("{word}\n");
        let started = wait_for("the start of a child", || match child.try_wait()? {
            Some(status) => Err(format!("a child exited: {status}").into()),
            None => Ok(fs::read_to_string(&printed)?.contains(&word).then_some(())),
        });
        thread::sleep(Duration::from_micros(micros));
        // SIGKILL on Unix.
        child.kill()?;
        started?;
        let status = child.wait()?;
        if status.code().is_some() {
            return Err(format!("a child exited: {status}").into());
        }
        Ok(fs::read_to_string(printed)?)
    }

    /// Opens the engine after a crash, compares it, changes something, and verifies the journal.
    fn reopen(&mut self, lost: &mut Vec<String>) -> Result<(), Failure> {
        let dir = self.dir.path();
        let engine = files::engine(files::store(self.backend, dir, self.store)?, dir)?;
        if let Some(found) = engine.rollback()
            && (!self.restored || found.accepted)
        {
            lost.push(format!("continued, but considered {found:?}"));
        }
        self.restored = false;
        compare(&engine, &mut self.expected, lost)?;
        let root = engine.admin(Caller::Root);
        let (id, token) = child::create(&root, child::organization(&root)?)?;
        self.expected.create(id, token);
        if let Some(first) = self.expected.live().first() {
            root.authorizations().revoke(*first)?;
            self.expected.revoke(*first);
        }
        drop((root, engine));
        let keys = JournalKeys::new(&files::key());
        let journal = symbolon_journal::verify(&files::journal(self.dir.path()), &keys)?;
        if !journal.is_sound() || journal.unresolved() > 0 {
            lost.push(format!("journal: {journal:?}"));
        }
        Ok(())
    }

    /// Restores a backup with a copy of the journal.
    fn restore_elsewhere(&self, copy: &Copy, lost: &mut Vec<String>) -> Result<(), Failure> {
        let elsewhere = tempfile::tempdir_in(self.dir.path())?;
        private_dir(&files::journal(elsewhere.path()))?;
        for file in symbolon_journal::chains(&files::journal(self.dir.path()))? {
            let name = file.path.file_name().ok_or("a chain has a name")?;
            fs::copy(&file.path, files::journal(elsewhere.path()).join(name))?;
        }
        let store = self.restore(copy, elsewhere.path(), 0)?;
        let engine = files::engine(store, elsewhere.path())?;
        if engine.rollback().is_none_or(|found| found.accepted) {
            lost.push("a restored store was not considered rolled back".to_owned());
        }
        let mut expected = self.expected.clone();
        expected.restore(copy);
        compare(&engine, &mut expected, lost)
    }

    /// Restores a backup into a new store in `dir`.
    fn restore(&self, copy: &Copy, dir: &Path, number: u32) -> Opened {
        let store = files::store(self.backend, dir, number)?;
        let mut backup = Backup::read(File::open(files::copy(self.dir.path(), copy.number))?)?;
        backup.restore(&*store, &files::key(), &mut |_| ())?;
        Ok(store)
    }

    /// Writes a fault with its place.
    fn locate(&self, fault: &str) -> String {
        let (dir, cycle) = (self.dir.path().display(), self.cycle);
        format!("{dir}, cycle {cycle}: {fault}")
    }
}

/// Compares an engine with the expected state, which then takes in its answers.
fn compare(
    engine: &Engine,
    expected: &mut Expected,
    lost: &mut Vec<String>,
) -> Result<(), Failure> {
    lost.extend(expected.compare(engine, child::organization(&engine.admin(Caller::Root))?));
    let problems = engine.maintenance().fsck(&mut |_| {})?.problems;
    lost.extend(problems.iter().map(|problem| format!("fsck: {problem:?}")));
    Ok(())
}
