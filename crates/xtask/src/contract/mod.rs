//! `cargo xtask contract`: tests the server against its OpenAPI document with schemathesis.

mod exceptions;
mod report;
mod server;
mod world;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use clap::Args;

use self::report::Report;
use self::server::{Caller, Server};
use crate::Failure;
use crate::programs::python_environment;
use crate::shell::{build_program, empty_folder, root, target};

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
    empty_folder(&work)?;
    let mut total = Report::default();
    let mut each = FIRST_ROUND;
    let mut seed = args.seed;
    while total.cases < args.cases {
        let before = total.cases;
        for caller in Caller::ALL {
            let folder = work.join(format!("{seed}-{}", caller.name()));
            fs::create_dir_all(&folder)?;
            let server = Server::start(&program, &folder, caller)?;
            let job = Job {
                programs: &programs,
                settings: &settings,
                folder: &folder,
                seed,
                each,
            };
            let report = job.run(&server)?;
            server.stop()?;
            println!("caller={} seed={seed} {report}", caller.name());
            total.add(report);
        }
        // Estimate the cases of the next round from this one.
        let done = total.cases - before;
        if done == 0 {
            return Err("schemathesis sent no requests".into());
        }
        let missing = args.cases.saturating_sub(total.cases);
        each = (each * missing).div_ceil(done).max(1);
        seed += 1;
    }
    println!("contract: {total}");
    if total.is_clean() {
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
        let (seed, each, url) = (self.seed, self.each, &server.url);
        let options = format!(
            "--no-color --config-file schemathesis.toml run {url}/api/v2/openapi.json \
             --seed {seed} --max-examples {each} --generation-database none \
             --report json --report-json-path report.json"
        );
        let mut command = Command::new(self.programs.join("st"));
        command.args(options.split(' ')).current_dir(self.folder);
        command.env("SCHEMATHESIS_HOOKS", root().join(HOOKS));
        command.env("SYMBOLON_OWN_IDS", &server.own_ids);
        let mut settings = self.settings.to_owned();
        if let Some(authorization) = &server.authorization {
            command.env("SYMBOLON_AUTHORIZATION", authorization);
            let header = "headers = { Authorization = \"${SYMBOLON_AUTHORIZATION}\" }";
            settings = format!("{header}\n{settings}");
        }
        fs::write(self.folder.join("schemathesis.toml"), settings)?;
        let printed = self.folder.join("printed.txt");
        command.stdout(File::create(&printed)?);
        command.stderr(File::create(self.folder.join("errors.txt"))?);
        let status = command.status()?;
        let printed = fs::read_to_string(printed)?;
        let report = fs::read_to_string(self.folder.join("report.json"));
        let report =
            report.map_err(|error| format!("schemathesis wrote no report: {error}\n{printed}"))?;
        let report = Report::parse(&report)?;
        if !status.success() {
            eprintln!("{printed}");
        }
        if status.success() == report.is_clean() {
            return Ok(report);
        }
        Err(format!("schemathesis exited with {status}: {report}").into())
    }
}
