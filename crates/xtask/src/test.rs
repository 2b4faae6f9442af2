//! `cargo xtask test`: runs every test in groups, each with a budget of time.

use std::process::Command;
use std::time::Instant;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::check::PACKAGES;
use crate::failure::Failure;
use crate::shell::{cargo, read, root, run};
use crate::{programs, standalone};

/// Run every test; on Debian, install the programs that they need
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Run the long form of each group, without budgets
    #[arg(long)]
    long: bool,
    /// Run only these groups
    #[arg(value_name = "GROUP")]
    #[arg(value_parser = PossibleValuesParser::new(GROUPS.map(|group| group.name)))]
    groups: Vec<String>,
}

/// Tests that run together.
struct Group {
    name: &'static str,
    /// Seconds on two cores from cold, builds included. Twice as many fail the run.
    budget: u64,
    run: Run,
}

type Run = fn(long: bool, run_line: RunLine) -> Result<(), Failure>;
/// Runs a command of this program from words separated by spaces.
type RunLine = fn(&str) -> Result<(), Failure>;

/// The groups in the order in which they run, with their budgets.
const GROUPS: [Group; 7] = [
    Group::new("programs", 60, |_, _| prepare()),
    Group::new("crates", 480, |long, _| test_crates(long)),
    Group::new("standalone", 100, |_, _| standalone::test()),
    Group::new("model", 100, |long, run_line| run_lines(&["model"], long, run_line)),
    Group::new("end-to-end", 160, |long, run_line| run_lines(&["e2e"], long, run_line)),
    Group::new("contract", 80, |long, run_line| run_lines(&["contract"], long, run_line)),
    Group::new("crash", 40, |long, run_line| run_lines(&CRASHES, long, run_line)),
];

const CRASHES: [&str; 4] = [
    "crash --backend sqlite",
    "crash --backend sqlite --journal",
    "crash --backend sled",
    "crash --backend sled --journal",
];

/// # Errors
///
/// Fails with the first group that fails, if a group takes more than twice its budget, and if the
/// tests change a file that git tracks.
pub(crate) fn run_groups(args: &TestArgs, run_line: RunLine) -> Result<(), Failure> {
    let is_named = |name| args.groups.iter().any(|group| group == name);
    let is_selected = |group: &&Group| args.groups.is_empty() || is_named(group.name);
    let selected: Vec<_> = GROUPS.iter().filter(is_selected).collect();
    let before = tracked_changes()?;
    let mut times = Vec::new();
    for (at, group) in (1..).zip(&selected) {
        let (name, budget, all) = (group.name, group.budget, selected.len());
        eprintln!("== [{at} of {all}] {name} (budget {budget} s)");
        let start = Instant::now();
        let result = (group.run)(args.long, run_line);
        result.map_err(|failure| format!("{name}: {failure}"))?;
        times.push((name, start.elapsed().as_secs(), budget));
    }
    print_times(&times);
    if before != tracked_changes()? {
        return Err("the tests changed tracked files; see `git status`".into());
    }
    times.retain(|(_, seconds, budget)| *seconds > 2 * *budget && !args.long);
    if times.is_empty() {
        return Ok(());
    }
    let over: Vec<_> = times.iter().map(|(name, ..)| *name).collect();
    Err(format!("more than twice the budget: {}", over.join(", ")).into())
}

impl Group {
    const fn new(name: &'static str, budget: u64, run: Run) -> Self {
        Self { name, budget, run }
    }
}

/// Runs commands of this program.
fn run_lines(lines: &[&str], long: bool, run_line: RunLine) -> Result<(), Failure> {
    let option = if long { " --long" } else { "" };
    let mut lines = lines.iter().map(|line| format!("{line}{option}"));
    lines.try_for_each(|line| run_line(&line))
}

fn print_times(times: &[(&str, u64, u64)]) {
    let seconds = times.iter().map(|(_, seconds, _)| seconds).sum();
    let budget = times.iter().map(|(.., budget)| budget).sum();
    println!("{:<12} {:>8} {:>8}", "group", "seconds", "budget");
    for (name, seconds, budget) in times.iter().chain([&("total", seconds, budget)]) {
        println!("{name:<12} {seconds:>8} {budget:>8}");
    }
}

/// Returns the changes of tracked files, with their contents.
fn tracked_changes() -> Result<String, Failure> {
    read(Command::new("git").arg("diff").current_dir(root()))
}

fn prepare() -> Result<(), Failure> {
    programs::install_missing()?;
    programs::python_environment().map(drop)
}

fn test_crates(long: bool) -> Result<(), Failure> {
    programs::python_environment()?;
    run(cargo("test --locked").args(PACKAGES))?;
    // The safe forms of the low-level parts.
    run(&mut cargo("test --locked --package symbolon --lib --features portable"))?;
    if !long {
        return Ok(());
    }
    let lists = "test --locked --release --package symbolon-cli --test serve lists \
                 -- --nocapture --test-threads 1";
    run(cargo(lists).env("SYMBOLON_TEST_AUTHORIZATIONS", "1000000"))?;
    let cases = "test --locked --release --package symbolon --lib cover";
    run(cargo(cases).env("SYMBOLON_TEST_CASES", "100000000"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::Cli;

    #[test]
    fn the_budgets_leave_three_minutes_of_twenty_for_the_rest_of_ci() {
        let total: u64 = GROUPS.iter().map(|group| group.budget).sum();
        assert!(total <= 17 * 60, "{total}");
    }

    #[test]
    fn the_commands_of_the_groups_are_valid() {
        for line in CRASHES.into_iter().chain(["model", "e2e", "contract"]) {
            let words = ["xtask"].into_iter().chain(line.split(' '));
            Cli::try_parse_from(words.chain(["--long"])).unwrap();
        }
    }
}
