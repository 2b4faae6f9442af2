//! Writes within the caller's transaction.

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use symbolon::record::{Kind, RecordKey};
use symbolon::store::{Epoch, Revision, Write, check_commit};
use symbolon::{Id, Minute, StoreError};

use crate::row::{self, from_column, to_column};

/// Applies `writes`, or returns the write that fails; then nothing was written.
///
/// The constraints of the table refuse an existing record and a unique key of another record, so a
/// commit that they accept is not compared with them beforehand. Only if one is refused, the
/// transaction starts again to find the first failing write.
pub(crate) fn commit(
    connection: &mut Connection,
    writes: &[Write],
) -> Result<Revision, StoreError> {
    match write(connection, writes, |connection| are_current(connection, writes)) {
        Err(Refused::Rule) => write(connection, writes, |connection| check(connection, writes)),
        written => written,
    }
    .map_err(StoreError::from)
}

/// Writes in a transaction of its own, after `check`.
fn write(
    connection: &mut Connection,
    writes: &[Write],
    check: impl FnOnce(&Connection) -> Result<(), Refused>,
) -> Result<Revision, Refused> {
    let transaction = Immediate::begin(connection)?;
    let connection = transaction.0;
    check(connection)?;
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
pub(crate) enum Refused {
    /// The contents of the store conflict with one of the writes.
    Rule,
    Store(StoreError),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Rule,
            _ => Self::Store(crate::failed(error)),
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refused> for StoreError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Store(error) => error,
            // The rule has just accepted the writes.
            Refused::Rule => Self::Corrupt("a constraint of its table fails".into()),
        }
    }
}

fn is_insertion(write: &Write) -> bool {
    matches!(write, Write::Put { expected, .. } if *expected == Revision::ABSENT)
}

/// Checks that every record that is not inserted has the expected revision.
fn are_current(connection: &Connection, writes: &[Write]) -> Result<(), Refused> {
    for write in writes.iter().filter(|write| !is_insertion(write)) {
        if revision(connection, write.key())? != write.expected() {
            return Err(Refused::Rule);
        }
    }
    Ok(())
}

/// Checks the rule of a commit.
pub(crate) fn check(connection: &Connection, writes: &[Write]) -> Result<(), Refused> {
    check_commit(
        writes,
        |key| Ok(revision(connection, key)?),
        |kind, unique| holder(connection, kind, unique),
    )
}

fn revision(connection: &Connection, record: RecordKey) -> rusqlite::Result<Revision> {
    let mut select =
        connection.prepare_cached("SELECT revision FROM record WHERE kind = ?1 AND id = ?2")?;
    let found: Option<i64> = select.query_row(key(record), |row| row.get(0)).optional()?;
    Ok(Revision(found.unwrap_or_default().cast_unsigned()))
}

/// Returns the record of this kind with this unique key.
fn holder(
    connection: &Connection,
    kind: Kind,
    unique: &[u8],
) -> Result<Option<RecordKey>, Refused> {
    let mut select =
        connection.prepare_cached("SELECT id FROM record WHERE kind = ?1 AND uniq = ?2")?;
    let found: Option<i64> =
        select.query_row(params![kind.0, unique], |row| row.get(0)).optional()?;
    let Some(id) = found else {
        return Ok(None);
    };
    let planted = || StoreError::Corrupt("a record has the id 0".into());
    Ok(Some(RecordKey::new(kind, Id::new(from_column(id)).ok_or_else(planted)?)))
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
