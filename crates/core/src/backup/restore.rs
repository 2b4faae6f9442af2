//! Restores a backup into an empty store.

use std::collections::HashMap;
use std::io::{Read, Seek};

use super::frame::{Frame, Reader};
use super::{Backup, BackupError};
use crate::id::Id;
use crate::key::StoreKey;
use crate::record::{self, Kind, Record, RecordKey, SETTINGS, StoreId};
use crate::store::StoreError;
use crate::store::{Cursor, Limits, Revision, Stored, TokenStore, Write};
use crate::time::Minute;

/// The result of a restore.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestoreReport {
    /// Number of restored records.
    pub records: u64,
    /// Number of tampered records among them. They were restored unchanged; an engine rejects them.
    pub tampered: u64,
    /// Keys of the first 1,000 tampered records.
    pub first_tampered: Vec<RecordKey>,
}

/// Records per commit: enough that the sync is a small part of the cost.
const CHUNK: usize = 1000;
const KEPT: usize = 1000;

impl<R: Read + Seek> Backup<R> {
    /// Writes the records into `store`, which must be empty. Calls `progress` regularly with the
    /// number of records so far.
    ///
    /// The settings are written last, and an engine does not open a store without them. A store
    /// whose restore was interrupted can therefore not be used by mistake; delete it.
    ///
    /// # Errors
    ///
    /// * [`BackupError::NotEmpty`], or [`BackupError::Open`] with
    ///   [`OpenError::WrongKey`](crate::OpenError::WrongKey) or
    ///   [`OpenError::Settings`](crate::OpenError::Settings), before anything is written
    /// * [`BackupError::Open`] if the store fails
    /// * [`BackupError::Damaged`] if two records cannot be in one store, or the input has changed
    ///   since it was verified
    pub fn restore(
        &mut self,
        store: &dyn TokenStore,
        key: &StoreKey,
        progress: &mut dyn FnMut(usize),
    ) -> Result<RestoreReport, BackupError> {
        let settings = self.settings(key)?;
        if !store.scan(&Cursor::start(), 1)?.items.is_empty() {
            return Err(BackupError::NotEmpty);
        }
        let mut filling = RestoreWriter::new(store, key, settings.store);
        self.input.rewind().map_err(BackupError::Read)?;
        let mut reader = Reader::new(&mut self.input)?;
        let mut scans = 0;
        loop {
            match reader.next()? {
                Frame::Begin(_) => scans += 1,
                Frame::Record(stored) => {
                    let key = stored.record.key;
                    let counts =
                        scans == self.contents.scans && self.contents.counts(key, stored.revision);
                    if counts && key != SETTINGS && filling.take(stored)? {
                        progress(usize::try_from(filling.done.records).unwrap_or(usize::MAX));
                    }
                }
                Frame::End(_) => break,
            }
        }
        let (hash, _) = reader.finish()?;
        if hash != self.contents.hash {
            return Err(BackupError::Damaged("it was changed during the restore"));
        }
        filling.flush()?;
        filling.insert(self.contents.settings.clone())?;
        filling.flush()?;
        Ok(filling.done)
    }
}

/// A store that is being restored, and the records for the next commit.
struct RestoreWriter<'a> {
    store: &'a dyn TokenStore,
    key: &'a StoreKey,
    id: StoreId,
    limits: Limits,
    waiting: Vec<Record>,
    /// Index of each of these records.
    places: HashMap<RecordKey, usize>,
    bytes: usize,
    used: Vec<(Id, Minute)>,
    done: RestoreReport,
}

impl<'a> RestoreWriter<'a> {
    fn new(store: &'a dyn TokenStore, key: &'a StoreKey, id: StoreId) -> Self {
        Self {
            store,
            key,
            id,
            limits: store.limits(),
            waiting: Vec::new(),
            places: HashMap::new(),
            bytes: 0,
            used: Vec::new(),
            done: RestoreReport::default(),
        }
    }

    /// Returns `true` if this triggered a commit.
    fn take(&mut self, stored: Stored) -> Result<bool, BackupError> {
        let (key, last_used) = (stored.record.key, stored.last_used);
        let committed = self.insert(stored.record)?;
        // The last use is written after the record, which must exist.
        if let (Some(minute), Kind::AUTHORIZATION) = (last_used, key.kind) {
            self.used.push((key.id, minute));
        }
        Ok(committed)
    }

    fn insert(&mut self, record: Record) -> Result<bool, BackupError> {
        let waiting = self.places.get(&record.key);
        if let Some(waiting) = waiting.and_then(|at| self.waiting.get(*at)) {
            return same(waiting, &record).map(|()| false);
        }
        let full = self.waiting.len() >= self.limits.writes.clamp(1, CHUNK)
            || self.bytes + record.size() > self.limits.bytes;
        if full {
            self.flush()?;
        }
        self.bytes += record.size();
        self.places.insert(record.key, self.waiting.len());
        self.waiting.push(record);
        Ok(full)
    }

    fn flush(&mut self) -> Result<(), BackupError> {
        self.places.clear();
        self.bytes = 0;
        let mut writes: Vec<Write> = self.waiting.drain(..).map(insertion).collect();
        while !writes.is_empty() {
            match self.store.commit(&writes) {
                Ok(_) => break,
                // A scan may return one version of a record twice.
                Err(StoreError::Conflict(at)) if at < writes.len() => {
                    let Write::Put { record, .. } = writes.remove(at) else {
                        continue;
                    };
                    let there = self.store.get(&record.key)?;
                    let there = there.ok_or(StoreError::Conflict(at))?;
                    same(&there.record, &record)?;
                }
                Err(StoreError::Duplicate(_)) => {
                    let why = "two records have the same name or token";
                    return Err(BackupError::Damaged(why));
                }
                Err(error) => return Err(error.into()),
            }
        }
        for write in &writes {
            let Write::Put { record, .. } = write else {
                continue;
            };
            self.done.records += 1;
            if record::open(self.key, self.id, record).is_err() {
                self.done.tampered += 1;
                if self.done.first_tampered.len() < KEPT {
                    self.done.first_tampered.push(record.key);
                }
            }
        }
        if !self.used.is_empty() {
            self.store.touch(&self.used)?;
            self.used.clear();
        }
        Ok(())
    }
}

fn insertion(record: Record) -> Write {
    Write::Put { record, expected: Revision::ABSENT }
}

fn same(one: &Record, other: &Record) -> Result<(), BackupError> {
    match one == other {
        true => Ok(()),
        false => Err(BackupError::Damaged("two versions of a record have the same revision")),
    }
}
