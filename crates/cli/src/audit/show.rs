//! `symbolon audit show`.

use std::collections::VecDeque;
use std::io;
use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as DeError, StrDeserializer};
use symbolon::journal::{Actor, JournalKeys, Operation};
use symbolon::{Clock, Id, SystemClock, Timestamp};
use symbolon_journal::{chains, read_chain};

use super::row::{DENIED, Row, Rows, seconds};
use crate::duration::duration;
use crate::error::Failure;
use crate::global::Global;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  symbolon audit show --since 24h
  symbolon audit show --denied --since 2026-11-01T00:00:00Z
  symbolon audit show --id 0b38a8a5d1ee5000 --json

A row shows the time, the caller, the operation, its result, the commit and the
records. The result `open` means that no outcome is recorded yet. Entries of
concurrent processes are merged by time.")]
pub(crate) struct ShowArgs {
    /// Show entries since TIME, such as `2026-11-22T10:00:00Z`, or `24h` for a day ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Show entries until TIME
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Show operations by the authorization or user ID, or on the record ID
    #[arg(long, value_name = "ID")]
    id: Option<Id>,
    /// Show only this operation, such as `revoke`
    #[arg(long = "act", value_name = "NAME", value_parser = operation)]
    operation: Option<Operation>,
    /// Show only denied operations
    #[arg(long)]
    denied: bool,
    /// Maximum number of rows; the newest are shown
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print results as JSON, one object per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(global: &Global, args: &ShowArgs) -> Result<ExitCode, Failure> {
    let keys = JournalKeys::new(&global.load_key()?);
    let folder = global.journal_path();
    let found = chains(&folder)?;
    if found.is_empty() {
        output::warning(format!("there is no journal in `{}`", folder.display()));
    }
    let mut sources = Vec::new();
    for file in &found {
        sources.push((file, Rows::new(file.chain, read_chain(file, &keys)?)));
    }
    let mut printer = Printer::new(args);
    let mut wrong = 0;
    loop {
        let mut next: Option<(Timestamp, usize)> = None;
        for (at, (file, rows)) in sources.iter_mut().enumerate() {
            let mut report = |finding| {
                wrong += 1;
                output::warning(finding);
            };
            let time = rows
                .peek(&mut report)
                .map_err(|source| Failure::Read { path: file.path.clone(), source })?;
            if let Some(time) = time
                && next.is_none_or(|(earliest, _)| time < earliest)
            {
                next = Some((time, at));
            }
        }
        let Some((_, at)) = next else { break };
        let row = sources.get_mut(at).and_then(|(_, rows)| rows.pop());
        if let Some(row) = row.filter(|row| args.wants(row)) {
            match printer.add(row) {
                Err(failure) if failure.is_broken_pipe() => return Ok(ExitCode::SUCCESS),
                added => added?,
            }
        }
    }
    match printer.finish() {
        Err(failure) if failure.is_broken_pipe() => return Ok(ExitCode::SUCCESS),
        finished => finished?,
    }
    if wrong > 0 {
        output::error(&Failure::UnsoundJournal(output::count(wrong, "problem")));
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}

impl ShowArgs {
    fn wants(&self, row: &Row) -> bool {
        let about = |id: Id| {
            let asked = [Actor::Authorization(id), Actor::User(id)].map(Some);
            asked.contains(&row.actor) || row.records.iter().any(|key| key.id == id)
        };
        self.since.is_none_or(|since| row.at >= since)
            && self.until.is_none_or(|until| row.at <= until)
            && self.id.is_none_or(about)
            && self.operation.is_none_or(|operation| row.operation == Some(operation))
            && (!self.denied || row.result == DENIED)
    }
}

/// Maximum number of records printed in a row of the table.
const SHOWN: usize = 8;
/// Size of the output buffer, in bytes.
const PRINTED: usize = 1 << 15;

/// Prints rows as they arrive or, with a limit, the newest at the end.
struct Printer {
    json: bool,
    limit: Option<usize>,
    held: VecDeque<Row>,
    started: bool,
    text: String,
}

impl Printer {
    fn new(args: &ShowArgs) -> Self {
        Self {
            json: args.json,
            limit: args.limit,
            held: VecDeque::new(),
            started: false,
            text: String::new(),
        }
    }

    fn add(&mut self, row: Row) -> Result<(), Failure> {
        let Some(limit) = self.limit else {
            return self.print(&row);
        };
        self.held.push_back(row);
        if self.held.len() > limit {
            self.held.pop_front();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), Failure> {
        for row in std::mem::take(&mut self.held) {
            self.print(&row)?;
        }
        output::print(&self.text)
    }

    fn put(&mut self, text: &str) -> Result<(), Failure> {
        self.text.push_str(text);
        if self.text.len() > PRINTED {
            output::print_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }

    fn print(&mut self, row: &Row) -> Result<(), Failure> {
        if self.json {
            let json = serde_json::to_string(row).map_err(io::Error::from);
            return self.put(&format!("{}\n", json.map_err(Failure::Stdout)?));
        }
        if !self.started {
            self.started = true;
            self.put(&line(["Time", "Caller", "Operation", "Result", "Revision", "Records"]))?;
        }
        let actor = match row.actor {
            Some(Actor::Root) => "root".to_owned(),
            Some(Actor::Authorization(id)) => id.to_string(),
            Some(Actor::User(id)) => format!("user:{id}"),
            Some(Actor::Anonymous) => "anonymous".to_owned(),
            None => String::new(),
        };
        let operation = row.operation.map_or(String::new(), name);
        let revision = row.revision.map_or(String::new(), |number| number.to_string());
        let shown = row.records.iter().take(SHOWN);
        let mut rest: Vec<String> = shown.map(ToString::to_string).collect();
        if row.records.len() > SHOWN {
            rest.push(format!("and {} more", row.records.len() - SHOWN));
        }
        rest.extend(row.note.iter().map(|note| plain(note)));
        self.put(&line([
            &seconds(row.at),
            &actor,
            &operation,
            row.result,
            &revision,
            &rest.join(" "),
        ]))
    }
}

/// Formats a row with columns of fixed width, since later rows are not read yet.
fn line([time, actor, operation, result, revision, rest]: [&str; 6]) -> String {
    let text = format!("{time:20}  {actor:16}  {operation:23}  {result:8}  {revision:>8}  {rest}");
    format!("{}\n", text.trim_end())
}

/// Escapes control characters.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

fn name(operation: Operation) -> String {
    let name = serde_json::to_value(operation).ok();
    let name = name.and_then(|name| name.as_str().map(str::to_owned));
    name.unwrap_or_default()
}

fn operation(text: &str) -> Result<Operation, DeError> {
    let name: StrDeserializer<'_, DeError> = text.into_deserializer();
    Operation::deserialize(name)
}

fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago = duration(text).map_err(|_| {
        format!(
            "invalid time `{text}`; expected a time such as `2026-11-22T10:00:00Z`, \
             or `24h` for a day ago"
        )
    })?;
    Ok(SystemClock::default().now().saturating_sub(ago))
}
