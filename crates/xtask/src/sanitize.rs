//! `cargo xtask sanitize`: runs the engine's tests with AddressSanitizer.

use std::process::Command;

use clap::Args;

use crate::Failure;
use crate::end_to_end::target;
use crate::shell::{cargo, run};

/// Run the engine's tests with AddressSanitizer, which fails on invalid memory access
#[derive(Debug, Args)]
pub(crate) struct SanitizeArgs {
    /// Run only tests whose names contain one of these [default: the index and its readers]
    filter: Vec<String>,
}

/// Modules that read the index while others write.
const READERS: [&str; 5] = ["index::", "verifier", "issuer", "follower", "engine"];

/// Platforms for which Rust includes the sanitizer.
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
            "Rust includes no sanitizer for `{system}`, only for {}",
            SYSTEMS.join(", ")
        )
        .into());
    }
    // With a target, build scripts and macros are built without the sanitizer.
    let mut command = cargo(["test", "--package", "symbolon", "--lib", "--target"]);
    command.arg(&system).arg("--");
    if args.filter.is_empty() {
        command.args(READERS);
    } else {
        command.args(&args.filter);
    }
    command.env("CARGO_TARGET_DIR", target().join("sanitize"));
    // The sanitizer needs this on a stable toolchain.
    command.env("RUSTC_BOOTSTRAP", "1");
    command.env("RUSTFLAGS", "-Zsanitizer=address");
    // The memory of readers is never freed, on purpose.
    command.env("ASAN_OPTIONS", "detect_leaks=0");
    run(&mut command)?;
    println!("the engine's tests with AddressSanitizer: clean");
    Ok(())
}

/// Returns the platform of this toolchain.
fn host() -> Result<String, Failure> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| "`rustc -vV` reports no host".into())
}
