//! `cargo xtask sanitize`: the tests of the engine with every access to memory checked.

use std::process::Command;

use clap::Args;

use crate::Failure;
use crate::end_to_end::target;
use crate::shell::{cargo, run};

/// Passes the engine's tests with AddressSanitizer: what is read after it was freed, or beyond its end, ends them.
#[derive(Debug, Args)]
pub(crate) struct SanitizeArgs {
    /// Tests whose names contain one of these; those of the index, and of what reads it, if none is given
    filter: Vec<String>,
}

/// What reads the index beside writers.
const READERS: [&str; 5] = ["index::", "verifier", "issuer", "follower", "engine"];

/// Where the sanitizer's library comes with Rust.
const SYSTEMS: [&str; 4] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];

pub(crate) fn all(args: &SanitizeArgs) -> Result<(), Failure> {
    let system = host()?;
    if !SYSTEMS.contains(&system.as_str()) {
        return Err(format!(
            "the sanitizer does not come with Rust for `{system}`; it does for {}",
            SYSTEMS.join(", ")
        )
        .into());
    }
    // A target is named so that build scripts and macros are built without.
    let mut command = cargo(["test", "--package", "symbolon", "--lib", "--target"]);
    command.arg(&system).arg("--");
    match args.filter.is_empty() {
        true => command.args(READERS),
        false => command.args(&args.filter),
    };
    command.env("CARGO_TARGET_DIR", target().join("sanitize"));
    // Sanitizers are a matter of nightly toolchains otherwise.
    command.env("RUSTC_BOOTSTRAP", "1");
    command.env("RUSTFLAGS", "-Zsanitizer=address");
    // The memory of readers is kept for as long as the process, on purpose.
    command.env("ASAN_OPTIONS", "detect_leaks=0");
    run(&mut command)?;
    println!("the engine's tests with AddressSanitizer: clean");
    Ok(())
}

/// The system that this toolchain builds for.
fn host() -> Result<String, Failure> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| "`rustc -vV` does not say which system it builds for".into())
}
