//! Crash tests: killing a process that writes, and checking the store that it leaves.
//!
//! A parent starts its own program again as a [`Child`], which opens the store and changes it from
//! several threads. The child acknowledges each commit on its standard output after it returned.
//! The parent kills it with `SIGKILL` at a random moment, possibly while it creates or opens the
//! store. It then opens the store itself and checks that every acknowledged change is present, and
//! of each thread at most one further commit, complete. The next cycle continues with this store.
//!
//! A seed determines what each thread does, so the parent knows the expected content.

mod child;
mod parent;
mod plan;
mod verify;

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use symbolon::TokenStore;

pub use child::Child;

/// An opened store, or the reason why it does not open.
pub type Opened = Result<Arc<dyn TokenStore>, Failure>;

/// An error of the child or the parent, as opposed to a fault of a store.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The number of writing threads in a child.
const WRITERS: u64 = 2;

/// The parameters of a series of crashes.
#[derive(Clone, Copy)]
pub struct Crash<'a> {
    /// Opens the store in a directory, or creates it if the directory is empty.
    pub open: &'a dyn Fn(&Path) -> Opened,
    /// Returns the command that runs [`Child::run`] with the same `open`. The parent adds the
    /// parameters to its environment.
    pub child: &'a dyn Fn() -> Command,
    /// The directory for the stores, each in a subdirectory. Those with a fault are kept.
    pub dir: &'a Path,
    /// Number of children to kill.
    pub cycles: u32,
    /// Number of cycles after which a new store is created.
    pub cycles_per_store: u32,
    /// Seed of the written data and of the moments of the kills.
    pub seed: u64,
    /// Callback invoked after each cycle.
    pub progress: &'a dyn Fn(&Report),
}

/// The result of a series of crashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Number of children killed.
    pub cycles: u32,
    /// Number of commits that the children acknowledged.
    pub acknowledged: u64,
    /// Differences from the acknowledged state, each with the expected and the found value.
    pub lost: Vec<String>,
    /// Stores that could not be opened, read or written after a crash.
    pub unopenable: Vec<String>,
}

impl Report {
    /// Returns true if nothing was lost and every store opened.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.unopenable.is_empty()
    }
}

impl fmt::Display for Report {
    /// Formats as `cycles=N acknowledged=A lost=L unopenable=U`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cycles={} acknowledged={} lost={} unopenable={}",
            self.cycles,
            self.acknowledged,
            self.lost.len(),
            self.unopenable.len()
        )
    }
}

impl fmt::Debug for Crash<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crash")
            .field("cycles", &self.cycles)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// Runs the test `kill_nine` of [`durable!`](crate::durable), both in the parent and in the child
/// that it starts.
///
/// `SYMBOLON_CRASH_CYCLES` and `SYMBOLON_CRASH_SEED` set the number of cycles (6 if unset) and the
/// seed (1 if unset). A new store is created every 20 cycles.
#[doc(hidden)]
pub fn kill_nine(test: &str, open: &dyn Fn(&Path) -> Arc<dyn TokenStore>) {
    let open = |dir: &Path| -> Opened { Ok(open(dir)) };
    if let Some(child) = Child::from_env() {
        child.run(&open).expect("the child failed before it was killed");
        return;
    }
    let command = || {
        let program = std::env::current_exe().expect("cannot determine the path of this program");
        let mut command = Command::new(program);
        // libtest names tests without the name of the crate.
        let name = test.split_once("::").map_or(test, |(_crate, name)| name);
        command.args([name, "--exact", "--nocapture", "--test-threads", "1"]);
        command
    };
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let dir = tempfile::tempdir().expect("cannot create a temporary directory");
    let crash = Crash {
        open: &open,
        child: &command,
        dir: dir.path(),
        cycles: number("SYMBOLON_CRASH_CYCLES").unwrap_or(6),
        cycles_per_store: 20,
        seed: number("SYMBOLON_CRASH_SEED").unwrap_or(1).into(),
        progress: &|_| (),
    };
    let report = crash.run().expect("cannot run a child");
    if !report.is_clean() {
        panic!("in {}: {report:#?}", dir.keep().display());
    }
}
