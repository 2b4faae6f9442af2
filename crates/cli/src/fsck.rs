//! `symbolon fsck`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use symbolon::record::{Kind, RecordKey};
use symbolon::{Engine, FsckReport, Id, OpenError};

use crate::error::Failure;
use crate::global::Global;
use crate::open::OpenStore;
use crate::output;
use crate::progress::Progress;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon fsck
  symbolon fsck --store sled:./tokens --json

Stop all writers first. The exit code is 1 if there are problems.")]
pub(crate) struct FsckArgs {
    /// Print results as JSON
    #[arg(long)]
    json: bool,
}

/// Result of the verification.
#[derive(Debug, Serialize)]
struct Report {
    sound: bool,
    /// Number of records of each kind that passed verification.
    records: BTreeMap<String, usize>,
    /// Problems of records.
    problems: Vec<ReportedProblem>,
    /// Damage of the file or folder.
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ReportedProblem {
    kind: String,
    id: Id,
    problem: String,
}

pub(crate) fn run(global: &Global, args: &FsckArgs) -> Result<ExitCode, Failure> {
    let store = global.open_store()?;
    let store = store.ok_or_else(|| Failure::NoStore(global.store.clone()))?;
    let report = Report::of(global, &store)?;
    if args.json {
        output::print_json(&report)?;
    } else {
        output::print(report.text())?;
    }
    match report.problems.len() + report.damage.len() {
        0 => Ok(ExitCode::SUCCESS),
        many => Err(Failure::Unsound(output::count(many, "problem"))),
    }
}

impl Report {
    fn of(global: &Global, store: &OpenStore) -> Result<Self, Failure> {
        let damage = store.integrity()?;
        let (findings, mut problems) = match global.start_read_only(store) {
            Ok(engine) => examine(&engine)?,
            Err(Failure::Open(error @ OpenError::Settings)) => {
                let key = RecordKey::new(Kind::SETTING, Id::MIN);
                (FsckReport::default(), vec![ReportedProblem::new(key, error.to_string())])
            }
            Err(error) => return Err(error),
        };
        problems.extend(
            findings.problems.into_iter().map(|one| ReportedProblem::new(one.key, one.problem)),
        );
        let records = findings.records.into_iter();
        Ok(Self {
            sound: problems.is_empty() && damage.is_empty(),
            records: records.map(|(kind, many)| (format!("{kind:?}"), many)).collect(),
            problems,
            damage,
        })
    }

    fn text(&self) -> String {
        let mut records = output::table(&["Records", "Verified"]);
        for (kind, many) in &self.records {
            records.add_row([kind.clone(), output::number(*many)]);
        }
        let mut text = output::lines(&records);
        if !self.problems.is_empty() {
            let mut problems = output::table(&["Record", "Id", "Problem"]);
            for one in &self.problems {
                problems.add_row([one.kind.clone(), one.id.to_string(), one.problem.clone()]);
            }
            text.push('\n');
            text.push_str(&output::lines(&problems));
        }
        if !self.damage.is_empty() {
            text.push_str("\nDamage\n");
            for line in &self.damage {
                text.push_str(line);
                text.push('\n');
            }
        }
        if self.sound {
            text.push_str("\nNo problems found.\n");
        }
        text
    }
}

/// Verifies all records. Returns the findings, and the faults that only opening the store reported.
fn examine(engine: &Engine) -> Result<(FsckReport, Vec<ReportedProblem>), Failure> {
    let progress = Progress::counted("Verifying", None);
    let checked = engine.maintenance().fsck(&mut |read| progress.set(read as u64));
    progress.finish();
    let findings = checked?;
    let is_found = |key: RecordKey| findings.problems.iter().any(|one| one.key == key);
    let faults = engine.faults().into_iter();
    let noticed = faults.filter(|fault| !is_found(fault.key));
    let problems =
        noticed.map(|fault| ReportedProblem::new(fault.key, fault.problem.to_string())).collect();
    Ok((findings, problems))
}

impl ReportedProblem {
    fn new(key: RecordKey, problem: String) -> Self {
        Self { kind: format!("{:?}", key.kind), id: key.id, problem }
    }
}
