//! Rows with their values, ratios and targets.

use std::collections::BTreeSet;

use serde::Serialize;

use super::measured::{Measured, Value};
use super::rows::{At, Kind, Row, Target};
use crate::Failure;

/// A line of `target/bench.json`: a figure beside one other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Figure {
    pub(super) name: String,
    /// The number of tokens, if it depends on that.
    pub(super) n: Option<u64>,
    pub(super) value: f64,
    pub(super) unit: String,
    pub(super) beside: Option<String>,
    /// The value, divided by that of what stands beside it.
    pub(super) ratio: Option<f64>,
    pub(super) target: Option<String>,
    pub(super) met: Option<bool>,
    /// Whether `rows.rs` lists it; the terminal shows no others.
    #[serde(skip)]
    pub(super) listed: bool,
    /// What the README calls it.
    #[serde(skip)]
    pub(super) readme: Option<&'static str>,
}

/// All figures of a run, those with a row first.
///
/// # Errors
///
/// If a program that should have noted a figure has not, nor said why.
pub(super) fn figures(rows: &[Row], measured: &Measured) -> Result<Vec<Figure>, Failure> {
    let mut all = Vec::new();
    for row in rows {
        let sizes = sizes(row, measured);
        if sizes.is_empty() && row.needs_figure(measured) {
            return Err(format!("`{}` was not measured", row.name).into());
        }
        for n in sizes {
            all.extend(row_figures(row, n, measured));
        }
    }
    let named: BTreeSet<_> = rows.iter().map(|row| (row.name, row.kind)).collect();
    let others = measured.others(&named);
    all.extend(others.map(|((name, kind, n), value)| Figure {
        name: full_name(name, *kind),
        n: *n,
        value: value.value,
        unit: value.unit.clone(),
        beside: None,
        ratio: None,
        target: None,
        met: None,
        listed: false,
        readme: None,
    }));
    Ok(all)
}

/// For how many tokens a row is reported.
fn sizes(row: &Row, measured: &Measured) -> Vec<Option<u64>> {
    let mut sizes = measured.sizes(row.name, row.kind);
    match row.at {
        At::Nothing | At::Every => {}
        At::Size(size) => sizes.retain(|n| *n == Some(size)),
        At::Large => {
            let up_to_a_million = sizes.into_iter().filter(|n| *n <= Some(1_000_000));
            sizes = up_to_a_million.max().into_iter().collect();
        }
    }
    sizes
}

impl Row {
    /// A size may be left out, and a program may say why it left out something; nothing else may be missing.
    fn needs_figure(&self, measured: &Measured) -> bool {
        let says_why = measured.skipped.iter().any(|(name, _)| name == self.name);
        !matches!(self.at, At::Size(_)) && !says_why
    }
}

fn row_figures(row: &Row, n: Option<u64>, measured: &Measured) -> Vec<Figure> {
    let Some(value) = measured.find(row.name, row.kind, n) else {
        return Vec::new();
    };
    let beside = row.beside.iter().filter_map(|name| {
        let other = measured.find(name, row.kind, n)?;
        Some((*name, other))
    });
    let mut beside: Vec<_> = beside.map(Some).collect();
    if beside.is_empty() {
        beside.push(None);
    }
    // What the target is about, if it was measured.
    let named = row.beside.first();
    let first = named.and_then(|name| measured.find(name, row.kind, n));
    let target = row
        .target
        .filter(|target| first.is_some() || target.is_absolute());
    let place = |(place, beside): (usize, Option<(&str, &Value)>)| {
        let target = target.filter(|_| place == 0);
        let judged = target.filter(|_| row.target_at.is_none_or(|size| n == Some(size)));
        Figure {
            name: full_name(row.name, row.kind),
            n,
            value: value.value,
            unit: value.unit.clone(),
            beside: beside.map(|(name, _)| name.to_owned()),
            ratio: beside.map(|(_, other)| value.value / other.value),
            target: target.map(|target| match (judged, row.target_at) {
                (None, Some(size)) => format!("{} at {}", target.text(&value.unit), grouped(size)),
                _ => target.text(&value.unit),
            }),
            met: judged.map(|target| target.is_met(value.value, first.map(|other| other.value))),
            listed: true,
            readme: row.readme.filter(|_| place == 0),
        }
    };
    beside.into_iter().enumerate().map(place).collect()
}

