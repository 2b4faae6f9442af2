//! `cargo xtask e2e`: imports a corpus with the command line and compares every decision with the
//! oracle's, on every embedded store.

use std::fs::{self, File};
use std::iter::repeat;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::Value;

use crate::shell::{build_program, empty_folder, run, target};
use crate::{Failure, corpus};

/// Import a corpus and compare every decision with the oracle's, on SQLite and on sled
#[derive(Debug, Args)]
pub(crate) struct EndToEndArgs {
    /// Import 100,000 authorizations and decide 1,000,000 requests: five times as many
    #[arg(long)]
    long: bool,
    /// Seed of the corpus
    #[arg(long, default_value_t = 2)]
    seed: u64,
}

pub(crate) fn run_all(args: &EndToEndArgs) -> Result<(), Failure> {
    let program = build_program()?;
    let work = target().join("end-to-end");
    empty_folder(&work)?;
    let authorizations = if args.long { 100_000 } else { 20_000 };
    corpus::write(&work, authorizations, args.seed)?;
    for backend in ["sqlite", "sled"] {
        run_on_store(&program, &work, backend, authorizations)?;
    }
    Ok(())
}

fn run_on_store(
    program: &Path,
    work: &Path,
    backend: &str,
    authorizations: u32,
) -> Result<(), Failure> {
    let store = work.join(backend).join("data/store");
    let symbolon = |words: &str| {
        let mut command = Command::new(program);
        command.env("SYMBOLON_STORE", format!("{backend}:{}", store.display()));
        command.args(words.split(' ')).stdin(Stdio::null());
        command
    };
    let mut setup = symbolon("setup --org e2e-org --user e2e-user --write-token");
    run(setup.arg(work.join(format!("{backend}.token"))))?;
    let mut import = symbolon("import");
    run(import.arg(work.join("import.json")).stdout(Stdio::null()))?;
    let answers = work.join(format!("{backend}.jsonl"));
    let mut check = symbolon("check --stream");
    check.stdin(File::open(work.join("requests.jsonl"))?);
    run(check.stdout(File::create(&answers)?))?;
    compare(&work.join("expected.jsonl"), &answers)?;
    run(symbolon("fsck").stdout(Stdio::null()))?;
    let requests = 10 * authorizations;
    println!("backend={backend} authorizations={authorizations} requests={requests} differences=0");
    Ok(())
}

/// Number of differences that are printed.
const SHOWN: usize = 10;

/// Compares two files of decisions, one JSON object per line.
///
/// # Errors
///
/// Fails if a line differs or is missing, and prints the first such lines.
fn compare(expected: &Path, actual: &Path) -> Result<(), Failure> {
    let (expected, answers) = (fs::read_to_string(expected)?, fs::read_to_string(actual)?);
    let all = expected.lines().count().max(answers.lines().count());
    let expected = expected.lines().chain(repeat(""));
    let answers = answers.lines().chain(repeat(""));
    let mut wrong = 0;
    for (line, (expected, answer)) in (1..=all).zip(expected.zip(answers)) {
        if !is_same_decision(expected, answer) {
            wrong += 1;
            if wrong <= SHOWN {
                println!("line {line}\n  expected {expected}\n  actual   {answer}");
            }
        }
    }
    match wrong {
        0 => Ok(()),
        _ => Err(format!("`{}`: {wrong} of {all} decisions are wrong", actual.display()).into()),
    }
}

/// Compares the members of a decision; the program may add others.
fn is_same_decision(expected: &str, actual: &str) -> bool {
    let parse = |line| serde_json::from_str::<Value>(line).ok();
    let (Some(expected), Some(actual)) = (parse(expected), parse(actual)) else {
        return false;
    };
    let mut members = ["allow", "reason", "id", "permission"].into_iter();
    expected.get("allow").is_some() && members.all(|name| expected.get(name) == actual.get(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_compared_by_their_members() {
        let expected = r#"{"allow":false,"reason":"revoked","id":"0a"}"#;
        for same in [
            r#"{ "id": "0a", "reason": "revoked", "allow": false }"#,
            r#"{"allow":false,"reason":"revoked","id":"0a","revision":7}"#,
        ] {
            assert!(is_same_decision(expected, same), "{same}");
        }
        for other in [
            r#"{"allow":false,"reason":"expired","id":"0a"}"#,
            r#"{"allow":false,"reason":"revoked"}"#,
            r#"{"allow":false,"reason":"revoked","id":"0a","permission":null}"#,
            "not JSON",
            "",
        ] {
            assert!(!is_same_decision(expected, other), "{other}");
        }
        assert!(!is_same_decision("[]", "{}"));
    }

    #[test]
    fn missing_and_surplus_lines_are_differences() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, count| {
            let path = dir.path().join(name);
            fs::write(&path, "{\"allow\":true}\n".repeat(count)).unwrap();
            path
        };
        for (expected, actual, is_same) in [(3, 3, true), (3, 1, false), (1, 3, false)] {
            let same = compare(&write("expected", expected), &write("actual", actual));
            assert_eq!(same.is_ok(), is_same, "{expected} {actual}");
        }
    }
}
