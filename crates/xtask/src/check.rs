//! `cargo xtask check`: everything that must hold before a change is done, short of the long tests.

use crate::shell::{cargo, is_installed, run};
use crate::{Failure, outside, texts};

/// Every package but the benchmarks, whose peers only `cargo xtask bench` builds.
pub(crate) const PACKAGES: [&str; 3] = ["--workspace", "--exclude", "symbolon-benches"];

pub(crate) fn all() -> Result<(), Failure> {
    texts::check()?;
    run(&mut cargo(["fmt", "--all", "--check"]))?;
    let lint = ["--all-targets", "--", "-D", "warnings"];
    run(cargo(["clippy"]).args(PACKAGES).args(lint))?;
    outside::check()?;
    run(cargo(["test"]).args(PACKAGES))?;
    outside::test()?;
    let document = ["doc", "--no-deps", "--document-private-items"];
    run(cargo(document)
        .args(PACKAGES)
        .env("RUSTDOCFLAGS", "-D warnings"))?;
    if is_installed("cargo-deny") {
        run(&mut cargo(["deny", "check", "licenses", "bans", "sources"]))?;
    } else {
        eprintln!(
            "cargo-deny is not installed, licences are not checked: cargo install cargo-deny"
        );
    }
    Ok(())
}
