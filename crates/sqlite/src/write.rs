//! Writing, inside of the caller's transaction.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};
use symbolon::record::{Kind, Record, RecordKey};
use symbolon::store::{Epoch, Revision, Write};
use symbolon::{Id, Minute};

use crate::row::{self, to_column};

/// The first write whose record has not the revision that is expected.
pub(crate) fn conflict(
    connection: &Connection,
    writes: &[Write],
) -> rusqlite::Result<Option<usize>> {
    let mut select =
        connection.prepare_cached("SELECT revision FROM record WHERE kind = ?1 AND id = ?2")?;
    for (at, write) in writes.iter().enumerate() {
        let found: Option<i64> = select
            .query_row(key(write.key()), |row| row.get(0))
            .optional()?;
        if found.unwrap_or_default().cast_unsigned() != write.expected().0 {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// The first write whose unique key another record will have after all of them.
pub(crate) fn duplicate(
    connection: &Connection,
    writes: &[Write],
) -> rusqlite::Result<Option<usize>> {
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
            .query_row(params![kind.0, unique], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let held = holder.is_some_and(|holder| !rewritten.contains(&holder));
        if held || !taken.insert((kind, unique)) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Applies what was found to be neither in conflict nor a duplicate.
pub(crate) fn apply(connection: &Connection, writes: &[Write]) -> rusqlite::Result<Revision> {
    let revision = row::end(connection)?.head.next();
    // First every unique key is given up that is not kept, so that the order of the writes does not matter.
    let mut release = connection.prepare_cached(
        "UPDATE record SET uniq = NULL WHERE kind = ?1 AND id = ?2 AND uniq IS NOT ?3",
    )?;
    for write in writes {
        match write {
            Write::Put { record, expected } if *expected != Revision::ABSENT => {
                let (kind, id) = key(record.key);
                release.execute(params![kind, id, record.unique.as_deref()])?;
            }
            Write::Put { .. } | Write::Guard { .. } => {}
            Write::Purge { key, .. } => forget(connection, *key)?,
        }
    }
    for write in writes {
        if let Write::Put { record, .. } = write {
            put(connection, record, revision)?;
        }
    }
    let purged = writes
        .iter()
        .any(|write| matches!(write, Write::Purge { .. }));
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

fn put(connection: &Connection, record: &Record, revision: Revision) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO record (kind, id, revision, uniq, organization, user, status, face, bytes) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, uniq = excluded.uniq, \
         organization = excluded.organization, user = excluded.user, status = excluded.status, \
         face = excluded.face, bytes = excluded.bytes",
    )?;
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
        columns.face_code(),
        &*record.bytes,
    ])?;
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
