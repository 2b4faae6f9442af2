//! Rows with their values, ratios and targets.

use std::collections::BTreeSet;

use serde::Serialize;

use super::measured::{Measured, Value};
use super::rows::{Kind, Row, Target, Tokens};
use crate::Failure;
use crate::format::{grouped, quantity};

/// An element of `target/bench.json`: a figure, compared with at most one other.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    pub(super) readme: Option<&'static str>,
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
        let is_skipped = measured.skipped.iter().any(|(name, _)| name == row.name);
        if sizes.is_empty() && !is_skipped && !matches!(row.tokens, Tokens::Exactly(_)) {
            return Err(format!("`{}` was not measured", row.name).into());
        }
        for n in sizes {
            all.extend(row_figures(row, n, measured));
        }
    }
    let named: BTreeSet<_> = rows.iter().map(|row| (row.name, row.kind)).collect();
    let others = measured.others(&named);
    all.extend(others.map(|((name, kind, n), value)| Figure::new(name, *kind, *n, value)));
    Ok(all)
}

/// Returns the numbers of tokens for which a row is reported.
fn sizes(row: &Row, measured: &Measured) -> Vec<Option<u64>> {
    let mut sizes = measured.sizes(row.name, row.kind);
    match row.tokens {
        Tokens::Independent | Tokens::Every => {}
        Tokens::Exactly(size) => sizes.retain(|n| *n == Some(size)),
        Tokens::Large => {
            let up_to_a_million = sizes.into_iter().filter(|n| *n <= Some(1_000_000));
            sizes = up_to_a_million.max().into_iter().collect();
        }
    }
    sizes
}

impl Figure {
    fn new(name: &str, kind: Kind, n: Option<u64>, value: &Value) -> Self {
        let suffix = match kind {
            Kind::Median | Kind::Count => "",
            Kind::P99 => " p99",
            Kind::Throughput => " throughput",
            Kind::Longest => " longest pause",
            Kind::Times => " times",
        };
        Self {
            name: format!("{name}{suffix}"),
            n,
            value: value.value,
            unit: value.unit.clone(),
            beside: None,
            ratio: None,
            target: None,
            met: None,
            listed: false,
            readme: None,
        }
    }
}

/// Returns a figure for each other figure of the row that was measured, or one alone.
fn row_figures(row: &Row, n: Option<u64>, measured: &Measured) -> Vec<Figure> {
    let Some(value) = measured.find(row.name, row.kind, n) else {
        return Vec::new();
    };
    let mut first = Figure {
        listed: true,
        ..Figure::new(row.name, row.kind, n, value)
    };
    let compared = row.beside.iter().filter_map(|name| {
        let other = measured.find(name, row.kind, n)?;
        Some(Figure {
            beside: Some((*name).to_owned()),
            ratio: Some(value.value / other.value),
            ..first.clone()
        })
    });
    let mut all: Vec<Figure> = compared.collect();
    if all.is_empty() {
        all.push(first.clone());
    }
    if let Some(first_of_all) = all.first_mut() {
        first_of_all.readme = row.readme;
        // The target is about the first figure beside it, even if that was not measured.
        let named = row.beside.first();
        let other = named.and_then(|name| measured.find(name, row.kind, n));
        let target = row
            .target
            .filter(|target| other.is_some() || target.is_absolute());
        if let Some(target) = target {
            let text = target.text(&value.unit);
            match row.target_at.filter(|size| n != Some(*size)) {
                Some(size) => first.target = Some(format!("{text} at {}", grouped(size))),
                None => {
                    first.target = Some(text);
                    first.met = Some(target.is_met(value.value, other.map(|other| other.value)));
                }
            }
            (first_of_all.target, first_of_all.met) = (first.target, first.met);
        }
    }
    all
}

impl Target {
    /// Writes the target, as in `≤ 0.6 ×` or `≤ 3 ns`.
    fn text(self, unit: &str) -> String {
        match self {
            Self::AtMostTimes(times) => format!("≤ {times} ×"),
            Self::AtLeastTimes(times) => format!("≥ {times} ×"),
            Self::MoreBy(more) => format!("≤ {} more", quantity(more, unit)),
            Self::AtMost(most) => format!("≤ {}", quantity(most, unit)),
            Self::AtLeast(least) => format!("≥ {}", quantity(least, unit)),
        }
    }

