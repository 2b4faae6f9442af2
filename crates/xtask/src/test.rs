//! `cargo xtask test`: installs what the tests need, and passes all of them.

use std::process::Command;

use clap::Args;

use crate::check::PACKAGES;
use crate::shell::{cargo, is_installed, run};
use crate::{Failure, crash, end_to_end, model, outside};

/// Passes all tests; installs what they need through the system's package manager, and says so.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Kills of a writing process for each store
    #[arg(long, default_value_t = 20)]
    crash_cycles: u32,
}

/// Package managers, how they install, and what their C compiler is called.
const MANAGERS: [(&str, &[&str], &str); 5] = [
    (
        "apt-get",
        &["install", "-y", "--no-install-recommends"],
        "build-essential",
    ),
    ("dnf", &["install", "-y"], "gcc"),
    ("apk", &["add"], "build-base"),
    ("pacman", &["-S", "--noconfirm"], "base-devel"),
    ("zypper", &["install", "-y"], "gcc"),
];

pub(crate) fn all(args: &TestArgs) -> Result<(), Failure> {
    need_c_compiler()?;
    run(cargo(["test"]).args(PACKAGES))?;
    outside::test()?;
    model::run(&model::ModelArgs::short())?;
    end_to_end::run_all(&end_to_end::EndToEndArgs::short())?;
    for backend in crash::BACKENDS {
        let kills = || crash::CrashArgs::new(backend, args.crash_cycles);
        crash::run(&kills())?;
        crash::run(&kills().with_journal())?;
    }
    eprintln!("all tests passed");
    Ok(())
}

/// SQLite is compiled from its C source.
fn need_c_compiler() -> Result<(), Failure> {
    if ["cc", "gcc", "clang"].into_iter().any(is_installed) {
        return Ok(());
    }
    let found = MANAGERS.iter().find(|(manager, ..)| is_installed(manager));
    let Some((manager, words, package)) = found else {
        return Err(
            "a C compiler is missing, and no package manager that is known; install gcc or clang"
                .into(),
        );
    };
    eprintln!("a C compiler is missing; installing `{package}` with {manager}");
    if *manager == "apt-get" {
        run(Command::new(manager).arg("update"))?;
    }
    run(Command::new(manager).args(*words).arg(package))
}
