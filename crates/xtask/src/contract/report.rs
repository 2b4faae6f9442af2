//! The report of schemathesis.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::Deserialize;

use crate::Failure;

/// The results of one or more runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Number of requests whose replies were checked.
    pub(crate) cases: u64,
    pub(crate) failures: u64,
    pub(crate) errors: u64,
    /// Number of operations, and of those that accepted at least one request.
    pub(crate) operations: u64,
    pub(crate) accepting: u64,
}

#[derive(Deserialize)]
struct Written {
    complete: bool,
    operations: Operations,
    test_cases: Cases,
    errors: Vec<serde_json::Value>,
    valid_rates: BTreeMap<String, BTreeMap<String, Rates>>,
}

#[derive(Deserialize)]
struct Operations {
    selected: u64,
    tested: u64,
}

#[derive(Deserialize)]
struct Cases {
    generated: u64,
    unique_failures: u64,
    without_checks: u64,
}

#[derive(Deserialize)]
struct Rates {
    accepted: u64,
}

impl Report {
    /// Parses a report.
    ///
    /// # Errors
    ///
    /// Fails if the report is malformed or the run incomplete.
    pub(crate) fn read(json: &[u8]) -> Result<Self, Failure> {
        let written: Written = serde_json::from_slice(json)?;
        let Operations { selected, tested } = written.operations;
        if !written.complete || tested != selected {
            return Err(format!("schemathesis tested {tested} of {selected} operations").into());
        }
        let took = |phases: &&BTreeMap<String, Rates>| phases.values().any(|one| one.accepted > 0);
        let cases = written.test_cases;
        Ok(Self {
            cases: cases.generated.saturating_sub(cases.without_checks),
            failures: cases.unique_failures,
            errors: written.errors.len() as u64,
            operations: selected,
            accepting: written.valid_rates.values().filter(took).count() as u64,
        })
    }

    /// Adds the results of another run.
    pub(crate) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.failures += other.failures;
        self.errors += other.errors;
        self.operations = self.operations.max(other.operations);
        self.accepting = self.accepting.max(other.accepting);
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "operations={} accepting={} cases={} failures={} errors={}",
            self.operations, self.accepting, self.cases, self.failures, self.errors
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(complete: bool, tested: u64) -> String {
        let phases = |accepted| serde_json::json!({"fuzzing": {"accepted": accepted}});
        let report = serde_json::json!({
            "complete": complete,
            "operations": {"total": 2, "selected": 2, "tested": tested},
            "errors": [{}],
            "test_cases": {"generated": 531, "unique_failures": 4, "without_checks": 10},
            "valid_rates": {"GET /a": phases(3), "GET /b": phases(0)},
        });
        report.to_string()
    }

    #[test]
    fn requests_without_checks_are_not_counted() {
        let report = Report::read(written(true, 2).as_bytes()).unwrap();
        let text = "operations=2 accepting=1 cases=521 failures=4 errors=1";
        assert_eq!(report.to_string(), text);
    }

    #[test]
    fn an_incomplete_run_is_refused() {
        assert!(Report::read(written(false, 2).as_bytes()).is_err());
        assert!(Report::read(written(true, 1).as_bytes()).is_err());
        assert!(Report::read(b"{}").is_err());
    }
}
