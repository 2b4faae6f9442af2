//! `cargo xtask test`: installs what the tests need, and passes all of them.

use clap::Args;

use crate::check::PACKAGES;
use crate::shell::{cargo, run};
use crate::{Failure, contract, crash, end_to_end, install, model, outside, venv};

/// Passes all tests; installs what they need through the system's package manager, and says so.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Kills of a writing process for each store
    #[arg(long, default_value_t = 20)]
    crash_cycles: u32,
}

pub(crate) fn all(args: &TestArgs) -> Result<(), Failure> {
    install::missing_programs()?;
    venv::ready()?;
    run(cargo(["test"]).args(PACKAGES))?;
    outside::test()?;
    model::run(&model::ModelArgs::short())?;
    end_to_end::run_all(&end_to_end::EndToEndArgs::short())?;
    contract::run_all(&contract::ContractArgs::short())?;
    for backend in crash::BACKENDS {
        let kills = || crash::CrashArgs::new(backend, args.crash_cycles);
        crash::run(&kills())?;
        crash::run(&kills().with_journal())?;
    }
    eprintln!("all tests passed");
    Ok(())
}
