//! Filling an empty store from a backup.

use std::collections::HashMap;
use std::io::{Read, Seek};

use super::frame::{Frame, Reader};
use super::{Backup, BackupError};
use crate::error::StoreError;
use crate::id::Id;
use crate::key::StoreKey;
use crate::record::{self, Kind, Record, RecordKey, SETTINGS, StoreId};
use crate::store::{Cursor, Limits, Revision, Stored, TokenStore, Write};
use crate::time::Minute;

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestoreReport {
    /// Records that the store has now.
    pub records: u64,
    /// Records among them that are not genuine: they were restored as they are, and an engine refuses them.
    pub tampered: u64,
    /// The first of those, at most 1,000.
    pub first_tampered: Vec<RecordKey>,
}

/// Records in one commit: enough that its sync costs little.
const CHUNK: usize = 1000;
const KEPT: usize = 1000;

impl<R: Read + Seek> Backup<R> {
    /// Writes the records into `store`, which must be empty. `progress` is told now and then how many there are.
    ///
    /// The settings are written last. Until then no engine opens the store: one that a restore did not finish is never
    /// taken for a whole one, and can only be thrown away.
    ///
    /// # Errors
    ///
    /// [`BackupError::NotEmpty`], and [`BackupError::Engine`] with [`Error::WrongKey`](crate::Error::WrongKey) or
    /// [`Error::Settings`](crate::Error::Settings), before anything is written; [`BackupError::Engine`] if the
    /// store fails; [`BackupError::Damaged`] if two of the records cannot be in one store, or the input was changed since it
    /// was read.
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
            return Err(BackupError::Damaged("it was changed while it was restored"));
        }
        filling.flush()?;
        filling.insert(self.contents.settings.clone())?;
        filling.flush()?;
        Ok(filling.done)
    }
}

/// A store that is being filled, and what waits for the next commit.
struct RestoreWriter<'a> {
    store: &'a dyn TokenStore,
    key: &'a StoreKey,
    id: StoreId,
    limits: Limits,
    waiting: Vec<Record>,
    /// Where each of them waits.
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

    /// True if this led to a commit.
    fn take(&mut self, stored: Stored) -> Result<bool, BackupError> {
        let (key, last_used) = (stored.record.key, stored.last_used);
        let committed = self.insert(stored.record)?;
        // Noted together with the record, which must be there by then.
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
                // A scan may meet one version of a record twice.
                Err(StoreError::Conflict(at)) if at < writes.len() => {
                    let Write::Put { record, .. } = writes.remove(at) else {
                        continue;
                    };
                    let there = self.store.get(&record.key)?;
                    let there = there.ok_or(StoreError::Conflict(at))?;
                    same(&there.record, &record)?;
                }
                Err(StoreError::Duplicate(_)) => {
                    let why = "two of its records have the same name or token";
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
    Write::Put {
        record,
        expected: Revision::ABSENT,
    }
}

fn same(one: &Record, other: &Record) -> Result<(), BackupError> {
    match one == other {
        true => Ok(()),
        false => Err(BackupError::Damaged("it has two versions of one record")),
    }
}
