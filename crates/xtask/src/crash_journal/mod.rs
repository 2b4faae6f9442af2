//! `cargo xtask crash --journal`: kills an engine with its journal, and restores backups of random moments.
//!
//! A child makes, revokes and rotates tokens from several threads, acknowledging each on its standard output, and makes a
//! backup meanwhile. After it was killed, the parent opens the engine: every acknowledged token works, every ended one is
//! refused, the store is not taken for a restored one, and the journal is sound. Then it restores one of the backups
//! elsewhere, with a copy of the journal: what had ended since is refused. Now and then the restored store is the one that
//! the next child opens.

mod child;
mod known;
mod world;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use symbolon::backup::Backup;
use symbolon::{Caller, Engine, TokenStore};
use symbolon_conformance::crash::Report;
use symbolon_files::private_dir;
use tempfile::TempDir;

use crate::Failure;
use crate::crash::{Backend, CrashArgs};
use known::{Copy, Known};

pub(crate) use child::{ChildArgs, run as run_child};

/// A child that has said nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// So that making a store is hit too.
const CYCLES_PER_WORLD: u32 = 20;

/// Kills one child after another, in `dir`.
pub(crate) fn run(
    args: &CrashArgs,
    dir: &Path,
    progress: &dyn Fn(&Report),
) -> Result<Report, Failure> {
    let mut rng = Rng::with_seed(!args.seed);
    let mut report = Report::default();
    let mut world: Option<World> = None;
    for cycle in 0..args.cycles() {
        let current = match world.take() {
            Some(world) if !cycle.is_multiple_of(CYCLES_PER_WORLD) => world,
            _ => World::new(args, dir)?,
        };
        let mut current = World { cycle, ..current };
        let faults = report.lost.len() + report.unopenable.len();
        let acknowledged = current.known.acknowledged;
        if let Err(error) = current.cycle(&mut rng, &mut report.lost) {
            report.unopenable.push(current.name(&describe(&*error)));
        }
        report.cycles += 1;
        report.acknowledged += current.known.acknowledged - acknowledged;
        if report.lost.len() + report.unopenable.len() == faults {
            world = Some(current);
        } else {
            current.dir.disable_cleanup(true);
        }
        progress(&report);
    }
    Ok(report)
}

/// A store with its journal, its backups, and what is known of it.
struct World {
    backend: Backend,
    seed: u64,
    dir: TempDir,
    cycle: u32,
    /// The number of the store.
    store: u32,
    /// Whether it is a restored one that no engine has opened to the end.
    restored: bool,
    known: Known,
    copies: Vec<Copy>,
}

impl World {
    fn new(args: &CrashArgs, dir: &Path) -> Result<Self, Failure> {
        let dir = tempfile::Builder::new().prefix("world-").tempdir_in(dir)?;
        Ok(Self {
            backend: args.backend,
            seed: args.seed,
            dir,
            cycle: 0,
            store: 0,
            restored: false,
            known: Known::default(),
            copies: Vec::new(),
        })
    }

    fn cycle(&mut self, rng: &mut Rng, lost: &mut Vec<String>) -> Result<(), Failure> {
        let live = self.known.live().into_iter();
        let live: Vec<String> = live.map(|id| format!("{id}\n")).collect();
        fs::write(world::live(self.dir.path()), live.concat())?;
        let lines = self.kill(rng)?;
        for line in lines {
            self.known.hear(&line, &mut self.copies);
        }
        self.copies.retain(|copy| copy.complete);
        self.compare(lost)?;
        let Some(copy) = self.choose(rng) else {
            return Ok(());
        };
        self.restore_elsewhere(&copy, lost)?;
        if rng.u8(..5) == 0 {
            self.store += 1;
            self.restored = true;
            self.known.restore(&copy);
            drop(self.restore(&copy, self.dir.path(), self.store)?);
        }
        Ok(())
    }

