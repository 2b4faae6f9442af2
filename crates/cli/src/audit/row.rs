//! What was done, and what became of it, as one row.

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
    /// Whoever asked; none if it is about the journal or the store itself.
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

/// An intent whose outcome did not come.
const OPEN: &str = "open";
pub(super) const DENIED: &str = "denied";

/// So many rows are held back until it is known what became of the first.
const HELD: usize = 4096;

/// The rows of a chain, in its order.
#[derive(Debug)]
pub(super) struct Rows<'k, R> {
    chain: u32,
    reader: ChainReader<'k, R>,
    held: VecDeque<Row>,
    /// Those of the held rows that wait, by number.
    waiting: HashSet<u64>,
    ended: bool,
}

impl<'k, R: Read + Seek> Rows<'k, R> {
    pub(super) fn new(chain: u32, reader: ChainReader<'k, R>) -> Self {
        Self {
            chain,
            reader,
            held: VecDeque::new(),
            waiting: HashSet::new(),
            ended: false,
        }
    }

    /// When the next row was written, once it is known what became of it.
    pub(super) fn peek(
        &mut self,
        told: &mut dyn FnMut(Finding),
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
                Some(Item::Finding(finding)) => told(finding),
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
            Event::Denied {
                actor,
                operation,
                on,
                reason,
                left_out,
            } => {
                row.actor = Some(actor);
                row.operation = Some(operation);
                row.result = DENIED;
                row.records.extend(on);
                row.note = Some(match left_out {
                    0 => reason,
                    left_out => format!("{reason} (and {left_out} before it)"),
                });
            }
            // Says what a process knew of the store when it began to write: nobody did anything.
            Event::Opened { .. } => return,
            Event::RolledBack {
                found_head,
                accepted,
                ..
            } => {
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

    /// Says of the intent with this number what became of it.
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
            // What it was comes later, if ever.
            Outcome::Unknown => return row.result = "unknown",
        };
        self.waiting.remove(&of);
    }
}

/// The time, whole seconds.
pub(super) fn seconds(time: Timestamp) -> String {
    let text = time.to_string();
    let whole = text.split(['.', 'Z']).next();
    format!("{}Z", whole.unwrap_or(&text))
}
