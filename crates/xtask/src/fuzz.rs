//! `cargo xtask fuzz`: runs cargo-fuzz on the stable toolchain.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, IsTerminal as _, stderr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;

use crate::Failure;
use crate::end_to_end::target;
use crate::shell::{cargo, is_installed, root, run};

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
    /// Seconds to search, for each target [default: 60, or 600 with --long]
    #[arg(long)]
    seconds: Option<u64>,
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
/// Longest time for one input, in seconds.
const TIMEOUT: u32 = 10;
const MEMORY_MB: u32 = 4096;
const LARGEST: u32 = 4096;
/// Time between two lines of progress.
const REFRESH: Duration = Duration::from_millis(500);
/// Number of lines that are shown of a crash.
const SHOWN: usize = 60;

pub(crate) fn all(args: &FuzzArgs) -> Result<(), Failure> {
    if !is_installed("cargo-fuzz") {
        eprintln!("cargo-fuzz is missing; installing it");
        run(&mut cargo(["install", "cargo-fuzz", "--locked"]))?;
    }
    let names = chosen(args)?;
    let seconds = args.seconds.unwrap_or(if args.long { 600 } else { 60 });
    for name in &names {
        run(fuzz("build").arg(name))?;
    }
    let mut reports = Vec::new();
    for name in &names {
        reports.push(search(name, seconds)?);
    }
    for (name, report) in names.iter().zip(&reports) {
        let (executions, crashes) = (report.executions, report.crashes);
        let seconds = report.time.as_secs_f64();
        println!("target={name} executions={executions} seconds={seconds:.0} crashes={crashes}");
    }
    if reports.iter().any(|report| report.crashes > 0) {
        return Err("an input violates a property; see above how to repeat it".into());
    }
    Ok(())
}

/// Returns the names in `fuzz/fuzz_targets`, or the one that was requested.
fn chosen(args: &FuzzArgs) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        names.extend(
            path.file_stem()
                .map(|name| name.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    match &args.target {
        None => Ok(names),
        Some(one) if names.contains(one) => Ok(vec![one.clone()]),
        Some(other) => {
            Err(format!("unknown target `{other}`; use one of {}", names.join(", ")).into())
        }
    }
}

/// Returns a `cargo fuzz` command.
fn fuzz(command: &str) -> Command {
    let mut fuzz = cargo(["fuzz", command, "--target-dir"]);
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
    Ok(report)
}

fn round(name: &str, seconds: u64, report: &mut Report) -> Result<(), Failure> {
    let learned = target().join("fuzz/corpus").join(name);
    fs::create_dir_all(&learned)?;
    let committed = PathBuf::from("fuzz/corpus").join(name);
    let mut command = fuzz("run");
    // New inputs go to the first folder.
    command.arg(name).args([&learned, &committed]).arg("--");
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-timeout={TIMEOUT}"));
    command.arg(format!("-rss_limit_mb={MEMORY_MB}"));
    command.arg(format!("-max_len={LARGEST}"));
    command.arg("-print_final_stats=1");
    let dictionary = PathBuf::from("fuzz/dictionaries").join(name);
    if root().join(&dictionary).exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let start = Instant::now();
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let lines = child.stderr.take().map(BufReader::new);
    let mut last = VecDeque::new();
    let mut shown = Instant::now();
    let mut kept = None;
    for line in lines.into_iter().flat_map(|lines| lines.split(b'\n')) {
        let line = String::from_utf8_lossy(&line?).into_owned();
        let executed = line.strip_prefix("stat::number_of_executed_units:");
        let executed = executed.and_then(|number| number.trim().parse::<u64>().ok());
        report.executions += executed.unwrap_or(0);
        if stderr().is_terminal() && line.starts_with('#') && shown.elapsed() > REFRESH {
            shown = Instant::now();
            eprint!("\r{name}: {line:.100}\x1b[K\r");
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            kept = Some(path.to_owned());
        }
        last.push_back(line);
        if last.len() > SHOWN {
            last.pop_front();
        }
    }
    report.time += start.elapsed();
    if child.wait()?.success() {
        return Ok(());
    }
    report.crashes += 1;
    for line in last {
        eprintln!("{line}");
    }
    let kept = kept.unwrap_or_else(|| format!("fuzz/artifacts/{name}/FILE"));
    eprintln!("the input was kept; repeat it with");
    eprintln!("  RUSTC_BOOTSTRAP=1 cargo fuzz run {name} {kept}");
    Ok(())
}
