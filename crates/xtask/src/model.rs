//! `cargo xtask model`: runs the index under a model checker.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;
use serde_json::Value;

use crate::failure::Failure;
use crate::format::grouped;
use crate::shell::{cargo, read, root};

/// Run the scenarios of the index under the model checker, with another thread schedule each time
///
/// The scenarios are the tests in `crates/core/src/index/model`. Each prints a line
/// `scenario=NAME schedules=N`. A failed one prints its schedule, which `shuttle::replay` repeats.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// Run 1,000,000 schedules
    #[arg(long)]
    long: bool,
    /// Number of schedules over all scenarios
    #[arg(long, default_value_t = 40_000, default_value_if("long", "true", "1000000"))]
    schedules: u64,
    /// Seed of the schedules
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// Module of the scenarios.
const SCENARIOS: &str = "index::model";

pub(crate) fn run(args: &ModelArgs) -> Result<(), Failure> {
    let tests = build()?;
    let listed = read(Command::new(&tests).args([SCENARIOS, "--list"]))?;
    let count = listed.matches(": test\n").count();
    if count == 0 {
        return Err(format!("there are no tests below `{SCENARIOS}`").into());
    }
    let each = args.schedules.div_ceil(count as u64);
    eprintln!("{count} scenarios, at least {each} schedules each");
    let start = Instant::now();
    let mut command = Command::new(&tests);
    command.args([SCENARIOS, "--nocapture"]).current_dir(root());
    command.env("SYMBOLON_SCHEDULES", each.to_string());
    command.env("SYMBOLON_SEED", args.seed.to_string());
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let (mut passed, mut sum) = (0, 0);
    let output = child.stdout.take().ok_or("the tests have no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        let scenario = line.strip_prefix("scenario=");
        if let Some((name, schedules)) = scenario.and_then(|rest| rest.rsplit_once(" schedules=")) {
            let schedules: u64 = schedules.parse()?;
            eprintln!("{name}: {}", grouped(schedules));
            passed += 1;
            sum += schedules;
        }
    }
    if !child.wait()?.success() {
        let message = "one failed with the schedule above";
        return Err(format!("{passed} of {count} scenarios passed, {message}").into());
    }
    if passed != count {
        return Err(format!("only {passed} of {count} scenarios reported a result").into());
    }
    let (sum, seconds) = (grouped(sum), start.elapsed().as_secs());
    println!("{sum} schedules of {passed} scenarios in {seconds} s: clean");
    Ok(())
}

/// Builds the engine's unit tests for the model checker, with the dependencies of ordinary tests.
fn build() -> Result<PathBuf, Failure> {
    let messages = read(&mut cargo(
        "rustc --locked --package symbolon --lib --profile test \
         --message-format json-render-diagnostics -- --cfg shuttle -C opt-level=1",
    ))?;
    let built = messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(message.get("executable")?.as_str()?.into())
    });
    built.ok_or_else(|| "cargo reported no executable".into())
}
