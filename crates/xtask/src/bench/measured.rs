//! Reads the figures that the programs in `benches` and criterion have recorded.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::rows::Kind;
use crate::failure::Failure;

const HASH: &str = "limit/hash";
const LINE: &str = "limit/line";
/// The limit of checks: the sum of both.
const LIMIT: &str = "limit/L";

/// The figures of a run, by name, kind and number of tokens.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) figures: Vec<Recorded>,
    /// Figures that were not measured, with the reasons.
    pub(super) skipped: Vec<Skipped>,
}

/// A recorded figure.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Recorded {
    pub(super) name: String,
    /// Number of tokens, if the figure depends on it.
    pub(super) n: Option<u64>,
    pub(super) kind: Kind,
    pub(super) value: f64,
    pub(super) unit: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Skipped {
    pub(super) name: String,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Figure(Recorded),
    Skipped(Skipped),
}

impl Measured {
    /// Reads all files in these directories.
    pub(super) fn read(figures: &Path, criterion: &Path) -> Result<Self, Failure> {
        let mut measured = Self::default();
        for entry in fs::read_dir(figures)? {
            measured.take_lines(&fs::read_to_string(entry?.path())?)?;
        }
        if criterion.is_dir() {
            measured.take_criterion(criterion)?;
        }
        measured.add_limit();
        let figures = &mut measured.figures;
        figures.sort_by(|one, other| one.key().cmp(&other.key()));
        Ok(measured)
    }

    /// Adds one figure or omission per line.
    pub(super) fn take_lines(&mut self, text: &str) -> Result<(), Failure> {
        for line in text.lines() {
            match serde_json::from_str(line)? {
                Line::Figure(figure) => self.figures.push(figure),
                Line::Skipped(skipped) => self.skipped.push(skipped),
            }
        }
        Ok(())
    }

    fn take_criterion(&mut self, folder: &Path) -> Result<(), Failure> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name == "new") {
                let read = |name: &str| fs::read_to_string(path.join(name));
                let (name, n) = name_of(&serde_json::from_str(&read("benchmark.json")?)?);
                let estimates: Value = serde_json::from_str(&read("estimates.json")?)?;
                let median = estimates.pointer("/median/point_estimate");
                let value = median.and_then(Value::as_f64).ok_or("criterion has no median")?;
                self.figures.push(Recorded::median(&name, n, value));
            } else if path.is_dir() {
                self.take_criterion(&path)?;
            }
        }
        Ok(())
    }

    /// Adds the limit L for each number of tokens: the median of a hash plus that of a random line.
    fn add_limit(&mut self) {
        let Some(hash) = self.find(HASH, Kind::Median, None).map(|hash| hash.value) else {
            return;
        };
        for n in self.sizes(LINE, Kind::Median) {
            let line = self.find(LINE, Kind::Median, n).map(|line| line.value);
            let limit = line.map(|line| Recorded::median(LIMIT, n, hash + line));
            self.figures.extend(limit);
        }
    }

    /// Returns the figure for `n` tokens, or else the one that depends on no number.
    pub(super) fn find(&self, name: &str, kind: Kind, n: Option<u64>) -> Option<&Recorded> {
        let find = |n| self.figures.iter().find(|one| one.key() == (name, kind, n));
        find(n).or_else(|| find(None))
    }

    /// Returns the numbers of tokens for which a figure was measured.
    pub(super) fn sizes(&self, name: &str, kind: Kind) -> Vec<Option<u64>> {
        let figures = self.figures.iter();
        let figures = figures.filter(|one| one.name == name && one.kind == kind);
        figures.map(|one| one.n).collect()
    }
}

impl Recorded {
    pub(super) fn median(name: &str, n: Option<u64>, nanoseconds: f64) -> Self {
        Self { name: name.to_owned(), n, kind: Kind::Median, value: nanoseconds, unit: "ns".into() }
    }

    fn key(&self) -> (&str, Kind, Option<u64>) {
        (&self.name, self.kind, self.n)
    }
}

/// Returns `group/what` and the number of tokens of a benchmark of criterion.
fn name_of(benchmark: &Value) -> (String, Option<u64>) {
    let text = |name: &str| benchmark.get(name).and_then(Value::as_str);
    let value = text("value_str");
    let n = value.and_then(|text| text.parse().ok());
    let what = text("function_id").or(value).unwrap_or_default();
    let group = text("group_id").unwrap_or_default();
    (format!("{group}/{what}"), n)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        assert_eq!(measured.skipped[0].why, "absent");
        assert!(measured.take_lines("{}").is_err());
    }

    #[test]
    fn a_benchmark_is_named_by_group_and_function() {
        for (function, value, name, n) in [
            (Some("f"), Some("1000"), "g/f", Some(1000)),
            (None, Some("f"), "g/f", None),
            (Some("f"), None, "g/f", None),
        ] {
            let of = json!({"group_id": "g", "function_id": function, "value_str": value});
            assert_eq!(name_of(&of), (name.to_owned(), n));
        }
    }
}
