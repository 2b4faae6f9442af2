//! `cargo xtask e2e`: imports a corpus with the command line and compares every decision with the
//! oracle's, on every embedded store.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;
use serde_json::Value;

use crate::Failure;
use crate::corpus::Corpus;
use crate::shell::{cargo, root, run};

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

impl EndToEndArgs {
    /// Returns the arguments of the short or the long form.
    pub(crate) fn form(long: bool) -> Self {
        Self { long, seed: 2 }
    }

    fn corpus(&self) -> Corpus {
        let authorizations = if self.long { 100_000 } else { 20_000 };
        Corpus {
            authorizations,
            requests: 10 * authorizations,
            seed: self.seed,
        }
    }
}

pub(crate) fn run_all(args: &EndToEndArgs) -> Result<(), Failure> {
    let program = build_program()?;
    let work = target().join("end-to-end");
    if work.exists() {
        std::fs::remove_dir_all(&work)?;
    }
    let corpus = args.corpus();
    corpus.write(&work.join("corpus"))?;
    for backend in ["sqlite", "sled"] {
        run_on_store(&program, &work, backend, corpus)?;
    }
    Ok(())
}

fn run_on_store(program: &Path, work: &Path, backend: &str, corpus: Corpus) -> Result<(), Failure> {
    let files = work.join("corpus");
    let store = format!(
        "{backend}:{}",
        work.join(backend).join("data/store").display()
    );
    let symbolon = || {
        let mut command = Command::new(program);
        command.args(["--store", &store]).stdin(Stdio::null());
        command
    };
    let token = work.join(format!("{backend}.token"));
    let names = ["--org", "e2e-org", "--user", "e2e-user", "--write-token"];
    run(symbolon().arg("setup").args(names).arg(&token))?;
    let import = Instant::now();
    run(symbolon()
        .arg("import")
        .arg(files.join("import.json"))
        .stdout(Stdio::null()))?;
    let import = import.elapsed().as_secs_f64();
    let answers = work.join(format!("{backend}.jsonl"));
    let stream = Instant::now();
    run(symbolon()
        .args(["check", "--stream"])
        .stdin(File::open(files.join("requests.jsonl"))?)
        .stdout(File::create(&answers)?))?;
    let stream = stream.elapsed().as_secs_f64();
    compare(&files.join("expected.jsonl"), &answers)?;
    run(symbolon().arg("fsck").stdout(Stdio::null()))?;
    let (authorizations, requests) = (corpus.authorizations, corpus.requests);
    println!(
        "backend={backend} authorizations={authorizations} import_seconds={import:.2} \
         requests={requests} stream_seconds={stream:.2} requests_per_second={:.0} differences=0",
        f64::from(requests) / stream
    );
    Ok(())
}

/// Compares two files of decisions, one JSON object per line.
///
/// # Errors
///
/// Fails if a line differs or is missing, and prints the first such lines.
fn compare(expected: &Path, actual: &Path) -> Result<(), Failure> {
    let open = |path: &Path| File::open(path).map(|file| BufReader::new(file).lines());
    let (mut expected, mut answers) = (open(expected)?, open(actual)?);
    let (mut line, mut differences) = (0, 0);
    loop {
        let pair = (
            expected.next().transpose()?.unwrap_or_default(),
            answers.next().transpose()?.unwrap_or_default(),
        );
        if pair == (String::new(), String::new()) {
            break;
        }
        line += 1;
        if !is_same_decision(&pair.0, &pair.1) {
            differences += 1;
            if differences <= SHOWN {
                println!("line {line}\n  expected {}\n  actual   {}", pair.0, pair.1);
            }
        }
    }
    if differences == 0 {
        return Ok(());
    }
    Err(format!(
        "`{}`: {differences} of {line} decisions are wrong",
        actual.display()
    )
    .into())
}

/// Number of differences that are printed.
const SHOWN: u32 = 10;

/// Compares the members of a decision; the program may add others.
fn is_same_decision(expected: &str, actual: &str) -> bool {
    let parse = |line| serde_json::from_str::<Value>(line).ok();
    let (Some(expected), Some(actual)) = (parse(expected), parse(actual)) else {
        return false;
    };
    let mut members = ["allow", "reason", "id", "permission"].into_iter();
    expected.get("allow").is_some() && members.all(|name| expected.get(name) == actual.get(name))
}

/// Builds the command line for end-to-end tests, and returns its path.
pub(crate) fn build_program() -> Result<PathBuf, Failure> {
    let build = [
        "build",
        "--locked",
        "--profile",
        "e2e",
        "--package",
        "symbolon-cli",
    ];
    run(&mut cargo(build))?;
    Ok(target().join("e2e/symbolon"))
}

/// Returns the directory of build results.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_compared_by_their_members() {
        let expected = r#"{"allow":false,"reason":"revoked","id":"0a"}"#;
        for (actual, is_same) in [
            (
                r#"{ "id": "0a", "reason": "revoked", "allow": false }"#,
                true,
            ),
            (
                r#"{"allow":false,"reason":"revoked","id":"0a","revision":7}"#,
                true,
            ),
            (r#"{"allow":false,"reason":"expired","id":"0a"}"#, false),
            (r#"{"allow":false,"reason":"revoked"}"#, false),
            (
                r#"{"allow":false,"reason":"revoked","id":"0a","permission":null}"#,
                false,
            ),
            ("not JSON", false),
            ("", false),
        ] {
            assert_eq!(is_same_decision(expected, actual), is_same, "{actual}");
        }
        assert!(!is_same_decision("[]", "{}"));
    }

    #[test]
    fn missing_and_surplus_lines_are_differences() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, count| {
            let path = dir.path().join(name);
            std::fs::write(&path, "{\"allow\":true}\n".repeat(count)).unwrap();
            path
        };
        for (expected, actual, is_same) in [(3, 3, true), (3, 1, false), (1, 3, false)] {
            let same = compare(&write("expected", expected), &write("actual", actual));
            assert_eq!(same.is_ok(), is_same, "{expected} {actual}");
        }
    }
}
