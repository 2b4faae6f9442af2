//! Verification of a whole journal.

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

/// Contents and defects of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The chains, by number.
    pub chains: Vec<ChainReport>,
    /// Files that are missing between others.
    pub findings: Vec<Finding>,
}

/// Contents and defects of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChainReport {
    /// Its number.
    pub chain: u32,
    /// Its file.
    pub file: PathBuf,
    /// Number of complete lines.
    pub lines: u64,
    /// Time of its first authentic line.
    pub first: Option<Timestamp>,
    /// Time of its last authentic line.
    pub last: Option<Timestamp>,
    /// Length of an incomplete last line, which is being written or was interrupted by a crash.
    pub torn: u64,
    /// Defects.
    pub findings: Vec<Finding>,
    /// Number of further defects.
    pub more_findings: u64,
    /// Numbers of intents without a known outcome.
    pub unresolved: BTreeSet<u64>,
    /// Number of entries that could not be written.
    pub missed: u64,
    /// Number of times that the store was rolled back.
    pub restores: u64,
    /// Newest recorded commit of each epoch of the store.
    pub newest: BTreeMap<u64, u64>,
}

/// Maximum number of findings per chain; further findings are only counted.
const SHOWN: usize = 1000;

impl Report {
    /// Returns all findings, except those that were only counted.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let chains = self.chains.iter().flat_map(|chain| &chain.findings);
        self.findings.iter().chain(chains)
    }

    /// Returns whether there are no defects.
    pub fn is_sound(&self) -> bool {
        self.findings().next().is_none()
    }

    /// Returns the newest recorded commit of this epoch of the store.
    pub fn newest(&self, epoch: u64) -> Option<u64> {
        let newest = self.chains.iter().map(|chain| chain.newest.get(&epoch));
        newest.flatten().max().copied()
    }

    /// Returns the number of intents without a known outcome.
    pub fn unresolved(&self) -> usize {
        self.chains.iter().map(|chain| chain.unresolved.len()).sum()
    }
}

/// Verifies all files in the folder of a journal. Locks and changes nothing; other processes may
/// write at the same time. A missing folder is an empty journal.
///
/// The journal alone cannot show that the last lines of a chain, or the chain with the highest
/// number, were removed: compare [`Report::newest`] with the head of the store.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub fn verify(folder: &Path, keys: &JournalKeys) -> Result<Report, FileError> {
    let found = chains(folder)?;
    let gaps = missing(folder, &found);
    let findings = gaps.iter().map(Finding::missing_file).collect();
    let chains = found.into_iter().map(|file| {
        let reader = read_chain(&file, keys)?;
        let read = ChainReport::read(file.chain, &file.path, reader);
        read.map_err(failed("read", &file.path))
    });
    Ok(Report { chains: chains.collect::<Result<_, FileError>>()?, findings })
}

/// Reads a whole chain.
///
/// # Errors
///
/// Fails if the file cannot be read.
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

/// Verifies a chain with these bytes, as [`verify`] does.
///
/// # Errors
///
/// None in practice: bytes can always be read.
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
        let mut report = Self { chain, file: file.into(), ..Self::default() };
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
            Event::Outcome { outcome: Outcome::Unknown, .. } | Event::Denied { .. } => {}
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
