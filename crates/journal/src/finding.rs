//! Descriptions of defects of lines.

use std::fmt;
use std::path::PathBuf;

use symbolon::KeyId;
use symbolon::journal::Mac;

use crate::folder::ChainFile;
use crate::line::Line;

/// A defect of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file of the chain.
    pub file: PathBuf,
    /// First affected line, from 1; 0 for the whole file.
    pub line: u64,
    /// Last affected line.
    pub last_line: u64,
    /// Description of the defect.
    pub reason: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.reason)
    }
}

impl Finding {
    pub(crate) fn of_file(file: &ChainFile, reason: String) -> Self {
        Self { file: file.path.clone(), line: 0, last_line: 0, reason }
    }

    pub(crate) fn missing_file(file: &ChainFile) -> Self {
        Self::of_file(file, "the file is missing".into())
    }

    /// Returns the file and the lines.
    pub fn place(&self) -> String {
        let file = self.file.display();
        match (self.line, self.last_line) {
            (0, _) => format!("{file}"),
            (line, last) if line == last => format!("{file}, line {line}"),
            (line, last) => format!("{file}, lines {line} to {last}"),
        }
    }
}

/// Number of remembered lines of a run, to find the line that continues the chain.
const REMEMBERED: usize = 8;

/// Consecutive lines of which none follows the last authentic one.
#[derive(Debug)]
pub(crate) struct Run {
    chain: u32,
    first: u64,
    lines: u64,
    /// Chain and number of the first line, if it has them.
    heads: Vec<Option<(u32, u64)>>,
    /// Highest number of a line of this chain.
    pub(crate) highest: Option<u64>,
    /// Another chain, and the number of its lines.
    other: Option<(u32, u64)>,
    /// An unknown key, and the number of lines sealed under unknown keys.
    unknown: Option<(KeyId, u64)>,
    /// MACs that the next line may follow: the MAC in the newest line, and the MAC that it should
    /// have.
    pub(crate) newest: Vec<Mac>,
    /// MACs of earlier lines.
    pub(crate) macs: Vec<Mac>,
}

impl Run {
    pub(crate) fn new(first: u64, chain: u32) -> Self {
        Self {
            chain,
            first,
            lines: 0,
            heads: Vec::new(),
            highest: None,
            other: None,
            unknown: None,
            newest: Vec::new(),
            macs: Vec::new(),
        }
    }

    pub(crate) fn add(
        &mut self,
        line: Option<&Line<'_>>,
        had: Option<Mac>,
        unknown: Option<KeyId>,
    ) {
        self.lines += 1;
        self.macs.append(&mut self.newest);
        let surplus = self.macs.len().saturating_sub(REMEMBERED);
        self.macs.drain(..surplus);
        self.newest.extend(line.map(|line| line.mac));
        self.newest.extend(had);
        if self.heads.len() < REMEMBERED {
            self.heads.push(line.and_then(|line| line.head));
        }
        if let Some((chain, number)) = line.and_then(|line| line.head) {
            if chain == self.chain {
                self.highest = self.highest.max(Some(number));
            } else {
                let (_, many) = self.other.unwrap_or_default();
                self.other = Some((chain, many + 1));
            }
        }
        if let Some(key) = unknown {
            let many = self.unknown.map_or(0, |(_, many)| many);
            self.unknown = Some((key, many + 1));
        }
    }

    /// Describes the defect between the authentic lines with these numbers.
    pub(crate) fn tell(&self, before: Option<u64>, after: Option<u64>) -> Finding {
        Finding {
            file: PathBuf::new(),
            line: self.first,
            last_line: self.first + self.lines - 1,
            reason: self.reason(before, after),
        }
    }

    fn reason(&self, before: Option<u64>, after: Option<u64>) -> String {
        let many = self.lines > 1;
        if let Some((key, all)) = self.unknown
            && all == self.lines
        {
            let what = if many { "they were" } else { "it was" };
            return format!("{what} sealed under the key {key}, which the key file does not hold");
        }
        if let Some((chain, all)) = self.other {
            return match all == self.lines && many {
                true => format!("they belong to chain {chain}: the file was renamed or exchanged"),
                false => format!("a line of chain {chain} was moved here"),
            };
        }
        match (self.heads.as_slice(), before) {
            (_, None) if many => "they were changed".into(),
            (_, None) => "it was changed".into(),
            ([head], Some(before)) => one(head.map(|(_, number)| number), before, after),
            ([Some((_, a)), Some((_, b))], Some(before))
                if before.checked_add(1) == Some(*b) && before.checked_add(2) == Some(*a) =>
            {
                "they are exchanged".into()
            }
            _ => "they were changed or moved".into(),
        }
    }
}

/// Describes the defect of one line with this number, between authentic lines with those numbers.
fn one(number: Option<u64>, before: u64, after: Option<u64>) -> String {
    let expected = before.saturating_add(1);
    let missing = |number: u64| {
        let many = number - expected;
        let lines = match many {
            1 => "a line is".into(),
            _ => format!("{many} lines are"),
        };
        match before {
            0 => format!("{lines} missing before it (the first has number {number})"),
            _ => format!("{lines} missing before it (number {number} follows {before})"),
        }
    };
    match (number, after) {
        (Some(number), Some(after))
            if number > expected && after.checked_sub(1) == Some(number) =>
        {
            missing(number)
        }
        (Some(number), None) if number > expected => missing(number),
        (Some(number), _) if number <= before && (after.is_none() || after == Some(expected)) => {
            format!("it does not belong here: number {number} occurs again")
        }
        (_, Some(after)) if after == expected => "it was put in".into(),
        _ => "it was changed".into(),
    }
}
