//! The report of schemathesis.

use std::fmt::{self, Display};

use serde_json::Value;

use crate::Failure;

/// The results of one or more runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Number of requests whose replies were checked.
    pub(super) cases: u64,
    failures: u64,
    errors: u64,
    /// Number of operations, and of those that accepted at least one request.
    operations: u64,
    accepting: u64,
}

impl Report {
    /// Parses a report.
    ///
    /// # Errors
    ///
    /// Fails if the report is malformed or the run incomplete.
    pub(super) fn parse(json: &str) -> Result<Self, Failure> {
        let report: Value = serde_json::from_str(json)?;
        let at = |place| {
            report
                .pointer(place)
                .ok_or_else(|| format!("no {place} in the report"))
        };
        let number = |place| Ok::<_, Failure>(at(place)?.as_u64().ok_or("not a number")?);
        let (selected, tested) = (
            number("/operations/selected")?,
            number("/operations/tested")?,
        );
        if at("/complete")? != true || tested != selected {
            return Err(format!("schemathesis tested {tested} of {selected} operations").into());
        }
        // Rates by operation and phase.
        let rates = at("/valid_rates")?.as_object().ok_or("not an object")?;
        let accepts = |phases: &&Value| {
            let mut phases = phases
                .as_object()
                .into_iter()
                .flat_map(|phases| phases.values());
            phases.any(|phase| phase["accepted"].as_u64() > Some(0))
        };
        let unchecked = number("/test_cases/without_checks")?;
        Ok(Self {
            cases: number("/test_cases/generated")?.saturating_sub(unchecked),
            failures: number("/test_cases/unique_failures")?,
            errors: at("/errors")?.as_array().ok_or("not a list")?.len() as u64,
            operations: selected,
            accepting: rates.values().filter(accepts).count() as u64,
        })
    }

    /// Adds the results of another run.
    pub(super) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.failures += other.failures;
        self.errors += other.errors;
        self.operations = self.operations.max(other.operations);
        self.accepting = self.accepting.max(other.accepting);
    }

    pub(super) fn is_clean(&self) -> bool {
        self.failures + self.errors == 0
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cases,
            failures,
            errors,
            operations,
            accepting,
        } = self;
        write!(
            f,
            "operations={operations} accepting={accepting} cases={cases} failures={failures} \
             errors={errors}"
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(complete: bool, tested: u64) -> String {
        let phases = |accepted| json!({"fuzzing": {"accepted": accepted}});
        let report = json!({
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
        let report = Report::parse(&written(true, 2)).unwrap();
        let text = "operations=2 accepting=1 cases=521 failures=4 errors=1";
        assert_eq!(report.to_string(), text);
    }

    #[test]
    fn an_incomplete_run_is_refused() {
        for text in [&written(false, 2), &written(true, 1), "{}"] {
            assert!(Report::parse(text).is_err(), "{text}");
        }
    }
}
