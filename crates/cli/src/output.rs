//! Printing to standard output and standard error.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{Table, presets};
use serde::Serialize;

use symbolon::ErrorChain;

use crate::error::Failure;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Prints to standard output. Ignores a closed pipe, so that the exit code keeps its meaning.
pub(crate) fn print(text: impl Display) -> Result<(), Failure> {
    ignore_broken_pipe(print_all(text))
}

/// Prints to standard output. Fails if the pipe is closed.
pub(crate) fn print_all(text: impl Display) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let written = write!(out, "{text}").and_then(|()| out.flush());
    written.map_err(Failure::Stdout)
}

/// Prints one line of JSON to standard output.
pub(crate) fn print_line(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string(value).map_err(io::Error::from);
    print(format!("{}\n", json.map_err(Failure::Stdout)?))
}

/// Prints indented JSON to standard output.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(value).map_err(io::Error::from);
    print(format!("{}\n", json.map_err(Failure::Stdout)?))
}

fn ignore_broken_pipe(printed: Result<(), Failure>) -> Result<(), Failure> {
    match printed {
        Err(failure) if failure.is_broken_pipe() => Ok(()),
        printed => printed,
    }
}

/// Prints a failure and its causes on one line, and on the next the command that helps, if there is
/// one.
pub(crate) fn error(failure: &Failure) {
    tell(&format!("{BAD}Error:{BAD:#} {}", ErrorChain(failure)));
    if let Some(hint) = failure.hint() {
        tell(&format!("{BOLD}Hint:{BOLD:#} {hint}"));
    }
}

/// Prints an error of the command-line parser.
pub(crate) fn usage(text: &str) {
    let text = text.strip_prefix("error:").unwrap_or(text).trim();
    tell(&format!("{BAD}Error:{BAD:#} {text}"));
}

pub(crate) fn warning(text: impl Display) {
    tell(&format!("{WARNING}Warning:{WARNING:#} {text}"));
}

/// Prints a line to standard error, ignoring errors.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints a prompt to standard error, without a line break.
pub(crate) fn ask(text: &str) {
    let _ = write!(anstream::stderr(), "{text}");
}

/// Creates a table without borders; without a header row if `header` is empty.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    table
}

/// Renders a table, with the padding around each line removed.
pub(crate) fn lines(table: &Table) -> String {
    let lines = table.lines().map(|line| {
        let line = line.strip_prefix(' ').unwrap_or(&line);
        format!("{}\n", line.trim_end())
    });
    lines.collect()
}

/// Formats `1234567` as `1,234,567`.
pub(crate) fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a count with its unit: `1 row`, `2 rows`.
pub(crate) fn count(many: usize, one: &str) -> String {
    let plural = if many == 1 { "" } else { "s" };
    format!("{} {one}{plural}", number(many))
}

/// Formats a number of bytes: `1234567` as `1.2 MB`.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// Returns items per second, rounded down.
pub(crate) fn rate(done: usize, seconds: f64) -> usize {
    (done as f64 / seconds.max(0.001)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (plain, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(plain), shown);
        }
        for (many, shown) in [
            (999, "999 bytes"),
            (1_250, "1.2 kB"),
            (2_000_000, "2.0 MB"),
            (3_560_000_000, "3.6 GB"),
        ] {
            assert_eq!(bytes(many), shown);
        }
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(2000, "row"), "2,000 rows");
    }
}
