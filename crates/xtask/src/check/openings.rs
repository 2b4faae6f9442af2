//! Requires that a doc comment starts with a verb or a noun phrase, not with a question word.

use super::source::{Report, Source};

const QUESTION_WORDS: [&str; 7] = ["what", "whether", "how", "who", "where", "when", "why"];

/// Finds doc comments whose first word is a question word.
pub(super) fn check(sources: &[Source]) -> Report {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let mut previous = None;
        for (number, line) in source.lines() {
            let comment = doc_comment(line);
            let kind = comment.map(|(kind, _)| kind);
            let opens = std::mem::replace(&mut previous, kind) != kind;
            let asks = comment.is_some_and(|(_, text)| asks(text));
            if opens && asks {
                findings.push(source.finding(number, line));
            }
        }
    }
    Report {
        rule: "doc openings",
        advice: "Start with a verb or a noun phrase: `Returns …`, `The number of …`.".to_owned(),
        findings,
    }
}

/// Splits a line into the marker of a doc comment and its text.
fn doc_comment(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim_start();
    ["///", "//!"].into_iter().find_map(|kind| {
        let text = line.strip_prefix(kind)?;
        (!text.starts_with('/')).then_some((kind, text))
    })
}

/// Returns whether the first word is a question word.
fn asks(text: &str) -> bool {
    let mut words = text.split(|letter: char| !letter.is_alphanumeric());
    let first = words.find(|word| !word.is_empty()).unwrap_or_default();
    QUESTION_WORDS.contains(&first.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<usize> {
        check(&[Source::new("a.rs", text)]).lines()
    }

    #[test]
    fn question_words_are_found_at_the_start_of_a_comment_only() {
        let text = "//! What it is.\n\n/// Returns it.\n/// When it is there.\nfn a() {}\
                    \n/// **Whether** it is.\n#[x]\n/// Whatever.\nfn b() {}\n//// What\n// Why\n";
        assert_eq!(check_text(text), [1, 6]);
    }

    #[test]
    fn each_kind_of_comment_has_its_own_opening() {
        assert_eq!(check_text("//! Reads it.\n/// How it is read.\n"), [2]);
    }
}
