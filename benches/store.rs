//! Durable creation and opening on SQLite, beside what SQLite itself does.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::io::Write as _;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rusqlite::Connection;
use symbolon::journal::JournalKeys;
use symbolon::store::{Cursor, TokenStore as _};
use symbolon::{Caller, Engine, MemoryStore, Options};
use symbolon_benches::{key, new_authorization, options, world};
use symbolon_journal::FileJournal;
use symbolon_sqlite::SqliteStore;
use tempfile::TempDir;

/// A folder on a disk: the one of the build, for the system's temporary folder may lie in memory.
fn folder() -> TempDir {
    let built = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "../target".into());
    tempfile::Builder::new()
        .prefix("bench")
        .tempdir_in(built)
        .unwrap()
}

fn create(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("create");
    let folder = folder();
    let store = Arc::new(SqliteStore::open(folder.path().join("store.db")).unwrap());
    let world_on_disk = world(store, 1);
    let organization = world_on_disk.tokens.first().unwrap().1;
    let issuer = world_on_disk.engine.issuer();
    group.bench_function("symbolon-sqlite", |bencher| {
        bencher.iter(|| {
            issuer
                .create(&Caller::Root, new_authorization(organization))
                .unwrap()
        });
    });
    let journaled = journaled(folder.path());
    group.bench_function("symbolon-sqlite-journal", |bencher| {
        let root = Caller::Root;
        let organization = journaled.issuer().organization_named(&root, "org");
        let organization = organization.unwrap().id;
        let issuer = journaled.issuer();
        bencher.iter(|| {
            issuer
                .create(&root, new_authorization(organization))
                .unwrap()
        });
    });
    let bare = bare_table(&folder.path().join("bare.db"));
    // Criterion calls this more than once.
    let mut number = 0_i64;
    group.bench_function("bare-sqlite", |bencher| {
        bencher.iter(|| {
            number += 1;
            insert(&bare, number);
        });
    });
    let mut log = std::fs::File::create(folder.path().join("log")).unwrap();
    group.bench_function("fsync-floor", |bencher| {
        bencher.iter(|| {
            log.write_all(&[7; 300]).unwrap();
            log.sync_data().unwrap();
        });
    });
    let in_memory = world(Arc::new(MemoryStore::new()), 1);
    let organization = in_memory.tokens.first().unwrap().1;
    let issuer = in_memory.engine.issuer();
    group.bench_function("symbolon-memory", |bencher| {
        bencher.iter(|| {
            issuer
                .create(&Caller::Root, new_authorization(organization))
                .unwrap()
        });
    });
    group.finish();
}

/// An engine that keeps a journal in files, with one organization.
fn journaled(folder: &std::path::Path) -> Engine {
    let store = Arc::new(SqliteStore::open(folder.join("journaled.db")).unwrap());
    let journal = FileJournal::open(&folder.join("journal"), JournalKeys::new(&key())).unwrap();
    let options = Options {
        journal: Some(Arc::new(journal)),
        ..options()
    };
    let engine = Engine::create(store, key(), options).unwrap();
    let made = engine
        .issuer()
        .create_organization(&Caller::Root, "org", "");
    made.unwrap();
    engine
}

fn bare_table(path: &std::path::Path) -> Connection {
    let bare = Connection::open(path).unwrap();
    bare.pragma_update(None, "journal_mode", "WAL").unwrap();
    bare.pragma_update(None, "synchronous", "FULL").unwrap();
    bare.execute_batch(
        "CREATE TABLE record (id INTEGER PRIMARY KEY, hash BLOB UNIQUE, bytes BLOB) STRICT",
    )
    .unwrap();
    bare
}

fn insert(bare: &Connection, number: i64) {
    let hash = blake3::hash(&number.to_be_bytes());
    let mut statement = bare
        .prepare_cached("INSERT INTO record VALUES (?, ?, ?)")
        .unwrap();
    let bytes = [7_u8; 120].as_slice();
    statement
        .execute((number, hash.as_bytes().as_slice(), bytes))
        .unwrap();
}

/// From closed to the first correct check.
fn open(criterion: &mut Criterion) {
    const COUNT: u64 = 1_000_000;
    let mut group = criterion.benchmark_group("open");
    group.sample_size(10);
    let folder = folder();
    let path = folder.path().join("store.db");
    let made = world(Arc::new(SqliteStore::open(&path).unwrap()), COUNT);
    let (token, organization) = made.tokens.into_iter().last().unwrap();
    drop(made.engine);
    let permission = new_authorization(organization).permissions;
    let kind = permission.first().unwrap().resource.kind;
    let request = symbolon::Request::new(symbolon::Action::READ, kind).organization(organization);
    group.bench_function(BenchmarkId::new("symbolon-sqlite", COUNT), |bencher| {
        bencher.iter(|| {
            let store = Arc::new(SqliteStore::open(&path).unwrap());
            let engine = Engine::open(store, key(), options()).unwrap();
            engine.verifier().check(token.reveal(), &request).unwrap();
            engine
        });
    });
    group.bench_function(BenchmarkId::new("bare-scan", COUNT), |bencher| {
        bencher.iter(|| {
            let store = SqliteStore::open(&path).unwrap();
            let (mut cursor, mut rows) = (Cursor::start(), 0);
            loop {
                let page = store.scan(&cursor, 2000).unwrap();
                rows += page.items.len();
                if page.end.is_some() {
                    return rows;
                }
                cursor = page.next;
            }
        });
    });
    group.finish();
}

criterion_group!(benches, create, open);
criterion_main!(benches);
