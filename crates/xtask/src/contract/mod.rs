//! `cargo xtask contract`: tests the server against its OpenAPI document with schemathesis.

mod exceptions;
mod report;
mod server;
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::Failure;
use crate::programs::python_environment;
use crate::shell::{build_program, root, target};
use report::Report;
use server::{Caller, Server};

/// Test the server against its OpenAPI document with schemathesis
///
/// Sends valid and invalid requests, single and in sequences, as operator, with a limited token and
/// without a token.
#[derive(Debug, Args)]
pub(crate) struct ContractArgs {
    /// Send 50,000 requests
    #[arg(long)]
    long: bool,
    /// Minimum number of requests
    #[arg(
        long,
        default_value_t = 5_000,
        default_value_if("long", "true", "50000")
    )]
    cases: u64,
    /// Seed of the requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The settings of schemathesis, with the exceptions.
const SETTINGS: &str = "crates/cli/tests/serve/schemathesis.toml";
const HOOKS: &str = "crates/cli/tests/serve/schemathesis_hooks.py";
/// Number of cases per operation and phase in the first round.
const FIRST_ROUND: u64 = 10;

pub(crate) fn run_all(args: &ContractArgs) -> Result<(), Failure> {
    let programs = python_environment()?;
    let settings = fs::read_to_string(root().join(SETTINGS))?;
    exceptions::check(&settings)?;
    let program = build_program()?;
    let work = target().join("contract");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    let mut total = Report::default();
    let mut each = FIRST_ROUND;
    let mut round = 0;
    while total.cases < args.cases {
        let before = total.cases;
        for caller in Caller::ALL {
            let folder = work.join(format!("{round}-{}", caller.name()));
            fs::create_dir_all(&folder)?;
            let server = Server::start(&program, &folder, caller)?;
            let job = Job {
                programs: &programs,
                settings: &settings,
                folder: &folder,
                seed: args.seed + round,
                each,
            };
            let report = job.run(&server)?;
            server.stop()?;
            println!("caller={} seed={} {report}", caller.name(), job.seed);
            total.add(report);
        }
        // Estimate the cases of the next round from this one.
        let (done, missing) = (total.cases - before, args.cases.saturating_sub(total.cases));
        if done == 0 {
            return Err("schemathesis sent no requests".into());
        }
        each = (each * missing).div_ceil(done).max(1);
        round += 1;
    }
    println!("contract: {total}");
    if total.failures + total.errors == 0 {
        return Ok(());
    }
    Err(format!(
        "the server violates its OpenAPI document; see {}",
        work.display()
    )
    .into())
}

/// One run of schemathesis.
struct Job<'a> {
    programs: &'a Path,
    settings: &'a str,
    folder: &'a Path,
    seed: u64,
    /// Number of cases per operation and phase.
    each: u64,
}

impl Job<'_> {
    fn run(&self, server: &Server) -> Result<Report, Failure> {
        let settings = self.folder.join("schemathesis.toml");
        let mut text = self.settings.to_owned();
        if server.authorization().is_some() {
            text =
                format!("headers = {{ Authorization = \"${{SYMBOLON_AUTHORIZATION}}\" }}\n{text}");
        }
        fs::write(&settings, text)?;
        let report = self.folder.join("report.json");
        let mut command = Command::new(self.programs.join("st"));
        command
            .arg("--no-color")
            .arg("--config-file")
            .arg(settings)
            .args(["run", &format!("{}/api/v2/openapi.json", server.url())])
            .args(["--seed", &self.seed.to_string()])
            .args(["--max-examples", &self.each.to_string()])
            .args(["--generation-database", "none", "--report", "json"])
            .arg("--report-json-path")
            .arg(&report)
            .env("SCHEMATHESIS_HOOKS", root().join(HOOKS))
            .env("SYMBOLON_OWN_IDS", server.own_ids())
            .current_dir(self.folder);
        if let Some(authorization) = server.authorization() {
            command.env("SYMBOLON_AUTHORIZATION", authorization);
        }
        let printed = self.folder.join("printed.txt");
        let status = command
            .stdout(fs::File::create(&printed)?)
            .stderr(fs::File::create(self.folder.join("errors.txt"))?)
            .status()?;
        let read = fs::read(&report).map_err(|error| no_report(&printed, &error))?;
        let report = Report::read(&read)?;
        if !status.success() {
            eprintln!("{}", fs::read_to_string(printed)?);
        }
        if status.success() == (report.failures + report.errors == 0) {
            return Ok(report);
        }
        Err(format!("schemathesis exited with {status}: {report}").into())
    }
}

fn no_report(printed: &PathBuf, error: &std::io::Error) -> Failure {
    let printed = fs::read_to_string(printed).unwrap_or_default();
    format!("schemathesis wrote no report: {error}\n{printed}").into()
}