    /// Starts a child, kills it at a random moment, and returns all that it said.
    fn kill(&self, rng: &mut Rng) -> Result<Vec<String>, Failure> {
        let mut child = Command::new(std::env::current_exe()?);
        child.args(["crash-journal-child", "--backend", self.backend.name()]);
        child.arg("--dir").arg(self.dir.path());
        for (name, value) in [
            ("--store", u64::from(self.store)),
            ("--copy", u64::from(self.cycle)),
            ("--seed", self.seed),
        ] {
            child.args([name, &value.to_string()]);
        }
        let mut child = child.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or("the child has no output")?;
        let (sender, said) = mpsc::channel();
        let listener = thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        // Opening is hit too: after a restore it ends again what had ended, which takes longer.
        let (word, wait) = if rng.u8(..100) < if self.restored { 50 } else { 15 } {
            ("opening", rng.u64(..30_000))
        } else {
            ("opened", rng.u64(..150_000))
        };
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != word) {
            match said.recv_timeout(PATIENCE) {
                Ok(line) => lines.push(line),
                Err(error) => {
                    let _ = child.kill();
                    return Err(format!("a child ended by itself, or hung: {error}").into());
                }
            }
        }
        thread::sleep(Duration::from_micros(wait));
        // On Unix this is SIGKILL.
        child.kill()?;
        let status = child.wait()?;
        if status.code().is_some() {
            return Err(format!("a child ended by itself: {status}").into());
        }
        let _ = listener.join();
        lines.extend(said.try_iter());
        Ok(lines)
    }

    /// Opens the engine as after every crash, compares, changes something, and looks at the journal.
    fn compare(&mut self, lost: &mut Vec<String>) -> Result<(), Failure> {
        let dir = self.dir.path();
        let engine = world::engine(world::store(self.backend, dir, self.store)?, dir)?;
        if let Some(found) = engine.rollback()
            && (!self.restored || found.accepted)
        {
            lost.push(self.name(&format!("it went on, and was taken for {found:?}")));
        }
        self.restored = false;
        self.look(&engine, self.known.clone(), lost)
            .map(|known| self.known = known)?;
        let issuer = engine.issuer();
        let (id, token) = child::create(&issuer, child::organization(&engine)?)?;
        self.known.make(id, token);
        if let Some(first) = self.known.live().first() {
            issuer.revoke(&Caller::Root, *first)?;
            self.known.end(*first);
        }
        drop(engine);
        let dir = self.dir.path();
        let journal = world::verify(dir)?;
        if !journal.is_sound() || journal.unresolved() > 0 {
            lost.push(self.name(&format!("the journal: {journal:?}")));
        }
        Ok(())
    }

    /// What is known after this engine was asked.
    fn look(
        &self,
        engine: &Engine,
        mut known: Known,
        lost: &mut Vec<String>,
    ) -> Result<Known, Failure> {
        let found = known.compare(engine, child::organization(engine)?);
        let problems = engine.fsck()?.problems;
        let problems = problems.iter().map(|problem| format!("fsck: {problem:?}"));
        let found = found.into_iter().chain(problems);
        lost.extend(found.map(|found| self.name(&found)));
        Ok(known)
    }

    fn choose(&self, rng: &mut Rng) -> Option<Copy> {
        rng.choice(&self.copies).cloned()
    }

    /// Restores a backup with a copy of the journal.
    fn restore_elsewhere(&self, copy: &Copy, lost: &mut Vec<String>) -> Result<(), Failure> {
        let elsewhere = tempfile::tempdir_in(self.dir.path())?;
        private_dir(&world::journal(elsewhere.path()))?;
        for file in symbolon_journal::chains(&world::journal(self.dir.path()))? {
            let name = file.path.file_name().ok_or("a chain has a name")?;
            fs::copy(&file.path, world::journal(elsewhere.path()).join(name))?;
        }
        let store = self.restore(copy, elsewhere.path(), 0)?;
        let engine = world::engine(store, elsewhere.path())?;
        if engine.rollback().is_none_or(|found| found.accepted) {
            lost.push(self.name("a restored store was taken for one that went on"));
        }
        let mut known = self.known.clone();
        known.restore(copy);
        self.look(&engine, known, lost).map(drop)
    }

    fn restore(
        &self,
        copy: &Copy,
        dir: &Path,
        number: u32,
    ) -> Result<std::sync::Arc<dyn TokenStore>, Failure> {
        let file: PathBuf = world::copy(self.dir.path(), copy.number);
        let store = world::store(self.backend, dir, number)?;
        let mut backup = Backup::read(File::open(file)?)?;
        backup.restore(&*store, &world::key(), &mut |_| ())?;
        Ok(store)
    }

    /// What was found, and where.
    fn name(&self, found: &str) -> String {
        format!(
            "{}, cycle {}, store {}: {found}",
            self.dir.path().display(),
            self.cycle,
            self.store
        )
    }
}

/// The error with its sources.
fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = sources.map(ToString::to_string).collect();
    texts.join(": ")
}
