//! Compares steps in turn, round by round, because the time of a sync varies from 0.15 to 4 ms.

use std::time::{Duration, Instant};

use symbolon_benches::{Figures, Kind, Unit, median};

/// A step that is compared with others.
pub(crate) struct Runner<'a> {
    name: String,
    step: Box<dyn FnMut() + 'a>,
    /// Seconds of each round.
    took: Vec<f64>,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(name: &str, step: impl FnMut() + 'a) -> Self {
        Self { name: name.to_owned(), step: Box::new(step), took: Vec::new() }
    }
}

/// Runs all in turn for `long`, and at least five rounds, each starting with another step. Records
/// the median of each, divided by `parts`.
pub(crate) fn compare(
    figures: &mut Figures,
    mut all: Vec<Runner<'_>>,
    long: Duration,
    n: Option<u64>,
    unit: Unit,
    parts: u32,
) {
    let start = Instant::now();
    let mut rounds = 0;
    while start.elapsed() < long || rounds < 5 {
        let first = rounds % all.len();
        all.rotate_left(first);
        for one in &mut all {
            let start = Instant::now();
            (one.step)();
            one.took.push(start.elapsed().as_secs_f64());
        }
        all.rotate_right(first);
        rounds += 1;
    }
    for one in all {
        let seconds = median(one.took) / f64::from(parts);
        let is_long = unit == Unit::Seconds;
        let value = if is_long { seconds } else { seconds * 1e9 };
        figures.add(&one.name, n, Kind::Median, value, unit);
    }
}
