//! No route acts beyond the caller's authority.

use std::fs;
use std::path::Path;

/// The functions with rules of their own are listed in `docs/design.md`.
#[test]
fn no_source_file_names_the_root_caller_or_maintenance() {
    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => sources(&path, found),
                false => {
                    found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()))
                }
            }
        }
    }
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    assert!(all.len() > 30);
    for (path, text) in all {
        let code = text.lines().filter(|line| !line.trim().starts_with("//"));
        for line in code {
            let acts = ["Root", "aintenance", ".store()"].map(|name| line.contains(name));
            assert!(!acts.contains(&true), "{path}: {line}");
        }
    }
}
