//! `symbolon audit verify`.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use symbolon::TokenStore;
use symbolon::journal::JournalKeys;
use symbolon::store::{Cursor, End};
use symbolon_journal::{ChainReport, Report, verify};

use crate::error::Failure;
use crate::global::Global;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon audit verify
  symbolon audit verify --key-file ./key --json

The exit code is 0 if the journal is intact, 1 if it has problems, and 2 if it
cannot be read. If the store can be opened, its newest commit must be in the
journal. Other processes may write to both during the check.")]
pub(crate) struct VerifyArgs {
    /// Print results as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(global: &Global, args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let key = global.load_key()?;
    // Read before the journal: each commit is in the journal before it is in the store.
    let end = end_of_store(global);
    let report = verify(&global.journal_path(), &JournalKeys::new(&key))?;
    let behind = end.and_then(|end| behind(&report, &end));
    let more: u64 = report.chains.iter().map(|chain| chain.more_findings).sum();
    if args.json {
        output::print_json(&as_json(&report, behind.as_deref()))?;
    } else {
        output::print(as_text(global, &report, behind.as_deref()))?;
    }
    let findings = report.findings().count() + usize::from(behind.is_some());
    match findings.saturating_add(usize::try_from(more).unwrap_or(usize::MAX)) {
        0 => Ok(ExitCode::SUCCESS),
        many => {
            output::error(&Failure::UnsoundJournal(output::count(many, "problem")));
            Ok(ExitCode::from(1))
        }
    }
}

/// Returns the end of the store: its epoch and newest commit. Returns `None` if there is no store
/// or it cannot be read, which prints a warning.
fn end_of_store(global: &Global) -> Option<End> {
    let read = || -> Result<Option<End>, Failure> {
        global.open_store()?.map(|store| end_of(&*store.shared())).transpose()
    };
    read().unwrap_or_else(|failure| {
        output::warning("cannot read the store, so the journal is not compared with it:");
        output::error(&failure);
        None
    })
}

fn end_of(store: &dyn TokenStore) -> Result<End, Failure> {
    let mut cursor = Cursor::start();
    loop {
        let page = store.scan(&cursor, 2000)?;
        if let Some(end) = page.end {
            return Ok(end);
        }
        cursor = page.next;
    }
}

/// Describes how the store has commits that the journal lacks. Returns `None` if it has none.
fn behind(report: &Report, end: &End) -> Option<String> {
    let head = end.head.0;
    if head == 0 {
        return None;
    }
    if report.chains.iter().all(|chain| chain.lines == 0) {
        return Some(format!(
            "there is no journal, but the store has {head} commits: the journal is missing, \
             or the store was written to without it"
        ));
    }
    let Some(newest) = report.newest(end.epoch.0) else {
        return Some(
            "the journal has no entries for the current epoch of the store: the store was restored \
             and not opened since, or the end of the journal is missing"
                .into(),
        );
    };
    // Only intents without an outcome may have been committed beyond `newest`.
    let open = report.unresolved() as u64;
    (head > newest.saturating_add(open)).then(|| {
        format!(
            "the journal ends at commit {newest}, but the store at {head}: the end of the journal \
             is missing, or the store was written to without it"
        )
    })
}

fn as_text(global: &Global, report: &Report, behind: Option<&str>) -> String {
    if report.chains.is_empty() && report.findings.is_empty() {
        let folder = global.journal_path();
        let mut text = format!("There is no journal in `{}`.\n", folder.display());
        text.extend(behind.map(|behind| format!("\n{behind}\n")));
        return text;
    }
    let mut table =
        output::table(&["Chain", "Lines", "First", "Last", "Open", "Missed", "Restores", "State"]);
    for chain in &report.chains {
        let time =
            |time: Option<symbolon::Timestamp>| time.map_or(String::new(), super::row::seconds);
        table.add_row([
            chain.chain.to_string(),
            chain.lines.to_string(),
            time(chain.first),
            time(chain.last),
            chain.unresolved.len().to_string(),
            chain.missed.to_string(),
            chain.restores.to_string(),
            state(chain),
        ]);
    }
    let mut text = output::lines(&table);
    let mut problems = String::new();
    for finding in report.findings() {
        problems.push_str(&format!("{finding}\n"));
    }
    for chain in report.chains.iter().filter(|one| one.more_findings > 0) {
        let file = chain.file.display();
        problems.push_str(&format!("{file}: and {} more\n", chain.more_findings));
    }
    problems.extend(behind.map(|behind| format!("{behind}\n")));
    text.push('\n');
    match problems.is_empty() {
        true => text.push_str("The journal is intact.\n"),
        false => text.push_str(&problems),
    }
    text
}

fn state(chain: &ChainReport) -> String {
    match (chain.findings.is_empty(), chain.torn) {
        (false, _) => "broken".into(),
        (true, 0) => "sound".into(),
        (true, torn) => format!("sound, its last line is unfinished ({torn} bytes)"),
    }
}

fn as_json(report: &Report, behind: Option<&str>) -> Value {
    let finding = |finding: &symbolon_journal::Finding| {
        json!({
            "file": finding.file,
            "line": finding.line,
            "lastLine": finding.last_line,
            "reason": finding.reason,
        })
    };
    let chains = report.chains.iter().map(|chain| {
        json!({
            "chain": chain.chain,
            "file": chain.file,
            "lines": chain.lines,
            "first": chain.first,
            "last": chain.last,
            "unfinishedBytes": chain.torn,
            "open": chain.unresolved,
            "missed": chain.missed,
            "restores": chain.restores,
            "moreFindings": chain.more_findings,
        })
    });
    json!({
        "sound": report.is_sound() && behind.is_none(),
        "chains": chains.collect::<Vec<_>>(),
        "findings": report.findings().map(finding).collect::<Vec<_>>(),
        "store": behind,
    })
}
