//! The report as a table on the terminal and in the README.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::Utc;
use comfy_table::{Table, presets};

use super::report::Figure;
use crate::failure::Failure;
use crate::format::{grouped, quantity};

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// Writes the table for the terminal.
pub(super) fn table(figures: &[Figure]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["figure", "tokens", "value", "beside", "ratio", "target", ""]);
    // Figures without a row are in the file only.
    for figure in figures.iter().filter(|figure| figure.listed) {
        table.add_row([vec![figure.name.clone()], columns(figure).to_vec()].concat());
    }
    table.to_string()
}

/// Writes everything that a row shows of a figure but its name.
fn columns(figure: &Figure) -> [String; 6] {
    let verdict = match figure.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None if figure.target.is_some() => "not measured",
        None => "",
    };
    [
        figure.n.map(grouped).unwrap_or_default(),
        quantity(figure.value, &figure.unit),
        figure.beside.clone().unwrap_or_default(),
        figure.ratio.map(ratio).unwrap_or_default(),
        figure.target.clone().unwrap_or_default(),
        verdict.to_owned(),
    ]
}

/// Writes a ratio with at least two significant digits.
fn ratio(ratio: f64) -> String {
    match ratio {
        tiny if tiny > 0.0 && tiny < 0.0001 => format!("{tiny:.1e}"),
        small if small < 0.1 => format!("{small:.5}"),
        ratio => quantity(ratio, ""),
    }
}

/// Writes the number of targets that were met, and the names of those missed.
pub(super) fn summary(figures: &[Figure]) -> String {
    let all = figures.iter().filter(|figure| figure.met.is_some()).count();
    let missed = figures.iter().filter(|figure| figure.met == Some(false));
    let missed: Vec<_> = missed.map(Figure::title).collect();
    if missed.is_empty() {
        return format!("all {all} targets met");
    }
    let met = all - missed.len();
    format!("{met} of {all} targets met; missed: {}", missed.join(", "))
}

/// Writes the table for the README.
pub(super) fn markdown(
    figures: &[Figure],
    titles: &BTreeMap<String, String>,
    command: &str,
) -> String {
    let mut text = String::from("| | tokens | measured | beside | ratio | target | |\n");
    text.push_str(&format!("{}|\n", "|---".repeat(7)));
    for figure in figures.iter().filter(|figure| figure.readme.is_some()) {
        let title = figure.readme.clone().unwrap_or_default();
        let [n, value, name, ratio, target, verdict] = columns(figure);
        let beside = match titles.get(&name) {
            None if name.is_empty() => name,
            None => format!("`{name}`"),
            Some(title) => title.clone(),
        };
        let verdict = verdict.to_lowercase();
        let row = [&title, &n, &value, &beside, &ratio, &target, &verdict];
        text.push_str(&format!("| {} |\n", row.map(String::as_str).join(" | ")));
    }
    let (date, machine) = (Utc::now().format("%Y-%m-%d"), machine());
    text.push_str(&format!("\nMade by `{command}` on {date}: {machine}.\n"));
    text
}

/// Replaces the part of `text` between the two marks.
///
/// # Errors
///
/// Fails if a mark is missing.
pub(super) fn insert(text: &str, part: &str) -> Result<String, Failure> {
    let missing = || format!("the README needs `{BEGIN}` and `{END}` around the table");
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}\n\n{part}\n{END}{after}"))
}

/// Describes the machine: processor, cores, memory and system.
fn machine() -> String {
    let cpu = line_of("/proc/cpuinfo", "model name");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = memory("MemTotal").map(|bytes| bytes as f64 / f64::from(1 << 30));
    let kernel = line_of("/proc/sys/kernel/osrelease", "");
    let parts = [
        cpu.or_else(|| Some(std::env::consts::ARCH.to_owned())),
        Some(format!("{cores} cores")),
        memory.map(|gigabytes| format!("{gigabytes:.0} GiB")),
        line_of("/etc/os-release", "PRETTY_NAME"),
        kernel.map(|version| format!("Linux {version}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns a number of bytes of `/proc/meminfo`, if the system has it.
pub(super) fn memory(name: &str) -> Option<u64> {
    let text = line_of("/proc/meminfo", name)?;
    let kilobytes: u64 = text.strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes << 10)
}

/// Returns the rest of the first line that starts with `name`.
fn line_of(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_matches([' ', '\t', ':', '=', '"']).to_owned())
}

/// Writes a file and prints its path.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text)?;
    eprintln!("written to {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(met: Option<bool>) -> Figure {
        Figure {
            name: "check/own".to_owned(),
            n: Some(1000),
            value: 94.26,
            unit: "ns".to_owned(),
            beside: Some("limit".to_owned()),
            ratio: Some(0.5237),
            target: Some("≤ 0.6 ×".to_owned()),
            met,
            listed: true,
            readme: Some("`check`".to_owned()),
        }
    }

    #[test]
    fn a_missed_target_is_marked_and_summed_up() {
        let text = table(&[figure(Some(false))]);
        assert!(text.contains("MISSED") && text.contains("94.3 ns") && text.contains("0.52"));
        let text = summary(&[figure(Some(false)), figure(Some(true))]);
        assert_eq!(text, "1 of 2 targets met; missed: check/own (1,000)");
        let text = summary(&[figure(Some(true)), figure(None)]);
        assert_eq!(text, "all 1 targets met");
        assert!(table(&[figure(None)]).contains("not measured"));
    }

    #[test]
    fn the_readme_shows_figures_with_a_title() {
        let mut hidden = figure(None);
        hidden.readme = None;
        let titles = BTreeMap::new();
        let text = markdown(&[figure(Some(true)), hidden], &titles, "cargo xtask bench");
        let line = "| `check` | 1,000 | 94.3 ns | `limit` | 0.52 | ≤ 0.6 × | met |";
        assert!(text.contains(line), "{text}");
        assert_eq!(text.matches("94.3 ns").count(), 1);
        assert!(text.contains("`cargo xtask bench`") && text.contains(" cores"));
        let titles = BTreeMap::from([("limit".to_owned(), "a limit".to_owned())]);
        let text = markdown(&[figure(None)], &titles, "cargo xtask bench");
        assert!(text.contains("| a limit |"), "{text}");
    }

    #[test]
    fn the_text_between_the_marks_is_replaced() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb");
        let new = insert(&text, "new\n").unwrap();
        assert_eq!(new, format!("a\n{BEGIN}\n\nnew\n\n{END}\nb"));
        assert_eq!(insert(&new, "new\n").unwrap(), new);
        assert!(insert("a", "new").is_err());
    }
}
