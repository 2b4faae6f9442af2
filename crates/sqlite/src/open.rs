//! Creating and opening the file of a store.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, params};
use symbolon::StoreError;
use symbolon::store::Epoch;
use symbolon_files::{FileError, check_secret, create_private, private_dir};

use crate::{SqliteError, row};

const APPLICATION: i64 = 0x7379_6d62;
pub(crate) const FORMAT: i64 = 1;
/// First version that does not lose commits when the log is reset at the wrong moment.
const OLDEST_LIBRARY: i32 = 3_051_003;
/// Time that a commit waits for that of another process.
const BUSY: Duration = Duration::from_secs(5);

/// Location of a store.
#[derive(Debug)]
pub(crate) struct StorePath {
    path: PathBuf,
    /// Device and inode of the file.
    file: (u64, u64),
}

impl StorePath {
    /// Creates a store if there is none. The file appears complete, so an empty or partial file is
    /// always damage, and never a store that another process is creating.
    pub(crate) fn make(path: &Path) -> Result<(), SqliteError> {
        let exists = || fs::symlink_metadata(path).is_ok();
        if exists() {
            return Ok(());
        }
        private_dir(path.parent().unwrap_or(path))?;
        for log in ["-wal", "-journal"] {
            let mut left = path.as_os_str().to_owned();
            left.push(log);
            if fs::symlink_metadata(&left).is_ok() && !exists() {
                return Err(SqliteError::Leftover(left.into()));
            }
        }
        match create_private(path, &contents(path)?) {
            // Another process created it first.
            Err(FileError::Exists(_)) => Ok(()),
            made => Ok(made?),
        }
    }

    /// Opens the store at `path` for writing.
    pub(crate) fn open(path: &Path) -> Result<(Self, Connection), SqliteError> {
        if rusqlite::version_number() < OLDEST_LIBRARY {
            return Err(SqliteError::Library(rusqlite::version()));
        }
        // An absolute path is never a URI or an in-memory database for SQLite.
        let path = fs::canonicalize(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => SqliteError::Missing(path.into()),
            _ => FileError::Io { action: "open", path: path.into(), source }.into(),
        })?;
        check_secret(&path)?;
        private_dir(path.parent().unwrap_or(&path))?;
        let connection = connect(&path)?;
        claim(&path, &connection)?;
        let file = identity(&path).ok_or_else(|| SqliteError::Replaced(path.clone()))?;
        Ok((Self { path, file }, connection))
    }

    /// Returns whether the file is still the one that was opened: writes to a replaced file are
    /// lost.
    pub(crate) fn check_same(&self) -> Result<(), SqliteError> {
        match identity(&self.path) == Some(self.file) {
            true => Ok(()),
            false => Err(SqliteError::Replaced(self.path.clone())),
        }
    }

    /// Opens another connection.
    pub(crate) fn connect(&self) -> Result<Connection, SqliteError> {
        let connection = connect(&self.path)?;
        self.check_same()?;
        Ok(connection)
    }
}

/// Returns an empty store in memory.
pub(crate) fn fresh() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(include_str!("schema.sql"))?;
    Ok(connection)
}

/// Verifies that the file is a writable store before anything is written.
fn claim(path: &Path, connection: &Connection) -> Result<(), SqliteError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    let failed = |error| failed(path, error);
    let application: i64 = pragma("application_id").map_err(failed)?;
    let version: i64 = pragma("user_version").map_err(failed)?;
    if application != APPLICATION || version < FORMAT {
        return Err(SqliteError::Foreign(path.into()));
    }
    if version > FORMAT {
        return Err(SqliteError::Newer { path: path.into(), version });
    }
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        return Err(SqliteError::NoLog(path.into()));
    }
    row::end(connection).map_err(failed)?;
    // Detects a read-only log.
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").map_err(failed)
}

fn contents(path: &Path) -> Result<Vec<u8>, SqliteError> {
    let epoch = Epoch(0).another().map_err(|_| SqliteError::Random)?;
    let make = || {
        let mut connection = fresh()?;
        connection.execute(
            "INSERT INTO state (only, head, floor, epoch) VALUES (1, 0, 0, ?1)",
            params![row::to_column(epoch.0)],
        )?;
        Ok(connection.serialize(MAIN_DB)?.to_vec())
    };
    let mut bytes = make().map_err(|source: rusqlite::Error| SqliteError::Sqlite {
        path: path.into(),
        source: Box::new(source),
    })?;
    // Read and write version 2: a database with a write-ahead log. Two processes that open the
    // store for the first time at once then need not change them.
    for version in bytes.iter_mut().skip(18).take(2) {
        *version = 2;
    }
    Ok(bytes)
}

fn connect(path: &Path) -> Result<Connection, SqliteError> {
    let failed = |error| failed(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    // Before the first read, which would create a log that stays read-only.
    if connection.is_readonly(MAIN_DB).map_err(failed)? {
        return Err(SqliteError::ReadOnly(path.into()));
    }
    set_up(&connection).map_err(failed)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(32);
    // Nothing planted in the schema runs.
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8192;
         PRAGMA wal_autocheckpoint = 1000;",
    )
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

fn failed(path: &Path, error: rusqlite::Error) -> SqliteError {
    let path = path.to_path_buf();
    if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) {
        return SqliteError::ReadOnly(path);
    }
    match crate::failed(error) {
        StoreError::Corrupt(source) => SqliteError::Damaged { path, source: source.into() },
        StoreError::Backend(source) => SqliteError::Sqlite { path, source },
        other => SqliteError::Sqlite { path, source: Box::new(other) },
    }
}
