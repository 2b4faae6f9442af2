//! Rows with their values, ratios and targets.

use serde::Serialize;

use super::measured::{Measured, Recorded};
use super::rows::{Kind, MILLION, Row};
use crate::failure::Failure;
use crate::format::grouped;

/// An element of `target/bench.json`: a figure, compared with at most one other.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(super) struct Figure {
    pub(super) name: String,
    /// Number of tokens, if the figure depends on it.
    pub(super) n: Option<u64>,
    pub(super) value: f64,
    pub(super) unit: String,
    /// Name of the other figure.
    pub(super) beside: Option<String>,
    /// The value divided by that of the other figure.
    pub(super) ratio: Option<f64>,
    pub(super) target: Option<String>,
    pub(super) met: Option<bool>,
    /// Set if the figure has a row; the terminal shows no others.
    #[serde(skip)]
    pub(super) listed: bool,
    /// Title in the README.
    #[serde(skip)]
    pub(super) readme: Option<String>,
}

/// Returns all figures of a run, those with a row first.
///
/// # Errors
///
/// Fails if a program neither recorded a figure nor why it is missing.
pub(super) fn figures(rows: &[Row], measured: &Measured) -> Result<Vec<Figure>, Failure> {
    let mut all = Vec::new();
    for row in rows {
        let sizes = sizes(row, measured);
        let is_skipped = measured.skipped.iter().any(|skipped| skipped.name == row.name);
        if sizes.is_empty() && !is_skipped && row.tokens.is_none() {
            return Err(format!("`{}` was not measured", row.name).into());
        }
        for n in sizes {
            all.extend(row_figures(row, n, measured));
        }
    }
    let has_row =
        |one: &&Recorded| rows.iter().any(|row| row.name == one.name && row.kind == one.kind);
    let others = measured.figures.iter().filter(|one| !has_row(one));
    all.extend(others.map(Figure::new));
    Ok(all)
}

/// Returns the numbers of tokens for which a row is reported.
fn sizes(row: &Row, measured: &Measured) -> Vec<Option<u64>> {
    let mut sizes = measured.sizes(&row.name, row.kind);
    sizes.retain(|n| row.tokens.is_none() || *n == row.tokens);
    if row.largest {
        sizes.retain(|n| *n <= Some(MILLION));
        sizes = sizes.into_iter().max().into_iter().collect();
    }
    sizes
}

impl Figure {
    fn new(recorded: &Recorded) -> Self {
        let suffix = match recorded.kind {
            Kind::Median | Kind::Count => "",
            Kind::P99 => " p99",
            Kind::Throughput => " throughput",
            Kind::Longest => " longest pause",
            Kind::Times => " times",
        };
        Self {
            name: format!("{}{suffix}", recorded.name),
            n: recorded.n,
            value: recorded.value,
            unit: recorded.unit.clone(),
            ..Self::default()
        }
    }

    /// Writes the name, with the number of tokens if the figure depends on it.
    pub(super) fn title(&self) -> String {
        let n = self.n.map(|n| format!(" ({})", grouped(n)));
        format!("{}{}", self.name, n.unwrap_or_default())
    }
}

