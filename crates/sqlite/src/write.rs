//! Writes within the caller's transaction.

use std::collections::HashSet;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use symbolon::record::{Kind, RecordKey};
use symbolon::store::{Epoch, Revision, Write};
use symbolon::{Id, Minute, StoreError};

use crate::row::{self, to_column};

/// Applies `writes`, or returns the write that fails; then nothing was written.
///
/// The constraints of the table refuse an existing record and a unique key of another record. Only
/// then the transaction starts again to determine the first failing write, in the order that
/// [`symbolon::store::TokenStore::commit`] requires.
pub(crate) fn commit(
    connection: &mut Connection,
    writes: &[Write],
) -> Result<Revision, StoreError> {
    match write(connection, writes, Compare::ButInsertions) {
        Err(refused) if refused.is_by_rule() => {
            write(connection, writes, Compare::All).map_err(StoreError::from)
        }
        written => written.map_err(StoreError::from),
    }
}

/// Writes to compare with the existing records before anything is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    /// All writes, with their unique keys.
    All,
    /// Only writes that the constraints of the table do not cover.
    ButInsertions,
}

/// Writes in a transaction of its own.
fn write(
    connection: &mut Connection,
    writes: &[Write],
    compare: Compare,
) -> Result<Revision, Refused> {
    let transaction = Immediate::begin(connection)?;
    let connection = transaction.0;
    if let Some(at) = conflict(connection, writes, compare)? {
        return Err(Refused::Conflict(at));
    }
    if compare == Compare::All
        && let Some(at) = duplicate(connection, writes)?
    {
        return Err(Refused::Duplicate(at));
    }
    let revision = apply(connection, writes)?;
    transaction.commit()?;
    Ok(revision)
}

/// A write transaction, rolled back when dropped unless it was committed. Unlike the library's own
/// type, it does not compile the statements that begin and end it each time.
struct Immediate<'c>(&'c Connection);

impl<'c> Immediate<'c> {
    fn begin(connection: &'c mut Connection) -> rusqlite::Result<Self> {
        let connection = &*connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self(connection))
    }

    fn commit(self) -> rusqlite::Result<()> {
        self.0.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Drop for Immediate<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // The next transaction reports a failure here.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

/// Reason for not committing a transaction.
enum Refused {
    Conflict(usize),
    Duplicate(usize),
    Sqlite(rusqlite::Error),
}

impl Refused {
    /// Returns whether the store is sound and its contents conflict with the writes.
    fn is_by_rule(&self) -> bool {
        match self {
            Self::Conflict(_) | Self::Duplicate(_) => true,
            Self::Sqlite(error) => {
                error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
            }
        }
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Refused> for StoreError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Conflict(at) => Self::Conflict(at),
            Refused::Duplicate(at) => Self::Duplicate(at),
            Refused::Sqlite(error) => crate::failed(error),
        }
    }
}

fn is_insertion(write: &Write) -> bool {
    matches!(write, Write::Put { expected, .. } if *expected == Revision::ABSENT)
}

