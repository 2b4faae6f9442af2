//! Programs that the tests need, and their packages on Debian.

use std::process::{Command, Stdio};

use crate::Failure;
use crate::shell::{is_installed, run};

/// A program that the tests need.
struct Requirement {
    name: &'static str,
    is_met: fn() -> bool,
    /// Packages of Debian that contain it.
    packages: &'static [&'static str],
}

const REQUIREMENTS: [Requirement; 6] = [
    // SQLite is compiled from its C source.
    Requirement {
        name: "a C compiler",
        is_met: || ["cc", "gcc", "clang"].into_iter().any(is_installed),
        packages: &["build-essential"],
    },
    Requirement {
        name: "Python with the module venv",
        is_met: has_python_venv,
        packages: &["python3", "python3-venv"],
    },
    Requirement {
        name: "bash and xargs",
        is_met: || is_installed("bash") && is_installed("xargs"),
        packages: &["bash", "findutils"],
    },
    Requirement {
        name: "curl",
        is_met: || is_installed("curl"),
        packages: &["curl"],
    },
    Requirement {
        name: "jq",
        is_met: || is_installed("jq"),
        packages: &["jq"],
    },
    // For `cargo xtask bench instructions`, which follows the tests in CI.
    Requirement {
        name: "valgrind",
        is_met: || is_installed("valgrind"),
        packages: &["valgrind"],
    },
];

/// Installs missing programs with `apt-get`; elsewhere, fails with a list of them.
///
/// # Errors
///
/// Fails if there is no `apt-get`, or if it fails.
pub(crate) fn missing_programs() -> Result<(), Failure> {
    let missing = || REQUIREMENTS.iter().filter(|one| !(one.is_met)());
    let names: Vec<_> = missing().map(|one| one.name).collect();
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join(", ");
    if !is_installed("apt-get") {
        return Err(format!("install the missing programs first: {names}").into());
    }
    eprintln!("installing missing programs: {names}");
    run(Command::new("apt-get").arg("update"))?;
    let packages = missing().flat_map(|one| one.packages);
    let install = ["install", "-y", "--no-install-recommends"];
    run(Command::new("apt-get").args(install).args(packages))
}

/// Some systems ship Python without the modules that create an environment.
fn has_python_venv() -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", "import ensurepip, venv"]);
    python.stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}
