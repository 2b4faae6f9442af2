//! `cargo xtask corpus-compare`: a stream of decisions against the expected one.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use crate::Failure;

/// Compare decisions with the expected ones, line by line.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// `expected.jsonl` of a corpus.
    pub(crate) expected: PathBuf,
    /// What was answered, one JSON object a line.
    pub(crate) actual: PathBuf,
}

/// How two streams differ.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Lines of the longer stream.
    pub(super) lines: u64,
    pub(super) differences: u64,
    /// The first differences, ready to print.
    pub(super) shown: Vec<String>,
}

const SHOWN: usize = 10;
const MISSING: &str = "(no line)";
/// The keys of a decision: none of them may be in one stream only.
const DECISION_KEYS: [&str; 4] = ["allow", "reason", "id", "permission"];

/// Prints the first differences and `lines=… differences=…`.
///
/// # Errors
///
/// A file cannot be read, the expected stream is not JSON, or there is a difference.
pub(crate) fn compare(args: &CompareArgs) -> Result<(), Failure> {
    let comparison = Comparison::of(lines(&args.expected)?, lines(&args.actual)?)?;
    for difference in &comparison.shown {
        println!("{difference}");
    }
    println!(
        "lines={} differences={}",
        comparison.lines, comparison.differences
    );
    if comparison.differences > 0 {
        let Comparison { differences, .. } = comparison;
        return Err(format!(
            "`{}` has {differences} unexpected lines",
            args.actual.display()
        )
        .into());
    }
    Ok(())
}

impl Comparison {
    pub(super) fn of(
        mut expected: Lines<impl BufRead>,
        mut actual: Lines<impl BufRead>,
    ) -> Result<Self, Failure> {
        let mut comparison = Self::default();
        loop {
            let pair = (expected.next().transpose()?, actual.next().transpose()?);
            if pair == (None, None) {
                return Ok(comparison);
            }
            comparison.lines += 1;
            let (expected, actual) = (pair.0.as_deref(), pair.1.as_deref());
            if !agree(expected, actual)
                .map_err(|error| format!("expected line {}: {error}", comparison.lines))?
            {
                comparison.note(expected, actual);
            }
        }
    }

    fn note(&mut self, expected: Option<&str>, actual: Option<&str>) {
        self.differences += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(format!(
                "line {}\n  expected {}\n  actual   {}",
                self.lines,
                expected.unwrap_or(MISSING),
                actual.unwrap_or(MISSING)
            ));
        }
    }
}

/// An expected line that is no JSON object is an error, such an actual line only a difference.
fn agree(expected: Option<&str>, actual: Option<&str>) -> serde_json::Result<bool> {
    let Some(expected) = expected else {
        return Ok(false);
    };
    let expected: Map<String, Value> = serde_json::from_str(expected)?;
    let Some(actual) =
        actual.and_then(|line| serde_json::from_str::<Map<String, Value>>(line).ok())
    else {
        return Ok(false);
    };
    let same = |key: &str| expected.get(key) == actual.get(key);
    Ok(expected.keys().all(|key| same(key)) && DECISION_KEYS.into_iter().all(same))
}

fn lines(path: &Path) -> Result<Lines<BufReader<File>>, Failure> {
    let file =
        File::open(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    Ok(BufReader::new(file).lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expected: &str, actual: &str) -> (u64, u64) {
        let comparison =
            Comparison::of(expected.as_bytes().lines(), actual.as_bytes().lines()).unwrap();
        assert_eq!(
            comparison.shown.len() as u64,
            comparison.differences.min(10)
        );
        (comparison.lines, comparison.differences)
    }

    #[test]
    fn objects_are_compared_and_not_texts() {
        let expected = r#"{"allow":false,"reason":"revoked","id":"0a"}"#;
        for (actual, differences) in [
            (r#"{ "id": "0a", "reason": "revoked", "allow": false }"#, 0),
            (
                r#"{"allow":false,"reason":"revoked","id":"0a","revision":7}"#,
                0,
            ),
            (r#"{"allow":false,"reason":"expired","id":"0a"}"#, 1),
            (r#"{"allow":false,"reason":"revoked"}"#, 1),
            (
                r#"{"allow":false,"reason":"revoked","id":"0a","permission":"read:tasks"}"#,
                1,
            ),
            (
                r#"{"allow":false,"reason":"revoked","id":"0a","permission":null}"#,
                1,
            ),
            ("not JSON", 1),
            ("", 1),
        ] {
            assert_eq!(of(expected, actual), (1, differences), "{actual}");
        }
    }

    #[test]
    fn lines_too_few_and_too_many_are_differences() {
        let line = "{\"allow\":true}\n";
        assert_eq!(of(&line.repeat(3), &line.repeat(3)), (3, 0));
        assert_eq!(of(&line.repeat(3), line), (3, 2));
        assert_eq!(of(line, &line.repeat(30)), (30, 29));
        assert_eq!(of("", ""), (0, 0));
    }

    #[test]
    fn an_expected_line_that_is_no_object_is_an_error() {
        assert!(Comparison::of(b"[]".lines(), b"{}".lines()).is_err());
    }
}
