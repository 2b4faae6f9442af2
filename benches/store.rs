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
use symbolon::store::{Stored, TokenStore};
use symbolon::{Caller, Engine, Id, ImportItem, MemoryStore, Options};
use symbolon_benches::{
    CHUNK, Cast, Figures, Kind, Unit, full_or_quick, id, key, large, new_authorization, options,
    owners, target,
};
use symbolon_journal::FileJournal;
use tempfile::TempDir;

use bare::{Bare, BareSled, BareSqlite, PlainSqlite, Row};
use rows::{Runner, compare};

fn main() {
    let mut figures = Figures::new("store");
    create(&mut figures);
    create_64(&mut figures);
    // A million records take minutes.
    let count = full_or_quick(large(), large().min(100_000));
    import::<BareSqlite>(&mut figures, count);
    // sled takes ten times as long.
    import::<BareSled>(&mut figures, count / 10);
}

fn folder() -> TempDir {
    let mut builder = tempfile::Builder::new();
    builder.prefix("bench").tempdir_in(target()).unwrap()
}

/// An engine with 10 organizations and 1,000 users.
struct World {
    engine: Engine,
    organization: Id,
}

impl World {
    fn make(store: Arc<dyn TokenStore>, options: Options) -> Self {
        let engine = Engine::create(store, key(), options).unwrap();
        let organization = owners(&engine, Cast::Standard, 1);
        Self { engine, organization }
    }

    fn create(&self) -> Id {
        let new = new_authorization(self.organization);
        let made = self.engine.admin(Caller::Root).authorizations().create(new);
        made.unwrap().1.id
    }

    /// Returns a step that creates one authorization.
    fn creating(store: Arc<dyn TokenStore>, options: Options) -> impl FnMut() {
        let world = Self::make(store, options);
        move || {
            world.create();
        }
    }
}

/// Returns a function that makes the next rows for a library, like those of an authorization.
fn rows(count: u64) -> impl FnMut() -> Vec<Row> {
    let store = Arc::new(MemoryStore::new());
    let made = World::make(Arc::clone(&store) as _, options()).create();
    let sample = stored(&*store, made);
    let mut next = 0;
    move || {
        next += count;
        let numbers = next - count..next;
        numbers.map(|number| Row::like(&sample, number)).collect()
    }
}

fn create(figures: &mut Figures) {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let journal = FileJournal::open(&path("journal"), JournalKeys::new(&key())).unwrap();
    let with_journal = Options { journal: Some(Arc::new(journal)), ..options() };
    let sqlite = World::creating(BareSqlite::store(&path("sqlite")), options());
    let journaled = World::creating(BareSqlite::store(&path("journaled")), with_journal);
    let sled = World::creating(BareSled::store(&path("sled")), options());
    let memory = World::creating(Arc::new(MemoryStore::new()), options());
    let mut bare = BareSqlite::make(&path("bare-sqlite"));
    let plain = PlainSqlite::make(&path("plain"));
    let mut bare_sled = BareSled::make(&path("bare-sled"));
    let mut floor = Floor::make(&path("floor"));
    let [mut one, mut two, mut three] = [rows(1), rows(1), rows(1)];
    let all = vec![
        Runner::new("create/symbolon-sqlite", sqlite),
        Runner::new("create/bare-sqlite", || bare.commit(&one())),
        Runner::new("create/plain-sqlite", || plain.insert(&two()[0])),
        Runner::new("create/symbolon-sqlite-journal", journaled),
        Runner::new("create/symbolon-sled", sled),
        Runner::new("create/bare-sled", || bare_sled.commit(&three())),
        Runner::new("create/symbolon-memory", memory),
        Runner::new("create/fsync-floor", || floor.write()),
    ];
    let time = Duration::from_secs(full_or_quick(30, 4));
    compare(figures, all, time, None, Unit::Nanoseconds, 1);
}

