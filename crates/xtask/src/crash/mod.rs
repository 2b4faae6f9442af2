//! `cargo xtask crash`: kills a writing process, and checks everything that it had acknowledged.

mod backend;
mod child;
mod engine;
mod expected;
mod files;

use clap::Args;
use symbolon_conformance::crash::{Child, Crash};

use self::backend::Backend;
use crate::failure::Failure;

/// Kill a process that writes to a store, and check everything that it had acknowledged
///
/// With `--journal`, the process is an engine that creates and revokes tokens, and backups of
/// random moments are restored: `lost` counts the acknowledged tokens that do not work and the
/// revoked ones that do.
///
/// The last line of output is `backend=B cycles=N acknowledged=A lost=L unopenable=U`. The files of
/// a store with a fault are kept.
#[derive(Debug, Args)]
pub(crate) struct CrashArgs {
    /// Store to write to
    #[arg(long)]
    backend: Backend,
    /// Write with an engine and its journal
    #[arg(long)]
    journal: bool,
    /// Kill 1,000 times
    #[arg(long)]
    long: bool,
    /// Number of kills
    #[arg(long, default_value_t = 20, default_value_if("long", "true", "1000"))]
    cycles: u32,
    /// Seed of the writes and kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Write until killed; started by `crash`
#[derive(Debug, Args)]
pub(crate) struct ChildArgs {
    #[arg(long)]
    backend: Backend,
    #[command(flatten)]
    engine: Option<child::EngineArgs>,
}

/// New stores are needed to kill their creation too.
const CYCLES_PER_STORE: u32 = 20;

pub(crate) fn run(args: &CrashArgs) -> Result<(), Failure> {
    let name = args.backend.name();
    let program = std::env::current_exe()?;
    let dir = tempfile::tempdir()?;
    let crash = Crash {
        open: &|dir| args.backend.open(dir),
        child: &|| args.backend.child(&program),
        dir: dir.path(),
        cycles: args.cycles,
        cycles_per_store: CYCLES_PER_STORE,
        seed: args.seed,
        progress: &|report| {
            if report.cycles.is_multiple_of(10) {
                eprintln!("{name}: {report} of {}", args.cycles);
            }
        },
    };
    let report = if args.journal { engine::run(args.backend, crash)? } else { crash.run()? };
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
    let kept = kept.display();
    Err(format!("{name} has lost acknowledged writes; see {kept}").into())
}

pub(crate) fn run_child(args: &ChildArgs) -> Result<(), Failure> {
    if let Some(engine) = &args.engine {
        return child::run(args.backend, engine);
    }
    let child = Child::from_env().ok_or("only `crash` starts this command")?;
    child.run(&|dir| args.backend.open(dir))
}
