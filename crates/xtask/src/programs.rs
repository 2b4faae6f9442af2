//! The programs that the tests need: packages of Debian, and a Python environment.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;
use crate::shell::{empty_folder, is_installed, root, run, target};

/// Names of requirements, the shell commands that test for them, and their packages on Debian.
const REQUIREMENTS: [[&str; 3]; 6] = [
    // SQLite is compiled from its C source.
    ["a C compiler", "command -v cc || command -v gcc || command -v clang", "build-essential"],
    // Some systems ship Python without the modules that create an environment.
    ["Python with venv", "python3 -c 'import ensurepip, venv'", "python3 python3-venv"],
    ["bash and xargs", "command -v bash && command -v xargs", "bash findutils"],
    ["curl", "command -v curl", "curl"],
    ["jq", "command -v jq", "jq"],
    // For `cargo xtask bench instructions`, which follows the tests in CI.
    ["valgrind", "command -v valgrind", "valgrind"],
];

/// The Python packages and their versions.
const PYTHON_PACKAGES: &str = "crates/cli/tests/serve/requirements.txt";

/// Installs missing programs with `apt-get`; elsewhere, fails with a list of them.
///
/// # Errors
///
/// Fails if there is no `apt-get`, or if it fails.
pub(crate) fn install_missing() -> Result<(), Failure> {
    let (mut names, mut packages) = (Vec::new(), Vec::new());
    for [name, test, of_debian] in REQUIREMENTS {
        let mut shell = Command::new("sh");
        let tested = shell.args(["-c", test]).output();
        if !tested.is_ok_and(|tested| tested.status.success()) {
            names.push(name);
            packages.extend(of_debian.split(' '));
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join(", ");
    if !is_installed("apt-get") {
        return Err(format!("install the missing programs first: {names}").into());
    }
    eprintln!("installing missing programs: {names}");
    run(Command::new("apt-get").arg("update"))?;
    let install = ["install", "-y", "--no-install-recommends"];
    run(Command::new("apt-get").args(install).args(packages))
}

/// Creates the Python environment in `target/venv`, unless it is up to date, and returns the folder
/// of its programs.
pub(crate) fn python_environment() -> Result<PathBuf, Failure> {
    let folder = target().join("venv");
    let programs = folder.join("bin");
    let packages = root().join(PYTHON_PACKAGES);
    let wanted = fs::read_to_string(&packages)?;
    // Written last, so that an incomplete environment is replaced.
    let installed = folder.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    empty_folder(&folder)?;
    eprintln!("creating a Python environment with the packages of {PYTHON_PACKAGES}");
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(programs.join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--requirement"]);
    run(pip.arg(packages))?;
    fs::write(&installed, wanted)?;
    Ok(programs)
}
