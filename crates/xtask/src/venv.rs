//! The Python environment with the programs that test the server from outside.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Failure;
use crate::end_to_end::target;
use crate::shell::{root, run};

/// Which packages it has, each with its version.
const REQUIREMENTS: &str = "crates/cli/tests/serve/requirements.txt";

/// Makes the environment in `target/venv`, unless it is there with the packages that are asked for, and gives its folder
/// of programs.
///
/// # Errors
///
/// If Python or the packages cannot be had.
pub(crate) fn ready() -> Result<PathBuf, Failure> {
    let folder = target().join("venv");
    let programs = folder.join("bin");
    let wanted = fs::read_to_string(root().join(REQUIREMENTS))?;
    // Written last, so that one that was made by half is made anew.
    let made = folder.join("requirements.txt");
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return Ok(programs);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    eprintln!("making a Python environment with the packages of {REQUIREMENTS}");
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--requirement"];
    run(Command::new(programs.join("python"))
        .args(install)
        .arg(root().join(REQUIREMENTS)))?;
    fs::write(&made, wanted)?;
    Ok(programs)
}
