//! Verification of the lines of a chain and of their order.

use symbolon::KeyId;
use symbolon::journal::{JournalKeys, Mac};

use crate::finding::{Finding, Run};
use crate::line::Line;

/// Verifies the lines of one chain.
///
/// A line that does not follow the previous one starts a run of suspect lines. The run ends with
/// the first line that follows a line of the run, or the authentic line before it, by their MACs:
/// so each defect is found and reported once.
#[derive(Debug)]
pub(crate) struct Examiner<'k> {
    keys: &'k JournalKeys,
    chain: u32,
    /// Number of lines seen.
    line: u64,
    last: Last,
    run: Option<Run>,
}

/// The newest authentic line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Last {
    /// Its number; none if the line was not read.
    pub(crate) number: Option<u64>,
    pub(crate) mac: Mac,
}

impl Last {
    /// The position before the first line of a chain.
    pub(crate) const NONE: Self = Self { number: Some(0), mac: Mac([0; 16]) };
}

/// Result of verifying a line.
#[derive(Debug)]
pub(crate) struct Step {
    /// Finding about the lines before it.
    pub(crate) finding: Option<Finding>,
    /// Set if the line is authentic. If not, a finding follows.
    pub(crate) authentic: bool,
}

impl<'k> Examiner<'k> {
    pub(crate) fn new(keys: &'k JournalKeys, chain: u32, last: Last) -> Self {
        Self { keys, chain, line: 0, last, run: None }
    }

    /// The newest authentic line.
    pub(crate) fn last(&self) -> Last {
        self.last
    }

    /// Returns the number of lines seen.
    pub(crate) fn lines(&self) -> u64 {
        self.line
    }

    /// Returns whether this line would start a run of suspect lines.
    pub(crate) fn is_first_suspect(&self, line: &[u8]) -> bool {
        self.run.is_none() && !Line::parse(line).is_some_and(|line| self.follows(&line))
    }

    /// Verifies the next line, without its end.
    pub(crate) fn push(&mut self, line: &[u8]) -> Step {
        self.line += 1;
        let parsed = Line::parse(line);
        if let Some(line) = &parsed
            && let Some((_, number)) = line.head
        {
            let fits = match &self.run {
                None => self.follows(line),
                Some(run) => self.ends(run, line),
            };
            if fits {
                let run = self.run.take();
                let finding = run.map(|run| run.tell(self.last.number, Some(number)));
                self.last = Last { number: Some(number), mac: line.mac };
                return Step { finding, authentic: true };
            }
        }
        self.suspect(parsed.as_ref());
        Step { finding: None, authentic: false }
    }

    /// Returns the finding about the last lines.
    pub(crate) fn finish(&mut self) -> Option<Finding> {
        let run = self.run.take();
        run.map(|run| run.tell(self.last.number, None))
    }

    /// Returns whether the line follows the newest authentic one.
    fn follows(&self, line: &Line<'_>) -> bool {
        let last = self.last;
        let is_next = |(chain, number): (u32, u64)| {
            chain == self.chain
                && last.number.is_none_or(|last| last.checked_add(1) == Some(number))
        };
        line.head.is_some_and(is_next) && self.verify(line, last.mac)
    }

    /// Returns whether the line ends the run.
    fn ends(&self, run: &Run, line: &Line<'_>) -> bool {
        let Some((_, number)) = line.head.filter(|(chain, _)| *chain == self.chain) else {
            return false;
        };
        // Reordered or inserted lines leave the continuing line after the highest number.
        let goes_on = run.highest.is_none_or(|highest| number > highest);
        let before = run.macs.iter().chain([&self.last.mac]);
        run.newest.iter().any(|mac| self.verify(line, *mac))
            || goes_on && before.into_iter().any(|mac| self.verify(line, *mac))
    }

    fn verify(&self, line: &Line<'_>, previous: Mac) -> bool {
        let found = self.keys.verify(line.key, previous, line.sealed, line.mac);
        found == Some(true)
    }

    fn suspect(&mut self, line: Option<&Line<'_>>) {
        let (first, previous) = (self.line, self.last.mac);
        let fresh = self.run.is_none();
        let run = self.run.get_or_insert_with(|| Run::new(first, self.chain));
        let mac = line.and_then(|line| self.keys.mac(line.key, previous, line.sealed));
        let unknown: Option<KeyId> = line.filter(|_| mac.is_none()).map(|line| line.key);
        // If only its MAC was changed, the next line still follows the original MAC.
        let had = mac.filter(|_| fresh);
        run.add(line, had, unknown);
    }
}
