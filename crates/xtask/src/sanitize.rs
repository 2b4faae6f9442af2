//! `cargo xtask sanitize`: runs the engine's tests with AddressSanitizer.

use std::process::Command;

use clap::Args;

use crate::failure::Failure;
use crate::shell::{cargo, read, run, target};

/// Run the engine's tests with AddressSanitizer, which fails on invalid memory access
#[derive(Debug, Args)]
pub(crate) struct SanitizeArgs {
    /// Run only tests whose names contain one of these; by default, those of the index and of the
    /// modules that read it while others write
    #[arg(default_values = ["index::", "primitives", "verifier", "change", "follower", "engine"])]
    filter: Vec<String>,
}

pub(crate) fn all(args: &SanitizeArgs) -> Result<(), Failure> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = read(Command::new(rustc).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let system = host.ok_or("`rustc -vV` reports no host")?;
    // With a target, build scripts and macros are built without the sanitizer. The compiler rejects
    // a platform for which Rust includes none.
    let mut command = cargo("test --package symbolon --lib --target");
    command.arg(system).arg("--").args(&args.filter);
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
