//! `cargo xtask test`: runs every test in groups, each with a budget of time.

use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::check::PACKAGES;
use crate::shell::{cargo, root, run};
use crate::{Failure, contract, crash, end_to_end, install, model, python, standalone};

/// Run every test; on Debian, install the programs that they need
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Run the long form of each group, without budgets
    #[arg(long)]
    long: bool,
    /// Run only these groups
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,
}

/// Tests that run together.
struct Group {
    name: &'static str,
    /// Seconds on two cores from cold, builds included. Twice as many fail the run.
    budget: u64,
    run: fn(long: bool) -> Result<(), Failure>,
}

/// The groups in the order in which they run, with their budgets.
const GROUPS: [Group; 7] = [
    Group {
        name: "programs",
        budget: 60,
        run: |_| prepare(),
    },
    Group {
        name: "crates",
        budget: 480,
        run: test_crates,
    },
    Group {
        name: "standalone",
        budget: 100,
        run: |_| standalone::test(),
    },
    Group {
        name: "model",
        budget: 100,
        run: |long| model::run(&model::ModelArgs::form(long)),
    },
    Group {
        name: "end-to-end",
        budget: 160,
        run: |long| end_to_end::run_all(&end_to_end::EndToEndArgs::form(long)),
    },
    Group {
        name: "contract",
        budget: 80,
        run: |long| contract::run_all(&contract::ContractArgs::form(long)),
    },
    Group {
        name: "crash",
        budget: 40,
        run: crash_all,
    },
];

/// Interval of the lines that report a group as still running.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// # Errors
///
/// Fails with the first group that fails, if a group takes more than twice its budget, and if the
/// tests change a file that git tracks.
pub(crate) fn run_groups(args: &TestArgs) -> Result<(), Failure> {
    let is_unknown = |name: &&String| GROUPS.iter().all(|group| group.name != **name);
    if let Some(name) = args.groups.iter().find(is_unknown) {
        let names = GROUPS.map(|group| group.name).join(", ");
        return Err(format!("no group `{name}`; choose from: {names}").into());
    }
    let is_selected = |group: &&Group| {
        args.groups.is_empty() || args.groups.iter().any(|name| name == group.name)
    };
    let selected: Vec<_> = GROUPS.iter().filter(is_selected).collect();
    let before = tracked_changes()?;
    let mut times = Vec::new();
    for (at, group) in selected.iter().enumerate() {
        let (name, budget) = (group.name, group.budget);
        eprintln!(
            "== [{} of {}] {name} (budget {budget} s)",
            at + 1,
            selected.len()
        );
        let start = Instant::now();
        with_heartbeat(name, || (group.run)(args.long))
            .map_err(|failure| format!("{name}: {failure}"))?;
        times.push((name, start.elapsed().as_secs(), budget));
    }
    print_times(&times);
    if before != tracked_changes()? {
        return Err("the tests changed tracked files; see `git status`".into());
    }
    let over: Vec<_> = times
        .into_iter()
        .filter(|time| !args.long && is_over(time))
        .collect();
    match over.is_empty() {
        true => Ok(()),
        false => {
            let names: Vec<_> = over.iter().map(|(name, ..)| *name).collect();
            Err(format!("more than twice the budget: {}", names.join(", ")).into())
        }
    }
}

fn is_over((_, seconds, budget): &(&str, u64, u64)) -> bool {
    *seconds > 2 * budget
}

fn print_times(times: &[(&str, u64, u64)]) {
    println!("{:<12} {:>8} {:>8}", "group", "seconds", "budget");
    for (name, seconds, budget) in times {
        println!("{name:<12} {seconds:>8} {budget:>8}");
    }
    let total: u64 = times.iter().map(|(_, seconds, _)| seconds).sum();
    let budget: u64 = times.iter().map(|(.., budget)| budget).sum();
    println!("{:<12} {total:>8} {budget:>8}", "total");
}

/// Runs `work` and prints a line every [`HEARTBEAT`] until it returns.
fn with_heartbeat<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let start = Instant::now();
            while is_done.recv_timeout(HEARTBEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("== {name}: running for {} s", start.elapsed().as_secs());
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// Returns the changes of tracked files, with their contents.
fn tracked_changes() -> Result<Vec<u8>, Failure> {
    let output = Command::new("git")
        .arg("diff")
        .current_dir(root())
        .output()?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err("`git diff` failed: the tests need a git checkout".into()),
    }
}

fn prepare() -> Result<(), Failure> {
    install::missing_programs()?;
    python::environment().map(drop)
}

fn test_crates(long: bool) -> Result<(), Failure> {
    python::environment()?;
    run(cargo(["test", "--locked"]).args(PACKAGES))?;
    if !long {
        return Ok(());
    }
    let mut lists = cargo(["test", "--locked", "--release", "--package", "symbolon-cli"]);
    lists.args([
        "--test",
        "serve",
        "lists",
        "--",
        "--nocapture",
        "--test-threads",
        "1",
    ]);
    run(lists.env("SYMBOLON_TEST_AUTHORIZATIONS", "1000000"))?;
    let mut cases = cargo([
        "test",
        "--locked",
        "--release",
        "--package",
        "symbolon",
        "--lib",
    ]);
    run(cases.arg("cover").env("SYMBOLON_TEST_CASES", "100000000"))
}

fn crash_all(long: bool) -> Result<(), Failure> {
    for backend in crash::BACKENDS {
        let args = || crash::CrashArgs::form(backend, long);
        crash::run(&args())?;
        crash::run(&args().with_journal())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_twice_the_budget_is_over() {
        assert!(!is_over(&("a", 20, 10)));
        assert!(is_over(&("a", 21, 10)));
    }

    #[test]
    fn the_budgets_leave_three_minutes_of_twenty_for_the_rest_of_ci() {
        let total: u64 = GROUPS.iter().map(|group| group.budget).sum();
        assert!(total <= 17 * 60, "{total}");
    }

    #[test]
    fn an_unknown_group_is_refused() {
        let groups = vec!["absent".to_owned()];
        let failure = run_groups(&TestArgs {
            long: false,
            groups,
        })
        .unwrap_err();
        assert!(failure.to_string().contains("no group `absent`"));
    }
}
