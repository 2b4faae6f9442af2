//! The Python environment with the programs that test the server over HTTP.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Failure;
use crate::end_to_end::target;
use crate::shell::{root, run};

/// The packages and their versions.
const REQUIREMENTS: &str = "crates/cli/tests/serve/requirements.txt";

/// Creates the environment in `target/venv`, unless it is up to date, and returns its programs.
///
/// # Errors
///
/// Fails if Python is missing or the packages cannot be installed.
pub(crate) fn environment() -> Result<PathBuf, Failure> {
    let folder = target().join("venv");
    let programs = folder.join("bin");
    let wanted = fs::read_to_string(root().join(REQUIREMENTS))?;
    // Written last, so that an incomplete environment is replaced.
    let made = folder.join("requirements.txt");
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return Ok(programs);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    eprintln!("creating a Python environment with the packages of {REQUIREMENTS}");
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--requirement"];
    run(Command::new(programs.join("python"))
        .args(install)
        .arg(root().join(REQUIREMENTS)))?;
    fs::write(&made, wanted)?;
    Ok(programs)
}
