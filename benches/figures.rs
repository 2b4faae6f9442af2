//! Measured figures, written as lines of JSON for `cargo xtask bench`.

use std::fs::{self, File};
use std::io::Write as _;

use serde_json::{Value, json};

use crate::target;

/// Writes `target/bench/figures/NAME.jsonl`.
#[derive(Debug)]
pub struct Figures(File);

/// The statistic that a figure reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The median.
    Median,
    /// The 99th percentile.
    P99,
    /// The median of steps that do not depend on each other.
    Throughput,
    /// The maximum.
    Longest,
    /// A count or an amount.
    Count,
    /// A multiple of another figure of the same program.
    Times,
}

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Steps per second.
    PerSecond,
    /// Multiples or pieces.
    One,
}

impl Unit {
    fn symbol(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Bytes => "B",
            Self::Seconds => "s",
            Self::PerSecond => "1/s",
            Self::One => "",
        }
    }
}

impl Figures {
    /// Creates the file of a program, or empties it.
    pub fn new(program: &str) -> Self {
        let folder = target().join("bench/figures");
        fs::create_dir_all(&folder).unwrap();
        Self(File::create(folder.join(format!("{program}.jsonl"))).unwrap())
    }

    /// Records a figure; `n` is the number of tokens if the figure depends on it.
    pub fn add(&mut self, name: &str, n: Option<u64>, kind: Kind, value: f64, unit: Unit) {
        let kind = format!("{kind:?}").to_lowercase();
        let unit = unit.symbol();
        self.write(&json!({"name": name, "n": n, "kind": kind, "value": value, "unit": unit}));
    }

    /// Records why a figure was not measured.
    pub fn skip(&mut self, name: &str, why: &str) {
        self.write(&json!({"name": name, "why": why}));
    }

    fn write(&mut self, line: &Value) {
        writeln!(self.0, "{line}").unwrap();
    }
}
