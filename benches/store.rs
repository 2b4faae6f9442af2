//! Writing and opening on SQLite and sled, beside what they do by themselves with the same rows, and beside the disk.
//!
//! | figure | is |
//! |---|---|
//! | `create/…` | one durable creation by one caller |
//! | `create-64/…` | one of 64 durable creations at the same time; beside it, of one commit of 64 rows |
//! | `import/…` | rows a second, in commits of 1,000 |
//! | `disk/…` | bytes a record, of a closed store |
//! | `open/…` | seconds from closed to the first check, beside the reading of all records alone |
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
use symbolon::record::{Kind, RecordKey};
use symbolon::store::{Cursor, Stored, TokenStore};
use symbolon::{
    Action, Authorization, Caller, Engine, Face, Id, ImportItem, MemoryStore, Options, Permission,
    Prefix, Request, ResourceType, Schema, Status, Token, User,
};
use symbolon_benches::{key, new_authorization, options};
use symbolon_journal::FileJournal;
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;
use tempfile::TempDir;

use bare::{BareSled, BareSqlite, PlainSqlite, Row};
use rows::{Figures, Runner, compare, is_quick, large, target};

fn main() {
    let mut figures = Figures::new();
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
    organizations: Vec<Id>,
}

impl World {
    fn make(store: Arc<dyn TokenStore>, options: Options) -> Self {
        let engine = Engine::create(store, key(), options).unwrap();
        let issuer = engine.issuer();
        let make = |number| issuer.create_organization(&Caller::Root, &format!("org-{number}"), "");
        let organizations = (0..10).map(|number| make(number).unwrap().id).collect();
        let users: Vec<_> = (1..=1000)
            .map(|number| ImportItem::User(user(number)))
            .collect();
        issuer.import(&users).unwrap();
        Self {
            engine,
            organizations,
        }
    }

    fn create(&self) -> Id {
        let new = new_authorization(self.organizations[0]);
        let made = self.engine.issuer().create(&Caller::Root, new);
        made.unwrap().1.id
    }

    /// 64 callers that each create `each` times.
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

    /// The one with this number: the organizations, users and ten sets of permissions come in turn.
    fn authorization(&self, number: u64) -> (Authorization, Token) {
        let organization = self.organizations[(number % 10) as usize];
        let others = Schema::influxdb_operator().into_iter().skip(4);
        let others = others.take((number / 10 % 10) as usize);
        let permissions = others.chain([Permission::new(Action::READ, ResourceType::BUCKETS)]);
        let permissions = permissions.map(|one| one.organization(organization));
        let authorization = Authorization {
            id: id(number),
            organization,
            user: Id::new(1 + number * 7 % 1000),
            created_by: None,
            face: Face::V2,
            rotated_from: None,
            description: format!("token {number}"),
            permissions: permissions.collect(),
            status: Status::Active,
            expires_at: None,
            created_at: MADE.parse().unwrap(),
            updated_at: MADE.parse().unwrap(),
            revoked_at: None,
        };
        let token = Token::generate(Prefix::SYMBOLON, authorization.id);
        (authorization, token.unwrap())
    }
}

const MADE: &str = "2026-01-01T00:00:00Z";

/// As ids that are drawn one after the other: milliseconds, then 22 lower bits.
fn id(number: u64) -> Id {
    Id::new(((300_000_000_000 + number) << 22) | (number % 1000)).unwrap()
}

fn user(number: u64) -> User {
    User {
        id: Id::new(number).unwrap(),
        name: format!("user-{number}"),
        status: Status::Active,
        operator: false,
        memberships: Vec::new(),
        password_hash: None,
        created_at: MADE.parse().unwrap(),
        updated_at: MADE.parse().unwrap(),
    }
}

/// Rows in one commit of an import.
const CHUNK: u64 = 1000;

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
    compare(figures, all, seconds(30, 4), (None, 1, "ns"));
}

fn create_64(figures: &mut Figures) {
    // Enough that starting the threads does not count.
    const EACH: u32 = 20;
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
    compare(figures, all, seconds(30, 4), (None, 64 * EACH, "ns"));
}

/// Fills large stores, weighs them, and opens them.
fn import(figures: &mut Figures) {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let sqlite =
        || -> Arc<dyn TokenStore> { Arc::new(SqliteStore::open(path("sqlite/store.db")).unwrap()) };
    let mut bare = BareSqlite::make(&path("bare.db"));
    let filled = fill(figures, "sqlite", &sqlite, large(), &mut |rows| {
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
    compare(figures, all, Duration::ZERO, (Some(filled.count), 1, "s"));

    // It takes ten times as long to fill.
    let count = large() / 10;
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
    compare(figures, all, Duration::ZERO, (Some(filled.count), 1, "s"));
}

/// What is known of a store that was filled.
struct Filled {
    count: u64,
    token: String,
    organization: Id,
}

impl Filled {
    /// From closed to the first check.
    fn check(&self, store: Arc<dyn TokenStore>) {
        let engine = Engine::open(store, key(), options()).unwrap();
        let request = Request::new(Action::READ, ResourceType::BUCKETS);
        let request = request.organization(self.organization);
        engine.verifier().check(&self.token, &request).unwrap();
    }
}

/// Imports `count` tokens, and commits the same rows to `bare` chunk by chunk between.
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
    let chunks = count.div_ceil(CHUNK);
    let mut last = None;
    for chunk in 0..chunks {
        let numbers = chunk * CHUNK..(chunk + 1) * CHUNK;
        let made = numbers.clone();
        let made: Vec<_> = made.map(|number| world.authorization(number)).collect();
        last = made.last().map(|(one, token)| Filled {
            count: chunks * CHUNK,
            token: token.reveal().to_owned(),
            organization: one.organization,
        });
        let item = |(one, token)| ImportItem::Authorization(one, token);
        let items: Vec<_> = made.into_iter().map(item).collect();
        let start = Instant::now();
        issuer.import(&items).unwrap();
        ours += start.elapsed();
        let row = |number| Row::like(&stored(&*store, id(number)), number);
        let rows: Vec<_> = numbers.map(row).collect();
        let start = Instant::now();
        bare(&rows);
        theirs += start.elapsed();
    }
    let filled = last.unwrap();
    for (whose, took) in [("symbolon", ours), ("bare", theirs)] {
        let rate = filled.count as f64 / took.as_secs_f64();
        let name = format!("import/{whose}-{name}");
        figures.add(&name, Some(filled.count), "throughput", rate, "1/s");
    }
    filled
}

fn weigh(figures: &mut Figures, name: &str, filled: &Filled, [ours, bare]: [&Path; 2]) {
    for (whose, path) in [("symbolon", ours), ("bare", bare)] {
        let each = size(path) as f64 / filled.count as f64;
        let name = format!("disk/{whose}-{name}");
        figures.add(&name, Some(filled.count), "count", each, "B");
    }
}

/// Reads all records, and nothing more.
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

/// A file that has its size, written over again and again.
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
    let key = RecordKey::new(Kind::AUTHORIZATION, id);
    store.get(&key).unwrap().unwrap()
}

/// On disk, with all that lies in a folder.
fn size(path: &Path) -> u64 {
    let found = fs::metadata(path).unwrap();
    if !found.is_dir() {
        return found.blocks() * 512;
    }
    let inside = fs::read_dir(path).unwrap();
    inside.map(|entry| size(&entry.unwrap().path())).sum()
}
