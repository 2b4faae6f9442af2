//! Reading rows. An attacker who can write to the file can plant any row, which must not prevent
//! other rows from being read. The engine refuses planted records, because they lack its MAC.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Rows, params};
use symbolon::record::{Columns, Kind, MAX_RECORD, Record, RecordKey};
use symbolon::store::{Cursor, End, Epoch, Page, Position, Query, Revision, Stored};
use symbolon::{Id, Minute};

/// Builds a `SELECT` with a condition. A join with `last_used` would take ten times as long as the
/// subquery.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT kind, id, revision, uniq, organization, user, status, face, bytes, \
             (SELECT minute FROM last_used WHERE last_used.id = record.id AND kind = 1) \
             FROM record ",
            $rest
        )
    };
}

/// Converts an unsigned number to the stored integer, preserving the order.
pub(crate) const fn to_column(number: u64) -> i64 {
    (number ^ 1 << 63).cast_signed()
}

pub(crate) const fn from_column(number: i64) -> u64 {
    number.cast_unsigned() ^ 1 << 63
}

pub(crate) fn end(connection: &Connection) -> rusqlite::Result<End> {
    connection.prepare_cached("SELECT head, floor, epoch FROM state")?.query_row([], |row| {
        Ok(End {
            head: Revision(row.get(0)?),
            floor: Revision(row.get(1)?),
            epoch: Epoch(from_column(row.get(2)?)),
        })
    })
}

/// Counts the records in the smallest index, fifty times as fast as a scan.
pub(crate) fn count(connection: &Connection) -> rusqlite::Result<usize> {
    connection.prepare_cached("SELECT count(*) FROM record")?.query_row([], |row| row.get(0))
}

pub(crate) fn get(connection: &Connection, key: &RecordKey) -> rusqlite::Result<Option<Stored>> {
    let mut select = connection.prepare_cached(select!("WHERE kind = ?1 AND id = ?2"))?;
    let found =
        select.query_row(params![key.kind.0, to_column(key.id.number())], stored).optional()?;
    Ok(found.flatten())
}

/// Scans from the start in the order of keys, which is the order of the table and takes a third of
/// the time. It may miss concurrent writes, so it continues by revision with everything written
/// since it began, as every other scan does.
pub(crate) fn scan(
    connection: &Connection,
    after: &Cursor,
    limit: usize,
) -> rusqlite::Result<Page> {
    let end = end(connection)?;
    match RowBatch::at(after, end) {
        Some(sweep) => sweep.page(connection, end, limit),
        None => since(connection, after.into(), end, limit),
    }
}

/// A scan in the order of keys.
struct RowBatch {
    /// Newest commit at the start of the scan.
    began: Revision,
    /// Kind and id of the last row, as stored.
    met: (i64, i64),
}

/// Suffix of the cursor of a sweep. Parsed as a [`Position`], such a cursor is the start.
const SWEEP: u8 = 1;

impl RowBatch {
    /// Returns the sweep to continue at a cursor.
    fn at(cursor: &Cursor, end: End) -> Option<Self> {
        let Some((SWEEP, bytes)) = cursor.as_bytes().split_last().map(|(tag, rest)| (*tag, rest))
        else {
            let starts = cursor.as_bytes().is_empty();
            return starts.then_some(Self { began: end.head, met: (-1, i64::MIN) });
        };
        let (began, rest) = bytes.split_first_chunk()?;
        let (kind, id) = rest.split_first()?;
        Some(Self {
            began: Revision(u64::from_be_bytes(*began)),
            met: ((*kind).into(), to_column(u64::from_be_bytes(id.try_into().ok()?))),
        })
    }

    fn cursor(began: Revision, met: RecordKey) -> Cursor {
        let mut bytes = began.0.to_be_bytes().to_vec();
        bytes.push(met.kind.0);
        bytes.extend_from_slice(&met.id.number().to_be_bytes());
        bytes.push(SWEEP);
        Cursor::from_bytes(&bytes)
    }

    fn page(&self, connection: &Connection, end: End, limit: usize) -> rusqlite::Result<Page> {
        // No commit has the revision 0, nor one below.
        let mut select = connection.prepare_cached(select!(
            "WHERE (kind, id) > (?1, ?2) AND revision > 0 ORDER BY kind, id"
        ))?;
        let (items, more) = take(&mut select.query(self.met)?, limit)?;
        let next = match items.last().filter(|_| more) {
            Some(last) => Self::cursor(self.began, last.record.key),
            None => Position::after(End { head: self.began, ..end }).into(),
        };
        let done = !more && self.began == end.head;
        Ok(Page { items, next, end: done.then_some(end) })
    }
}

