//! Killing a process that writes, and looking at what it left.
//!
//! A parent starts its own program again as a [`Child`], which opens the store and changes it from several threads,
//! acknowledging each commit on its standard output after it returned. The parent kills it with `SIGKILL` at a random
//! moment, also while the store is being made or opened, opens the store itself and compares: every acknowledged change
//! is there, and of each thread at most the one commit that it had under way, whole. Then it goes on with what is there.
//!
//! What each thread does follows from a seed, so that the parent knows what to expect without being told.

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

/// An opened store, or why it does not open.
pub type Opened = Result<Arc<dyn TokenStore>, Failure>;

/// What stopped the child or the parent, as opposed to what is wrong with a store.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The threads of a child that write.
const WRITERS: u64 = 2;

/// A number of crashes.
#[derive(Clone, Copy)]
pub struct Crash<'a> {
    /// Opens the store in a folder, or makes it if there is none.
    pub open: &'a dyn Fn(&Path) -> Opened,
    /// The command that ends in [`Child::run`] with the same `open`; what it needs to know is in its environment.
    pub child: &'a dyn Fn() -> Command,
    /// Where stores are made, each in a folder of its own. Those with a fault stay there.
    pub dir: &'a Path,
    /// How many children are killed.
    pub cycles: u32,
    /// After so many of them a new store is made.
    pub cycles_per_store: u32,
    /// What the children write, and when they are killed, follows from it.
    pub seed: u64,
    /// Is told after each cycle how it stands.
    pub progress: &'a dyn Fn(&Report),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Children that were killed.
    pub cycles: u32,
    /// Commits that they had acknowledged.
    pub acknowledged: u64,
    /// What is not as it was acknowledged, each with what was expected and found.
    pub lost: Vec<String>,
    /// Stores that did not open afterwards, or could not be read or written.
    pub unopenable: Vec<String>,
}

impl Report {
    /// Whether nothing was lost.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.unopenable.is_empty()
    }
}

impl fmt::Display for Report {
    /// `cycles=N acknowledged=A lost=L unopenable=U`
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

/// The test `kill_nine` of [`durable!`](crate::durable): the parent, and in the process that it starts the child.
///
/// `SYMBOLON_CRASH_CYCLES` and `SYMBOLON_CRASH_SEED` say how long it is; 6 cycles on one store if they do not.
#[doc(hidden)]
pub fn kill_nine(test: &str, open: &dyn Fn(&Path) -> Arc<dyn TokenStore>) {
    let open = |dir: &Path| -> Opened { Ok(open(dir)) };
    if let Some(child) = Child::from_env() {
        child
            .run(&open)
            .expect("the child writes until it is killed");
        return;
    }
    let command = || {
        let program = std::env::current_exe().expect("a program knows its path");
        let mut command = Command::new(program);
        // libtest leaves the name of the crate out.
        let name = test.split_once("::").map_or(test, |(_crate, name)| name);
        command.args([name, "--exact", "--nocapture", "--test-threads", "1"]);
        command
    };
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let crash = Crash {
        open: &open,
        child: &command,
        dir: dir.path(),
        cycles: number("SYMBOLON_CRASH_CYCLES").unwrap_or(6),
        cycles_per_store: 20,
        seed: number("SYMBOLON_CRASH_SEED").unwrap_or(1).into(),
        progress: &|_| (),
    };
    let report = crash.run().expect("a child can be started and killed");
    if !report.is_clean() {
        panic!("in {}: {report:#?}", dir.keep().display());
    }
}
