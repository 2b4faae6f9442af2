//! `cargo xtask fuzz`: runs cargo-fuzz on the stable toolchain.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;

use crate::failure::Failure;
use crate::shell::{cargo, is_installed, read, root, run, target};

/// Search for inputs that violate a property, starting with the committed ones
///
/// Installs cargo-fuzz if it is missing. The last lines of output are `target=T executions=N
/// seconds=S crashes=C`, one per target. New inputs are kept in `target/fuzz`, and one that
/// violates a property in `fuzz/artifacts`.
#[derive(Debug, Args)]
pub(crate) struct FuzzArgs {
    /// Search for 600 seconds
    #[arg(long)]
    long: bool,
    /// Seconds to search, for each target
    #[arg(long, default_value_t = 60, default_value_if("long", "true", "600"))]
    seconds: u64,
    /// Fuzz only this target
    #[arg(long)]
    target: Option<String>,
}

#[derive(Debug, Default)]
struct Report {
    executions: u64,
    time: Duration,
    crashes: u32,
}

/// Seconds after which the process is restarted, because its memory grows.
const ROUND: u64 = 60;
/// Longest time for one input in seconds, most memory in MB, and longest input.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=4096", "-max_len=4096"];
/// Number of lines that are shown of a crash.
const SHOWN: usize = 60;

pub(crate) fn all(args: &FuzzArgs) -> Result<(), Failure> {
    if !is_installed("cargo-fuzz") {
        eprintln!("cargo-fuzz is missing; installing it");
        run(&mut cargo("install cargo-fuzz --locked"))?;
    }
    let listed = read(&mut cargo("fuzz list"))?;
    let is_wanted = |name: &&str| args.target.as_ref().is_none_or(|wanted| wanted == name);
    let names: Vec<_> = listed.lines().filter(is_wanted).collect();
    if names.is_empty() {
        return Err(format!("unknown target; use one of {}", listed.replace('\n', " ")).into());
    }
    for name in &names {
        run(fuzz("build").arg(name))?;
    }
    let mut crashes = 0;
    for name in names {
        crashes += search(name, args.seconds)?.crashes;
    }
    if crashes > 0 {
        return Err("an input violates a property; see above how to repeat it".into());
    }
    Ok(())
}

/// Returns a `cargo fuzz` command.
fn fuzz(command: &str) -> Command {
    let mut fuzz = cargo(&format!("fuzz {command} --target-dir"));
    // The sanitizer needs this on a stable toolchain.
    fuzz.arg(target().join("fuzz")).env("RUSTC_BOOTSTRAP", "1");
    fuzz
}

/// Searches in rounds until the time is over or an input is found.
fn search(name: &str, seconds: u64) -> Result<Report, Failure> {
    let mut report = Report::default();
    let whole = Duration::from_secs(seconds);
    while report.crashes == 0 && report.time < whole {
        let left = (whole - report.time).as_secs().max(1);
        round(name, left.min(ROUND), &mut report)?;
        let (executions, time) = (report.executions, report.time.as_secs());
        eprintln!("{name}: {executions} executions in {time} of {seconds} s");
    }
    let (executions, crashes) = (report.executions, report.crashes);
    let seconds = report.time.as_secs_f64();
    println!("target={name} executions={executions} seconds={seconds:.0} crashes={crashes}");
    Ok(report)
}

fn round(name: &str, seconds: u64, report: &mut Report) -> Result<(), Failure> {
    let learned = target().join("fuzz/corpus").join(name);
    fs::create_dir_all(&learned)?;
    let committed = PathBuf::from("fuzz/corpus").join(name);
    let mut command = fuzz("run");
    // New inputs go to the first folder.
    command.arg(name).args([&learned, &committed]).arg("--");
    command.args(LIMITS).arg("-print_final_stats=1");
    command.arg(format!("-max_total_time={seconds}"));
    let dictionary = PathBuf::from("fuzz/dictionaries").join(name);
    if root().join(&dictionary).exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let start = Instant::now();
    let output = command.output()?;
    report.time += start.elapsed();
    let printed = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = printed.lines().collect();
    let after = |start| lines.iter().find_map(|line| line.split_once(start));
    if let Some((_, executed)) = after("stat::number_of_executed_units:") {
        report.executions += executed.trim().parse::<u64>()?;
    }
    if output.status.success() {
        return Ok(());
    }
    report.crashes += 1;
    for line in lines.iter().skip(lines.len().saturating_sub(SHOWN)) {
        eprintln!("{line}");
    }
    let kept = after("Test unit written to ").map_or("fuzz/artifacts/…", |(_, path)| path);
    eprintln!("the input was kept; repeat it with");
    eprintln!("  RUSTC_BOOTSTRAP=1 cargo fuzz run {name} {kept}");
    Ok(())
}
