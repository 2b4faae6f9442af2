//! Figures in turn: whoever is compared runs round by round, for a disk's sync takes now 0.15 ms and then 4.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Where cargo puts what it builds: on a disk, while the system's temporary folder may lie in memory.
pub(crate) fn target() -> PathBuf {
    let built = std::env::var_os("CARGO_TARGET_DIR");
    built.map_or_else(|| "../target".into(), PathBuf::from)
}

/// Whether to measure for a short time only.
pub(crate) fn is_quick() -> bool {
    std::env::var_os("SYMBOLON_BENCH_QUICK").is_some()
}

/// How many records a large store has: the largest of `SYMBOLON_BENCH_SIZES` up to a million.
pub(crate) fn large() -> u64 {
    let sizes = std::env::var("SYMBOLON_BENCH_SIZES").unwrap_or_default();
    let sizes = sizes.split(',').filter_map(|size| size.parse().ok());
    let largest = sizes.filter(|size| *size <= 1_000_000).max();
    largest.unwrap_or(if is_quick() { 20_000 } else { 1_000_000 })
}

/// Prints figures, and writes each as a line of JSON for `cargo xtask bench`.
pub(crate) struct Figures(File);

impl Figures {
    pub(crate) fn new() -> Self {
        let folder = target().join("bench/figures");
        fs::create_dir_all(&folder).unwrap();
        Self(File::create(folder.join("store.jsonl")).unwrap())
    }

    pub(crate) fn add(&mut self, name: &str, n: Option<u64>, kind: &str, value: f64, unit: &str) {
        let many = n.map_or_else(|| "null".to_owned(), |n| n.to_string());
        println!("{name:<44} {:>9} {kind:<10} {value:>14.1} {unit}", many);
        let line = format!(
            r#"{{"name":"{name}","n":{many},"kind":"{kind}","value":{value},"unit":"{unit}"}}"#
        );
        writeln!(self.0, "{line}").unwrap();
    }
}

/// One of those that are compared.
pub(crate) struct Runner<'a> {
    name: String,
    step: Box<dyn FnMut() + 'a>,
    took: Vec<Duration>,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(name: &str, step: impl FnMut() + 'a) -> Self {
        Self {
            name: name.to_owned(),
            step: Box::new(step),
            took: Vec::new(),
        }
    }

    fn median(&mut self) -> f64 {
        self.took.sort();
        self.took[self.took.len() / 2].as_secs_f64()
    }
}

/// Runs all in turn until `long` is over, beginning with another one each round, and at least five times. Notes the
/// median of each, divided by `parts`.
pub(crate) fn compare(
    figures: &mut Figures,
    mut all: Vec<Runner<'_>>,
    long: Duration,
    (n, parts, unit): (Option<u64>, u32, &str),
) {
    let start = Instant::now();
    let mut rounds = 0;
    while start.elapsed() < long || rounds < 5 {
        let first = rounds % all.len();
        all.rotate_left(first);
        for one in &mut all {
            let start = Instant::now();
            (one.step)();
            one.took.push(start.elapsed());
        }
        all.rotate_right(first);
        rounds += 1;
    }
    for one in &mut all {
        let seconds = one.median() / f64::from(parts);
        let value = if unit == "ns" { seconds * 1e9 } else { seconds };
        figures.add(&one.name, n, "median", value, unit);
    }
}
