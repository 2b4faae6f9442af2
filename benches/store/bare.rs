//! The stores' libraries alone, with the same columns, indexes and bytes, and the same durability.

use std::fs::File;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, params};
use sled::transaction::{ConflictableTransactionError, Transactional as _};
use symbolon::store::{Cursor, Stored, TokenStore};
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;

/// Reads all records of the store, or all rows of the library, at these paths.
type Read = fn(&Path, &Path);

/// A store's library alone.
pub(crate) trait Bare {
    const NAME: &'static str;
    /// Figures to compare the opening of a store with.
    const READS: &'static [(&'static str, Read)];

    /// Opens the store that uses the library, in this folder.
    fn store(folder: &Path) -> Arc<dyn TokenStore>;
    /// Creates empty tables in this folder, or opens them.
    fn make(folder: &Path) -> Self;
    fn commit(&mut self, rows: &[Row]);
}

/// A row with the columns that have an index.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) unique: [u8; 33],
    pub(crate) organization: u64,
    pub(crate) user: Option<u64>,
    pub(crate) bytes: Vec<u8>,
}

impl Row {
    /// Returns a row with the content of `stored` and keys derived from `number`.
    pub(crate) fn like(stored: &Stored, number: u64) -> Self {
        let columns = &stored.record.columns;
        let mut unique = [1; 33];
        unique[1..].copy_from_slice(blake3::hash(&number.to_be_bytes()).as_bytes());
        Self {
            id: ((300_000_000_000 + number) << 22) | (number % 1000),
            unique,
            organization: columns.organization.map_or(0, |id| id.number()),
            user: columns.user.map(|id| id.number()),
            bytes: stored.record.bytes.to_vec(),
        }
    }
}

/// Opens a database whose commits are on disk when they return.
fn open_durable(folder: &Path) -> Connection {
    std::fs::create_dir_all(folder).unwrap();
    let connection = Connection::open(folder.join(FILE)).unwrap();
    for (name, value) in [("journal_mode", "WAL"), ("synchronous", "FULL")] {
        connection.pragma_update(None, name, value).unwrap();
    }
    connection
}

/// The table of the SQLite store.
pub(crate) struct BareSqlite {
    connection: Connection,
    revision: i64,
}

const FILE: &str = "rows.db";
const TABLE: &str = "
    CREATE TABLE record (
        kind INTEGER NOT NULL, id INTEGER NOT NULL, revision INTEGER NOT NULL, uniq BLOB,
        organization INTEGER, user INTEGER, status INTEGER NOT NULL, face INTEGER NOT NULL,
        bytes BLOB NOT NULL, PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX by_revision ON record (revision, kind, id);
    CREATE UNIQUE INDEX by_unique ON record (kind, uniq) WHERE uniq IS NOT NULL;
    CREATE INDEX by_organization ON record (organization, kind, id) WHERE organization IS NOT NULL;
    CREATE INDEX by_user ON record (user, kind, id) WHERE user IS NOT NULL;";

impl Bare for BareSqlite {
    const NAME: &'static str = "sqlite";
    const READS: &'static [(&'static str, Read)] = &[
        ("open/bare-scan-sqlite", |ours, _| scan(&*Self::store(ours))),
        ("open/bare-select-sqlite", |_, theirs| select(theirs)),
    ];

    fn store(folder: &Path) -> Arc<dyn TokenStore> {
        Arc::new(SqliteStore::open(folder.join("store.db")).unwrap())
    }

    fn make(folder: &Path) -> Self {
        let connection = open_durable(folder);
        connection.execute_batch(TABLE).unwrap();
        Self { connection, revision: 0 }
    }

    fn commit(&mut self, rows: &[Row]) {
        self.revision += 1;
        let transaction = self.connection.transaction().unwrap();
        let sql = "INSERT INTO record VALUES (1, ?1, ?2, ?3, ?4, ?5, 1, 1, ?6)";
        let mut insert = transaction.prepare_cached(sql).unwrap();
        for row in rows {
            let values = params![
                row.id.cast_signed(),
                self.revision,
                row.unique,
                row.organization.cast_signed(),
                row.user.map(u64::cast_signed),
                row.bytes
            ];
            insert.execute(values).unwrap();
        }
        drop(insert);
        transaction.commit().unwrap();
    }
}

