//! What is damaged.

use rusqlite::Connection;

use crate::open;

/// A line for every damage: what SQLite finds, then what only we know to be wrong.
pub(crate) fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let lines = |sql: &str| -> rusqlite::Result<Vec<String>> {
        connection
            .prepare(sql)?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let mut found = lines("PRAGMA integrity_check")?;
    found.retain(|line| line != "ok");
    for (sql, damage) in RULES {
        if connection.query_row(sql, [], |row| row.get(0))? {
            found.push((*damage).into());
        }
    }
    let schema = "SELECT concat_ws(' ', type, name, sql) FROM sqlite_schema \
                  WHERE name NOT LIKE 'sqlite_%' ORDER BY 1";
    let fresh = open::fresh()?;
    let mut select = fresh.prepare(schema)?;
    let expected: Vec<String> = select
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if lines(schema)? != expected {
        found.push("tables or indexes are not those that were made".into());
    }
    Ok(found)
}

const RULES: &[(&str, &str)] = &[
    (
        "SELECT count(*) <> 1 FROM state",
        "the state of the store is missing",
    ),
    (
        "SELECT coalesce(max(revision) > (SELECT head FROM state), false) FROM record",
        "a record is newer than the newest commit",
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM record WHERE id = -9223372036854775808)",
        "a record has the id 0",
    ),
];
