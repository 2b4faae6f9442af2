//! What the texts name: every test and every file is there.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::Failure;
use crate::shell::root;

/// Texts whose tables name a test in their last column.
const PROMISES: [&str; 2] = ["README.md", "docs/threats.md"];
/// Texts that name files.
const TEXTS: [&str; 5] = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/design.md",
    "docs/format.md",
    "docs/threats.md",
];
/// Where the files are that they name.
const FOLDERS: [&str; 4] = ["crates/", "docs/", "examples/", "fuzz/"];
const SOURCES: [&str; 3] = ["crates", "examples", "fuzz"];
/// The headings of a last column that names tests.
const HEADINGS: [&str; 2] = ["test", "shown by"];

/// Finds every test and every file that the texts name.
pub(crate) fn check() -> Result<(), Failure> {
    let mut tests = HashSet::new();
    for folder in SOURCES {
        collect(&root().join(folder), &mut tests)?;
    }
    let mut missing = Vec::new();
    for path in PROMISES {
        let text = fs::read_to_string(root().join(path))?;
        let named = named(&text);
        if named.is_empty() {
            missing.push(format!("{path} names no test at all"));
        }
        let unknown = named.into_iter().filter(|name| !tests.contains(*name));
        missing
            .extend(unknown.map(|name| format!("{path} names the test `{name}`: there is none")));
    }
    for path in TEXTS {
        let text = fs::read_to_string(root().join(path))?;
        let unknown = files(&text).filter(|file| !root().join(file).exists());
        missing.extend(unknown.map(|file| format!("{path} names `{file}`: there is none")));
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(missing.join("\n").into()),
    }
}

/// The names of tests in the last columns of the tables that have such a heading. What has a `/`, a `.` or a space is a
/// file or a command.
fn named(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut within = false;
    for line in text.lines() {
        let Some(row) = line.strip_prefix('|').and_then(|row| row.strip_suffix('|')) else {
            within = false;
            continue;
        };
        let last = row.rsplit('|').next().unwrap_or_default().trim();
        within |= HEADINGS.contains(&last);
        if within {
            let quoted = last.split('`').skip(1).step_by(2);
            let names_in = quoted.map(|name| name.rsplit("::").next().unwrap_or(name));
            names.extend(names_in.filter(|name| !name.contains(['/', '.', ' '])));
        }
    }
    names
}

/// The files and folders of this repository that stand in backticks; `NAME` is a name that the reader chooses.
fn files(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        let ours = FOLDERS.iter().any(|folder| name.starts_with(folder));
        ours && !name.contains([' ', '\n']) && !name.contains("NAME")
    })
}

/// Adds the name of each function behind a `#[test]` or `#[tokio::test]`.
fn collect(path: &Path, tests: &mut HashSet<String>) -> Result<(), Failure> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_name() != "target" {
                collect(&entry.path(), tests)?;
            }
        }
    } else if path.extension().is_some_and(|kind| kind == "rs") {
        let text = fs::read_to_string(path)?;
        let text = text.replace("#[tokio::test]", "#[test]");
        for part in text.split("#[test]").skip(1) {
            let name = part.split_once("fn ").map(|(_, rest)| rest);
            let name = name.and_then(|rest| rest.split('(').next());
            tests.extend(name.map(|name| name.trim().to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_named_is_there() {
        check().unwrap();
    }

    #[test]
    fn names_are_those_of_the_last_column() {
        let text = "| `a` | test |\n|---|---|\n| `b` | `c::d`, `::e` in `f/g.rs`; `cargo xtask` |\n\n| x | y |\n| `h` | `i` |\n";
        assert_eq!(named(text), ["d", "e"]);
    }
}
