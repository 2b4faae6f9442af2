//! `cargo xtask bench instructions`: counts the instructions of a check with callgrind.
//!
//! Compares the counts with `benches/instructions.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use clap::Args;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::output::write;
use crate::failure::Failure;
use crate::shell::{cargo, is_installed, root, run, target};

/// Count the instructions of checks with callgrind; a rise over 3 % fails
#[derive(Debug, Args)]
pub(super) struct InstructionsArgs {
    /// Replace the accepted counts by those of this run
    #[arg(long)]
    accept: bool,
}

const CASES: &str = "check check-many malformed unknown grant imported";
/// Number of operations in `benches/instructions.rs`.
const ROUNDS: u64 = 2000;
/// Percent.
const TOLERANCE: u64 = 3;
const DESCRIPTION: &str = "Instructions of one call, per token, as callgrind counts them: \
    1,000 tokens, optimised build, x86-64. Callgrind offers AVX2 but no AVX-512, so that a \
    processor with AVX-512 runs other and fewer instructions. \
    Made by `cargo xtask bench instructions --accept`.";

/// Instructions by case.
type Counts = BTreeMap<String, u64>;

pub(super) fn compare(args: &InstructionsArgs) -> Result<(), Failure> {
    if !is_installed("valgrind") {
        return Err("`valgrind` is not installed; most systems have a package `valgrind`".into());
    }
    let counted = count()?;
    let path = root().join("benches/instructions.json");
    if args.accept {
        let file = json!({"description": DESCRIPTION, "instructions": counted});
        return write(&path, &format!("{file:#}\n"));
    }
    let file: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    let pinned = Counts::deserialize(file.get("instructions").unwrap_or(&file))?;
    let verdicts = judge(&pinned, &counted);
    for verdict in &verdicts {
        println!("{}", verdict.line);
    }
    if verdicts.iter().any(|verdict| verdict.fails) {
        let advice = "if that is meant, run `cargo xtask bench instructions --accept`";
        return Err(format!("the counts differ from benches/instructions.json; {advice}").into());
    }
    Ok(())
}

/// The comparison of one count with the accepted one.
#[derive(Debug)]
struct Verdict {
    fails: bool,
    line: String,
}

/// Compares all counts, in alphabetical order. One without a counterpart fails.
fn judge(pinned: &Counts, counted: &Counts) -> Vec<Verdict> {
    let names: BTreeSet<&String> = pinned.keys().chain(counted.keys()).collect();
    let verdict = |name| {
        let (fails, text) = match (pinned.get(name), counted.get(name)) {
            (Some(pinned), Some(counted)) => judge_one(*pinned, *counted),
            (Some(_), None) => (true, "pinned, but no longer counted".to_owned()),
            (None, _) => (true, "counted, but not pinned yet".to_owned()),
        };
        let line = format!("{name}: {text}");
        Verdict { fails, line }
    };
    names.into_iter().map(verdict).collect()
}

/// Returns whether a count fails, and its description.
fn judge_one(pinned: u64, counted: u64) -> (bool, String) {
    let fails = counted * 100 > pinned * (100 + TOLERANCE);
    let remark = match counted * 100 {
        _ if fails => ": too many",
        few if few < pinned * (100 - TOLERANCE) => ": fewer; renew the pin with --accept",
        _ => "",
    };
    let rise = counted as f64 / pinned as f64 * 100.0 - 100.0;
    let text = format!("{counted} instructions, pinned {pinned} ({rise:+.1} %){remark}");
    (fails, text)
}

/// Counts the instructions of one operation of each case.
fn count() -> Result<Counts, Failure> {
    let build = "build --locked --release --package symbolon-benches --bin instructions";
    run(&mut cargo(build))?;
    let out = target().join("bench/callgrind.out");
    fs::create_dir_all(target().join("bench"))?;
    let mut counted = BTreeMap::new();
    for case in CASES.split(' ') {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--tool=callgrind", "--toggle-collect=*_measured"]);
        valgrind.arg(format!("--callgrind-out-file={}", out.display()));
        let program = target().join("release/instructions");
        run(valgrind.arg(program).arg(case))?;
        let text = fs::read_to_string(&out)?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals:"));
        let total: u64 = total.unwrap_or_default().trim().parse().unwrap_or(0);
        if total < ROUNDS {
            return Err(format!("callgrind counted no instructions for `{case}`").into());
        }
        counted.insert(case.to_owned(), total / ROUNDS);
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(all: &[(&str, u64)]) -> Counts {
        let counts = all.iter().map(|&(name, count)| (name.to_owned(), count));
        counts.collect()
    }

    #[test]
    fn a_rise_over_three_percent_fails_and_a_fall_does_not() {
        let pinned = counts(&[("a", 1000), ("b", 1000), ("c", 1000)]);
        let counted = counts(&[("a", 1030), ("b", 1031), ("c", 900)]);
        let verdicts = judge(&pinned, &counted);
        let fails: Vec<bool> = verdicts.iter().map(|verdict| verdict.fails).collect();
        assert_eq!(fails, [false, true, false]);
        assert!(verdicts[1].line.contains("too many"));
        assert!(verdicts[2].line.contains("--accept"));
        assert!(!verdicts[0].line.contains("--accept"));
    }

    #[test]
    fn a_count_without_a_counterpart_fails() {
        for (pinned, counted) in [(&[("a", 1)][..], &[][..]), (&[][..], &[("a", 1)][..])] {
            let verdicts = judge(&counts(pinned), &counts(counted));
            assert!(verdicts[0].fails, "{verdicts:?}");
        }
    }
}