/// Returns a figure for each other figure of the row that was measured, or one alone.
fn row_figures(row: &Row, n: Option<u64>, measured: &Measured) -> Vec<Figure> {
    let Some(recorded) = measured.find(&row.name, row.kind, n) else {
        return Vec::new();
    };
    let value = recorded.value;
    let mut alone = Figure::new(recorded);
    alone.listed = true;
    let other = |name: &String| measured.find(name, row.kind, n).map(|other| other.value);
    let mut all = Vec::new();
    for name in &row.beside {
        if let Some(other) = other(name) {
            let mut compared = alone.clone();
            compared.beside = Some(name.clone());
            compared.ratio = Some(value / other);
            all.push(compared);
        }
    }
    if all.is_empty() {
        all.push(alone);
    }
    if let Some(first) = all.first_mut() {
        first.readme.clone_from(&row.readme);
        // The target is about the first figure beside it, even if that was not measured.
        let beside = row.beside.first().and_then(other);
        let met = row.target.and_then(|target| target.is_met(value, beside));
        if let (Some(target), Some(met)) = (row.target, met) {
            let (text, is_judged) = (target.text(&first.unit), row.is_judged_at(n));
            let other_size = format!("{text} at {}", grouped(MILLION));
            first.target = Some(if is_judged { text } else { other_size });
            first.met = is_judged.then_some(met);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::super::rows::{Rows, Target};
    use super::*;

    fn measured() -> Measured {
        let mut measured = Measured::default();
        for (name, n, value) in [
            ("a/own", Some(1000), 30.0),
            ("a/own", Some(1_000_000), 90.0),
            ("a/own", Some(10_000_000), 200.0),
            ("a/limit", Some(1_000_000), 100.0),
            ("a/limit", Some(1000), 20.0),
            ("b/peer", None, 900.0),
        ] {
            measured.figures.push(Recorded::median(name, n, value));
        }
        measured
    }

    /// Parses the row of `a/own` from its number of tokens and its target.
    fn row(text: &str) -> Row {
        let rest = "name = \"a/own\"\nbeside = [\"a/limit\", \"b/peer\", \"c/absent\"]\n\
                    readme = \"own\"\n";
        toml::from_str(&format!("{rest}{text}")).unwrap()
    }

    fn of_row(text: &str) -> Vec<Figure> {
        let mut all = figures(&[row(text)], &measured()).unwrap();
        all.retain(|figure| figure.name == "a/own");
        all
    }

    #[test]
    fn the_rows_of_the_repository_can_be_read() {
        let all = Rows::read().unwrap().rows;
        assert!(all.iter().any(|row| row.tokens == Some(1000)));
        assert!(all.iter().any(|row| row.largest));
    }

    #[test]
    fn ratios_use_the_same_number_of_tokens_and_the_target_is_on_the_first() {
        let all = of_row("largest = true\ntarget = { at-most-times = 0.95 }");
        let beside: Vec<_> = all.iter().flat_map(|one| one.beside.as_deref()).collect();
        assert_eq!(beside, ["a/limit", "b/peer"]);
        assert_eq!((all[0].ratio, all[1].ratio), (Some(0.9), Some(0.1)));
        assert_eq!(all[0].n, Some(1_000_000));
        assert_eq!(all[0].target.as_deref(), Some("≤ 0.95 ×"));
        assert_eq!((all[0].met, all[1].met), (Some(true), None));
        assert_eq!((all[0].readme.is_some(), all[1].readme.is_some()), (true, false));
    }

    #[test]
    fn missed_targets_are_reported() {
        for (met, missed) in [
            (Target::AtMostTimes(0.9), Target::AtMostTimes(0.89)),
            (Target::AtLeastTimes(0.9), Target::AtLeastTimes(0.91)),
            (Target::MoreBy(-10.0), Target::MoreBy(-11.0)),
            (Target::AtMost(90.0), Target::AtMost(89.0)),
            (Target::AtLeast(90.0), Target::AtLeast(91.0)),
        ] {
            assert_eq!(met.is_met(90.0, Some(100.0)), Some(true), "{met:?}");
            assert_eq!(missed.is_met(90.0, Some(100.0)), Some(false), "{missed:?}");
        }
        let missed = of_row("largest = true\ntarget = { at-most-times = 0.89 }");
        assert_eq!(missed[0].met, Some(false));
    }

    #[test]
    fn only_a_size_or_a_skipped_figure_may_be_missing() {
        assert!(of_row("tokens = 5").is_empty());
        let mut absent = row("largest = true");
        absent.name = "x/y".to_owned();
        let mut measured = measured();
        assert!(figures(from_ref(&absent), &measured).is_err());
        let line = r#"{"name": "x/y", "why": "no memory"}"#;
        measured.take_lines(line).unwrap();
        assert!(figures(&[absent], &measured).is_ok());
    }

    #[test]
    fn a_target_is_not_judged_without_its_figure_or_for_another_size() {
        // The peer was measured, but the target is about the limit.
        let all = of_row("tokens = 10_000_000\ntarget = { at-most-times = 0.9 }");
        assert_eq!(all[0].beside.as_deref(), Some("b/peer"));
        assert_eq!((all[0].met, all[0].target.as_deref()), (None, None));
        for (tokens, target, met) in [
            ("tokens = 1000", "≤ 100 ns", Some(true)),
            ("", "≤ 100 ns at 1,000,000", None),
            ("any-size = true", "≤ 100 ns", Some(true)),
        ] {
            let all = of_row(&format!("{tokens}\ntarget = {{ at-most = 100.0 }}"));
            assert_eq!((all[0].target.as_deref(), all[0].met), (Some(target), met));
        }
    }

    #[test]
    fn the_file_has_figures_without_a_row_and_these_members() {
        let row = row("largest = true\ntarget = { at-most = 100.0 }");
        let all = figures(&[row], &measured()).unwrap();
        let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
        assert!(names.contains(&"b/peer") && names.contains(&"a/limit"));
        let json = serde_json::to_value(&all[0]).unwrap();
        let expected = serde_json::json!({
            "name": "a/own", "n": 1_000_000, "value": 90.0, "unit": "ns", "beside": "a/limit",
            "ratio": 0.9, "target": "≤ 100 ns", "met": true,
        });
        assert_eq!(json, expected);
    }
}
