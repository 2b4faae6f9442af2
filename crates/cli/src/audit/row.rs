//! Rows of `symbolon audit show`: each joins an intent with its outcome.

use std::collections::{HashSet, VecDeque};
use std::io::{Read, Seek};

use serde::Serialize;
use symbolon::Timestamp;
use symbolon::journal::{Actor, Event, Operation, Outcome};
use symbolon::record::RecordKey;
use symbolon_journal::{ChainReader, Finding, Item};

/// A row of `symbolon audit show`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) at: Timestamp,
    pub(super) chain: u32,
    pub(super) number: u64,
    /// The caller; `None` for an event of the journal or the store itself.
    #[serde(rename = "by", skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<Actor>,
    #[serde(rename = "act", skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<Operation>,
    pub(super) result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) records: Vec<RecordKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

/// Result of an intent without an outcome.
const OPEN: &str = "open";
pub(super) const DENIED: &str = "denied";

/// Maximum number of rows held back while the first one waits for its outcome.
const HELD: usize = 4096;

/// The rows of a chain, in the order of the chain.
#[derive(Debug)]
pub(super) struct Rows<'k, R> {
    chain: u32,
    reader: ChainReader<'k, R>,
    held: VecDeque<Row>,
    /// Numbers of the held rows that wait for their outcome.
    waiting: HashSet<u64>,
    ended: bool,
}

impl<'k, R: Read + Seek> Rows<'k, R> {
    pub(super) fn new(chain: u32, reader: ChainReader<'k, R>) -> Self {
        Self { chain, reader, held: VecDeque::new(), waiting: HashSet::new(), ended: false }
    }

    /// Reads until the next row has its outcome, and returns the time of that row. Returns `None`
    /// at the end of the chain. Calls `report` with each finding.
    pub(super) fn peek(
        &mut self,
        report: &mut dyn FnMut(Finding),
    ) -> std::io::Result<Option<Timestamp>> {
        loop {
            if let Some(row) = self.held.front() {
                let waits = self.waiting.contains(&row.number);
                if !waits || self.ended || self.held.len() > HELD {
                    return Ok(Some(row.at));
                }
            } else if self.ended {
                return Ok(None);
            }
            match self.reader.read_item()? {
                Some(Item::Entry { number, at, event }) => self.add(number, at, event),
                Some(Item::Finding(finding)) => report(finding),
                None => self.ended = true,
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Row> {
        let row = self.held.pop_front()?;
        self.waiting.remove(&row.number);
        Some(row)
    }

    fn add(&mut self, number: u64, at: Timestamp, event: Event) {
        let mut row = Row {
            at,
            chain: self.chain,
            number,
            actor: None,
            operation: None,
            result: OPEN,
            revision: None,
            records: Vec::new(),
            note: None,
        };
        match event {
            Event::Intent(intent) => {
                row.actor = Some(intent.actor);
                row.operation = Some(intent.operation);
                row.records = intent.writes.iter().map(|target| target.key).collect();
                for ending in intent.ends {
                    if !row.records.contains(&ending.key) {
                        row.records.push(ending.key);
                    }
                }
                self.waiting.insert(number);
            }
            Event::Outcome { of, outcome } => return self.resolve(of, outcome),
            Event::Denied { actor, operation, on, reason, left_out } => {
                row.actor = Some(actor);
                row.operation = Some(operation);
                row.result = DENIED;
                row.records.extend(on);
                row.note = Some(match left_out {
                    0 => reason,
                    left_out => format!("{reason} (and {left_out} before it)"),
                });
            }
            // Records the state of the store when a process opened it; no operation.
            Event::Opened { .. } => return,
            Event::RolledBack { found_head, accepted, .. } => {
                row.result = "restored";
                row.revision = Some(found_head);
                row.note = accepted.then(|| "accepted by the operator".into());
            }
            Event::Gap { missed } => {
                row.result = "gap";
                row.note = Some(format!("{missed} entries could not be written"));
            }
        }
        self.held.push_back(row);
    }

    /// Sets the result of the intent with number `of`.
    fn resolve(&mut self, of: u64, outcome: Outcome) {
        let at = self.held.binary_search_by_key(&of, |row| row.number);
        let Some(row) = at.ok().and_then(|at| self.held.get_mut(at)) else {
            return;
        };
        row.result = match outcome {
            Outcome::Done { revision } => {
                row.revision = Some(revision);
                "done"
            }
            Outcome::Found => "found",
            Outcome::Failed => "failed",
            // The actual outcome may follow.
            Outcome::Unknown => return row.result = "unknown",
        };
        self.waiting.remove(&of);
    }
}

/// Formats a time without fractions of a second.
pub(super) fn seconds(time: Timestamp) -> String {
    let text = time.to_string();
    let whole = text.split(['.', 'Z']).next();
    format!("{}Z", whole.unwrap_or(&text))
}
