//! Reading rows. Whoever can write to the file can plant any row; it must not stop the others from being read. What
//! is read of it is refused by the engine, whose MAC it lacks.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};
use symbolon::record::{Columns, Kind, MAX_RECORD, Record, RecordKey};
use symbolon::store::{End, Epoch, Page, Position, Query, Revision, Stored};
use symbolon::{Id, Minute};

/// Followed by a condition. A join with `last_used` takes ten times as long as the query within.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT kind, id, revision, uniq, organization, user, status, face, bytes, \
             (SELECT minute FROM last_used WHERE last_used.id = record.id AND kind = 1) FROM record ",
            $rest
        )
    };
}

/// How an id, or any other number without a sign, is stored so that it sorts rightly.
pub(crate) const fn to_column(number: u64) -> i64 {
    (number ^ 1 << 63).cast_signed()
}

pub(crate) const fn from_column(number: i64) -> u64 {
    number.cast_unsigned() ^ 1 << 63
}

pub(crate) fn end(connection: &Connection) -> rusqlite::Result<End> {
    connection
        .prepare_cached("SELECT head, floor, epoch FROM state")?
        .query_row([], |row| {
            Ok(End {
                head: Revision(row.get(0)?),
                floor: Revision(row.get(1)?),
                epoch: Epoch(from_column(row.get(2)?)),
            })
        })
}

pub(crate) fn get(connection: &Connection, key: &RecordKey) -> rusqlite::Result<Option<Stored>> {
    let mut select = connection.prepare_cached(select!("WHERE kind = ?1 AND id = ?2"))?;
    let found = select
        .query_row(params![key.kind.0, to_column(key.id.number())], stored)
        .optional()?;
    Ok(found.flatten())
}

pub(crate) fn scan(
    connection: &Connection,
    after: Position,
    limit: usize,
) -> rusqlite::Result<Page> {
    let end = end(connection)?;
    let mut select = connection.prepare_cached(select!(
        "WHERE (revision, kind, id) > (?1, ?2, ?3) ORDER BY revision, kind, id"
    ))?;
    let revision = i64::try_from(after.revision.0).unwrap_or(i64::MAX);
    let key = after.key;
    let mut rows = select.query(params![revision, key.kind.0, to_column(key.id.number())])?;
    let mut items: Vec<Stored> = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(item) = stored(row)? else {
            continue;
        };
        if let Some(last) = items.last().filter(|_| items.len() >= limit) {
            let next = Position {
                revision: last.revision,
                key: last.record.key,
                epoch: Some(end.epoch),
            };
            return Ok(Page {
                items,
                next: next.into(),
                end: None,
            });
        }
        items.push(item);
    }
    Ok(Page {
        items,
        next: Position::after(end).into(),
        end: Some(end),
    })
}

/// By the index that leaves the fewest rows; the rest of the query is left to [`Query::wants`]. The indexes are
/// named because SQLite would rather read all records of the kind.
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
                "INDEXED BY by_organization WHERE kind = ?1 AND id > ?2 AND organization = ?3 ORDER BY id"
            ),
            id(organization),
        ),
        (None, None, None) => (
            select!("WHERE kind = ?1 AND id > ?2 AND ?3 IS NULL ORDER BY id"),
            Value::Null,
        ),
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

/// None if the row cannot be a record at all, as it has no key.
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

/// At most one byte more than a record can have, so that a page of planted rows fits into memory.
fn blob(value: ValueRef<'_>) -> Option<Box<[u8]>> {
    match value {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => {
            Some(bytes.get(..=MAX_RECORD).unwrap_or(bytes).into())
        }
        _ => None,
    }
}
