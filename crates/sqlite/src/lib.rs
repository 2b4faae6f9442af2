//! SQLite store for [symbolon]: one file, which several processes may use at once.
//!
//! SQLite is bundled. Commits go to a write-ahead log that is synced before
//! [`TokenStore::commit`] returns; readers never wait for them. The file contains no tokens, but
//! password hashes: it has mode 0600, in a folder that only its owner can write to. Keep it on a
//! local disk. Copy it with [`symbolon::backup`] or with SQLite's own tools, such as
//! `VACUUM INTO`: the log file is part of the database.
//!
//! ```
//! use symbolon::store::{Query, TokenStore};
//! use symbolon::record::Kind;
//! use symbolon_sqlite::SqliteStore;
//!
//! # let dir = tempfile::tempdir()?;
//! let store = SqliteStore::open(dir.path().join("data/tokens.db"))?;
//! assert!(store.find(&Query::all(Kind::AUTHORIZATION))?.is_empty());
//! assert!(store.integrity()?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

/// Examples of the README, which embed this store.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

mod check;
mod error;
mod open;
mod row;
mod write;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use symbolon::record::RecordKey;
use symbolon::store::{
    Cursor, Epoch, Limits, Page, Position, Query, Revision, Sharing, Stored, TokenStore, Wake,
    Write,
};
use symbolon::{Id, Minute, StoreError};

pub use error::SqliteError;
use open::StorePath;

/// A store in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    // Closed before the writer, which then checkpoints and removes the log.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
    place: StorePath,
}

/// Number of idle connections kept for readers.
const READERS: usize = 4;
/// Interval at which a wait polls for commits of other connections.
const POLL: Duration = Duration::from_millis(2);

impl SqliteStore {
    /// Opens the store at `path`, and creates the file and its parent folders if they are missing.
    ///
    /// # Errors
    ///
    /// See [`SqliteError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        StorePath::make(path.as_ref())?;
        Self::open_existing(path)
    }

    /// Opens the store at `path`.
    ///
    /// # Errors
    ///
    /// [`SqliteError::Missing`] if there is no store, or any other [`SqliteError`].
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let (place, writer) = StorePath::open(path.as_ref())?;
        Ok(Self { readers: Mutex::default(), writer: Mutex::new(writer), place })
    }

    /// Verifies the whole file, and returns a line for each defect; none if the file is sound. Only
    /// the engine can verify that records are authentic.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`], or [`StoreError::Corrupt`] if the file cannot be read at all.
    pub fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.read(|snapshot| Ok(check::integrity(snapshot)))?
    }

    fn writer(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        // A transaction that a panic interrupted was rolled back.
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.place.check_same().map_err(SqliteError::into_store)?;
        Ok(writer)
    }

    /// Calls a function with a read-only connection, which is closed if the call fails.
    fn lend<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let readers = || self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        self.place.check_same().map_err(SqliteError::into_store)?;
        let idle = readers().pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => self.place.connect().map_err(SqliteError::into_store)?,
        };
        let done = work(&mut reader).map_err(failed)?;
        let mut readers = readers();
        if readers.len() < READERS {
            readers.push(reader);
        }
        Ok(done)
    }

    /// Reads from one snapshot.
    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.lend(|reader| {
            let snapshot = reader.transaction()?;
            work(&snapshot)
        })
    }
}

impl TokenStore for SqliteStore {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        // The writer has its own pages cached; other connections drop their cache after each
        // commit.
        if let Ok(writer) = self.writer.try_lock() {
            self.place.check_same().map_err(SqliteError::into_store)?;
            return row::get(&writer, key).map_err(failed);
        }
        self.lend(|reader| row::get(reader, key))
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        self.limits().check(writes)?;
        if !writes.iter().any(Write::is_change) {
            let read = |snapshot: &Connection| {
                Ok((write::check(snapshot, writes), row::end(snapshot)?.head))
            };
            let (checked, head) = self.read(read)?;
            return checked.map(|()| head).map_err(StoreError::from);
        }
        write::commit(&mut *self.writer()?, writes)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        self.read(|snapshot| row::scan(snapshot, after, limit))
    }

    fn limits(&self) -> Limits {
        Limits { writes: 4096, bytes: 4 << 20, sharing: Sharing::Shared }
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        let mut writer = self.writer()?;
        let mut touch = || {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            write::touch(&transaction, used)?;
            transaction.commit()
        };
        touch().map_err(failed)
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        let mut writer = self.writer()?;
        let transaction =
            writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let epoch = row::end(&transaction).map_err(failed)?.epoch.another()?;
        write::renew(&transaction, epoch).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(epoch)
    }

    fn size_hint(&self) -> usize {
        // The read that follows reports a defect of the file.
        self.lend(|reader| row::count(reader)).unwrap_or_default()
    }

    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        self.lend(|reader| row::find(reader, query))
    }

    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        let after = Position::from(after);
        let start = Instant::now();
        self.lend(|reader| {
            let mut seen = None;
            loop {
                // A cheap sign that another connection has written; only the state shows whether it
                // was more than a last use.
                let version: i64 = reader
                    .prepare_cached("PRAGMA data_version")?
                    .query_row([], |row| row.get(0))?;
                if seen.replace(version) != Some(version) && after.misses(row::end(reader)?) {
                    return Ok(Wake::Changed);
                }
                match timeout.checked_sub(start.elapsed()) {
                    Some(left) if !left.is_zero() => thread::sleep(left.min(POLL)),
                    _ => return Ok(Wake::Timeout),
                }
            }
        })
    }
}

fn failed(error: rusqlite::Error) -> StoreError {
    use ErrorCode::{
        ConstraintViolation, DatabaseCorrupt, DiskFull, NotADatabase, TypeMismatch, Unknown,
    };
    match error.sqlite_error_code() {
        // The frame that completes a commit is written last, so no part of the commit is visible.
        Some(DiskFull) => StoreError::Full,
        // All statements are our own, so `Unknown` means a missing table or column. A missing code
        // means a value that this library never writes.
        None
        | Some(DatabaseCorrupt | NotADatabase | ConstraintViolation | TypeMismatch | Unknown) => {
            StoreError::Corrupt(error.to_string())
        }
        Some(_) => StoreError::backend(error),
    }
}

#[cfg(test)]
mod tests {
    use symbolon::record::{Columns, Kind, Record};

    use super::*;

    fn insert(number: u64) -> Write {
        let record = Record {
            key: RecordKey::new(Kind::AUTHORIZATION, Id::new(number).unwrap()),
            unique: None,
            columns: Columns::default(),
            bytes: vec![1; 10_000].into(),
        };
        Write::Put { record, expected: Revision::ABSENT }
    }

    #[test]
    fn a_full_disk_writes_nothing_and_is_recoverable() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path().join("tokens.db")).unwrap();
        let most = |pages: u32| {
            let writer = store.writer().unwrap();
            writer.pragma_update(None, "max_page_count", pages).unwrap();
        };
        store.commit(&[insert(1)]).unwrap();
        most(30);
        let writes: Vec<Write> = (2..=50).map(insert).collect();
        assert!(matches!(store.commit(&writes), Err(StoreError::Full)));
        let page = store.scan(&Cursor::start(), 100).unwrap();
        assert_eq!(page.items.len(), 1);
        assert_eq!(page.end.unwrap().head, Revision(1));
        most(u32::MAX - 1);
        assert_eq!(store.commit(&writes).unwrap(), Revision(2));
        assert_eq!(store.size_hint(), 50);
        assert_eq!(store.integrity().unwrap(), [""; 0]);
    }
}
