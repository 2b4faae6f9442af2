//! Detection of damage.

use rusqlite::Connection;
use symbolon::StoreError;

use crate::open;

/// Returns a line for each defect: first those that SQLite finds, then violations of our own rules.
pub(crate) fn integrity(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for part in [by_sqlite, by_rules, by_schema] {
        match part(connection).map_err(crate::failed) {
            Ok(lines) => found.extend(lines),
            // An error in one part does not prevent the other checks.
            Err(StoreError::Corrupt(line)) => found.push(line),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn by_sqlite(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut found = lines(connection, "PRAGMA integrity_check")?;
    found.retain(|line| line != "ok");
    Ok(found)
}

fn by_rules(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut found = Vec::new();
    for (broken, damage) in RULES {
        if connection.query_row(broken, [], |row| row.get(0))? {
            found.push((*damage).into());
        }
    }
    Ok(found)
}

fn by_schema(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let schema = "SELECT concat_ws(' ', type, name, sql) FROM sqlite_schema \
                  WHERE name NOT LIKE 'sqlite_%' ORDER BY 1";
    let same = lines(connection, schema)? == lines(&open::fresh()?, schema)?;
    let damage = || "tables or indexes differ from the schema".into();
    Ok((!same).then(damage).into_iter().collect())
}

fn lines(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare(sql)?;
    select.query_map([], |row| row.get(0))?.collect()
}

const RULES: &[(&str, &str)] = &[
    ("SELECT count(*) <> 1 FROM state", "the state of the store is missing"),
    (
        "SELECT coalesce(max(revision) > (SELECT head FROM state), false) FROM record",
        "a record is newer than the newest commit",
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM record WHERE id = -9223372036854775808)",
        "a record has the id 0",
    ),
];