    /// Returns whether the target is independent of other figures.
    fn is_absolute(self) -> bool {
        matches!(self, Self::AtMost(_) | Self::AtLeast(_))
    }

    fn is_met(self, value: f64, beside: Option<f64>) -> bool {
        let beside = beside.unwrap_or(f64::NAN);
        match self {
            Self::AtMostTimes(times) => value <= times * beside,
            Self::AtLeastTimes(times) => value >= times * beside,
            Self::MoreBy(more) => value <= beside + more,
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

#[cfg(test)]
mod tests {
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
            measured.put(name, Kind::Median, n, value, "ns");
        }
        measured
    }

    fn row(tokens: Tokens, target: Target) -> Row {
        Row {
            name: "a/own",
            kind: Kind::Median,
            tokens,
            beside: &["a/limit", "b/peer", "c/absent"],
            target: Some(target),
            target_at: None,
            readme: Some("own"),
        }
    }

    fn of_row(tokens: Tokens, target: Target) -> Vec<Figure> {
        let mut all = figures(&[row(tokens, target)], &measured()).unwrap();
        all.retain(|figure| figure.name == "a/own");
        all
    }

    #[test]
    fn ratios_use_the_same_number_of_tokens_and_the_target_is_on_the_first() {
        let all = of_row(Tokens::Large, Target::AtMostTimes(0.95));
        let beside: Vec<_> = all
            .iter()
            .map(|one| one.beside.as_deref().unwrap())
            .collect();
        assert_eq!(beside, ["a/limit", "b/peer"]);
        assert_eq!((all[0].ratio, all[1].ratio), (Some(0.9), Some(0.1)));
        assert_eq!(all[0].n, Some(1_000_000));
        assert_eq!(all[0].target.as_deref(), Some("≤ 0.95 ×"));
        assert_eq!((all[0].met, all[1].met), (Some(true), None));
        assert_eq!((all[0].readme, all[1].readme), (Some("own"), None));
    }

    #[test]
    fn missed_targets_are_reported() {
        for (target, met) in [
            (Target::AtMostTimes(0.9), true),
            (Target::AtMostTimes(0.89), false),
            (Target::AtLeastTimes(0.9), true),
            (Target::AtLeastTimes(0.91), false),
            (Target::MoreBy(-10.0), true),
            (Target::MoreBy(-11.0), false),
            (Target::AtMost(90.0), true),
            (Target::AtMost(89.0), false),
            (Target::AtLeast(90.0), true),
            (Target::AtLeast(91.0), false),
        ] {
            assert_eq!(
                of_row(Tokens::Large, target)[0].met,
                Some(met),
                "{target:?}"
            );
        }
    }

    #[test]
    fn only_a_size_or_a_skipped_figure_may_be_missing() {
        let target = Target::AtMostTimes(1.0);
        assert!(of_row(Tokens::Exactly(5), target).is_empty());
        let mut absent = row(Tokens::Large, target);
        absent.name = "x/y";
        let mut measured = measured();
        assert!(figures(&[absent], &measured).is_err());
        let skipped = ("x/y".to_owned(), "no memory".to_owned());
        measured.skipped.push(skipped);
        assert!(figures(&[absent], &measured).is_ok());
    }

    #[test]
    fn a_target_is_not_judged_without_its_figure_or_for_another_size() {
        // The peer was measured, but the target is about the limit.
        let all = of_row(Tokens::Exactly(10_000_000), Target::AtMostTimes(0.9));
        assert_eq!(all[0].beside.as_deref(), Some("b/peer"));
        assert_eq!((all[0].met, all[0].target.as_deref()), (None, None));
        for (target_at, target, met) in [
            (Some(1000), "≤ 100 ns", Some(true)),
            (Some(5000), "≤ 100 ns at 5,000", None),
            (None, "≤ 100 ns", Some(true)),
        ] {
            let mut row = row(Tokens::Exactly(1000), Target::AtMost(100.0));
            row.target_at = target_at;
            let all = figures(&[row], &measured()).unwrap();
            assert_eq!((all[0].target.as_deref(), all[0].met), (Some(target), met));
        }
    }

    #[test]
    fn the_file_has_figures_without_a_row_and_these_members() {
        let all = figures(&[row(Tokens::Large, Target::AtMost(100.0))], &measured()).unwrap();
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
