//! Writing and opening on SQLite and sled, compared with the libraries alone and with the disk.
//!
//! | figure | meaning |
//! |---|---|
//! | `create/…` | one durable creation by one caller |
//! | `create-64/…` | one of 64 concurrent durable creations, or of one commit of 64 rows |
//! | `import/…` | rows per second, in commits of 1,000 |
//! | `disk/…` | bytes per record of a closed store |
//! | `open/…` | seconds from closed to the first check, or for reading all records |
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

#[path = "store/bare.rs"]
mod bare;
#[path = "store/rows.rs"]
mod rows;

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use symbolon::journal::JournalKeys;
use symbolon::record::{self, RecordKey};
use symbolon::store::{Cursor, Stored, TokenStore};
use symbolon::{Caller, Engine, Id, ImportItem, MemoryStore, Options};
use symbolon_benches::{
    Cast, Figures, Kind, Unit, is_quick, key, large, new_authorization, options, owners, target,
};
use symbolon_journal::FileJournal;
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;
use tempfile::TempDir;

use bare::{BareSled, BareSqlite, PlainSqlite, Row};
use rows::{Runner, compare};

fn main() {
    let mut figures = Figures::new("store");
    create(&mut figures);
    create_64(&mut figures);
    import(&mut figures);
}

fn folder() -> TempDir {
    let mut builder = tempfile::Builder::new();
    builder.prefix("bench").tempdir_in(target()).unwrap()
}

fn seconds(full: u64, quick: u64) -> Duration {
    Duration::from_secs(if is_quick() { quick } else { full })
}

/// An engine with 10 organizations and 1,000 users.
struct World {
    engine: Engine,
    organization: Id,
}

impl World {
    fn make(store: Arc<dyn TokenStore>, options: Options) -> Self {
        let engine = Engine::create(store, key(), options).unwrap();
        let organizations = owners(&engine, Cast::Standard, 1);
        Self {
            engine,
            organization: organizations[0],
        }
    }

    fn create(&self) -> Id {
        let new = new_authorization(self.organization);
        let made = self.engine.issuer().create(&Caller::Root, new);
        made.unwrap().1.id
    }

    /// Creates `each` times in each of 64 threads.
    fn create_at_once(&self, each: u32) {
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    for _ in 0..each {
                        self.create();
                    }
                });
            }
        });
    }
}

/// Rows in one commit of an import.
const CHUNK: usize = 1000;

fn create(figures: &mut Figures) {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let sqlite_store = Arc::new(SqliteStore::open(path("sqlite/store.db")).unwrap());
    let sqlite = World::make(Arc::clone(&sqlite_store) as _, options());
    let journal = FileJournal::open(&path("journal"), JournalKeys::new(&key())).unwrap();
    let with_journal = Options {
        journal: Some(Arc::new(journal)),
        ..options()
    };
    let journaled = Arc::new(SqliteStore::open(path("journaled/store.db")).unwrap());
    let journaled = World::make(journaled, with_journal);
    let sled_store = Arc::new(SledStore::open(path("sled")).unwrap());
    let sled = World::make(sled_store, options());
    let memory = World::make(Arc::new(MemoryStore::new()), options());
    let sample = stored(&*sqlite_store, sqlite.create());
    let mut bare = BareSqlite::make(&path("bare.db"));
    let plain = PlainSqlite::make(&path("plain.db"));
    let mut bare_sled = BareSled::make(&path("bare-sled"));
    let mut floor = Floor::make(&path("floor"));
    let mut numbers = [0_u64; 3];
    let [one, two, three] = &mut numbers;
    let next = |number: &mut u64| {
        *number += 1;
        Row::like(&sample, *number)
    };
    let all = vec![
        Runner::new("create/symbolon-sqlite", || {
            sqlite.create();
        }),
        Runner::new("create/bare-sqlite", || bare.commit(&[next(one)])),
        Runner::new("create/plain-sqlite", || plain.insert(&next(two))),
        Runner::new("create/symbolon-sqlite-journal", || {
            journaled.create();
        }),
        Runner::new("create/symbolon-sled", || {
            sled.create();
        }),
        Runner::new("create/bare-sled", || bare_sled.commit(&[next(three)])),
        Runner::new("create/symbolon-memory", || {
            memory.create();
        }),
        Runner::new("create/fsync-floor", || floor.write()),
    ];
    compare(figures, all, seconds(30, 4), (None, 1, Unit::Nanoseconds));
}

fn create_64(figures: &mut Figures) {
    // Enough that the start of the threads and their end do not matter.
    const EACH: u32 = 100;
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let sqlite_store = Arc::new(SqliteStore::open(path("sqlite/store.db")).unwrap());
    let sqlite = World::make(Arc::clone(&sqlite_store) as _, options());
    let sled_store = Arc::new(SledStore::open(path("sled")).unwrap());
    let sled = World::make(sled_store, options());
    let sample = stored(&*sqlite_store, sqlite.create());
    let mut bare = BareSqlite::make(&path("bare.db"));
    let mut bare_sled = BareSled::make(&path("bare-sled"));
    let mut numbers = [0_u64; 2];
    let [one, two] = &mut numbers;
    let commits = |number: &mut u64, commit: &mut dyn FnMut(&[Row])| {
        for _ in 0..EACH {
            let rows: Vec<_> = (*number..*number + 64)
                .map(|number| Row::like(&sample, number))
                .collect();
            *number += 64;
            commit(&rows);
        }
    };
    let all = vec![
        Runner::new("create-64/symbolon-sqlite", || sqlite.create_at_once(EACH)),
        Runner::new("create-64/bare-sqlite", || {
            commits(one, &mut |rows| bare.commit(rows));
        }),
        Runner::new("create-64/symbolon-sled", || sled.create_at_once(EACH)),
        Runner::new("create-64/bare-sled", || {
            commits(two, &mut |rows| bare_sled.commit(rows));
        }),
    ];
    compare(
        figures,
        all,
        seconds(30, 4),
        (None, 64 * EACH, Unit::Nanoseconds),
    );
}