/// Returns the first write to compare whose record does not have the expected revision.
pub(crate) fn conflict(
    connection: &Connection,
    writes: &[Write],
    compare: Compare,
) -> rusqlite::Result<Option<usize>> {
    let mut select =
        connection.prepare_cached("SELECT revision FROM record WHERE kind = ?1 AND id = ?2")?;
    for (at, write) in writes.iter().enumerate() {
        if compare == Compare::ButInsertions && is_insertion(write) {
            continue;
        }
        let found: Option<i64> = select.query_row(key(write.key()), |row| row.get(0)).optional()?;
        if found.unwrap_or_default().cast_unsigned() != write.expected().0 {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Returns the first write whose unique key another record would have after all writes.
fn duplicate(connection: &Connection, writes: &[Write]) -> rusqlite::Result<Option<usize>> {
    let mut select =
        connection.prepare_cached("SELECT kind, id FROM record WHERE kind = ?1 AND uniq = ?2")?;
    let rewritten: HashSet<(u8, i64)> = writes
        .iter()
        .filter(|write| !matches!(write, Write::Guard { .. }))
        .map(|write| key(write.key()))
        .collect();
    let mut taken = HashSet::new();
    for (at, write) in writes.iter().enumerate() {
        let Some((kind, unique)) = unique_of(write) else {
            continue;
        };
        let holder: Option<(u8, i64)> = select
            .query_row(params![kind.0, unique], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let held = holder.is_some_and(|holder| !rewritten.contains(&holder));
        if held || !taken.insert((kind, unique)) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Applies writes without conflicts, except conflicts that the constraints of the table detect.
fn apply(connection: &Connection, writes: &[Write]) -> rusqlite::Result<Revision> {
    let revision = row::end(connection)?.head.next();
    // Releases changed unique keys first, so that the order of the writes does not matter.
    let mut release = connection.prepare_cached(
        "UPDATE record SET uniq = NULL WHERE kind = ?1 AND id = ?2 AND uniq IS NOT ?3",
    )?;
    for write in writes {
        match write {
            Write::Put { record, .. } if !is_insertion(write) => {
                let (kind, id) = key(record.key);
                release.execute(params![kind, id, record.unique.as_deref()])?;
            }
            Write::Put { .. } | Write::Guard { .. } => {}
            Write::Purge { key, .. } => forget(connection, *key)?,
        }
    }
    put(connection, writes, revision)?;
    let purged = writes.iter().any(|write| matches!(write, Write::Purge { .. }));
    connection
        .prepare_cached("UPDATE state SET head = ?1, floor = iif(?2, ?1, floor)")?
        .execute(params![revision.0, purged])?;
    Ok(revision)
}

pub(crate) fn renew(connection: &Connection, epoch: Epoch) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached("UPDATE state SET epoch = ?1")?;
    update.execute([to_column(epoch.0)])?;
    Ok(())
}

pub(crate) fn touch(connection: &Connection, used: &[(Id, Minute)]) -> rusqlite::Result<()> {
    let mut note = connection.prepare_cached(
        "INSERT INTO last_used (id, minute) SELECT id, ?3 FROM record WHERE kind = ?1 AND id = ?2 \
         ON CONFLICT (id) DO UPDATE SET minute = excluded.minute WHERE excluded.minute > minute",
    )?;
    for (id, minute) in used {
        let (kind, id) = key(RecordKey::new(Kind::AUTHORIZATION, *id));
        note.execute(params![kind, id, minute.0])?;
    }
    Ok(())
}

fn put(connection: &Connection, writes: &[Write], revision: Revision) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO record (kind, id, revision, uniq, organization, user, status, face, bytes) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut replace = connection.prepare_cached(
        "UPDATE record SET revision = ?3, uniq = ?4, organization = ?5, user = ?6, status = ?7, \
         face = ?8, bytes = ?9 \
         WHERE kind = ?1 AND id = ?2",
    )?;
    for write in writes {
        let Write::Put { record, .. } = write else {
            continue;
        };
        let put = match is_insertion(write) {
            true => &mut insert,
            false => &mut replace,
        };
        let (kind, id) = key(record.key);
        let columns = &record.columns;
        put.execute(params![
            kind,
            id,
            revision.0,
            record.unique.as_deref(),
            columns.organization.map(|id| to_column(id.number())),
            columns.user.map(|id| to_column(id.number())),
            columns.status_code(),
            columns.origin_code(),
            &*record.bytes,
        ])?;
    }
    Ok(())
}

fn forget(connection: &Connection, record: RecordKey) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM record WHERE kind = ?1 AND id = ?2")?
        .execute(key(record))?;
    if record.kind == Kind::AUTHORIZATION {
        connection
            .prepare_cached("DELETE FROM last_used WHERE id = ?1")?
            .execute([to_column(record.id.number())])?;
    }
    Ok(())
}

fn key(key: RecordKey) -> (u8, i64) {
    (key.kind.0, to_column(key.id.number()))
}

fn unique_of(write: &Write) -> Option<(Kind, &[u8])> {
    match write {
        Write::Put { record, .. } => Some((record.key.kind, record.unique.as_deref()?)),
        Write::Purge { .. } | Write::Guard { .. } => None,
    }
}
