//! Limits Rust lines to 100 columns. `// long-line: REASON`, at the end of the line or on the
//! line before, exempts one.

use super::source::{Finding, Report, Source};

const COLUMNS: usize = 100;
const MARKER: &str = "// long-line:";
const MAX_EXEMPTIONS: usize = 50;

/// Finds lines that are too long, and exemptions that are unneeded, unexplained or too many.
pub(super) fn check(sources: &[Source]) -> Report {
    let mut findings = Vec::new();
    let mut exemptions = 0;
    for source in sources.iter().filter(|source| source.is_rust()) {
        exemptions += check_file(source, &mut findings);
    }
    if exemptions > MAX_EXEMPTIONS {
        let text = format!("{exemptions} lines are exempt; the limit is {MAX_EXEMPTIONS}");
        findings.push(Finding::of_file("crates", text));
    }
    Report {
        rule: "columns",
        advice: format!("Break the line at {COLUMNS} columns, or exempt it: `{MARKER} REASON`."),
        findings,
    }
}

/// Returns the number of exempted lines.
fn check_file(source: &Source, findings: &mut Vec<Finding>) -> usize {
    let mut exemptions = 0;
    let mut pending = None;
    for (number, line) in source.lines() {
        let before = pending.take();
        let reason = line.split_once(MARKER).map(|(_, reason)| reason.trim());
        if reason == Some("") {
            findings.push(source.finding(number, "exemption without a reason"));
        }
        if line.trim().starts_with(MARKER) {
            pending = Some(number);
            continue;
        }
        let is_long = line.chars().count() > COLUMNS;
        let marked = before.is_some() || reason.is_some();
        match (is_long, before) {
            (true, _) if marked => exemptions += 1,
            (true, _) => findings.push(source.finding(number, line)),
            (false, Some(marker)) => findings.push(source.finding(marker, "unneeded exemption")),
            (false, None) => {}
        }
    }
    exemptions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<usize> {
        check(&[Source::new("a.rs", text)]).lines()
    }

    #[test]
    fn a_line_of_101_columns_is_found() {
        let (fits, long) = ("é".repeat(100), "é".repeat(101));
        assert_eq!(check_text(&format!("{fits}\n{long}\n")), [2]);
        assert!(check(&[Source::new("a.md", &long)]).findings.is_empty());
    }

    #[test]
    fn a_marked_line_is_exempt() {
        let long = "x".repeat(101);
        assert!(check_text(&format!("{MARKER} a URL\n{long}\n")).is_empty());
        assert!(check_text(&format!("{long} {MARKER} a URL\n")).is_empty());
        assert_eq!(check_text(&format!("{MARKER} a URL\n{long}\n{long}\n")), [3]);
        assert_eq!(check_text(&format!("{MARKER}\n{long}\n")), [1]);
        assert_eq!(check_text(&format!("{long} {MARKER}\n")), [1]);
        assert_eq!(check_text(&format!("{MARKER} a URL\nshort\n")), [1]);
    }

    #[test]
    fn fifty_exemptions_are_the_limit() {
        let exempt = format!("{MARKER} a URL\n{}\n", "x".repeat(101));
        assert!(check_text(&exempt.repeat(50)).is_empty());
        assert_eq!(check_text(&exempt.repeat(51)), [0]);
    }
}