fn full_name(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Median | Kind::Count => name.to_owned(),
        Kind::P99 => format!("{name} p99"),
        Kind::Throughput => format!("{name} throughput"),
        Kind::Longest => format!("{name} longest pause"),
        Kind::Times => format!("{name} times"),
    }
}

impl Target {
    /// As it is read: `≤ 0.6 ×`, `≤ 3 ns`.
    fn text(self, unit: &str) -> String {
        match self {
            Self::Times(times) => format!("≤ {times} ×"),
            Self::AtLeast(times) => format!("≥ {times} ×"),
            Self::More(more) => format!("≤ {} more", quantity(more, unit)),
            Self::Below(most) => format!("≤ {}", quantity(most, unit)),
            Self::Above(least) => format!("≥ {}", quantity(least, unit)),
        }
    }

    /// Whether it needs nothing beside it.
    fn is_absolute(self) -> bool {
        matches!(self, Self::Below(_) | Self::Above(_))
    }

    fn is_met(self, value: f64, beside: Option<f64>) -> bool {
        let beside = beside.unwrap_or(f64::NAN);
        match self {
            Self::Times(times) => value <= times * beside,
            Self::AtLeast(times) => value >= times * beside,
            Self::More(more) => value <= beside + more,
            Self::Below(most) => value <= most,
            Self::Above(least) => value >= least,
        }
    }
}

/// A number with its unit, in three or four digits.
pub(super) fn quantity(value: f64, unit: &str) -> String {
    let (value, unit) = match (unit, value) {
        ("ns", large) if large >= 1e9 => (value / 1e9, "s"),
        ("ns", large) if large >= 1e6 => (value / 1e6, "ms"),
        ("ns", large) if large >= 1e3 => (value / 1e3, "µs"),
        ("B", large) if large >= 1e9 => (value / 1e9, "GB"),
        ("B", large) if large >= 1e6 => (value / 1e6, "MB"),
        ("1/s", large) if large >= 1e6 => (value / 1e6, "M/s"),
        ("1/s", large) if large >= 1e3 => (value / 1e3, "k/s"),
        _ => (value, unit),
    };
    let number = match value {
        whole if whole.fract() == 0.0 && whole.abs() < 1e6 => format!("{whole:.0}"),
        small if small < 10.0 => format!("{small:.2}"),
        small if small < 100.0 => format!("{small:.1}"),
        large => format!("{large:.0}"),
    };
    format!("{number} {unit}").trim_end().to_owned()
}

