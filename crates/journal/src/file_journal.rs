//! The implementation of the engine's `Journal` trait.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use symbolon::Timestamp;
use symbolon::journal::{Durability, Entry, Event, Journal, JournalError, JournalKeys};
use symbolon_files::{FileError, private_dir};

use crate::backward::{ScanStart, newest_opened};
use crate::finding::Finding;
use crate::folder::{ChainFile, chains, failed, make, missing, take};
use crate::reader::{ChainReader, End, Item};
use crate::writer::Writer;

/// A journal in files: a folder with one file per chain.
///
/// An open journal owns a chain: the first one that no other process holds, or a new one, whose
/// file is created by the first append. The chain is released when the value is dropped or the
/// process exits.
#[derive(Debug)]
pub struct FileJournal {
    folder: PathBuf,
    keys: JournalKeys,
    own: Mutex<Option<OwnChain>>,
}

/// The owned chain.
#[derive(Debug)]
struct OwnChain {
    file: ChainFile,
    tail: Tail,
}

#[derive(Debug)]
enum Tail {
    /// Its lines are not verified yet.
    Unread(File),
    Read(Writer<File>),
}

impl FileJournal {
    /// Opens the journal in `folder` without creating files: a missing journal is empty.
    ///
    /// # Errors
    ///
    /// [`FileError`] if users other than the owner can write to the folder, or read or write
    /// a file in it.
    pub fn open(folder: &Path, keys: JournalKeys) -> Result<Self, FileError> {
        if folder.exists() {
            private_dir(folder)?;
        }
        let mut own = None;
        for file in chains(folder)? {
            if let Some(taken) = take(&file)? {
                let tail = Tail::Unread(taken);
                own = Some(OwnChain { file, tail });
                break;
            }
        }
        Ok(Self { folder: folder.into(), keys, own: Mutex::new(own) })
    }

    /// Returns the default folder of the journal of a store with this key file: `<key
    /// file>.journal`.
    pub fn beside(key: &Path) -> PathBuf {
        let mut folder: OsString = key.components().as_path().into();
        folder.push(".journal");
        folder.into()
    }

    fn own(&self) -> MutexGuard<'_, Option<OwnChain>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a chain from its newest [`Event::Opened`], or all of it, up to `limit`. Fails on any
    /// finding.
    fn read_chain(
        &self,
        file: &ChainFile,
        part: ChainPart,
        limit: Option<u64>,
        visit: &mut dyn FnMut(u64, Timestamp, Event),
    ) -> Result<End, JournalError> {
        let failed = |action| {
            let path = &file.path;
            move |error| JournalError::failed(failed(action, path)(error))
        };
        let opened = File::open(&file.path).map_err(failed("open"))?;
        let length = opened.metadata().map_err(failed("read"))?.len();
        let length = limit.map_or(length, |limit| limit.min(length));
        let start = match part {
            ChainPart::All => ScanStart::FIRST,
            ChainPart::Recent => newest_opened(&opened, length).map_err(failed("read"))?,
        };
        let path = file.path.clone();
        let reader = ChainReader::new(&self.keys, file.chain, path, opened, start, length);
        let mut reader = reader.map_err(failed("read"))?;
        while let Some(item) = reader.read_item().map_err(failed("read"))? {
            match item {
                Item::Entry { number, at, event } => visit(number, at, event),
                Item::Finding(finding) => return Err(broken(&finding)),
            }
        }
        Ok(reader.end())
    }

    fn read_all(&self, part: ChainPart, visit: &mut dyn FnMut(Entry)) -> Result<(), JournalError> {
        let found = chains(&self.folder).map_err(JournalError::failed)?;
        if let Some(file) = missing(&self.folder, &found).first() {
            return Err(broken(&Finding::missing_file(file)));
        }
        for file in found {
            let chain = file.chain;
            let (is_own, limit) = match &*self.own() {
                // Later lines are not acknowledged yet.
                Some(own) if own.file.chain == chain => (true, own.acknowledged()),
                _ => (false, None),
            };
            let mut visit = |number, at, event| {
                visit(Entry { chain, own: is_own, number, at, event });
            };
            self.read_chain(&file, part, limit, &mut visit)?;
        }
        Ok(())
    }

