//! Going over a whole journal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use symbolon::Timestamp;
use symbolon::journal::{Event, JournalKeys, Outcome};
use symbolon_files::FileError;

use crate::backward::ScanStart;
use crate::finding::Finding;
use crate::folder::{ChainFile, chains, failed, missing};
use crate::reader::{ChainReader, Item};

/// What a journal holds, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Each chain, by number.
    pub chains: Vec<ChainReport>,
    /// Files that are missing between others.
    pub findings: Vec<Finding>,
}

/// What a chain holds, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChainReport {
    /// Its number.
    pub chain: u32,
    /// Its file.
    pub file: PathBuf,
    /// Whole lines in it.
    pub lines: u64,
    /// The time of its first genuine line.
    pub first: Option<Timestamp>,
    /// The time of its last genuine line.
    pub last: Option<Timestamp>,
    /// Bytes of a last line without its end: of a process that is writing it, or was killed while it did.
    pub torn: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What is wrong beyond those.
    pub more_findings: u64,
    /// The numbers of intents of which nobody knows what became of them.
    pub unresolved: BTreeSet<u64>,
    /// How many entries could not be written.
    pub missed: u64,
    /// How often the store was found to be an earlier one.
    pub restores: u64,
    /// The newest commit that is told of in each life of the store.
    pub newest: BTreeMap<u64, u64>,
}

/// Findings of a chain beyond these are only counted.
const SHOWN: usize = 1000;

impl Report {
    /// Everything that is wrong, but for what was only counted.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let chains = self.chains.iter().flat_map(|chain| &chain.findings);
        self.findings.iter().chain(chains)
    }

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings().next().is_none()
    }

    /// The newest commit that is told of in this life of the store.
    pub fn newest(&self, epoch: u64) -> Option<u64> {
        let newest = self.chains.iter().map(|chain| chain.newest.get(&epoch));
        newest.flatten().max().copied()
    }

    /// How many intents there are of which nobody knows what became of them.
    pub fn unresolved(&self) -> usize {
        self.chains.iter().map(|chain| chain.unresolved.len()).sum()
    }
}

/// Goes over everything in the folder of a journal and finds all that is wrong. Nothing is locked or changed; other
/// processes may write meanwhile. A missing folder is an empty journal.
///
/// That the last lines of a chain, or the chain of the highest number, were taken away cannot be seen from the journal
/// alone: compare [`Report::newest`] with the head of the store.
///
/// # Errors
///
/// If something cannot be read.
pub fn verify(folder: &Path, keys: &JournalKeys) -> Result<Report, FileError> {
    let found = chains(folder)?;
    let gaps = missing(folder, &found);
    let findings = gaps.iter().map(Finding::missing_file).collect();
    let chains = found.into_iter().map(|file| {
        let reader = read_chain(&file, keys)?;
        let read = ChainReport::read(file.chain, &file.path, reader);
        read.map_err(failed("read", &file.path))
    });
    Ok(Report {
        chains: chains.collect::<Result<_, FileError>>()?,
        findings,
    })
}

/// Reads all of a chain as it is now.
///
/// # Errors
///
/// If it cannot be read.
pub fn read_chain<'k>(
    file: &ChainFile,
    keys: &'k JournalKeys,
) -> Result<ChainReader<'k, File>, FileError> {
    let open = || {
        let opened = File::open(&file.path)?;
        let length = opened.metadata()?.len();
        let path = file.path.clone();
        ChainReader::new(keys, file.chain, path, opened, ScanStart::FIRST, length)
    };
    open().map_err(failed("read", &file.path))
}

/// What [`verify`] finds in a chain of these bytes.
///
/// # Errors
///
/// None of its own: bytes can always be read.
#[doc(hidden)]
pub fn verify_bytes(keys: &JournalKeys, chain: u32, bytes: &[u8]) -> io::Result<ChainReport> {
    let path = PathBuf::new();
    let (input, length) = (Cursor::new(bytes), bytes.len() as u64);
    let reader = ChainReader::new(keys, chain, path, input, ScanStart::FIRST, length)?;
    ChainReport::read(chain, Path::new(""), reader)
}

impl ChainReport {
    fn read<R: Read + Seek>(
        chain: u32,
        file: &Path,
        mut reader: ChainReader<'_, R>,
    ) -> io::Result<Self> {
        let mut report = Self {
            chain,
            file: file.into(),
            ..Self::default()
        };
        let mut epoch = None;
        while let Some(item) = reader.read_item()? {
            match item {
                Item::Entry { number, at, event } => {
                    report.first.get_or_insert(at);
                    report.last = Some(at);
                    report.note(number, &event, &mut epoch);
                }
                Item::Finding(finding) if report.findings.len() < SHOWN => {
                    report.findings.push(finding);
                }
                Item::Finding(_) => report.more_findings += 1,
            }
        }
        report.lines = reader.lines();
        report.torn = reader.torn();
        Ok(report)
    }

    fn note(&mut self, number: u64, event: &Event, current: &mut Option<u64>) {
        let mut commit = None;
        match event {
            Event::Opened { epoch, head, .. } => {
                *current = Some(*epoch);
                commit = Some(*head);
            }
            Event::Intent(_) => {
                self.unresolved.insert(number);
            }
            Event::Outcome {
                outcome: Outcome::Unknown,
                ..
            }
            | Event::Denied { .. } => {}
            Event::Outcome { of, outcome } => {
                self.unresolved.remove(of);
                if let Outcome::Done { revision } = outcome {
                    commit = Some(*revision);
                }
            }
            Event::RolledBack { epoch, .. } => {
                *current = Some(*epoch);
                self.restores += 1;
            }
            Event::Gap { missed } => self.missed = self.missed.saturating_add(*missed),
        }
        if let (Some(epoch), Some(commit)) = (*current, commit) {
            let newest = self.newest.entry(epoch).or_default();
            *newest = commit.max(*newest);
        }
    }
}
