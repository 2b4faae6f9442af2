//! `cargo xtask crash`: kills a process that writes, again and again, and finds everything that it had acknowledged.

use std::io::{IsTerminal as _, stderr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use symbolon_conformance::crash::{Child, Crash, Opened, Report};
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;

use crate::Failure;

/// Kills a process that writes to a store (SIGKILL), again and again, and looks for what it had acknowledged.
///
/// The last line of the output is `backend=B cycles=N acknowledged=A lost=L unopenable=U`. A store with a fault is kept
/// in its folder, which is named.
#[derive(Debug, Args)]
pub(crate) struct CrashArgs {
    /// Where it is stored
    #[arg(long)]
    backend: Backend,
    /// Kills
    #[arg(long, default_value_t = 100)]
    cycles: u32,
    /// What is written, and when it is killed, follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The process that is killed; started by `crash`.
#[derive(Debug, Args)]
pub(crate) struct ChildArgs {
    #[arg(long)]
    backend: Backend,
}

/// A store on disk.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Backend {
    Sqlite,
    Sled,
}

/// All of them.
pub(crate) const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Sled];

/// So that making a store is hit too.
const CYCLES_PER_STORE: u32 = 20;

impl CrashArgs {
    pub(crate) fn new(backend: Backend, cycles: u32) -> Self {
        Self {
            backend,
            cycles,
            seed: 1,
        }
    }
}

impl Backend {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Sled => "sled",
        }
    }

    fn open(self, dir: &Path) -> Opened {
        Ok(match self {
            Self::Sqlite => Arc::new(SqliteStore::open(dir.join("store.db"))?),
            Self::Sled => Arc::new(SledStore::open(dir.join("store"))?),
        })
    }
}

pub(crate) fn run(args: &CrashArgs) -> Result<(), Failure> {
    let name = args.backend.name();
    let program = std::env::current_exe()?;
    let dir = tempfile::Builder::new()
        .prefix("symbolon-crash-")
        .tempdir()?;
    let report = Crash {
        open: &|dir| args.backend.open(dir),
        child: &|| {
            let mut command = Command::new(&program);
            command.args(["crash-child", "--backend", name]);
            command
        },
        dir: dir.path(),
        cycles: args.cycles,
        cycles_per_store: CYCLES_PER_STORE,
        seed: args.seed,
        progress: &|report| tell(name, args.cycles, report),
    }
    .run()?;
    for lost in &report.lost {
        println!("lost: {lost}");
    }
    for error in &report.unopenable {
        println!("unopenable: {error}");
    }
    println!("backend={name} {report}");
    if report.is_clean() {
        return Ok(());
    }
    let kept = dir.keep();
    Err(format!(
        "{name} does not keep what it acknowledges; see {}",
        kept.display()
    )
    .into())
}

pub(crate) fn run_child(args: &ChildArgs) -> Result<(), Failure> {
    let child = Child::from_env().ok_or("this command is started by `crash` only")?;
    child.run(&|dir| args.backend.open(dir))
}

fn tell(name: &str, cycles: u32, report: &Report) {
    if stderr().is_terminal() {
        let end = if report.cycles == cycles { "\n" } else { "" };
        eprint!("\r{name}: {report} of {cycles}{end}");
    }
}
