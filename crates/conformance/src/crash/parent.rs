//! The process that starts child processes and kills them.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child as Process, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use symbolon::ErrorChain;
use symbolon::store::Revision;
use tempfile::TempDir;

use super::child::{self, Acknowledgement, Child};
use super::verify::ExpectedState;
use super::{Crash, Failure, Report};
use crate::rng::Rng;

/// The time without output after which a child counts as hung.
const CHILD_TIMEOUT: Duration = Duration::from_secs(60);

/// The moment at which a child is killed.
#[derive(Debug, Clone, Copy)]
enum KillTime {
    /// Shortly after it starts to open or create the store.
    Opening(Duration),
    /// Some time after its first commit.
    Writing(Duration),
}

impl Crash<'_> {
    /// Starts one child after another, kills it and checks the store. A store with a fault stays in
    /// its directory, which the report names, and is not used again.
    ///
    /// # Errors
    ///
    /// Fails if a directory cannot be created, or if a child cannot be started.
    pub fn run(&self) -> Result<Report, Failure> {
        let mut rng = Rng::new(self.seed);
        let mut report = Report::default();
        let mut store: Option<Store> = None;
        for cycle in 0..self.cycles {
            if cycle.is_multiple_of(self.cycles_per_store) {
                store = None;
            }
            let mut current = match store.take() {
                Some(store) => store,
                None => Store::new(self.dir, rng.next())?,
            };
            let moment = moment(&mut rng, &current.known);
            if self.cycle(&mut current, moment, &mut report)? {
                store = Some(current);
            } else {
                current.dir.disable_cleanup(true);
            }
            (self.progress)(&report);
        }
        Ok(report)
    }

    /// Kills one child. Returns whether the store can be used again.
    fn cycle(
        &self,
        store: &mut Store,
        moment: KillTime,
        report: &mut Report,
    ) -> Result<bool, Failure> {
        let child =
            Child { dir: store.dir.path().to_owned(), seed: store.seed, done: store.known.done() };
        let mut command = (self.child)();
        child.pass_to(&mut command);
        let child_output = kill(command, moment)?;
        report.cycles += 1;
        report.acknowledged += child_output.acknowledged.len() as u64;
        let faults = report.lost.len() + report.unopenable.len();
        for acknowledged in child_output.acknowledged {
            store.known.acknowledge(acknowledged);
        }
        store.known.see(child_output.seen);
        if let Some(end) = child_output.ended {
            report.unopenable.push(format!("a child exited by itself: {end}"));
        }
        self.compare(store, report);
        Ok(report.lost.len() + report.unopenable.len() == faults)
    }

    fn compare(&self, store: &mut Store, report: &mut Report) {
        let compared =
            (self.open)(store.dir.path()).and_then(|opened| Ok(store.known.compare(&*opened)?));
        let dir = store.dir.path().display();
        match compared {
            Ok(lost) => report.lost.extend(lost.iter().map(|lost| format!("{dir}: {lost}"))),
            Err(error) => report.unopenable.push(format!("{dir}: {}", ErrorChain(&*error))),
        }
    }
}

/// A store from its creation to its last crash.
#[derive(Debug)]
struct Store {
    dir: TempDir,
    seed: u64,
    known: ExpectedState,
}

impl Store {
    fn new(dir: &Path, seed: u64) -> Result<Self, Failure> {
        let dir = tempfile::Builder::new().prefix("store-").tempdir_in(dir)?;
        let known = ExpectedState::nothing(seed);
        Ok(Self { dir, seed, known })
    }
}

/// Chooses the moment of the kill. An empty store is killed more often while it is opened.
fn moment(rng: &mut Rng, known: &ExpectedState) -> KillTime {
    let is_new = known.done().iter().all(|done| *done == 0);
    if rng.once_in(if is_new { 2 } else { 8 }) {
        return KillTime::Opening(Duration::from_micros(rng.below(15_000)));
    }
    KillTime::Writing(Duration::from_micros(5000 + rng.below(145_000)))
}

/// The output of a child.
#[derive(Debug, Default)]
struct ChildOutput {
    acknowledged: Vec<Acknowledgement>,
    /// The newest revision that a reader has seen.
    seen: Revision,
    /// The exit status, if the child was not killed.
    ended: Option<String>,
}

impl ChildOutput {
    fn record_line(&mut self, line: &str) {
        self.acknowledged.extend(Acknowledgement::from_line(line));
        self.seen = self.seen.max(child::seen(line).unwrap_or_default());
    }
}

/// Starts the child, kills it at `moment`, and returns its output.
fn kill(mut command: Command, moment: KillTime) -> Result<ChildOutput, Failure> {
    let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let lines = listen(&mut process)?;
    let mut child_output = ChildOutput::default();
    let listened = listen_until(&lines, moment, &mut child_output);
    // `kill` sends SIGKILL on Unix. It fails if the child has already exited; `listened` reports
    // that.
    let _ = process.kill();
    let status = process.wait()?;
    // The pipe still holds output from before the kill.
    lines.iter().for_each(|line| child_output.record_line(&line));
    match listened {
        Ok(()) => {}
        Err(RecvTimeoutError::Timeout) => {
            child_output.ended = Some("the child hung and was killed".to_owned())
        }
        Err(RecvTimeoutError::Disconnected) => child_output.ended = Some(status.to_string()),
    }
    Ok(child_output)
}

fn listen_until(
    lines: &Receiver<String>,
    moment: KillTime,
    child_output: &mut ChildOutput,
) -> Result<(), RecvTimeoutError> {
    let wait = loop {
        let line = lines.recv_timeout(CHILD_TIMEOUT)?;
        child_output.record_line(&line);
        match moment {
            KillTime::Opening(wait) if line == "opening" => break wait,
            KillTime::Writing(wait) if !child_output.acknowledged.is_empty() => break wait,
            _ => {}
        }
    };
    let deadline = Instant::now() + wait;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => child_output.record_line(&line),
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(ended) => return Err(ended),
        }
    }
}

/// Reads the output in a separate thread, so that the child never waits for the parent.
fn listen(process: &mut Process) -> Result<Receiver<String>, Failure> {
    let out = process.stdout.take().ok_or("the child has no output")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    Ok(lines)
}
