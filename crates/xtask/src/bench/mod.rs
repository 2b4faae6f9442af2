//! `cargo xtask bench`: runs the benchmarks and compares each figure with others of the same run.

mod instructions;
mod measured;
mod output;
mod report;
mod rows;

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use self::measured::Measured;
use self::rows::Rows;
use crate::failure::Failure;
use crate::format::{grouped, quantity};
use crate::shell::{cargo, empty_folder, read, root, run, target};

/// Measure, print each figure with its ratio and target, and write `target/bench.json`
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    command: Option<BenchCommand>,
    /// Measure longer, and ten million tokens too [default: about three minutes]
    #[arg(long)]
    long: bool,
    /// Put the table into README.md
    #[arg(long)]
    readme: bool,
    /// Run only this program of benches; can be repeated
    #[arg(long, value_name = "PROGRAM", value_parser = PossibleValuesParser::new(PROGRAMS))]
    only: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    Instructions(instructions::InstructionsArgs),
}

/// The programs of `benches` in the order of execution.
const PROGRAMS: [&str; 7] = ["check", "peers", "threads", "writer", "memory", "cost", "store"];
const SIZES: [u64; 3] = [1_000, 100_000, 1_000_000];
const TEN_MILLION: u64 = 10_000_000;
/// Memory for ten million tokens: the texts, the growing index, and a grant for each.
const TEN_MILLION_BYTES: u64 = 6 << 30;

pub(crate) fn all(args: &BenchArgs) -> Result<(), Failure> {
    if let Some(BenchCommand::Instructions(args)) = &args.command {
        return instructions::compare(args);
    }
    let folder = target().join("bench");
    empty_folder(&folder)?;
    let mut notes = measure(args, &folder)?;
    let measured = Measured::read(&folder.join("figures"), &folder.join("criterion"))?;
    let Rows { titles, mut rows } = Rows::read()?;
    if !args.only.is_empty() {
        rows.retain(|row| !measured.sizes(&row.name, row.kind).is_empty());
    }
    let figures = report::figures(&rows, &measured)?;
    println!("{}", output::table(&figures));
    let skipped = measured.skipped.iter();
    notes.extend(skipped.map(|one| format!("{}: {}", one.name, one.why)));
    for note in &notes {
        println!("not measured: {note}");
    }
    println!("{}", output::summary(&figures));
    let json = serde_json::to_string_pretty(&figures)?;
    output::write(&target().join("bench.json"), &json)?;
    if args.readme {
        let long = if args.long { " --long" } else { "" };
        let command = format!("cargo xtask bench{long} --readme");
        let part = output::markdown(&figures, &titles, &command);
        let readme = root().join("README.md");
        let text = output::insert(&fs::read_to_string(&readme)?, &part)?;
        output::write(&readme, &text)?;
    }
    Ok(())
}

/// Runs the programs, and returns the reasons why some sizes were not measured.
fn measure(args: &BenchArgs, folder: &Path) -> Result<Vec<String>, Failure> {
    run(&mut cargo("bench --package symbolon-benches --no-run"))?;
    let (sizes, notes) = sizes(args, folder)?;
    eprintln!("measuring for {sizes} tokens");
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let programs: Vec<_> = PROGRAMS.iter().filter(|name| wanted(name)).collect();
    for (place, name) in programs.iter().enumerate() {
        eprintln!("[{} of {}] {name}", place + 1, programs.len());
        run(program(name, args, folder).env("SYMBOLON_BENCH_SIZES", &sizes))?;
    }
    Ok(notes)
}

fn program(name: &str, args: &BenchArgs, folder: &Path) -> Command {
    let mut program = cargo("bench --quiet --package symbolon-benches --bench");
    program.arg(name);
    program.env("CARGO_TARGET_DIR", target());
    program.env("CRITERION_HOME", folder.join("criterion"));
    if !args.long {
        program.env("SYMBOLON_BENCH_QUICK", "1");
    }
    program
}

/// Creates the standard worlds, and returns their sizes and the reason why one is missing.
fn sizes(args: &BenchArgs, folder: &Path) -> Result<(String, Vec<String>), Failure> {
    let mut notes = Vec::new();
    let mut sizes = SIZES.to_vec();
    match output::memory("MemAvailable") {
        _ if !args.long => notes.push("10,000,000 tokens: only with --long".to_owned()),
        Some(free) if free < TEN_MILLION_BYTES => notes.push(format!(
            "10,000,000 tokens: {} of memory are free, {} are needed",
            quantity(free as f64, "B"),
            quantity(TEN_MILLION_BYTES as f64, "B")
        )),
        _ => sizes.push(TEN_MILLION),
    }
    for size in &sizes {
        let created = read(program("worlds", args, folder).args(["--", &size.to_string()]))?;
        eprintln!("created {} tokens in {} s", grouped(*size), created.trim());
    }
    let sizes: Vec<_> = sizes.iter().map(u64::to_string).collect();
    Ok((sizes.join(","), notes))
}
