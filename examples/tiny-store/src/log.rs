//! The file: a line for each entry, with the CRC-32 of its JSON in 8 hexadecimal digits and the
//! JSON.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::store::Write;
use symbolon::{Id, StoreError};

/// An entry of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// The store has a new epoch.
    Epoch(u64),
    /// The next commit. Its revision is its number among the commits.
    Commit(Vec<Row>),
}

/// A written record, or a purged one without contents.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row(u8, Id, Option<Contents>);

/// Unique key, column codes, and bytes.
type Contents = (Option<Box<[u8]>>, [u64; 2], [u8; 2], Box<[u8]>);

impl Entry {
    /// Converts the writes of a commit. Guards are not stored.
    pub(crate) fn of(writes: &[Write]) -> Self {
        let row = |write: &Write| {
            let contents = match write {
                Write::Guard { .. } => return None,
                Write::Purge { .. } => None,
                Write::Put { record, .. } => Some(contents(record)),
            };
            let RecordKey { kind, id } = write.key();
            Some(Row(kind.0, id, contents))
        };
        Self::Commit(writes.iter().filter_map(row).collect())
    }
}

impl Row {
    pub(crate) fn key(&self) -> RecordKey {
        RecordKey::new(Kind(self.0), self.1)
    }

    pub(crate) fn record(self) -> Option<Record> {
        let key = self.key();
        let (unique, [organization, user], [status, origin], bytes) = self.2?;
        Some(Record {
            key,
            unique,
            columns: Columns::from_codes(organization, user, status, origin)?,
            bytes,
        })
    }
}

fn contents(record: &Record) -> Contents {
    let columns = &record.columns;
    let ids = [columns.organization, columns.user].map(|id| id.map_or(0, Id::number));
    let codes = [columns.status_code(), columns.origin_code()];
    (record.unique.clone(), ids, codes, record.bytes.clone())
}

#[derive(Debug)]
pub(crate) struct Log(File);

impl Log {
    /// Opens and locks the file, and reads its entries. Truncates an incomplete last line, which
    /// was never acknowledged.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<Entry>), StoreError> {
        let mut file = symbolon_files::open_private(path).map_err(StoreError::backend)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::backend("another process has the store open"),
            TryLockError::Error(error) => StoreError::backend(error),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(StoreError::backend)?;
        let (mut entries, mut whole) = (Vec::new(), 0);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match parse(line) {
                Some(entry) => entries.push(entry),
                None if whole + line.len() == bytes.len() => break,
                None => {
                    let line = entries.len() + 1;
                    return Err(StoreError::Corrupt(format!("line {line} is damaged")));
                }
            }
            whole += line.len();
        }
        file.set_len(whole as u64)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(StoreError::backend)?;
        Ok((Self(file), entries))
    }

    /// Returns when the entry is on disk.
    pub(crate) fn append(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let json = serde_json::to_string(entry).map_err(StoreError::backend)?;
        let line = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
        self.0
            .write_all(line.as_bytes())
            .and_then(|()| self.0.sync_data())
            .map_err(StoreError::backend)
    }
}

fn parse(line: &[u8]) -> Option<Entry> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (sum, json) = line.split_once(' ')?;
    let is_whole = sum == format!("{:08x}", crc32fast::hash(json.as_bytes()));
    is_whole.then(|| serde_json::from_str(json).ok())?
}
