//! A small store on disk: a [`MemoryStore`] with a log of its commits, and optional faults.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use symbolon::record::{Record, RecordKey};
use symbolon::store::{
    Cursor, Epoch, Limits, Page, Query, Revision, Stored, TokenStore, Wake, Write,
};
use symbolon::{Id, MemoryStore, Minute, Status, StoreError};

use crate::codec::{decode, encode, put_slice, take_slice};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Writes commits to the file ten at a time.
    Buffered,
    /// Makes a commit visible before it is in the file.
    SeenEarly,
    /// Writes each write of a commit to the file separately.
    Halves,
    /// Stores revoked records as active.
    RevokedIsActive,
    /// Does not store purges.
    PurgesForgotten,
    /// Does not store unique keys.
    UniqueKeysForgotten,
    /// Draws another epoch each time it is opened.
    EpochOfOpening,
    /// Does not store a renewal.
    RenewalForgotten,
    /// Writes a commit in two parts, and refuses to open a file that ends between them.
    TornEndRefused,
}

#[derive(Debug)]
pub(crate) struct LogStore {
    memory: MemoryStore,
    log: Mutex<Log>,
    fault: Fault,
}

#[derive(Debug)]
struct Log {
    file: File,
    /// A second handle, which can overwrite the epoch.
    start: File,
    epoch: Epoch,
    waiting: Vec<Vec<u8>>,
}

impl LogStore {
    /// Opens the log at `path`. The first 8 bytes are the epoch; a commit is its length and its
    /// writes.
    pub(crate) fn open(path: &Path, fault: Fault) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).open(path)?;
        let memory = MemoryStore::new();
        let random = memory.scan(&Cursor::start(), 1).unwrap().end.unwrap().epoch;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if bytes.len() < 8 {
            bytes = random.0.to_be_bytes().into();
            file.set_len(0)?;
            file.write_all(&bytes)?;
        }
        let (epoch, mut rest) = bytes.split_first_chunk().unwrap();
        while let Some(commit) = take_slice(&mut rest) {
            let found = |key| memory.get(&key).unwrap().map(|found| found.revision);
            let writes = decode(commit, |key| found(key).unwrap_or_default());
            memory.commit(&writes).map_err(io::Error::other)?;
        }
        if !rest.is_empty() && fault == Fault::TornEndRefused {
            return Err(io::Error::other("the log ends within a commit"));
        }
        file.set_len((bytes.len() - rest.len()) as u64)?;
        let epoch = match fault {
            Fault::EpochOfOpening => random,
            _ => Epoch(u64::from_be_bytes(*epoch)),
        };
        let log = Log {
            file,
            start: OpenOptions::new().write(true).open(path)?,
            epoch,
            waiting: Vec::new(),
        };
        Ok(Self { memory, log: Mutex::new(log), fault })
    }

    /// Locks the log. The lock hides commits that are not in the file yet, and serialises writes.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }

    fn append(&self, log: &mut Log, writes: &[Write]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for write in writes {
            match (self.fault, write.clone()) {
                (Fault::PurgesForgotten, Write::Purge { .. }) => {}
                (_, Write::Put { record, expected }) => {
                    let record = self.badly(record);
                    encode(&mut bytes, &Write::Put { record, expected });
                }
                (_, write) => encode(&mut bytes, &write),
            }
        }
        let mut commit = Vec::new();
        put_slice(&mut commit, &bytes);
        match self.fault {
            Fault::TornEndRefused => {
                let (first, second) = commit.split_at(commit.len() / 2);
                log.file.write_all(first)?;
                thread::sleep(Duration::from_millis(1));
                log.file.write_all(second)
            }
            Fault::Buffered if log.waiting.len() < 10 => {
                log.waiting.push(commit);
                Ok(())
            }
            _ => {
                let waiting = std::mem::take(&mut log.waiting).concat();
                log.file.write_all(&[waiting, commit].concat())
            }
        }
    }

    fn badly(&self, mut record: Record) -> Record {
        match self.fault {
            Fault::UniqueKeysForgotten => record.unique = None,
            Fault::RevokedIsActive if record.columns.status == Some(Status::Revoked) => {
                record.columns.status = Some(Status::Active);
            }
            _ => {}
        }
        record
    }
}

impl TokenStore for LogStore {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        let _log = self.log();
        self.memory.get(key)
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let mut log = self.log();
        let revision = self.memory.commit(writes)?;
        let guard = |write: &Write| matches!(write, Write::Guard { .. });
        if writes.iter().all(guard) {
            return Ok(revision);
        }
        if self.fault == Fault::SeenEarly {
            drop(log);
            thread::sleep(Duration::from_millis(5));
            log = self.log();
        }
        let parts = match self.fault {
            Fault::Halves => 1,
            _ => writes.len(),
        };
        for part in writes.chunks(parts) {
            self.append(&mut log, part).map_err(StoreError::backend)?;
            if parts < writes.len() {
                thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(revision)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let log = self.log();
        let mut page = self.memory.scan(after, limit)?;
        if let Some(end) = &mut page.end {
            end.epoch = log.epoch;
        }
        Ok(page)
    }

    fn limits(&self) -> Limits {
        self.memory.limits()
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        self.memory.touch(used)
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        let mut log = self.log();
        let epoch = log.epoch.another()?;
        if self.fault != Fault::RenewalForgotten {
            let written = log.start.write_all_at(&epoch.0.to_be_bytes(), 0);
            written.map_err(StoreError::backend)?;
        }
        log.epoch = epoch;
        Ok(epoch)
    }

    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        let _log = self.log();
        self.memory.find(query)
    }

    fn wait(&self, _after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        thread::sleep(timeout);
        Ok(Wake::Timeout)
    }
}
