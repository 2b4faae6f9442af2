//! `symbolon fsck`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use symbolon::record::{Kind, RecordKey};
use symbolon::{Engine, Error, Findings, Id};

use crate::arguments::Global;
use crate::error::Failure;
use crate::open::OpenStore;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon fsck
  symbolon fsck --store sled:./tokens --json

Stop whatever writes to the store meanwhile. It exits with 1 if anything is
wrong.")]
pub(crate) struct FsckArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    sound: bool,
    /// Genuine records of each kind.
    records: BTreeMap<String, usize>,
    /// What is wrong with records.
    problems: Vec<ReportedProblem>,
    /// What is damaged in the file or folder.
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
            Err(Failure::Engine(error @ Error::Settings)) => {
                let key = RecordKey::new(Kind::SETTING, Id::MIN);
                (
                    Findings::default(),
                    vec![ReportedProblem::new(key, error.to_string())],
                )
            }
            Err(error) => return Err(error),
        };
        problems.extend(
            findings
                .problems
                .into_iter()
                .map(|one| ReportedProblem::new(one.key, one.problem)),
        );
        let records = findings.records.into_iter();
        Ok(Self {
            sound: problems.is_empty() && damage.is_empty(),
            records: records
                .map(|(kind, many)| (format!("{kind:?}"), many))
                .collect(),
            problems,
            damage,
        })
    }

    fn text(&self) -> String {
        let mut records = output::table(&["Records", "Genuine"]);
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
            text.push_str("\nEverything is as it should be.\n");
        }
        text
    }
}

/// What the engine finds, and what it noticed when it opened the store.
fn examine(engine: &Engine) -> Result<(Findings, Vec<ReportedProblem>), Failure> {
    let findings = engine.fsck()?;
    let told = |key: RecordKey| findings.problems.iter().any(|one| one.key == key);
    let noticed = engine.faults().into_iter().filter(|fault| !told(fault.key));
    let problems = noticed
        .map(|fault| ReportedProblem::new(fault.key, fault.problem.to_string()))
        .collect();
    Ok((findings, problems))
}

impl ReportedProblem {
    fn new(key: RecordKey, problem: String) -> Self {
        Self {
            kind: format!("{:?}", key.kind),
            id: key.id,
            problem,
        }
    }
}