fn create_64(figures: &mut Figures) {
    let folder = folder();
    let mut all = Vec::from(concurrent::<BareSqlite>(folder.path()));
    all.extend(concurrent::<BareSled>(folder.path()));
    let time = Duration::from_secs(full_or_quick(30, 4));
    compare(figures, all, time, None, Unit::Nanoseconds, 64 * EACH);
}

/// Creations of each of 64 threads: enough that the start of the threads and their end do not
/// matter.
const EACH: u32 = 100;

/// Returns concurrent creations, and as many commits of 64 rows by the library alone.
fn concurrent<B: Bare + 'static>(folder: &Path) -> [Runner<'static>; 2] {
    let world = World::make(B::store(&folder.join(B::NAME)), options());
    let mut bare = B::make(&folder.join(format!("bare-{}", B::NAME)));
    let mut rows = rows(64);
    let create = move || {
        let create_each = || {
            for _ in 0..EACH {
                world.create();
            }
        };
        thread::scope(|scope| (0..64).for_each(|_| drop(scope.spawn(create_each))));
    };
    let commit = move || (0..EACH).for_each(|_| bare.commit(&rows()));
    [
        Runner::new(&format!("create-64/symbolon-{}", B::NAME), create),
        Runner::new(&format!("create-64/bare-{}", B::NAME), commit),
    ]
}

/// Fills large stores, measures their size, and opens them.
fn import<B: Bare>(figures: &mut Figures, count: u64) {
    let folder = folder();
    let ours = folder.path().join(B::NAME);
    let theirs = folder.path().join(format!("bare-{}", B::NAME));
    fill::<B>(figures, count, &ours, &theirs);
    for (whose, path) in [("symbolon", &ours), ("bare", &theirs)] {
        let each = size(path) as f64 / count as f64;
        let name = format!("disk/{whose}-{}", B::NAME);
        figures.add(&name, Some(count), Kind::Count, each, Unit::Bytes);
    }
    let open = || {
        let engine = Engine::open(B::store(&ours), key(), options()).unwrap();
        let text = String::from_utf8(Cast::Standard.text(count - 1)).unwrap();
        let request = Cast::Standard.request(count - 1);
        engine.verifier().check(&text, &request).unwrap();
    };
    let mut all = vec![Runner::new(&format!("open/symbolon-{}", B::NAME), open)];
    for (name, read) in B::READS {
        all.push(Runner::new(name, || read(&ours, &theirs)));
    }
    compare(figures, all, Duration::ZERO, Some(count), Unit::Seconds, 1);
}

/// Imports `count` tokens in chunks, and commits the rows of each chunk by the library alone.
fn fill<B: Bare>(figures: &mut Figures, count: u64, ours: &Path, theirs: &Path) {
    let store = B::store(ours);
    let world = World::make(Arc::clone(&store), options());
    let mut bare = B::make(theirs);
    let engine = &world.engine;
    let mut took = [Duration::ZERO; 2];
    for from in (0..count).step_by(CHUNK as usize) {
        let numbers = from..count.min(from + CHUNK);
        let items = numbers.clone().map(|number| Cast::Standard.item(number));
        let items: Vec<ImportItem> = items.collect();
        let start = Instant::now();
        engine.maintenance().import(&items).unwrap();
        took[0] += start.elapsed();
        let row = |number| Row::like(&stored(&*store, id(number)), number);
        let rows: Vec<_> = numbers.map(row).collect();
        let start = Instant::now();
        bare.commit(&rows);
        took[1] += start.elapsed();
    }
    for (whose, took) in ["symbolon", "bare"].iter().zip(took) {
        let rate = count as f64 / took.as_secs_f64();
        let name = format!("import/{whose}-{}", B::NAME);
        figures.add(&name, Some(count), Kind::Throughput, rate, Unit::PerSecond);
    }
}

/// A file of constant size that is overwritten in a loop.
struct Floor(File);

impl Floor {
    const SIZE: u64 = 1 << 20;

    fn make(path: &Path) -> Self {
        let mut file = File::create(path).unwrap();
        let bytes = vec![1; Self::SIZE as usize];
        file.write_all(&bytes).unwrap();
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