/// Reads every row of the table in `folder`, with all columns.
fn select(folder: &Path) {
    let connection = Connection::open(folder.join(FILE)).unwrap();
    let sql = "SELECT id, revision, uniq, organization, user, status, face, bytes FROM record";
    let mut select = connection.prepare(sql).unwrap();
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let number = |at| row.get_ref(at).unwrap().as_i64().unwrap_or_default();
        black_box([0, 1, 3, 4, 5, 6].map(number));
        black_box([2, 7].map(|at| row.get_ref(at).unwrap().as_blob().unwrap().to_vec()));
    }
}

/// Reads all records of a store.
fn scan(store: &dyn TokenStore) {
    let mut cursor = Cursor::start();
    loop {
        let page = store.scan(&cursor, 2000).unwrap();
        if page.end.is_some() {
            return;
        }
        cursor = page.next;
    }
}

/// A table of three columns with one index, as many programs have.
pub(crate) struct PlainSqlite(Connection);

impl PlainSqlite {
    pub(crate) fn make(folder: &Path) -> Self {
        let connection = open_durable(folder);
        let table =
            "CREATE TABLE record (id INTEGER PRIMARY KEY, hash BLOB UNIQUE, bytes BLOB) STRICT";
        connection.execute_batch(table).unwrap();
        Self(connection)
    }

    pub(crate) fn insert(&self, row: &Row) {
        let sql = "INSERT INTO record VALUES (?, ?, ?)";
        let mut insert = self.0.prepare_cached(sql).unwrap();
        let values = params![row.id.cast_signed(), row.unique, row.bytes];
        insert.execute(values).unwrap();
    }
}

/// The five trees of the sled store.
pub(crate) struct BareSled {
    db: sled::Db,
    /// The file of sled, whose own `flush` does not wait for the disk.
    file: File,
    trees: [sled::Tree; 5],
    revision: u64,
}

impl Bare for BareSled {
    const NAME: &'static str = "sled";
    const READS: &'static [(&'static str, Read)] = &[("open/bare-scan-sled", |_, theirs| {
        let bytes = |entry: sled::Result<(_, sled::IVec)>| entry.unwrap().1.len();
        black_box(Self::make(theirs).trees[0].iter().map(bytes).sum::<usize>());
    })];

    fn store(folder: &Path) -> Arc<dyn TokenStore> {
        Arc::new(SledStore::open(folder).unwrap())
    }

    fn make(folder: &Path) -> Self {
        let db = sled::open(folder).unwrap();
        let tree = |name: &str| db.open_tree(name).unwrap();
        let trees = ["record", "revision", "unique", "organization", "user"].map(tree);
        Self { file: File::open(folder.join("db")).unwrap(), db, trees, revision: 0 }
    }

    fn commit(&mut self, rows: &[Row]) {
        self.revision += 1;
        let revision = self.revision.to_be_bytes();
        let write = |trees: &Vec<sled::transaction::TransactionalTree>| {
            let [record, by_revision, unique, organization, user] = trees.as_slice() else {
                return Ok(());
            };
            for row in rows {
                let key = row.id.to_be_bytes();
                let owner = |owner: u64| [owner.to_be_bytes(), key].concat();
                record.insert(&key, [&row.unique, row.bytes.as_slice()].concat())?;
                by_revision.insert([revision, key].concat(), &[])?;
                unique.insert(row.unique.as_slice(), &key)?;
                organization.insert(owner(row.organization), &[])?;
                if let Some(of) = row.user {
                    user.insert(owner(of), &[])?;
                }
            }
            Ok::<(), ConflictableTransactionError<()>>(())
        };
        self.trees[..].transaction(write).unwrap();
        self.db.flush().unwrap();
        self.file.sync_all().unwrap();
    }
}
