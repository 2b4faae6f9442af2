//! The packages outside the workspace: an example store, as others would write one, and the fuzz
//! targets.

use std::process::Command;

use crate::Failure;
use crate::end_to_end::target;
use crate::shell::{cargo, root, run};

/// A package outside the workspace. All share one target directory.
struct Package {
    folder: &'static str,
    features: &'static [&'static str],
}

const ALL: [Package; 2] = [
    Package {
        folder: "examples/tiny-store",
        features: &[],
    },
    // Without cargo-fuzz, plain tests run the committed inputs.
    Package {
        folder: "fuzz",
        features: &["--no-default-features"],
    },
];

/// Runs their tests.
pub(crate) fn test() -> Result<(), Failure> {
    ALL.iter()
        .try_for_each(|one| run(one.cargo("test").arg("--locked").args(one.features)))
}

/// Checks their format.
pub(crate) fn check_format() -> Result<(), Failure> {
    ALL.iter()
        .try_for_each(|one| run(one.cargo("fmt").arg("--check")))
}

/// Checks their lints.
pub(crate) fn check_lints() -> Result<(), Failure> {
    let lint = ["--locked", "--all-targets", "--", "-D", "warnings"];
    ALL.iter()
        .try_for_each(|one| run(one.cargo("clippy").args(one.features).args(lint)))
}

impl Package {
    /// Returns a cargo command in the package's folder, where its settings are.
    fn cargo(&self, command: &str) -> Command {
        eprintln!("in {}:", self.folder);
        let mut cargo = cargo([command]);
        cargo.current_dir(root().join(self.folder));
        cargo.env("CARGO_TARGET_DIR", target());
        cargo
    }
}
