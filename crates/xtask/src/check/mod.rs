//! `cargo xtask check`: format, lints, documentation, and the rules for texts and imports.

mod circles;
mod columns;
mod imports;
mod layers;
mod openings;
mod references;
mod source;
mod words;

use std::fs;

use clap::{Args, ValueEnum};

use self::layers::Layers;
use self::source::Source;
use self::words::Words;
use crate::failure::Failure;
use crate::shell::{cargo, is_installed, root, run};
use crate::standalone;

/// Every package but the benchmarks, whose peers only `cargo xtask bench` builds.
pub(crate) const PACKAGES: [&str; 3] = ["--workspace", "--exclude", "symbolon-benches"];

/// Check format, lints, documentation, licences, texts and imports; runs no tests
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Run only one part
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
    /// List all findings in texts and imports below a path of the repository
    #[arg(long, value_name = "PREFIX")]
    path: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Words, columns, openings of doc comments, imports, and names in documents
    Texts,
    /// rustfmt
    Format,
    /// clippy
    Lints,
    /// rustdoc, for the whole workspace
    Docs,
    /// cargo-deny, if it is installed
    Licences,
}

/// Runs all parts, also after one has failed.
///
/// # Errors
///
/// Names the parts that failed.
pub(crate) fn run_parts(args: &CheckArgs) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for part in Part::value_variants() {
        if args.only.is_some_and(|only| only != *part) {
            continue;
        }
        let name = format!("{part:?}").to_lowercase();
        eprintln!("== {name}");
        if let Err(failure) = part.run(args) {
            eprintln!("{name}: {failure}");
            failed.push(name);
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("check failed: {}", failed.join(", ")).into()),
    }
}

impl Part {
    fn run(self, args: &CheckArgs) -> Result<(), Failure> {
        match self {
            Self::Texts => check_texts(args.path.as_deref()),
            Self::Format => {
                run(&mut cargo("fmt --all --check"))?;
                standalone::check_format()
            }
            Self::Lints => {
                let lint = ["--locked", "--all-targets", "--", "-D", "warnings"];
                run(cargo("clippy").args(PACKAGES).args(lint))?;
                standalone::check_lints()
            }
            Self::Docs => {
                let mut document = cargo("doc --locked --no-deps --document-private-items");
                run(document.args(PACKAGES).env("RUSTDOCFLAGS", "-D warnings"))
            }
            Self::Licences => check_licences(),
        }
    }
}

fn check_texts(path: Option<&str>) -> Result<(), Failure> {
    let sources = Source::read_all()?;
    let words = Words::parse(&fs::read_to_string(root().join(words::TABLE))?)?;
    let layers = Layers::parse(&fs::read_to_string(root().join(layers::TABLE))?)?;
    let reports = [
        words.check(&sources),
        columns::check(&sources),
        openings::check(&sources),
        layers.check(&sources),
        circles::check(&sources),
        references::check(&sources)?,
    ];
    for report in &reports {
        report.print(path);
    }
    println!("summary:");
    for report in &reports {
        println!("  {:>6}  {}", report.findings.len(), report.rule);
    }
    match reports.iter().map(|report| report.findings.len()).sum() {
        0_usize => Ok(()),
        count => Err(format!("{count} findings").into()),
    }
}

fn check_licences() -> Result<(), Failure> {
    if is_installed("cargo-deny") {
        return run(&mut cargo("deny --offline check licenses bans sources"));
    }
    eprintln!("skipped: cargo-deny is not installed (`cargo install cargo-deny`)");
    Ok(())
}
