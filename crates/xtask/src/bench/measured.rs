//! Reads the figures that the programs in `benches` and criterion have recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::rows::Kind;
use crate::Failure;

const HASH: &str = "limit/hash";
const LINE: &str = "limit/line";
/// The limit of checks: the sum of both.
pub(super) const LIMIT: &str = "limit/L";

/// Figures by name, kind and number of tokens.
#[derive(Debug, Default)]
pub(super) struct Measured {
    figures: BTreeMap<Key, Value>,
    /// Figures that were not measured, with the reasons.
    pub(super) skipped: Vec<(String, String)>,
}

type Key = (String, Kind, Option<u64>);

/// A value with its unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    pub(super) value: f64,
    pub(super) unit: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Figure {
        name: String,
        n: Option<u64>,
        kind: Kind,
        value: f64,
        unit: String,
    },
    Skipped {
        name: String,
        why: String,
    },
}

#[derive(Debug, Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Debug, Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// The benchmark of criterion's estimates.
#[derive(Debug, Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

impl Measured {
    /// Reads all files in these directories.
    pub(super) fn read(figures: &Path, criterion: &Path) -> Result<Self, Failure> {
        let mut measured = Self::default();
        for entry in fs::read_dir(figures)? {
            measured.take_lines(&fs::read_to_string(entry?.path())?)?;
        }
        measured.take_criterion(criterion)?;
        measured.add_limit();
        Ok(measured)
    }

    /// Adds one figure or omission per line.
    pub(super) fn take_lines(&mut self, text: &str) -> Result<(), Failure> {
        for line in text.lines() {
            match serde_json::from_str(line)? {
                Line::Figure {
                    name,
                    n,
                    kind,
                    value,
                    unit,
                } => self.put(&name, kind, n, value, &unit),
                Line::Skipped { name, why } => self.skipped.push((name, why)),
            }
        }
        Ok(())
    }

    fn take_criterion(&mut self, folder: &Path) -> Result<(), Failure> {
        if !folder.is_dir() {
            return Ok(());
        }
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name == "new") {
                let read = |name: &str| fs::read_to_string(path.join(name));
                let of: Benchmark = serde_json::from_str(&read("benchmark.json")?)?;
                let estimates: Estimates = serde_json::from_str(&read("estimates.json")?)?;
                let (name, n) = of.name();
                let median = estimates.median.point_estimate;
                self.put(&name, Kind::Median, n, median, "ns");
            } else if path.is_dir() {
                self.take_criterion(&path)?;
            }
        }
        Ok(())
    }

    pub(super) fn put(&mut self, name: &str, kind: Kind, n: Option<u64>, value: f64, unit: &str) {
        let unit = unit.to_owned();
        let key = (name.to_owned(), kind, n);
        self.figures.insert(key, Value { value, unit });
    }

    /// Adds the limit L for each number of tokens: the median of a hash plus that of a random line.
    fn add_limit(&mut self) {
        let hash = self.find(HASH, Kind::Median, None).cloned();
        for n in self.sizes(LINE, Kind::Median) {
            let line = self.find(LINE, Kind::Median, n).cloned();
            if let (Some(hash), Some(line)) = (&hash, line) {
                let sum = hash.value + line.value;
                self.put(LIMIT, Kind::Median, n, sum, &line.unit);
            }
        }
    }

    /// Returns the figure for `n` tokens, or else the one that depends on no number.
    pub(super) fn find(&self, name: &str, kind: Kind, n: Option<u64>) -> Option<&Value> {
        let find = |n| self.figures.get(&(name.to_owned(), kind, n));
        find(n).or_else(|| find(None))
    }

    /// Returns the numbers of tokens for which a figure was measured.
    pub(super) fn sizes(&self, name: &str, kind: Kind) -> Vec<Option<u64>> {
        let keys = self.figures.keys();
        let keys = keys.filter(|(other, of, _)| other == name && *of == kind);
        keys.map(|(.., n)| *n).collect()
    }

    /// Returns all figures except those with these names.
    pub(super) fn others(
        &self,
        names: &BTreeSet<(&str, Kind)>,
    ) -> impl Iterator<Item = (&Key, &Value)> {
        let figures = self.figures.iter();
        figures.filter(|((name, kind, _), _)| !names.contains(&(name.as_str(), *kind)))
    }
}

impl Benchmark {
    /// Returns `group/what` and the number of tokens.
    fn name(self) -> (String, Option<u64>) {
        let n = self.value_str.as_deref().and_then(|text| text.parse().ok());
        let what = match (self.function_id, n) {
            (Some(what), _) => what,
            (None, _) => self.value_str.unwrap_or_default(),
        };
        (format!("{}/{what}", self.group_id), n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_sum_for_each_number_of_tokens() {
        let mut measured = Measured::default();
        let lines = r#"{"name":"limit/hash","n":null,"kind":"median","value":64,"unit":"ns"}
            {"name":"limit/line","n":7,"kind":"median","value":121,"unit":"ns"}
            {"name":"peer/x","why":"absent"}"#;
        measured.take_lines(lines).unwrap();
        measured.add_limit();
        let limit = measured.find(LIMIT, Kind::Median, Some(7)).unwrap();
        assert_eq!(limit.value, 185.0);
        assert!(measured.find(LIMIT, Kind::Median, Some(8)).is_none());
        assert_eq!(
            measured.skipped,
            [("peer/x".to_owned(), "absent".to_owned())]
        );
        assert!(measured.take_lines("{}").is_err());
    }

    #[test]
    fn a_benchmark_is_named_by_group_and_function() {
        let of = |function: Option<&str>, value: Option<&str>| Benchmark {
            group_id: "g".to_owned(),
            function_id: function.map(str::to_owned),
            value_str: value.map(str::to_owned),
        };
        assert_eq!(
            of(Some("f"), Some("1000")).name(),
            ("g/f".to_owned(), Some(1000))
        );
        assert_eq!(of(None, Some("f")).name(), ("g/f".to_owned(), None));
        assert_eq!(of(Some("f"), None).name(), ("g/f".to_owned(), None));
    }
}
