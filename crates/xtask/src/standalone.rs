//! The packages outside the workspace: an example store, as others would write one, and the fuzz
//! targets.

use crate::failure::Failure;
use crate::shell::{cargo, root, run, target};

/// Folders of the packages, and the features for commands that build them: without cargo-fuzz,
/// plain tests run the committed inputs.
const PACKAGES: [(&str, &str); 2] =
    [("examples/tiny-store", ""), ("fuzz", " --no-default-features")];

/// Runs their tests.
pub(crate) fn test() -> Result<(), Failure> {
    run_in_each(|features| format!("test --locked{features}"))
}

/// Checks their format.
pub(crate) fn check_format() -> Result<(), Failure> {
    run_in_each(|_| "fmt --check".to_owned())
}

/// Checks their lints.
pub(crate) fn check_lints() -> Result<(), Failure> {
    run_in_each(|features| format!("clippy{features} --locked --all-targets -- -D warnings"))
}

/// Runs a cargo command in each package's folder, where its settings are. All share one target
/// directory.
fn run_in_each(command: impl Fn(&str) -> String) -> Result<(), Failure> {
    for (folder, features) in PACKAGES {
        eprintln!("in {folder}:");
        let mut cargo = cargo(&command(features));
        cargo.env("CARGO_TARGET_DIR", target());
        run(cargo.current_dir(root().join(folder)))?;
    }
    Ok(())
}
