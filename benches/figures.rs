//! Figures in a file, one line of JSON each: what `cargo xtask bench` reads.

use std::fs::{self, File};
use std::io::Write as _;

use crate::target;

/// Writes `target/bench/figures/NAME.jsonl`.
#[derive(Debug)]
pub struct Figures(File);

/// What a figure is of its measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Half of them are below it.
    Median,
    /// 99 of 100 are below it.
    P99,
    /// As the median, of steps that do not wait for each other.
    Throughput,
    /// The longest.
    Longest,
    /// Counted, not measured.
    Count,
    /// How many times as fast, or as much, as something of the same program.
    Times,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Median => "median",
            Self::P99 => "p99",
            Self::Throughput => "throughput",
            Self::Longest => "longest",
            Self::Count => "count",
            Self::Times => "times",
        }
    }
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Steps a second.
    PerSecond,
    /// Times or pieces.
    One,
}

impl Unit {
    fn word(self) -> &'static str {
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
    /// For the program with this name; what was there before is gone.
    ///
    /// # Panics
    ///
    /// If the file cannot be made.
    pub fn new(program: &str) -> Self {
        let folder = target().join("bench/figures");
        fs::create_dir_all(&folder).unwrap();
        Self(File::create(folder.join(format!("{program}.jsonl"))).unwrap())
    }

    /// Notes one figure; `n` is the number of tokens, if that counts.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn add(&mut self, name: &str, n: Option<u64>, kind: Kind, value: f64, unit: Unit) {
        let line = serde_json::json!({
            "name": name, "n": n, "kind": kind.word(), "value": value, "unit": unit.word(),
        });
        writeln!(self.0, "{line}").unwrap();
    }

    /// Says why something was not measured.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn skip(&mut self, name: &str, why: &str) {
        let line = serde_json::json!({ "name": name, "why": why });
        writeln!(self.0, "{line}").unwrap();
    }
}
