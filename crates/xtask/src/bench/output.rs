//! The report as a table on the terminal and in the README.

use chrono::Utc;
use comfy_table::{Cell, Color, Table, presets};

use super::report::Figure;
use super::rows::{NAMES, PEERS};
use crate::Failure;
use crate::format::{grouped, quantity};

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// Writes the table for the terminal.
pub(super) fn table(figures: &[Figure]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["figure", "tokens", "value", "beside", "ratio", "target", ""]);
    let mut before = None;
    // Figures without a row are in the file only.
    for figure in figures.iter().filter(|figure| figure.listed) {
        let this = Some((&figure.name, figure.n));
        let first = before != this;
        before = this;
        let only_first = |text: String| if first { text } else { String::new() };
        table.add_row([
            Cell::new(only_first(figure.name.clone())),
            Cell::new(only_first(figure.n.map(grouped).unwrap_or_default())),
            Cell::new(only_first(quantity(figure.value, &figure.unit))),
            Cell::new(figure.beside.as_deref().unwrap_or_default()),
            Cell::new(ratio(figure)),
            Cell::new(figure.target.as_deref().unwrap_or_default()),
            match verdict(figure) {
                "met" => Cell::new("met").fg(Color::Green),
                "MISSED" => Cell::new("MISSED").fg(Color::Red),
                other => Cell::new(other),
            },
        ]);
    }
    table.to_string()
}

fn verdict(figure: &Figure) -> &'static str {
    match figure.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None if figure.target.is_some() => "not measured",
        None => "",
    }
}

/// Writes a ratio with at least two significant digits.
fn ratio(figure: &Figure) -> String {
    match figure.ratio {
        Some(tiny) if tiny > 0.0 && tiny < 0.0001 => format!("{tiny:.1e}"),
        Some(small) if small < 0.1 => format!("{small:.5}"),
        Some(ratio) => quantity(ratio, ""),
        None => String::new(),
    }
}

/// Writes the number of targets that were met, and the names of those missed.
pub(super) fn summary(figures: &[Figure]) -> String {
    let with_target = figures.iter().filter(|figure| figure.met.is_some());
    let missed = with_target
        .clone()
        .filter(|figure| figure.met == Some(false));
    let missed: Vec<String> = missed
        .map(|figure| match figure.n {
            Some(n) => format!("{} ({})", figure.name, grouped(n)),
            None => figure.name.clone(),
        })
        .collect();
    let (all, met) = (with_target.count(), missed.len());
    let met = all - met;
    if missed.is_empty() {
        return format!("all {all} targets met");
    }
    format!("{met} of {all} targets met; missed: {}", missed.join(", "))
}

/// Writes the table for the README.
pub(super) fn markdown(figures: &[Figure], command: &str, machine: &str) -> String {
    let mut text = String::from(
        "| | tokens | measured | beside | ratio | target | |\n|---|---|---|---|---|---|---|\n",
    );
    for figure in figures {
        let Some(title) = figure.readme else { continue };
        let n = figure.n.map(grouped).unwrap_or_default();
        let value = quantity(figure.value, &figure.unit);
        let beside = figure.beside.as_deref().map(title_of).unwrap_or_default();
        let target = figure.target.as_deref().unwrap_or_default();
        let met = verdict(figure).to_lowercase();
        let ratio = ratio(figure);
        text.push_str(&format!(
            "| {title} | {n} | {value} | {beside} | {ratio} | {target} | {met} |\n"
        ));
    }
    let date = Utc::now().format("%Y-%m-%d");
    text.push_str(&format!("\nMade by `{command}` on {date}: {machine}.\n"));
    text
}

/// Returns the title of a figure in the README.
fn title_of(name: &str) -> String {
    let mut names = NAMES.iter().chain(PEERS);
    let found = names.find(|(other, _)| *other == name);
    found.map_or_else(|| format!("`{name}`"), |(_, title)| (*title).to_owned())
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
pub(super) fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, name: &str| {
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(name));
        line.map(|line| line.trim_matches([' ', '\t', ':', '=', '"']).to_owned())
    };
    let cpu = after(&read("/proc/cpuinfo"), "model name");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = after(&read("/proc/meminfo"), "MemTotal");
    let memory = memory.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let memory = memory.map(|kilobytes| format!("{:.0} GiB", kilobytes / 1_048_576.0));
    let system = after(&read("/etc/os-release"), "PRETTY_NAME");
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = Some(format!("Linux {}", kernel.trim()));
    let cpu = cpu.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let parts = [
        Some(cpu),
        Some(format!("{cores} cores")),
        memory,
        system,
        kernel,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
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
            readme: Some("`check`"),
        }
    }

    #[test]
    fn a_missed_target_is_marked_and_summed_up() {
        let text = table(&[figure(Some(false))]);
        assert!(text.contains("MISSED") && text.contains("94.3 ns") && text.contains("0.52"));
        assert_eq!(
            summary(&[figure(Some(false)), figure(Some(true))]),
            "1 of 2 targets met; missed: check/own (1,000)"
        );
        assert_eq!(
            summary(&[figure(Some(true)), figure(None)]),
            "all 1 targets met"
        );
        assert!(table(&[figure(None)]).contains("not measured"));
    }

    #[test]
    fn the_readme_shows_figures_with_a_title() {
        let mut hidden = figure(None);
        hidden.readme = None;
        let text = markdown(
            &[figure(Some(true)), hidden],
            "cargo xtask bench",
            "a machine",
        );
        let line = "| `check` | 1,000 | 94.3 ns | `limit` | 0.52 | ≤ 0.6 × | met |";
        assert!(text.contains(line), "{text}");
        assert_eq!(text.matches("94.3 ns").count(), 1);
        assert!(text.contains("`cargo xtask bench`") && text.contains("a machine"));
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