/// A whole number with commas between the thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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

    fn row(at: At, target: Target) -> Row {
        Row {
            name: "a/own",
            kind: Kind::Median,
            at,
            beside: &["a/limit", "b/peer", "c/absent"],
            target: Some(target),
            target_at: None,
            readme: Some("own"),
        }
    }

    fn of_row(at: At, target: Target) -> Vec<Figure> {
        let all = figures(&[row(at, target)], &measured()).unwrap();
        all.into_iter()
            .filter(|figure| figure.name == "a/own")
            .collect()
    }

    #[test]
    fn the_ratio_is_to_the_figure_for_as_many_tokens() {
        let all = of_row(At::Large, Target::Times(0.95));
        let ratios: Vec<_> = all
            .iter()
            .map(|one| (one.beside.as_deref(), one.ratio))
            .collect();
        assert_eq!(
            ratios,
            [(Some("a/limit"), Some(0.9)), (Some("b/peer"), Some(0.1))]
        );
        assert_eq!(all[0].n, Some(1_000_000));
    }

    #[test]
    fn a_target_is_about_the_first_one_alone() {
        let all = of_row(At::Large, Target::Times(0.95));
        assert_eq!(all[0].target.as_deref(), Some("≤ 0.95 ×"));
        assert_eq!((all[0].met, all[1].met), (Some(true), None));
        assert_eq!((all[0].readme, all[1].readme), (Some("own"), None));
    }

    #[test]
    fn what_misses_its_target_is_told() {
        for (target, met) in [
            (Target::Times(0.9), true),
            (Target::Times(0.89), false),
            (Target::AtLeast(0.9), true),
            (Target::AtLeast(0.91), false),
            (Target::More(-10.0), true),
            (Target::More(-11.0), false),
            (Target::Below(90.0), true),
            (Target::Below(89.0), false),
            (Target::Above(90.0), true),
            (Target::Above(91.0), false),
        ] {
            assert_eq!(of_row(At::Large, target)[0].met, Some(met), "{target:?}");
        }
    }

    #[test]
    fn a_size_that_was_not_measured_is_left_out_and_nothing_else() {
        assert!(of_row(At::Size(5), Target::Times(1.0)).is_empty());
        let mut absent = row(At::Large, Target::Times(1.0));
        absent.name = "x/y";
        assert!(figures(&[absent], &measured()).is_err());
        let mut measured = measured();
        measured
            .skipped
            .push(("x/y".to_owned(), "no memory".to_owned()));
        assert!(figures(&[absent], &measured).is_ok());
    }

    #[test]
    fn without_its_neighbour_a_ratio_has_no_target() {
        let all = of_row(At::Size(10_000_000), Target::Times(0.9));
        // The peer without a number of tokens is there, but it is not what the target is about.
        assert_eq!(all[0].beside.as_deref(), Some("b/peer"));
        assert_eq!((all[0].met, all[0].target.as_deref()), (None, None));
    }

    #[test]
    fn a_target_for_another_number_of_tokens_is_not_judged() {
        let measured = measured();
        for (target_at, target, met) in [
            (Some(1000), "≤ 100 ns", Some(true)),
            (Some(5000), "≤ 100 ns at 5,000", None),
            (None, "≤ 100 ns", Some(true)),
        ] {
            let mut row = row(At::Size(1000), Target::Below(100.0));
            row.target_at = target_at;
            let all = figures(&[row], &measured).unwrap();
            assert_eq!((all[0].target.as_deref(), all[0].met), (Some(target), met));
        }
    }

    #[test]
    fn what_has_no_row_is_not_hidden() {
        let all = figures(&[row(At::Every, Target::Below(1.0))], &measured()).unwrap();
        let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
        assert!(names.contains(&"b/peer") && names.contains(&"a/limit"));
    }

    #[test]
    fn the_file_has_these_members() {
        let all = of_row(At::Large, Target::Below(100.0));
        let json = serde_json::to_value(&all[0]).unwrap();
        let expected = serde_json::json!({
            "name": "a/own", "n": 1_000_000, "value": 90.0, "unit": "ns", "beside": "a/limit", "ratio": 0.9,
            "target": "≤ 100 ns", "met": true,
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn numbers_are_short_and_have_their_unit() {
        let texts = [
            (3.0, "ns"),
            (94.26, "ns"),
            (1234.0, "ns"),
            (2.5e9, "ns"),
            (0.0, ""),
            (1e8, "B"),
        ];
        let texts = texts.map(|(value, unit)| quantity(value, unit));
        assert_eq!(
            texts,
            ["3 ns", "94.3 ns", "1.23 µs", "2.50 s", "0", "100 MB"]
        );
        assert_eq!(
            [7, 1000, 1_000_000].map(grouped),
            ["7", "1,000", "1,000,000"]
        );
    }
}
