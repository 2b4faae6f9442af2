//! Runs the fuzz targets on the committed inputs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use symbolon_fuzz::TARGETS;

const LARGEST: usize = 4096;
/// Minimum number of inputs that each target accepts.
const FEWEST: usize = 3;

fn here(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(here(folder)).unwrap();
    let stem = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        path.file_stem().unwrap().to_str().unwrap().to_owned()
    };
    entries.map(stem).collect()
}

#[test]
fn every_corpus_input_upholds_the_invariants() {
    for (name, target) in TARGETS {
        let (mut good, mut all) = (0, 0);
        for entry in fs::read_dir(here("corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            let data = fs::read(&path).unwrap();
            assert!(data.len() < LARGEST, "{} is too large", path.display());
            eprintln!("{}", path.display());
            good += usize::from(target(&data));
            all += 1;
        }
        println!("{name}: {all} inputs, {good} of them good");
        assert!(good >= FEWEST, "{name}: only {good} of {all} are good");
        assert!(all > good, "{name}: no input is refused");
    }
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let targets: BTreeSet<_> = TARGETS.map(|(name, _)| name.to_owned()).into();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}
