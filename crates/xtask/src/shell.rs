//! Runs other programs, and knows the folders of the workspace.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use crate::failure::Failure;

/// Returns the directory of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Returns the directory of build results.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Creates an empty directory, and removes what was there before.
pub(crate) fn empty_folder(path: &Path) -> io::Result<()> {
    if path.exists() {
        fs::remove_dir_all(path)?;
    }
    fs::create_dir_all(path)
}

/// Returns a cargo command in the directory of the workspace, from words separated by spaces.
pub(crate) fn cargo(words: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(words.split(' '));
    command
}

/// Builds the command line for end-to-end tests, and returns its path.
pub(crate) fn build_program() -> Result<PathBuf, Failure> {
    let build = "build --locked --profile e2e --package symbolon-cli";
    run(&mut cargo(build))?;
    Ok(target().join("e2e/symbolon"))
}

/// Prints a command and runs it.
///
/// # Errors
///
/// Fails if the command cannot be started or does not succeed.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    eprintln!("$ {}", line(command));
    let status = command.status();
    judge(command, status)
}

/// Runs a command and returns its standard output.
///
/// # Errors
///
/// Fails if the command cannot be started or does not succeed, or if its output is not UTF-8.
pub(crate) fn read(command: &mut Command) -> Result<String, Failure> {
    let output = command.stderr(Stdio::inherit()).output();
    let status = output.as_ref().map(|output| output.status);
    judge(command, status)?;
    Ok(String::from_utf8(output?.stdout)?)
}

/// Turns the end of a command into an error unless it has succeeded.
fn judge<E: Display>(command: &Command, status: Result<ExitStatus, E>) -> Result<(), Failure> {
    let line = line(command);
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` failed: {status}").into()),
        Err(error) => Err(format!("`{line}` cannot be started: {error}").into()),
    }
}

/// Writes a command with the bare name of its program.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name();
    let words = program.into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

/// Repeats `step` every few milliseconds, for at most a minute, until it returns a value.
///
/// # Errors
///
/// Fails if `step` fails or never returns a value. `what` names the event that it waits for.
pub(crate) fn wait_for<T>(
    what: &str,
    mut step: impl FnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if let Some(value) = step()? {
            return Ok(value);
        }
        thread::sleep(Duration::from_millis(2));
    }
    Err(format!("{what} has not happened for a minute").into())
}

/// Returns whether a program is on the path.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
