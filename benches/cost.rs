//! Allocations and system calls per check. Counting system calls needs `strace`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

use symbolon::store::Sharing;
use symbolon_benches::{Cast, Figures, Kind, Presented, Unit, World, child_arguments, target};

const TOKENS: u64 = 1000;
const CHECKS: u64 = 1_000_000;
/// System calls of waiting threads, by which two runs may differ.
const NOISE: i64 = 100;

fn main() {
    let world = World::open(Cast::Standard, TOKENS, Sharing::Exclusive);
    if let Some(arguments) = child_arguments() {
        return check(&world, arguments.first().unwrap().parse().unwrap());
    }
    let mut figures = Figures::new("cost");
    // Exclude what a thread allocates for its first check.
    check(&world, 100);
    let counted = allocation_counter::measure(|| check(&world, CHECKS));
    let allocations = counted.count_total as f64 / CHECKS as f64;
    let one = Unit::One;
    figures.add("cost/allocations", None, Kind::Count, allocations, one);
    drop(world);
    match (system_calls(1), system_calls(CHECKS + 1)) {
        (Some(few), Some(many)) => {
            // Fewer than one call in 10,000 checks is noise.
            let more = if many - few < NOISE { 0 } else { many - few };
            let calls = more as f64 / CHECKS as f64;
            figures.add("cost/system-calls", None, Kind::Count, calls, one);
        }
        _ => figures.skip(
            "cost/system-calls",
            "`strace` is not installed, or may not trace; it is in the package `strace`",
        ),
    }
}

/// Checks some tokens in turn. Allocations for preparing them are not counted.
fn check(world: &World, checks: u64) {
    let verifier = world.engine.verifier();
    let mut ready: Vec<Presented> = Vec::new();
    allocation_counter::opt_out(|| {
        ready = (0..100).map(|number| world.presented(number)).collect()
    });
    for (_, one) in (0..checks).zip(ready.iter().cycle()) {
        let answer = verifier.check(&one.token, &one.request);
        black_box(answer).unwrap();
    }
    allocation_counter::opt_out(|| drop(ready));
}

/// Counts the calls of a process that performs this number of checks, if `strace` can.
fn system_calls(checks: u64) -> Option<i64> {
    let out = target().join("bench/strace.out");
    let mut strace = Command::new("strace");
    strace.args(["--follow-forks", "--summary-only", "--output"]);
    strace.arg(&out).arg(std::env::current_exe().unwrap());
    strace.args(["--child", &checks.to_string()]);
    let done = strace.stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.ok()?.success().then(|| total(&out)).flatten()
}

/// Reads the number of calls from the last line of the summary.
fn total(summary: &Path) -> Option<i64> {
    let text = std::fs::read_to_string(summary).ok()?;
    let line = text.lines().find(|line| line.ends_with(" total"))?;
    // Share, seconds, microseconds per call, calls, and errors if any.
    line.split_whitespace().nth(3)?.parse().ok()
}
