//! Requires that the tests and files named in the documents exist.

use std::collections::HashSet;

use super::source::{Finding, Report, Source};
use crate::failure::Failure;
use crate::shell::root;

/// Documents whose tables name tests in the last column.
const WITH_TESTS: [&str; 2] = ["README.md", "docs/threats.md"];
/// Documents that name files, separated by spaces.
const WITH_FILES: &str = "README.md CONTRIBUTING.md docs/design.md docs/format.md docs/threats.md";
/// Folders of files that documents name.
const FOLDERS: [&str; 4] = ["crates/", "docs/", "examples/", "fuzz/"];
/// Headings of a last column that names tests.
const HEADINGS: [&str; 2] = ["test", "shown by"];

/// Finds names of missing tests and files.
///
/// # Errors
///
/// Fails if a document is missing.
pub(super) fn check(sources: &[Source]) -> Result<Report, Failure> {
    let rust = sources.iter().filter(|source| source.is_rust());
    let tests: HashSet<_> = rust.flat_map(|source| tests_in(&source.text)).collect();
    let mut findings = Vec::new();
    for path in WITH_TESTS {
        let source = document(sources, path)?;
        let named = named_tests(source);
        if named.is_empty() {
            findings.push(source.finding(0, "names no test"));
        }
        let missing = named.into_iter().filter(|(_, name)| !tests.contains(name));
        let finding = |(line, name)| source.finding(line, &format!("no test `{name}`"));
        findings.extend(missing.map(finding));
    }
    for path in WITH_FILES.split(' ') {
        findings.extend(missing_files(document(sources, path)?));
    }
    Ok(Report {
        rule: "references",
        advice: "Name a test or a file that exists.".to_owned(),
        findings,
    })
}

fn document<'s>(sources: &'s [Source], path: &str) -> Result<&'s Source, Failure> {
    let found = sources.iter().find(|source| source.path == path);
    found.ok_or_else(|| format!("{path} is missing").into())
}

/// Returns the tests named in the last columns of tables with such a heading. A name with `/`, `.`
/// or a space is a file or a command.
fn named_tests(source: &Source) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let mut within = false;
    for (number, line) in source.lines() {
        let Some(row) = line.strip_prefix('|').and_then(|row| row.strip_suffix('|')) else {
            within = false;
            continue;
        };
        let last = row.rsplit('|').next().unwrap_or_default().trim();
        within |= HEADINGS.contains(&last);
        if within {
            let quoted = last.split('`').skip(1).step_by(2);
            let names_in = quoted.map(|name| name.rsplit("::").next().unwrap_or(name));
            let tests = names_in.filter(|name| !name.contains(['/', '.', ' ']));
            names.extend(tests.map(|name| (number, name)));
        }
    }
    names
}

/// Finds paths in backticks that do not exist. `NAME` stands for a name that the reader chooses.
fn missing_files(source: &Source) -> impl Iterator<Item = Finding> {
    source.lines().flat_map(move |(number, line)| {
        let quoted = line.split('`').skip(1).step_by(2);
        let missing = quoted.filter(|name| {
            let is_path = FOLDERS.iter().any(|folder| name.starts_with(folder));
            is_path && !name.contains(' ') && !name.contains("NAME") && !root().join(name).exists()
        });
        missing.map(move |name| source.finding(number, &format!("no file `{name}`")))
    })
}

/// Returns the names of functions behind `#[test]` or `#[tokio::test]`.
fn tests_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("test]\n").skip(1).filter_map(|part| {
        let (_, rest) = part.split_once("fn ")?;
        rest.split('(').next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_the_last_column() {
        let text = "| `a` | test |\n|---|---|\n| `b` | `c::d`, `::e` in `f/g.rs`; `cargo xtask` |\n\
                    \n| x | y |\n| `h` | `i` |\n";
        let source = Source::new("a.md", text);
        assert_eq!(named_tests(&source), [(3, "d"), (3, "e")]);
    }

    #[test]
    fn a_missing_file_is_found() {
        let source = Source::new("a.md", "see `crates/xtask`\nand `crates/absent/x.rs`");
        let lines: Vec<_> = missing_files(&source).map(|finding| finding.line).collect();
        assert_eq!(lines, [2]);
    }

    #[test]
    fn tests_are_found_behind_their_attribute() {
        let text = "#[test]\nfn one() {}\n#[tokio::test]\nasync fn two() {}\nfn three() {}";
        assert_eq!(tests_in(text).collect::<Vec<_>>(), ["one", "two"]);
    }
}
