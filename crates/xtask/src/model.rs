//! `cargo xtask model`: runs the index under a model checker.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;
use serde::Deserialize;

use crate::Failure;
use crate::format::grouped;
use crate::shell::{cargo, root, show};

/// Run the scenarios of the index under the model checker, with another thread schedule each time
///
/// The scenarios are the tests in `crates/core/src/index/model`. Each prints a line
/// `scenario=NAME schedules=N`. A failed one prints its schedule, which `shuttle::replay` repeats.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// Run 1,000,000 schedules
    #[arg(long)]
    long: bool,
    /// Number of schedules over all scenarios [default: 40000, or 1000000 with --long]
    #[arg(long)]
    schedules: Option<u64>,
    /// Seed of the schedules
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

impl ModelArgs {
    /// Returns the arguments of the short or the long form.
    pub(crate) fn form(long: bool) -> Self {
        let (schedules, seed) = (None, 1);
        Self {
            long,
            schedules,
            seed,
        }
    }

    fn schedules(&self) -> u64 {
        self.schedules
            .unwrap_or(if self.long { 1_000_000 } else { 40_000 })
    }
}

/// Module of the scenarios.
const SCENARIOS: &str = "index::model";

pub(crate) fn run(args: &ModelArgs) -> Result<(), Failure> {
    let tests = build()?;
    let count = count(&tests)?;
    if count == 0 {
        return Err(format!("there are no tests below `{SCENARIOS}`").into());
    }
    let each = args.schedules().div_ceil(count);
    eprintln!("{count} scenarios, at least {each} schedules each");
    let start = Instant::now();
    let mut command = Command::new(&tests);
    command.args([SCENARIOS, "--nocapture"]).current_dir(root());
    command.env("SYMBOLON_SCHEDULES", each.to_string());
    command.env("SYMBOLON_SEED", args.seed.to_string());
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut done = BTreeMap::new();
    let lines = child.stdout.take().map(BufReader::new);
    for line in lines.into_iter().flat_map(BufReader::lines) {
        let line = line?;
        let Some((name, schedules)) = scenario(&line) else {
            continue;
        };
        eprintln!("{name}: {}", grouped(schedules));
        done.insert(name.to_owned(), schedules);
    }
    let (sum, scenarios) = (grouped(done.values().sum()), done.len());
    if !child.wait()?.success() {
        let message = "one failed with the schedule above";
        return Err(format!("{scenarios} of {count} scenarios passed, {message}").into());
    }
    if scenarios as u64 != count {
        return Err(format!("only {scenarios} of {count} scenarios reported a result").into());
    }
    let seconds = start.elapsed().as_secs();
    println!("{sum} schedules of {scenarios} scenarios in {seconds} s: clean");
    Ok(())
}

/// Builds the engine's unit tests for the model checker, with the dependencies of ordinary tests.
fn build() -> Result<PathBuf, Failure> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    let mut command = cargo(["rustc", "--locked", "--package", "symbolon", "--lib"]);
    command.args(["--profile", "test", "--message-format"]);
    command.arg("json-render-diagnostics");
    command.args(["--", "--cfg", "shuttle", "-C", "opt-level=1"]);
    show(&command);
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("building the model failed; see above".into());
    }
    let lines = output.stdout.split(|byte| *byte == b'\n');
    let messages = lines.filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let built = messages
        .filter_map(|message| message.executable)
        .next_back();
    built.ok_or_else(|| "cargo reported no executable".into())
}

fn count(tests: &PathBuf) -> Result<u64, Failure> {
    let output = Command::new(tests).args([SCENARIOS, "--list"]).output()?;
    let listed = String::from_utf8(output.stdout)?;
    let tests = listed.lines().filter(|line| line.ends_with(": test"));
    Ok(tests.count() as u64)
}

fn scenario(line: &str) -> Option<(&str, u64)> {
    let rest = line.strip_prefix("scenario=")?;
    let (name, schedules) = rest.rsplit_once(" schedules=")?;
    Some((name, schedules.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_scenarios_are_parsed() {
        let line = "scenario=a rebuild loses nothing schedules=2000";
        let read = Some(("a rebuild loses nothing", 2000));
        assert_eq!(scenario(line), read);
        assert_eq!(scenario("test index::model ... ok"), None);
    }
}
