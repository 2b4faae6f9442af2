//! `cargo xtask bench`: runs the benchmarks, and sets every figure beside its limit or peer of the same run.

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::end_to_end::target;
use crate::shell::{cargo, run};

/// Measures, prints the figures with their ratios, and writes `target/bench.json`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Measure for a short time only
    #[arg(long)]
    quick: bool,
}

/// A figure: its group, its name, for how many tokens if that counts, and beside what it stands.
struct Row(
    &'static str,
    &'static str,
    Option<u64>,
    &'static [&'static str],
);

const SIZES: [u64; 3] = [1_000, 100_000, 1_000_000];
const HASH: &str = "bare-hash";
const PEER: &str = "sha256-rwlock-hashmap";

#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    value: f64,
    unit: &'static str,
    beside: String,
    ratio: f64,
}

#[derive(Debug, Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Debug, Deserialize)]
struct Estimate {
    point_estimate: f64,
}

pub(crate) fn all(args: &BenchArgs) -> Result<(), Failure> {
    let mut bench = cargo(["bench", "--package", "symbolon-benches"]);
    if args.quick {
        let times = ["--", "--warm-up-time", "0.5", "--measurement-time", "1"];
        bench.args(times);
    }
    run(&mut bench)?;
    let figures = figures()?;
    println!("{}", table(&figures));
    let file = target().join("bench.json");
    std::fs::write(&file, serde_json::to_string_pretty(&figures)?)?;
    eprintln!("written to {}", file.display());
    Ok(())
}

fn figures() -> Result<Vec<Figure>, Failure> {
    let checks = ["symbolon", "unknown", "malformed", "grant"];
    let mut rows: Vec<Row> = Vec::new();
    for size in SIZES {
        rows.extend(checks.map(|name| Row("check", name, Some(size), &[HASH, PEER])));
    }
    rows.push(Row(
        "create",
        "symbolon-sqlite",
        None,
        &["bare-sqlite", "fsync-floor"],
    ));
    rows.push(Row(
        "create",
        "symbolon-sqlite-journal",
        None,
        &["symbolon-sqlite", "fsync-floor"],
    ));
    rows.push(Row("create", "symbolon-memory", None, &["symbolon-sqlite"]));
    rows.push(Row(
        "open",
        "symbolon-sqlite",
        Some(1_000_000),
        &["bare-scan"],
    ));
    let mut figures = Vec::new();
    for Row(group, name, n, beside) in rows {
        let value = median(group, name, n)?;
        for beside in beside {
            figures.push(Figure {
                name: format!("{group} {name}"),
                n,
                value,
                unit: "ns",
                beside: (*beside).to_owned(),
                ratio: value / median(group, beside, n)?,
            });
        }
    }
    Ok(figures)
}

/// The median of one benchmark in nanoseconds, as criterion has written it.
fn median(group: &str, name: &str, n: Option<u64>) -> Result<f64, Failure> {
    let mut path = target().join("criterion").join(group).join(name);
    if let Some(n) = n {
        path.push(n.to_string());
    }
    let path = path.join("new/estimates.json");
    read(&path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn read(path: &Path) -> Result<f64, Failure> {
    let text = std::fs::read_to_string(path)?;
    let estimates: Estimates = serde_json::from_str(&text)?;
    Ok(estimates.median.point_estimate)
}

/// As a Markdown table.
fn table(figures: &[Figure]) -> String {
    let mut text =
        String::from("| figure | tokens | median | beside | ratio |\n|---|---|---|---|---|");
    for figure in figures {
        let n = figure.n.map(|n| n.to_string()).unwrap_or_default();
        let value = time(figure.value);
        let (name, beside, ratio) = (&figure.name, &figure.beside, figure.ratio);
        // Writing to a text cannot fail.
        let _ = write!(text, "\n| {name} | {n} | {value} | {beside} | {ratio:.3} |");
    }
    text
}

fn time(nanos: f64) -> String {
    match nanos {
        small if small < 1e3 => format!("{small:.1} ns"),
        small if small < 1e6 => format!("{:.1} µs", small / 1e3),
        small if small < 1e9 => format!("{:.2} ms", small / 1e6),
        large => format!("{:.2} s", large / 1e9),
    }
}
