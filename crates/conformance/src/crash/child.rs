//! The process that writes until it is killed.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use symbolon::Minute;
use symbolon::store::{Cursor, Revision, TokenStore, Write};

use super::plan::{Change, Plan};
use super::{Failure, Opened, WRITERS};
use crate::sample::TOKEN;

/// The parameters of a child process, passed in environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    pub(super) dir: PathBuf,
    pub(super) seed: u64,
    /// The number of commits of each thread that are already stored.
    pub(super) done: Vec<u64>,
}

const DIR: &str = "SYMBOLON_CRASH_DIR";
const CHILD: &str = "SYMBOLON_CRASH_CHILD";

/// Maximum running time of a child, in case its parent was killed.
const MAX_CHILD_LIFETIME: Duration = Duration::from_secs(120);

impl Child {
    /// Reads the parameters from the environment; `None` if this process is no child.
    pub fn from_env() -> Option<Self> {
        let dir = PathBuf::from(std::env::var_os(DIR)?);
        let numbers = std::env::var(CHILD).ok()?;
        let numbers: Result<Vec<u64>, _> = numbers.split(' ').map(str::parse).collect();
        let numbers = numbers.ok()?;
        let (seed, done) = numbers.split_first()?;
        Some(Self { dir, seed: *seed, done: done.into() })
    }

    pub(super) fn pass_to(&self, command: &mut Command) {
        let numbers = std::iter::once(&self.seed).chain(&self.done);
        let numbers: Vec<String> = numbers.map(u64::to_string).collect();
        command.env(DIR, &self.dir).env(CHILD, numbers.join(" "));
    }

    /// Opens the store and writes until the process is killed.
    ///
    /// # Errors
    ///
    /// Fails if the store fails, or if a thread panics.
    pub fn run(&self, open: &dyn Fn(&Path) -> Opened) -> Result<(), Failure> {
        // The test harness has printed the beginning of a line.
        print_line("\nopening\n")?;
        let store = open(&self.dir)?;
        let stopped = AtomicBool::new(false);
        thread::scope(|scope| {
            let start = |writer: u64| {
                let (store, stopped) = (&*store, &stopped);
                let done = usize::try_from(writer).ok().and_then(|at| self.done.get(at));
                let mut plan = Plan::new(self.seed, writer);
                plan.advance_to(done.copied().unwrap_or_default());
                scope.spawn(move || {
                    let written = write(store, plan, writer, stopped);
                    stopped.store(true, Ordering::Relaxed);
                    written
                })
            };
            let threads: Vec<_> = (0..WRITERS).map(start).collect();
            let reader = scope.spawn(|| read(&*store, &stopped));
            let threads = threads.into_iter().chain([reader]);
            threads.into_iter().try_for_each(|thread| {
                thread.join().unwrap_or_else(|_| Err("a thread panicked".into()))
            })
        })
    }
}

/// Prints the newest revision that a reader sees. A commit must be durable before it is visible.
fn read(store: &dyn TokenStore, stopped: &AtomicBool) -> Result<(), Failure> {
    let mut cursor = Cursor::start();
    let mut seen = Revision::ABSENT;
    while !stopped.load(Ordering::Relaxed) {
        let page = store.scan(&cursor, usize::MAX)?;
        cursor = page.next;
        let head = page.end.ok_or("a page of unlimited size has no end")?.head;
        if head > seen {
            seen = head;
            print_line(&format!("seen {}\n", head.0))?;
        }
        thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

/// Parses the revision that a reader has seen.
pub(super) fn seen(line: &str) -> Option<Revision> {
    Some(Revision(line.strip_prefix("seen ")?.parse().ok()?))
}

fn write(
    store: &dyn TokenStore,
    mut plan: Plan,
    writer: u64,
    stopped: &AtomicBool,
) -> Result<(), Failure> {
    let started = Instant::now();
    while !stopped.load(Ordering::Relaxed) && started.elapsed() < MAX_CHILD_LIFETIME {
        let change = plan.advance();
        let purges = change.iter().any(|(_, record)| record.is_none());
        let revision = store.commit(&writes(store, &change)?)?;
        let acknowledgement = Acknowledgement {
            writer,
            done: plan.done,
            head: revision,
            floor: if purges { revision } else { Revision::ABSENT },
        };
        print_line(&acknowledgement.to_line())?;
        use_some(store, &plan)?;
    }
    Ok(())
}

/// Returns the change as writes that expect the current revisions.
fn writes(store: &dyn TokenStore, change: &Change) -> Result<Vec<Write>, Failure> {
    let write = |(key, record): &(_, Option<_>)| {
        let found = store.get(key)?;
        let expected = found.map_or(Revision::ABSENT, |found| found.revision);
        Ok(match record.clone() {
            Some(record) => Write::Put { record, expected },
            None => Write::Purge { key: *key, expected },
        })
    };
    change.iter().map(write).collect()
}

/// Records last uses, which are not part of commits and may be lost.
fn use_some(store: &dyn TokenStore, plan: &Plan) -> Result<(), Failure> {
    let tokens = plan.records.keys().filter(|key| key.kind == TOKEN);
    let minute = Minute(u32::try_from(plan.done)?);
    let used: Vec<_> = tokens.take(2).map(|key| (key.id, minute)).collect();
    Ok(store.touch(&used)?)
}

/// Prints `line` in one write, so that the parent never reads part of it.
fn print_line(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}

/// The confirmation that a commit returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledgement {
    pub(super) writer: u64,
    /// Number of the commit among those of its thread.
    pub(super) done: u64,
    pub(super) head: Revision,
    /// The revision of the commit if it purged a record, else [`Revision::ABSENT`].
    pub(super) floor: Revision,
}

impl Acknowledgement {
    fn to_line(self) -> String {
        let Self { writer, done, head, floor } = self;
        format!("ack {writer} {done} {} {}\n", head.0, floor.0)
    }

    pub(super) fn from_line(line: &str) -> Option<Self> {
        let numbers = line.strip_prefix("ack ")?.split(' ').map(str::parse);
        let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().ok()?;
        let &[writer, done, head, floor] = numbers.as_slice() else {
            return None;
        };
        Some(Self { writer, done, head: Revision(head), floor: Revision(floor) })
    }
}
