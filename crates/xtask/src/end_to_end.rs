//! `cargo xtask e2e`: a corpus through the released program, on every embedded store, against the oracle.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;

use crate::shell::{cargo, root, run};
use crate::{Failure, corpus};

/// Import a corpus and compare every decision with the oracle, on SQLite and on sled
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

    fn authorizations(&self) -> u32 {
        if self.long { 100_000 } else { 20_000 }
    }

    fn requests(&self) -> u64 {
        10 * u64::from(self.authorizations())
    }
}

pub(crate) fn run_all(args: &EndToEndArgs) -> Result<(), Failure> {
    let program = build_program()?;
    let work = target().join("end-to-end");
    if work.exists() {
        std::fs::remove_dir_all(&work)?;
    }
    let files = work.join("corpus");
    corpus::write(&corpus::CorpusArgs {
        authorizations: args.authorizations(),
        requests: args.requests(),
        seed: args.seed,
        dir: files.clone(),
    })?;
    for backend in ["sqlite", "sled"] {
        on_store(&program, &work, &files, backend, args)?;
    }
    Ok(())
}

fn on_store(
    program: &Path,
    work: &Path,
    files: &Path,
    backend: &str,
    args: &EndToEndArgs,
) -> Result<(), Failure> {
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
    let expected = files.join("expected.jsonl");
    corpus::compare(&corpus::CompareArgs {
        expected,
        actual: answers,
    })?;
    run(symbolon().arg("fsck").stdout(Stdio::null()))?;
    let (authorizations, requests) = (args.authorizations(), args.requests());
    println!(
        "backend={backend} authorizations={authorizations} import_seconds={import:.2} requests={requests} \
         stream_seconds={stream:.2} requests_per_second={:.0} differences=0",
        requests as f64 / stream
    );
    Ok(())
}

/// Builds the command line for end-to-end tests, and returns the path of the program.
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

/// Returns the folder of build results.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