/// Fills large stores, measures their size, and opens them.
fn import(figures: &mut Figures) {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let sqlite =
        || -> Arc<dyn TokenStore> { Arc::new(SqliteStore::open(path("sqlite/store.db")).unwrap()) };
    let mut bare = BareSqlite::make(&path("bare.db"));
    // A million records take minutes.
    let count = if is_quick() {
        large().min(100_000)
    } else {
        large()
    };
    let filled = fill(figures, "sqlite", &sqlite, count, &mut |rows| {
        bare.commit(rows)
    });
    drop(bare);
    weigh(
        figures,
        "sqlite",
        &filled,
        [&path("sqlite"), &path("bare.db")],
    );
    let all = vec![
        Runner::new("open/symbolon-sqlite", || filled.check(sqlite())),
        Runner::new("open/bare-scan-sqlite", || scan(&*sqlite())),
        Runner::new("open/bare-select-sqlite", || {
            BareSqlite::select(&path("bare.db"));
        }),
    ];
    compare(
        figures,
        all,
        Duration::ZERO,
        (Some(filled.count), 1, Unit::Seconds),
    );

    // sled takes ten times as long.
    let count = count / 10;
    let sled = || -> Arc<dyn TokenStore> { Arc::new(SledStore::open(path("sled")).unwrap()) };
    let mut bare = BareSled::make(&path("bare-sled"));
    let filled = fill(figures, "sled", &sled, count, &mut |rows| bare.commit(rows));
    drop(bare);
    weigh(
        figures,
        "sled",
        &filled,
        [&path("sled"), &path("bare-sled")],
    );
    let all = vec![
        Runner::new("open/symbolon-sled", || filled.check(sled())),
        Runner::new("open/bare-scan-sled", || {
            BareSled::make(&path("bare-sled")).scan();
        }),
    ];
    compare(
        figures,
        all,
        Duration::ZERO,
        (Some(filled.count), 1, Unit::Seconds),
    );
}

/// A store that was filled.
struct Filled {
    count: u64,
}

impl Filled {
    /// Opens the store and checks the last token.
    fn check(&self, store: Arc<dyn TokenStore>) {
        let engine = Engine::open(store, key(), options()).unwrap();
        let number = self.count - 1;
        let text = String::from_utf8(Cast::Standard.text(number)).unwrap();
        let request = Cast::Standard.request(number);
        engine.verifier().check(&text, &request).unwrap();
    }
}

/// Imports `count` tokens in chunks, and commits the rows of each chunk to `bare`.
fn fill(
    figures: &mut Figures,
    name: &str,
    open: &dyn Fn() -> Arc<dyn TokenStore>,
    count: u64,
    bare: &mut dyn FnMut(&[Row]),
) -> Filled {
    let store = open();
    let world = World::make(Arc::clone(&store), options());
    let issuer = world.engine.issuer();
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    for from in (0..count).step_by(CHUNK) {
        let numbers = from..count.min(from + CHUNK as u64);
        let items = numbers.clone().map(|number| Cast::Standard.item(number));
        let items: Vec<ImportItem> = items.collect();
        let start = Instant::now();
        issuer.import(&items).unwrap();
        ours += start.elapsed();
        let row = |number| Row::like(&stored(&*store, Cast::Standard.id(number)), number);
        let rows: Vec<_> = numbers.map(row).collect();
        let start = Instant::now();
        bare(&rows);
        theirs += start.elapsed();
    }
    for (whose, took) in [("symbolon", ours), ("bare", theirs)] {
        let rate = count as f64 / took.as_secs_f64();
        let name = format!("import/{whose}-{name}");
        figures.add(&name, Some(count), Kind::Throughput, rate, Unit::PerSecond);
    }
    Filled { count }
}

fn weigh(figures: &mut Figures, name: &str, filled: &Filled, [ours, bare]: [&Path; 2]) {
    for (whose, path) in [("symbolon", ours), ("bare", bare)] {
        let each = size(path) as f64 / filled.count as f64;
        let name = format!("disk/{whose}-{name}");
        figures.add(&name, Some(filled.count), Kind::Count, each, Unit::Bytes);
    }
}

/// Reads all records.
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

/// A file of constant size that is overwritten in a loop.
struct Floor(File);

impl Floor {
    const SIZE: u64 = 1 << 20;

    fn make(path: &Path) -> Self {
        let mut file = File::create(path).unwrap();
        file.write_all(&vec![1; usize::try_from(Self::SIZE).unwrap()])
            .unwrap();
        file.sync_all().unwrap();
        file.rewind().unwrap();
        Self(file)
    }

    fn write(&mut self) {
        if self.0.stream_position().unwrap() + 300 > Self::SIZE {
            self.0.rewind().unwrap();
        }
        self.0.write_all(&[7; 300]).unwrap();
        self.0.sync_data().unwrap();
    }
}

fn stored(store: &dyn TokenStore, id: Id) -> Stored {
    let key = RecordKey::new(record::Kind::AUTHORIZATION, id);
    store.get(&key).unwrap().unwrap()
}

/// Returns the size on disk of a file or a directory.
fn size(path: &Path) -> u64 {
    let found = fs::metadata(path).unwrap();
    if !found.is_dir() {
        return found.blocks() * 512;
    }
    let inside = fs::read_dir(path).unwrap();
    inside.map(|entry| size(&entry.unwrap().path())).sum()
}
