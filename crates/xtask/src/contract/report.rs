//! The report of schemathesis.

use std::fmt::{self, Display};

use serde_json::Value;

use crate::failure::Failure;

/// The results of one or more runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Number of requests whose replies were checked.
    pub(super) cases: u64,
    failures: u64,
    errors: u64,
    operations: u64,
}

impl Report {
    /// Parses a report.
    ///
    /// # Errors
    ///
    /// Fails if the report is malformed or the run incomplete.
    pub(super) fn parse(json: &str) -> Result<Self, Failure> {
        let report: Value = serde_json::from_str(json)?;
        let missing = |place| format!("the report of schemathesis has no {place}");
        let at = |place| report.pointer(place).ok_or_else(|| missing(place));
        let number = |place| at(place)?.as_u64().ok_or_else(|| missing(place));
        let operations = number("/operations/selected")?;
        let tested = number("/operations/tested")?;
        if at("/complete")? != true || tested != operations {
            return Err(format!("schemathesis tested {tested} of {operations} operations").into());
        }
        let errors = at("/errors")?.as_array().ok_or_else(|| missing("/errors"))?;
        let unchecked = number("/test_cases/without_checks")?;
        Ok(Self {
            cases: number("/test_cases/generated")?.saturating_sub(unchecked),
            failures: number("/test_cases/unique_failures")?,
            errors: errors.len() as u64,
            operations,
        })
    }

    /// Adds the results of another run.
    pub(super) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.failures += other.failures;
        self.errors += other.errors;
        self.operations = self.operations.max(other.operations);
    }

    pub(super) fn is_clean(&self) -> bool {
        self.failures + self.errors == 0
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operations, cases) = (self.operations, self.cases);
        let (failures, errors) = (self.failures, self.errors);
        write!(f, "operations={operations} cases={cases} failures={failures} errors={errors}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(complete: bool, tested: u64) -> String {
        let report = json!({
            "complete": complete,
            "operations": {"total": 2, "selected": 2, "tested": tested},
            "errors": [{}],
            "test_cases": {"generated": 531, "unique_failures": 4, "without_checks": 10},
        });
        report.to_string()
    }

    #[test]
    fn requests_without_checks_are_not_counted() {
        let report = Report::parse(&written(true, 2)).unwrap();
        let text = "operations=2 cases=521 failures=4 errors=1";
        assert_eq!(report.to_string(), text);
    }

    #[test]
    fn an_incomplete_run_is_refused() {
        for text in [&written(false, 2), &written(true, 1), "{}"] {
            assert!(Report::parse(text).is_err(), "{text}");
        }
    }
}