fn since(
    connection: &Connection,
    after: Position,
    end: End,
    limit: usize,
) -> rusqlite::Result<Page> {
    let mut select = connection.prepare_cached(select!(
        "WHERE (revision, kind, id) > (?1, ?2, ?3) ORDER BY revision, kind, id"
    ))?;
    let revision = i64::try_from(after.revision.0).unwrap_or(i64::MAX);
    let key = after.key;
    let mut rows = select.query(params![revision, key.kind.0, to_column(key.id.number())])?;
    let (items, more) = take(&mut rows, limit)?;
    let position = match items.last().filter(|_| more) {
        Some(last) => {
            Position { revision: last.revision, key: last.record.key, epoch: Some(end.epoch) }
        }
        None => Position::after(end),
    };
    Ok(Page { items, next: position.into(), end: (!more).then_some(end) })
}

/// Returns at most `limit` records, and whether there are more.
fn take(rows: &mut Rows<'_>, limit: usize) -> rusqlite::Result<(Vec<Stored>, bool)> {
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(item) = stored(row)? else {
            continue;
        };
        if items.len() >= limit.max(1) {
            return Ok((items, true));
        }
        items.push(item);
    }
    Ok((items, false))
}

/// Selects by the index that leaves the fewest rows; [`Query::wants`] applies the rest of the
/// query. The indexes are named because SQLite would otherwise read all records of the kind.
pub(crate) fn find(connection: &Connection, query: &Query) -> rusqlite::Result<Vec<Stored>> {
    let id = |id: Id| Value::Integer(to_column(id.number()));
    let (sql, value) = match (&query.unique, query.user, query.organization) {
        (Some(unique), _, _) => (
            select!("INDEXED BY by_unique WHERE kind = ?1 AND id > ?2 AND uniq = ?3"),
            Value::Blob(unique.to_vec()),
        ),
        (None, Some(user), _) => (
            select!("INDEXED BY by_user WHERE kind = ?1 AND id > ?2 AND user = ?3 ORDER BY id"),
            id(user),
        ),
        (None, None, Some(organization)) => (
            select!(
                "INDEXED BY by_organization \
                 WHERE kind = ?1 AND id > ?2 AND organization = ?3 ORDER BY id"
            ),
            id(organization),
        ),
        (None, None, None) => {
            (select!("WHERE kind = ?1 AND id > ?2 AND ?3 IS NULL ORDER BY id"), Value::Null)
        }
    };
    let after = to_column(query.after.map_or(0, Id::number));
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params![query.kind.0, after, value])?;
    let mut found = Vec::new();
    while found.len() < query.limit {
        let Some(row) = rows.next()? else {
            break;
        };
        found.extend(stored(row)?.filter(|item| query.wants(&item.record)));
    }
    Ok(found)
}

/// Returns none for a row without a valid key, which cannot be a record.
fn stored(row: &Row<'_>) -> rusqlite::Result<Option<Stored>> {
    let number = |at: usize| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_i64().ok());
    let code =
        |at: usize| Ok::<_, rusqlite::Error>(number(at)?.and_then(|code| u8::try_from(code).ok()));
    let id = |at: usize| Ok::<_, rusqlite::Error>(number(at)?.map_or(0, from_column));
    let (Some(kind), Some(key_id)) = (code(0)?, Id::new(id(1)?)) else {
        return Ok(None);
    };
    let codes = (code(6)?.unwrap_or(u8::MAX), code(7)?.unwrap_or(u8::MAX));
    let columns = Columns::from_codes(id(4)?, id(5)?, codes.0, codes.1);
    let minute = number(9)?.and_then(|minute| u32::try_from(minute).ok());
    Ok(Some(Stored {
        record: Record {
            key: RecordKey::new(Kind(kind), key_id),
            unique: blob(row.get_ref(3)?),
            columns: columns.unwrap_or_default(),
            bytes: blob(row.get_ref(8)?).unwrap_or_default(),
        },
        revision: Revision(number(2)?.unwrap_or_default().cast_unsigned()),
        last_used: minute.map(Minute),
    }))
}

/// Truncates to one byte more than the maximum size of a record, so that a page of planted rows
/// fits into memory.
fn blob(value: ValueRef<'_>) -> Option<Box<[u8]>> {
    match value {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => {
            Some(bytes.get(..=MAX_RECORD).unwrap_or(bytes).into())
        }
        _ => None,
    }
}
