//! Embedded stores: reading a row by the hash of a token, with and without a cache.

use moka::sync::Cache;
use redb::{Database, ReadableDatabase as _, TableDefinition};
use rusqlite::Connection;
use symbolon_benches::{Bench, target};

use crate::{Hash, Rows, VALUE};

pub(crate) fn all(bench: &mut Bench, rows: &Rows) {
    let folder = tempfile::tempdir_in(target()).unwrap();
    let sqlite = sqlite(rows, &folder.path().join("rows.db"));
    let read = |text: &str| select(&sqlite, &Rows::hash(text));
    rows.look_up(bench, "peer/sqlite", read);
    let all = rows.texts.len() as u64;
    // A cache for a tenth of all rows, or for all.
    for (name, room) in [("peer/moka-sqlite", all / 10), ("peer/moka-hits", all * 2)] {
        let cache: Cache<Hash, usize> = Cache::new(room);
        for hash in rows.hashes().filter(|_| room > all) {
            cache.insert(hash, VALUE.len());
        }
        rows.look_up(bench, name, |text| {
            let hash = Rows::hash(text);
            cache.get(&hash).unwrap_or_else(|| {
                let found = select(&sqlite, &hash);
                cache.insert(hash, found);
                found
            })
        });
    }
    redb(bench, rows, &folder.path().join("rows.redb"));
    sled(bench, rows, &folder.path().join("rows.sled"));
}

fn sqlite(rows: &Rows, path: &std::path::Path) -> Connection {
    let mut sqlite = Connection::open(path).unwrap();
    sqlite.pragma_update(None, "journal_mode", "WAL").unwrap();
    let table =
        "CREATE TABLE token (hash BLOB PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID";
    sqlite.execute_batch(table).unwrap();
    let all = sqlite.transaction().unwrap();
    {
        let mut insert = all.prepare("INSERT INTO token VALUES (?, ?)").unwrap();
        for hash in rows.hashes() {
            insert.execute((hash.as_slice(), VALUE.as_slice())).unwrap();
        }
    }
    all.commit().unwrap();
    sqlite
}

fn select(sqlite: &Connection, hash: &Hash) -> usize {
    let select = sqlite.prepare_cached("SELECT bytes FROM token WHERE hash = ?");
    let length = |row: &rusqlite::Row<'_>| Ok(row.get_ref(0)?.as_blob()?.len());
    select.unwrap().query_row([hash.as_slice()], length).unwrap()
}

fn redb(bench: &mut Bench, rows: &Rows, path: &std::path::Path) {
    const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("token");
    let store = Database::create(path).unwrap();
    let writes = store.begin_write().unwrap();
    {
        let mut table = writes.open_table(TABLE).unwrap();
        for hash in rows.hashes() {
            table.insert(hash.as_slice(), VALUE.as_slice()).unwrap();
        }
    }
    writes.commit().unwrap();
    rows.look_up(bench, "peer/redb", |text| {
        // One transaction per look-up, so that revocations are seen.
        let reads = store.begin_read().unwrap();
        let table = reads.open_table(TABLE).unwrap();
        let found = table.get(Rows::hash(text).as_slice()).unwrap();
        found.unwrap().value().len()
    });
}

fn sled(bench: &mut Bench, rows: &Rows, path: &std::path::Path) {
    let store = sled::open(path).unwrap();
    for hash in rows.hashes() {
        store.insert(hash, VALUE.as_slice()).unwrap();
    }
    rows.look_up(bench, "peer/sled", |text| store.get(Rows::hash(text)).unwrap().unwrap().len());
}
