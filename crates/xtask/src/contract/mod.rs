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
use crate::failure::Failure;
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
    #[arg(long, default_value_t = 5_000, default_value_if("long", "true", "50000"))]
    cases: u64,
    /// Seed of the requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The settings of schemathesis, with the exceptions.
const SETTINGS: &str = "crates/cli/tests/serve/schemathesis.toml";
const HOOKS: &str = "crates/cli/tests/serve/schemathesis_hooks.py";
/// Number of cases per operation and phase in each round.
const ROUND: &str = "10";

pub(crate) fn run_all(args: &ContractArgs) -> Result<(), Failure> {
    let programs = python_environment()?;
    let settings = fs::read_to_string(root().join(SETTINGS))?;
    exceptions::check(&settings)?;
    let program = build_program()?;
    let work = target().join("contract");
    empty_folder(&work)?;
    let mut total = Report::default();
    let mut seed = args.seed;
    while total.cases < args.cases {
        let before = total.cases;
        for caller in Caller::ALL {
            let name = caller.name();
            let folder = work.join(format!("{seed}-{name}"));
            fs::create_dir_all(&folder)?;
            let server = Server::start(&program, &folder, caller)?;
            let mut st = Command::new(programs.join("st"));
            st.args(["--no-color", "--config-file", "schemathesis.toml", "run"]);
            st.args(["--seed", &seed.to_string()]);
            st.args(["--max-examples", ROUND]);
            let report = test(&mut st, &server, &settings, &folder)?;
            server.stop()?;
            println!("caller={name} seed={seed} {report}");
            total.add(report);
        }
        if total.cases == before {
            return Err("schemathesis sent no requests".into());
        }
        seed += 1;
    }
    println!("contract: {total}");
    if total.is_clean() {
        return Ok(());
    }
    let folder = work.display();
    Err(format!("the server violates its OpenAPI document; see {folder}").into())
}

/// Runs schemathesis in a folder.
fn test(
    st: &mut Command,
    server: &Server,
    settings: &str,
    folder: &Path,
) -> Result<Report, Failure> {
    st.arg(format!("{}/api/v2/openapi.json", server.url));
    st.args(["--generation-database", "none", "--report", "json"]);
    st.args(["--report-json-path", "report.json"]);
    st.current_dir(folder);
    st.env("SCHEMATHESIS_HOOKS", root().join(HOOKS));
    st.env("SYMBOLON_OWN_IDS", &server.own_ids);
    let mut settings = settings.to_owned();
    if let Some(authorization) = &server.authorization {
        st.env("SYMBOLON_AUTHORIZATION", authorization);
        let header = "headers = { Authorization = \"${SYMBOLON_AUTHORIZATION}\" }";
        settings = format!("{header}\n{settings}");
    }
    fs::write(folder.join("schemathesis.toml"), settings)?;
    let printed = folder.join("printed.txt");
    st.stdout(File::create(&printed)?);
    st.stderr(File::create(folder.join("errors.txt"))?);
    let status = st.status()?;
    let printed = fs::read_to_string(printed)?;
    let report = fs::read_to_string(folder.join("report.json"));
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
