//! The packages that lie outside of the workspace: an example as others would write it, and the fuzz targets.

use std::process::Command;

use crate::Failure;
use crate::end_to_end::target;
use crate::shell::{cargo, root, run};

/// A package outside of the workspace. All share one target folder.
struct Outside {
    folder: &'static str,
    features: &'static [&'static str],
}

const ALL: [Outside; 2] = [
    Outside {
        folder: "examples/tiny-store",
        features: &[],
    },
    // Without cargo-fuzz: the committed inputs go through the same functions as plain tests.
    Outside {
        folder: "fuzz",
        features: &["--no-default-features"],
    },
];

/// Passes their tests.
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

impl Outside {
    /// In its folder, where its own settings lie.
    fn cargo(&self, command: &str) -> Command {
        eprintln!("in {}:", self.folder);
        let mut cargo = cargo([command]);
        cargo.current_dir(root().join(self.folder));
        cargo.env("CARGO_TARGET_DIR", target());
        cargo
    }
}