    /// Returns the owned chain, positioned at its end. Creates one if there is none.
    fn writer<'o>(
        &self,
        own: &'o mut Option<OwnChain>,
    ) -> Result<&'o mut Writer<File>, JournalError> {
        let own = match own {
            Some(own) => own,
            None => {
                let (file, taken) = make(&self.folder).map_err(JournalError::failed)?;
                let tail = Tail::Unread(taken);
                own.insert(OwnChain { file, tail })
            }
        };
        let found = own.find()?;
        if let Tail::Unread(file) = &own.tail {
            let end = self.read_chain(&own.file, ChainPart::Recent, None, &mut |_, _, _| ())?;
            let file = file.try_clone().map_err(JournalError::failed)?;
            own.tail = Tail::Read(Writer::new(file, own.file.chain, end, found));
        }
        match &mut own.tail {
            Tail::Read(writer) => Ok(writer),
            Tail::Unread(_) => Err(JournalError::failed("the chain was not read")),
        }
    }
}

impl Journal for FileJournal {
    fn append(
        &self,
        at: Timestamp,
        events: &[Event],
        durability: Durability,
    ) -> Result<u64, JournalError> {
        let mut own = self.own();
        let writer = self.writer(&mut own)?;
        let appended = writer.append(&self.keys, at, events, durability);
        appended.map_err(|error| {
            let path = own.as_ref().map_or(&self.folder, |own| &own.file.path);
            JournalError::failed(failed("write to", path)(error))
        })
    }

    fn recent(&self) -> Result<Vec<Entry>, JournalError> {
        let mut entries = Vec::new();
        self.read_all(ChainPart::Recent, &mut |entry| entries.push(entry))?;
        Ok(entries)
    }

    fn read(&self, visit: &mut dyn FnMut(Entry)) -> Result<(), JournalError> {
        self.read_all(ChainPart::All, visit)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChainPart {
    All,
    Recent,
}

impl OwnChain {
    fn acknowledged(&self) -> Option<u64> {
        match &self.tail {
            Tail::Unread(_) => None,
            Tail::Read(writer) => Some(writer.end().length),
        }
    }

    fn held(&self) -> &File {
        match &self.tail {
            Tail::Unread(file) => file,
            Tail::Read(writer) => writer.medium(),
        }
    }

    /// Verifies that the path and length of the file are unchanged, and returns the length.
    fn find(&self) -> Result<u64, JournalError> {
        let expected = match &self.tail {
            Tail::Unread(_) => None,
            Tail::Read(writer) => writer.expected_length(),
        };
        let path = &self.file.path;
        let held = self.held().metadata().map_err(JournalError::failed)?;
        let found = fs::metadata(path).map_err(failed("find", path));
        let found = found.map_err(JournalError::failed)?;
        if (held.dev(), held.ino()) != (found.dev(), found.ino()) {
            let place = path.display();
            let why = format!("`{place}` was replaced while in use; restore it and start again");
            return Err(JournalError::failed(why));
        }
        match expected {
            Some(expected) if expected != found.len() => {
                let length = found.len();
                Err(broken(&Finding::of_file(
                    &self.file,
                    format!(
                        "another process changed it: it has {length} bytes instead of {expected}"
                    ),
                )))
            }
            _ => Ok(found.len()),
        }
    }
}

impl Drop for OwnChain {
    fn drop(&mut self) {
        // A process being forked at this moment has the file, and with it the lock, until its
        // `exec`.
        let _ = self.held().unlock();
    }
}

fn broken(finding: &Finding) -> JournalError {
    JournalError::Broken {
        place: finding.place(),
        reason: format!(
            "{}; verify the journal to find all damage; to continue without it, move its folder \
             away and accept the store without its journal",
            finding.reason
        ),
    }
}
