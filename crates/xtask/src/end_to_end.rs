//! `cargo xtask e2e`: a corpus through the released program, on every embedded store, against the oracle.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;

use crate::shell::{cargo, root, run};
use crate::{Failure, corpus};

/// Sets up a store, imports a corpus and streams its requests, on SQLite and on sled; every decision must be the
/// oracle's.
#[derive(Debug, Args)]
pub(crate) struct EndToEndArgs {
    /// Authorizations to import
    #[arg(long, default_value_t = 100_000)]
    authorizations: u32,
    /// Requests to decide
    #[arg(long, default_value_t = 1_000_000)]
    requests: u64,
    /// What the corpus is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl EndToEndArgs {
    /// What the tests run.
    pub(crate) fn short() -> Self {
        Self {
            authorizations: 20_000,
            requests: 200_000,
            seed: 2,
        }
    }
}

pub(crate) fn run_all(args: &EndToEndArgs) -> Result<(), Failure> {
    run(&mut cargo([
        "build",
        "--release",
        "--package",
        "symbolon-cli",
    ]))?;
    let program = target().join("release/symbolon");
    let work = target().join("e2e");
    if work.exists() {
        std::fs::remove_dir_all(&work)?;
    }
    let files = work.join("corpus");
    corpus::write(&corpus::CorpusArgs {
        authorizations: args.authorizations,
        requests: args.requests,
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
    let (authorizations, requests) = (args.authorizations, args.requests);
    println!(
        "backend={backend} authorizations={authorizations} import_seconds={import:.2} requests={requests} \
         stream_seconds={stream:.2} requests_per_second={:.0} differences=0",
        requests as f64 / stream
    );
    Ok(())
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
