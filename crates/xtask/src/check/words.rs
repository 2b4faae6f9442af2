//! Rejects the words of `crates/xtask/check/words.toml` in Rust and Markdown files.

use serde::Deserialize;

use super::source::{Finding, Report, Source};
use crate::failure::Failure;

pub(super) const TABLE: &str = "crates/xtask/check/words.toml";
const MAX_EXCEPTIONS: usize = 40;

/// The words and the places where they may stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    words: Vec<String>,
    influxdb_texts: Vec<String>,
    #[serde(default)]
    exception: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    file: String,
    line: String,
    reason: String,
}

impl Words {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| format!("{TABLE}: {error}").into())
    }

    /// Finds lines with a listed word, and exceptions that are unused, unexplained or too many.
    pub(super) fn check(&self, sources: &[Source]) -> Report {
        let mut findings = Vec::new();
        for source in sources.iter().filter(|source| self.applies_to(source)) {
            let found = source.lines().filter(|(_, line)| self.is_in(line));
            findings.extend(found.map(|(number, line)| source.finding(number, line)));
        }
        let mut problems = Vec::new();
        for Exception { file, line, reason } in &self.exception {
            let all = findings.len();
            findings.retain(|one| one.path != *file || one.text != *line);
            if findings.len() == all {
                problems.push(format!("unused exception: {file}: {line}"));
            }
            if reason.trim().is_empty() {
                problems.push(format!("exception without a reason: {file}: {line}"));
            }
        }
        let count = self.exception.len();
        if count > MAX_EXCEPTIONS {
            problems.push(format!("{count} exceptions; the limit is {MAX_EXCEPTIONS}"));
        }
        let problems = problems.into_iter();
        findings.extend(problems.map(|text| Finding::of_file(TABLE, text)));
        let words = self.words.join(", ");
        Report {
            rule: "words",
            advice: format!("Rewrite the sentence without: {words}. Exceptions: {TABLE}."),
            findings,
        }
    }

    fn applies_to(&self, source: &Source) -> bool {
        (source.is_rust() || source.is_markdown()) && !self.influxdb_texts.contains(&source.path)
    }

    fn is_in(&self, line: &str) -> bool {
        let line = line.to_lowercase();
        self.words.iter().any(|word| contains_word(&line, word))
    }
}

/// Checks that `word` occurs with no letter, digit or underscore next to it.
fn contains_word(line: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, rest) = line.split_at(at);
        let after = rest.strip_prefix(word).unwrap_or_default();
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "words = [\"gizmo\", \"odd pair\"]\ninfluxdb_texts = [\"theirs.md\"]\n";

    fn exception(line: &str) -> String {
        format!("[[exception]]\nfile = \"a.rs\"\nline = \"{line}\"\nreason = \"quoted\"\n")
    }

    fn check(table: &str, path: &str, text: &str) -> Vec<String> {
        let words = Words::parse(table).unwrap();
        let findings = words.check(&[Source::new(path, text)]).findings.into_iter();
        let show = |one: Finding| format!("{}:{} {}", one.path, one.line, one.text);
        findings.map(show).collect()
    }

    #[test]
    fn whole_words_are_found_in_any_case() {
        let text = "ok\n  // A Gizmo.\nlet gizmo_2 = gizmos;\nAn odd pair";
        let found = check(HEAD, "a.rs", text);
        assert_eq!(found, ["a.rs:2 // A Gizmo.", "a.rs:4 An odd pair"]);
        assert_eq!(check(HEAD, "b.md", "gizmo").len(), 1);
    }

    #[test]
    fn other_files_and_influxdb_texts_are_exempt() {
        assert!(check(HEAD, "a.toml", "gizmo").is_empty());
        assert!(check(HEAD, "theirs.md", "gizmo").is_empty());
        assert!(check(HEAD, "a.rs", "clean").is_empty());
    }

    #[test]
    fn an_exception_covers_its_line_and_must_be_used() {
        let table = HEAD.to_owned() + &exception("// A gizmo.");
        assert!(check(&table, "a.rs", "    // A gizmo.").is_empty());
        assert_eq!(check(&table, "a.rs", "// One gizmo.").len(), 2);
        assert!(check(&table, "a.rs", "clean")[0].contains("unused"));
        let table = table.replace("quoted", "");
        assert!(check(&table, "a.rs", "// A gizmo.")[0].contains("without a reason"));
    }

    #[test]
    fn forty_exceptions_are_the_limit() {
        let lines: Vec<_> = (0..41).map(|at| format!("gizmo {at}")).collect();
        let exceptions: Vec<_> = lines.iter().map(|line| exception(line)).collect();
        let table = |count| HEAD.to_owned() + &exceptions[..count].concat();
        assert!(check(&table(40), "a.rs", &lines[..40].join("\n")).is_empty());
        let found = check(&table(41), "a.rs", &lines.join("\n"));
        let limit = "41 exceptions; the limit is 40";
        assert!(found[0].contains(limit), "{found:?}");
    }

    #[test]
    fn the_table_of_the_repository_can_be_read() {
        Words::parse(include_str!("../../check/words.toml")).unwrap();
    }
}
