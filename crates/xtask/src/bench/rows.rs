//! The reported figures with those that they are compared with, and their targets, read from
//! `crates/xtask/bench/figures.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::failure::Failure;
use crate::format::quantity;

/// The file of rows and titles.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    /// Titles in the README of figures that others are compared with.
    pub(super) titles: BTreeMap<String, String>,
    #[serde(rename = "row")]
    pub(super) rows: Vec<Row>,
}

/// A figure that a program in `benches` records.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Row {
    /// `group/what`.
    pub(super) name: String,
    /// Statistic.
    #[serde(default)]
    pub(super) kind: Kind,
    /// The number of tokens for which the figure is reported; by default, every measured one.
    pub(super) tokens: Option<u64>,
    /// Reports only the largest measured number up to [`MILLION`].
    #[serde(default)]
    pub(super) largest: bool,
    /// Names of figures to compare with, of the same kind and number of tokens.
    #[serde(default)]
    pub(super) beside: Vec<String>,
    /// Target, relative to the first figure in `beside`.
    pub(super) target: Option<Target>,
    #[serde(default)]
    pub(super) any_size: bool,
    /// Title in the README, which shows no other rows.
    pub(super) readme: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    Median,
    P99,
    Throughput,
    Longest,
    Count,
    Times,
}

/// A target, in the figure's unit or as a multiple of the first figure in `beside`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Target {
    AtMostTimes(f64),
    AtLeastTimes(f64),
    /// At most this much more than the other figure.
    MoreBy(f64),
    AtMost(f64),
    AtLeast(f64),
}

/// Number of tokens that most targets are about.
pub(super) const MILLION: u64 = 1_000_000;

impl Rows {
    pub(super) fn read() -> Result<Self, Failure> {
        let text = include_str!("../../bench/figures.toml");
        toml::from_str(text).map_err(|error| format!("figures.toml: {error}").into())
    }
}

impl Row {
    /// Returns whether the target is about this number of tokens.
    pub(super) fn is_judged_at(&self, n: Option<u64>) -> bool {
        self.any_size || self.tokens.is_some() || n.is_none_or(|n| n == MILLION)
    }
}

impl Target {
    /// Writes the target, as in `≤ 0.6 ×` or `≤ 3 ns`.
    pub(super) fn text(self, unit: &str) -> String {
        match self {
            Self::AtMostTimes(times) => format!("≤ {times} ×"),
            Self::AtLeastTimes(times) => format!("≥ {times} ×"),
            Self::MoreBy(more) => format!("≤ {} more", quantity(more, unit)),
            Self::AtMost(most) => format!("≤ {}", quantity(most, unit)),
            Self::AtLeast(least) => format!("≥ {}", quantity(least, unit)),
        }
    }

    /// Returns whether a value meets the target, or `None` if the other figure is needed for that.
    pub(super) fn is_met(self, value: f64, beside: Option<f64>) -> Option<bool> {
        match self {
            Self::AtMostTimes(times) => beside.map(|beside| value <= times * beside),
            Self::AtLeastTimes(times) => beside.map(|beside| value >= times * beside),
            Self::MoreBy(more) => beside.map(|beside| value <= beside + more),
            Self::AtMost(most) => Some(value <= most),
            Self::AtLeast(least) => Some(value >= least),
        }
    }
}
