//! Reading a chain from a given line, with verification of each line.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;

use symbolon::Timestamp;
use symbolon::journal::{Event, JournalKeys};

use crate::backward::ScanStart;
use crate::examine::{Examiner, Last};
use crate::finding::Finding;
use crate::line::{LONGEST, body};

/// A reader of a chain. It uses memory for the longest line.
#[derive(Debug)]
pub struct ChainReader<'k, R> {
    input: BufReader<R>,
    path: PathBuf,
    examiner: Examiner<'k>,
    /// Start of reading; earlier lines are counted only for a finding.
    start: u64,
    /// Position after the last complete line.
    offset: u64,
    /// Bytes after this limit are not read.
    limit: u64,
    line: Vec<u8>,
    /// Position of a mismatching line that was read again: another process may have been writing
    /// it.
    again: Option<u64>,
    /// The next item to return.
    next: Option<Item>,
    /// Length of an incomplete last line.
    torn: u64,
}

/// An item of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An authentic line.
    Entry {
        /// Its number.
        number: u64,
        /// Time of writing.
        at: Timestamp,
        /// Its event.
        event: Event,
    },
    /// A defect of lines before the next one.
    Finding(Finding),
}

/// End of the authentic lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// Offset in bytes.
    pub(crate) length: u64,
    pub(crate) last: Last,
}

enum Found {
    Whole,
    /// Larger than any line of JSON.
    TooLong,
    End,
}

impl<'k, R: Read + Seek> ChainReader<'k, R> {
    /// Creates a reader from `start` up to `limit` bytes from the beginning of the file.
    pub(crate) fn new(
        keys: &'k JournalKeys,
        chain: u32,
        path: PathBuf,
        mut input: R,
        start: ScanStart,
        limit: u64,
    ) -> io::Result<Self> {
        input.seek(SeekFrom::Start(start.offset))?;
        Ok(Self {
            input: BufReader::with_capacity(1 << 16, input),
            path,
            examiner: Examiner::new(keys, chain, start.last),
            start: start.offset,
            offset: start.offset,
            limit,
            line: Vec::new(),
            again: None,
            next: None,
            torn: 0,
        })
    }

    /// Returns the next line or finding; none at the end.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read.
    pub fn read_item(&mut self) -> io::Result<Option<Item>> {
        if let Some(item) = self.next.take() {
            return Ok(Some(item));
        }
        loop {
            let from = self.offset;
            let known = match self.read_line()? {
                Found::End => return self.finish(),
                Found::TooLong => &[][..],
                Found::Whole => &self.line,
            };
            if self.examiner.is_first_suspect(known) && self.again != Some(from) {
                self.again = Some(from);
                self.offset = from;
                self.input.seek(SeekFrom::Start(from))?;
                continue;
            }
            let step = self.examiner.push(known);
            let entry = step.authentic.then(|| self.entry()).transpose()?;
            match step.finding {
                Some(finding) => {
                    self.next = entry;
                    return self.place(finding).map(Some);
                }
                None if entry.is_some() => return Ok(entry),
                None => {}
            }
        }
    }

    /// Returns the number of complete lines read.
    pub(crate) fn lines(&self) -> u64 {
        self.examiner.lines()
    }

    /// Returns the number of bytes after the last complete line, valid at the end.
    pub(crate) fn torn(&self) -> u64 {
        self.torn
    }

    /// Returns the end of the lines read, if there was no finding.
    pub(crate) fn end(&self) -> End {
        End { length: self.offset, last: self.examiner.last() }
    }

    fn entry(&self) -> io::Result<Item> {
        let number = self.examiner.last().number.unwrap_or_default();
        if let Some(body) = body(&self.line) {
            let (at, event) = (body.at, body.event);
            return Ok(Item::Entry { number, at, event });
        }
        let line = self.examiner.lines();
        let finding = Finding {
            file: self.path.clone(),
            line,
            last_line: line,
            reason: "a newer version of the program wrote it; update this program".into(),
        };
        self.place(finding)
    }

    fn finish(&mut self) -> io::Result<Option<Item>> {
        match self.examiner.finish() {
            Some(finding) => self.place(finding).map(Some),
            None => Ok(None),
        }
    }

    /// Completes a finding with its file, and with line numbers from the beginning of the file.
    fn place(&self, mut finding: Finding) -> io::Result<Item> {
        let before = match self.start {
            0 => 0,
            start => self.count_lines(start)?,
        };
        finding.file.clone_from(&self.path);
        finding.line += before;
        finding.last_line += before;
        Ok(Item::Finding(finding))
    }

    fn count_lines(&self, until: u64) -> io::Result<u64> {
        let mut file = std::fs::File::open(&self.path)?.take(until);
        let mut block = vec![0; 1 << 16];
        let mut lines = 0;
        loop {
            let read = file.read(&mut block)?;
            let block = block.get(..read).unwrap_or_default();
            lines += block.iter().filter(|byte| **byte == b'\n').count() as u64;
            if read == 0 {
                return Ok(lines);
            }
        }
    }

    /// Reads the next line into `self.line`, without its end.
    fn read_line(&mut self) -> io::Result<Found> {
        self.line.clear();
        let room = self.limit.saturating_sub(self.offset);
        let most = room.min(LONGEST as u64 + 1);
        let read = (&mut self.input).take(most).read_until(b'\n', &mut self.line)? as u64;
        if self.line.pop_if(|last| *last == b'\n').is_some() {
            self.offset += read;
            return Ok(Found::Whole);
        }
        if read <= LONGEST as u64 {
            self.torn = read;
            return Ok(Found::End);
        }
        self.skip_line(read)
    }

    fn skip_line(&mut self, mut skipped: u64) -> io::Result<Found> {
        loop {
            self.line.clear();
            let room = self.limit.saturating_sub(self.offset + skipped);
            let read =
                (&mut self.input).take(room.min(1 << 16)).read_until(b'\n', &mut self.line)? as u64;
            skipped += read;
            if self.line.last() == Some(&b'\n') {
                self.line.clear();
                self.offset += skipped;
                return Ok(Found::TooLong);
            }
            if read == 0 {
                self.torn = skipped;
                return Ok(Found::End);
            }
        }
    }
}
